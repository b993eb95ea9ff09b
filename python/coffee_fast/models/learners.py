"""Networks of one family in training: their steps, and the best weights met on the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch.optim.adamw import adamw

from coffee_fast.models.networks import StackedMLP


class Learner:
    """Networks of one family in training, and each member's best weights so far."""

    def __init__(self, family: str, stack: StackedMLP, decay: float) -> None:
        self.family, self.stack, self.improved, self.is_done = family, stack, 0, False
        self._optimizers = [AdamW(stack.weights, decay), AdamW(stack.biases, 0.0)]
        self._best = [parameter.detach().clone() for parameter in stack.parameters]
        self._best_losses = torch.full((len(self._best[0]),), float("inf"))
        self._last_losses = self._best_losses.clone()

    def step(
        self, inputs: torch.Tensor, loss: Callable[[torch.Tensor], torch.Tensor], learning_rate: float
    ) -> torch.Tensor:
        """Take a step down the ``loss`` of the outputs, and return it."""
        value = self.stack.descend(inputs, loss)
        for optimizer in self._optimizers:
            optimizer.step(learning_rate)
        return value

    @property
    def best_loss(self) -> float:
        return float(self._best_losses.mean())

    def judge(self, losses: torch.Tensor, done: int) -> None:
        better = losses < self._best_losses
        if better.any():
            self.improved = done
        self._last_losses = losses
        self._best_losses = torch.where(better, losses, self._best_losses)
        for best, parameter in zip(self._best, self.stack.parameters, strict=True):
            best[better] = parameter.detach()[better]

    def take_back(self, tolerance: float) -> None:
        """Give each member its best weights where its last held-out loss is more than ``tolerance`` times the best."""
        is_worse = self._last_losses > tolerance * self._best_losses
        for best, parameter in zip(self._best, self.stack.parameters, strict=True):
            parameter.detach()[is_worse] = best[is_worse]

    def is_finite(self) -> bool:
        return all(bool(torch.isfinite(parameter).all()) for parameter in self.stack.parameters)


class AdamW:
    """Torch's fused AdamW with its defaults, without what its class does besides at each step.

    Source: Loshchilov and Hutter (2019), Algorithm 2.
    """

    def __init__(self, parameters: Sequence[torch.Tensor], decay: float) -> None:
        self._parameters, self._decay = list(parameters), decay
        self._means, self._squares = ([torch.zeros_like(parameter) for parameter in parameters] for _ in range(2))
        self._steps = [torch.zeros(()) for _ in parameters]

    def step(self, learning_rate: float) -> None:
        """Move the parameters by their ``grad``."""
        gradients = [parameter.grad for parameter in self._parameters if parameter.grad is not None]  # all have
        with torch.no_grad():
            adamw(
                self._parameters,
                gradients,
                self._means,
                self._squares,
                [],
                self._steps,
                fused=True,
                amsgrad=False,
                beta1=0.9,
                beta2=0.999,
                lr=learning_rate,
                weight_decay=self._decay,
                eps=1e-8,
                maximize=False,
            )
