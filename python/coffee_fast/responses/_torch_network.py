"""A ReLU network in torch: flat vectors of parameters and gradient, written out instead of recorded, and Adam."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from coffee_fast.errors import ConfigError
from coffee_fast.typing import Float32

Layers = list[tuple[torch.Tensor, torch.Tensor]]


def layer_views(flat: torch.Tensor, sizes: Sequence[int]) -> Layers:
    """Split a flat vector into (weights [outputs, inputs], bias [outputs]) of each layer, sharing its memory."""
    views, start = [], 0
    for inputs, outputs in itertools.pairwise(sizes):
        weights = flat[start : start + inputs * outputs].view(outputs, inputs)
        start += inputs * outputs
        views.append((weights, flat[start : start + outputs]))
        start += outputs
    return views


def flat_parameters(layers: Sequence[tuple[Float32, Float32]]) -> torch.Tensor:
    """Return the flat vector that `layer_views` splits into these layers."""
    return torch.from_numpy(np.concatenate([np.ravel(array) for layer in layers for array in layer]))


def layers_of(flat: torch.Tensor, sizes: Sequence[int]) -> tuple[tuple[Float32, Float32], ...]:
    """Return (weights, bias) of each layer as arrays of their own."""
    copy = flat.detach().to("cpu", copy=True)
    return tuple((weights.numpy(), bias.numpy()) for weights, bias in layer_views(copy, sizes))


def hidden_activations(layers: Layers, inputs: torch.Tensor) -> list[torch.Tensor]:
    """Return what each layer is given: the inputs, then the outputs of the ReLU layers."""
    activations = [inputs]
    for weights, bias in layers[:-1]:
        activations.append(torch.addmm(bias, activations[-1], weights.t()).relu_())
    return activations


def _check_device(device: str) -> None:
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:  # torch says an unknown device and a missing one by these two
        raise ConfigError(f"device must be one that torch can compute on here, got {device!r}: {error}") from error


class TorchNetwork:
    """A network that learns on a device."""

    def __init__(self, layers: Sequence[tuple[Float32, Float32]], device: str) -> None:
        _check_device(device)
        self.sizes = (layers[0][0].shape[1], *(len(bias) for _, bias in layers))
        self.parameters = flat_parameters(layers).to(device)
        self.parameters.grad = torch.zeros_like(self.parameters)
        self.layers = layer_views(self.parameters, self.sizes)
        self._gradients = layer_views(self.parameters.grad, self.sizes)
        self._adam = torch.optim.Adam([self.parameters], fused=True)
        self.num_steps = 0

    def forward(self, inputs: torch.Tensor) -> list[torch.Tensor]:
        """Return the activations of every layer, inputs ``[B, I]`` first and outputs last."""
        activations = hidden_activations(self.layers, inputs)
        weights, bias = self.layers[-1]
        return [*activations, torch.addmm(bias, activations[-1], weights.t())]

    def backward(self, activations: Sequence[torch.Tensor], output_gradient: torch.Tensor) -> None:
        """Write the gradient of a loss by the parameters, given it by the outputs, ``[B, O]``."""
        hidden_gradient = output_gradient @ self.layers[-1][0]
        self.backward_from(activations, output_gradient, hidden_gradient)

    def backward_from(
        self, activations: Sequence[torch.Tensor], output_gradient: torch.Tensor, hidden_gradient: torch.Tensor
    ) -> None:
        """The same where the gradient by the last layer's inputs is known already; it is overwritten."""
        last = len(self.layers) - 1
        self._write_gradient(last, output_gradient, activations[last])
        for layer in range(last - 1, -1, -1):
            hidden_gradient *= activations[layer + 1] > 0
            self._write_gradient(layer, hidden_gradient, activations[layer])
            if layer > 0:
                hidden_gradient = hidden_gradient @ self.layers[layer][0]

    def _write_gradient(self, layer: int, output_gradient: torch.Tensor, inputs: torch.Tensor) -> None:
        weights, bias = self._gradients[layer]
        torch.mm(output_gradient.t(), inputs, out=weights)
        torch.sum(output_gradient, 0, out=bias)

    def adam_step(self, learning_rate: float) -> None:
        """Take one step against the gradient that was written last."""
        self._adam.param_groups[0]["lr"] = learning_rate
        self._adam.step()
        self.num_steps += 1

    def moments(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return Adam's first and second moment."""
        kept, zeros = self._adam.state.get(self.parameters, {}), torch.zeros_like(self.parameters)
        return kept.get("exp_avg", zeros), kept.get("exp_avg_sq", zeros)

    def restore(self, parameters: Any, first_moment: Any, second_moment: Any, num_steps: int) -> None:
        """Take over parameters and Adam's state, arrays of the sizes of these."""
        device = self.parameters.device
        self.parameters.copy_(torch.tensor(parameters, device=device))
        self.num_steps = num_steps
        self._adam.state.clear()
        if num_steps > 0:
            self._adam.state[self.parameters] = {
                "step": torch.tensor(float(num_steps), dtype=torch.float32, device=device),
                "exp_avg": torch.tensor(first_moment, device=device),
                "exp_avg_sq": torch.tensor(second_moment, device=device),
            }
