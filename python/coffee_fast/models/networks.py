"""Ensembles of multilayer perceptrons in torch: all members in one batched product a layer."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import torch

from coffee_fast.policies import Layers


class StackedMLP:
    """``E`` perceptrons of one shape, ReLU between their layers; layer ``l`` has weights ``[E, inputs, outputs]``."""

    def __init__(self, num_members: int, sizes: Sequence[int], generator: torch.Generator) -> None:
        self.weights: list[torch.Tensor] = []
        self.biases: list[torch.Tensor] = []
        for inputs, outputs in itertools.pairwise(sizes):
            deviation = inputs**-0.5
            weight = torch.empty(num_members, inputs, outputs, dtype=torch.float32, device="cpu")
            # The authors' initialization: a normal distribution cut off at two deviations, zero biases.
            torch.nn.init.trunc_normal_(weight, 0.0, deviation, -2 * deviation, 2 * deviation, generator=generator)
            self.weights.append(weight)
            self.biases.append(torch.zeros_like(weight[:, :1]))
        for parameter in self.parameters:
            parameter.requires_grad_()

    @property
    def parameters(self) -> list[torch.Tensor]:
        return [*self.weights, *self.biases]

    def __call__(self, inputs: torch.Tensor) -> torch.Tensor:
        """``[E, B, inputs]`` (or ``[B, inputs]``, shared by all members) to ``[E, B, outputs]``."""
        if inputs.ndim == 2:
            inputs = inputs.expand(len(self.weights[0]), -1, -1)
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            inputs = torch.relu_(torch.baddbmm(bias, inputs, weight))
        return torch.baddbmm(self.biases[-1], inputs, self.weights[-1])

    def export(self) -> tuple[Layers, ...]:
        """Each member's layers as arrays, weights ``[outputs, inputs]``."""
        return tuple(
            tuple(
                (np.ascontiguousarray(weight[member].detach().numpy().T), bias[member, 0].detach().numpy().copy())
                for weight, bias in zip(self.weights, self.biases, strict=True)
            )
            for member in range(len(self.weights[0]))
        )
