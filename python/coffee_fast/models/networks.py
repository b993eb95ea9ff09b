"""Ensembles of networks in torch, of either family: all members in one batched product a layer."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from coffee_fast.policies import Layers


class StackedMLP:
    """``E`` perceptrons of one shape, ReLU between their layers; layer ``l`` has weights ``[E, inputs, outputs]``."""

    def __init__(self, num_members: int, sizes: Sequence[int], generator: torch.Generator) -> None:
        self.weights: list[torch.Tensor] = []
        self.biases: list[torch.Tensor] = []
        for inputs, outputs in self.shapes(sizes):
            deviation = inputs**-0.5
            weight = torch.empty(num_members, inputs, outputs, dtype=torch.float32, device="cpu")
            # The authors' initialization: a normal distribution cut off at two deviations, zero biases.
            torch.nn.init.trunc_normal_(weight, 0.0, deviation, -2 * deviation, 2 * deviation, generator=generator)
            self.weights.append(weight)
            self.biases.append(torch.zeros_like(weight[:, :1]))
        for parameter in self.parameters:
            parameter.requires_grad_()

    @staticmethod
    def shapes(sizes: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Inputs and outputs of each layer, of the sizes of inputs, layers and outputs."""
        return iter(itertools.pairwise(sizes))

    @staticmethod
    def activate(sums: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
        """What a layer hands on: ``[E, B, next layer's inputs]`` of its sums and its own inputs."""
        return torch.relu_(sums)

    @property
    def parameters(self) -> list[torch.Tensor]:
        return [*self.weights, *self.biases]

    def __call__(self, inputs: torch.Tensor) -> torch.Tensor:
        """``[E, B, inputs]`` (or ``[B, inputs]``, shared by all members) to ``[E, B, outputs]``."""
        if inputs.ndim == 2:
            inputs = inputs.expand(len(self.weights[0]), -1, -1)
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            inputs = self.activate(torch.baddbmm(bias, inputs, weight), inputs)
        return torch.baddbmm(self.biases[-1], inputs, self.weights[-1])

    def descend(self, inputs: torch.Tensor, loss: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
        """The ``loss`` of the outputs; its gradients are left in the parameters' ``grad``."""
        for parameter in self.parameters:
            parameter.grad = None
        value = loss(self(inputs))
        value.backward()  # type: ignore[no-untyped-call]
        return value.detach()

    def seeing(self, num_inputs: int) -> Iterator[torch.Tensor]:
        """The weights by which layers see the network's inputs: views ``[E, num_inputs, outputs]``."""
        yield self.weights[0].detach()

    def ignore(self, is_ignored: NDArray[np.bool_]) -> None:
        """Set the weights of some inputs to 0, where they stay if those inputs are 0 in training."""
        for weight in self.seeing(len(is_ignored)):
            weight[:, torch.from_numpy(is_ignored)] = 0.0

    def export(self) -> tuple[Layers, ...]:
        """Each member's layers as arrays, weights ``[outputs, inputs]``."""
        return tuple(
            tuple(
                (np.ascontiguousarray(weight[member].detach().numpy().T), bias[member, 0].detach().numpy().copy())
                for weight, bias in zip(self.weights, self.biases, strict=True)
            )
            for member in range(len(self.weights[0]))
        )


class StackedProducts(StackedMLP):
    """``E`` networks of layers of products: ``h = (U x + b) * (G x + c)``, after which come ``[h, x]``.

    A layer of width ``w`` has ``2 w`` outputs, those of ``U`` before those of ``G``; the last layer is affine, and sees
    all that were before it.
    """

    @staticmethod
    def shapes(sizes: Sequence[int]) -> Iterator[tuple[int, int]]:
        inputs, *widths, outputs = sizes
        for width in widths:
            yield inputs, 2 * width
            inputs += width
        yield inputs, outputs

    @staticmethod
    def activate(sums: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
        first, second = sums.chunk(2, dim=-1)
        return torch.cat([first * second, inputs], dim=-1)

    def descend(self, inputs: torch.Tensor, loss: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
        # Written out: in networks this small autograd's own work takes longer than the sums.
        if inputs.ndim == 2:
            inputs = inputs.expand(len(self.weights[0]), -1, -1)
        with torch.no_grad():
            seen, factors = [inputs], []
            for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
                first, second = torch.baddbmm(bias, seen[-1], weight).chunk(2, dim=-1)
                factors.append((first, second))
                seen.append(torch.cat([first * second, seen[-1]], dim=-1))
            outputs = torch.baddbmm(self.biases[-1], seen[-1], self.weights[-1])
        value = loss(outputs.requires_grad_())
        (slope,) = torch.autograd.grad(value, outputs)
        with torch.no_grad():
            self._set_gradients(-1, seen[-1], slope)
            left = torch.bmm(slope, self.weights[-1].mT)  # by what a layer has seen, its inputs behind its products
            for place in reversed(range(len(factors))):
                (first, second), width = factors[place], factors[place][0].shape[-1]
                products, left = left[..., :width], left[..., width:]
                slope = torch.cat([products * second, products * first], dim=-1)
                self._set_gradients(place, seen[place], slope)
                if place:
                    left = torch.baddbmm(left, slope, self.weights[place].mT)
        return value.detach()

    def _set_gradients(self, place: int, inputs: torch.Tensor, slope: torch.Tensor) -> None:
        self.weights[place].grad = torch.bmm(inputs.mT, slope)
        self.biases[place].grad = slope.sum(dim=1, keepdim=True)

    def seeing(self, num_inputs: int) -> Iterator[torch.Tensor]:
        for weight in self.weights:
            yield weight.detach()[:, -num_inputs:]


FAMILIES: dict[str, type[StackedMLP]] = {"relu": StackedMLP, "product": StackedProducts}
