"""The trainings of what is drawn: whether an episode ends, who moves next, what chance does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from coffee_fast.models.config import EnsembleConfig
from coffee_fast.models.networks import StackedMLP
from coffee_fast.models.steps import Training
from coffee_fast.policies import Layers
from coffee_fast.typing import Float32, Int64

IMPOSSIBLE = -1e9  # the logit of a class that the log never shows
OVERFIT = 1.02  # held-out loss at the end, in units of the least on the way, above which that is taken


class Examples(NamedTuple):
    """Inputs ``float32 [B, K]`` and classes ``int64 [B]``."""

    inputs: Float32
    classes: Int64


class ClassifierTraining(Training):
    """One network on the classes that the log shows, by cross-entropy; a single output tells class 1 from class 0.

    Of the weights met on the way, those of least loss on the held-out examples are kept if the last ones are worse;
    they would else be too sure of what they have learned by heart.
    """

    anneals = True

    def __init__(
        self,
        name: str,
        examples: Examples,
        held_out: Examples | None,
        num_outputs: int,
        config: EnsembleConfig,
        seed: int,
    ) -> None:
        num_examples = len(examples.classes)
        super().__init__(config, seed, num_examples)
        self.name, self.phase = name, f"fit {name}"
        self.num_steps = config.num_steps if num_examples else 0  # nothing to learn, and nothing to draw
        self.loss = self.loss if num_examples else 0.0
        is_unseen = np.zeros(num_outputs, dtype=bool)
        if num_outputs > 1 and num_examples:
            is_unseen = np.bincount(examples.classes, minlength=num_outputs) == 0
        self._is_unseen = torch.from_numpy(is_unseen)
        self._examples = _as_tensors(examples)
        self._held_out = None if held_out is None or not len(held_out.classes) else _as_tensors(held_out)
        sizes = (examples.inputs.shape[1], *config.hidden_sizes, num_outputs)
        self._network = StackedMLP(1, sizes, self._generator)
        self._best, self._best_loss, self._last_loss = self._network.export(), float("inf"), float("inf")

    def parameters(self) -> list[torch.Tensor]:
        return self._network.parameters

    def batch_loss(self, rows: torch.Tensor) -> torch.Tensor:
        rows = rows if rows.ndim == 1 else rows[0]
        inputs, classes = self._examples
        return self._loss(inputs[rows], classes[rows])

    def _loss(self, inputs: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
        logits = self._network(inputs)[0]
        if logits.shape[1] == 1:
            return torch.nn.functional.binary_cross_entropy_with_logits(logits[:, 0], classes.float())
        return torch.nn.functional.cross_entropy(logits.masked_fill(self._is_unseen, IMPOSSIBLE), classes)

    def judge(self) -> None:
        if self._held_out is None:
            return
        with torch.no_grad():
            self._last_loss = self._loss(*self._held_out).item()
        if self._last_loss < self._best_loss:
            self._best_loss, self._best = self._last_loss, self._network.export()

    def networks(self) -> dict[str, Sequence[Layers]]:
        is_overfit = self._held_out is not None and self._last_loss > OVERFIT * self._best_loss
        layers = list((self._best if is_overfit else self._network.export())[0])
        weight, bias = layers[-1]
        unseen = self._is_unseen.numpy()
        weight[unseen], bias[unseen] = 0.0, IMPOSSIBLE
        return {self.name: [tuple(layers)]}


def _as_tensors(examples: Examples) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.from_numpy(np.ascontiguousarray(examples.inputs)), torch.from_numpy(examples.classes)
