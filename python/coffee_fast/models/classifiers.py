"""Networks of what is drawn: whether an episode ends or pays, who moves next, what chance does."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from coffee_fast.models.parts import Part, TorchRows
from coffee_fast.typing import Float64, Int64

IMPOSSIBLE = -1e9  # the logit of a class that the log never shows
OVERFIT = 1.02  # held-out loss at the end, in units of the least on the way, above which that is taken
SURE = 0.99  # least probability of what was the case from which on nothing is left to be learned
CERTAIN = 0.98  # held-out recall and precision of "yes" from which on the likeliest is taken
CERTAIN_CLASS = 0.995  # share of right guesses among several classes from which on the likeliest is taken
MIN_CERTAIN = 10  # held-out rows of "yes", or in all of several classes; fewer make nothing certain


class Classifier(Part):
    """Networks of the classes that the log shows, by cross-entropy; a single output tells class 1 from class 0.

    Of the weights met on the way, those of least loss on the held-out examples are kept if the last ones are worse;
    they would else be too sure of what they have learned by heart.
    """

    is_judged_always = True
    tolerance = OVERFIT

    def __init__(self, name: str, *args: Any, **options: Any) -> None:
        super().__init__(name, *args, **options)
        num_outputs = self._learners[0].stack.biases[-1].shape[-1]
        self._is_unseen = torch.zeros(num_outputs, dtype=torch.bool)
        if num_outputs > 1 and self.num_rows:
            self._is_unseen = torch.bincount(self._rows.targets, minlength=num_outputs) == 0

    def loss(self, outputs: torch.Tensor, rows: TorchRows, reduction: str) -> torch.Tensor:
        classes, functional = rows.targets.expand(len(outputs), -1), torch.nn.functional
        if outputs.shape[-1] == 1:
            losses = functional.binary_cross_entropy_with_logits(outputs[..., 0], classes.float(), reduction=reduction)
        else:
            logits = outputs.masked_fill(self._is_unseen, IMPOSSIBLE).flatten(0, 1)
            losses = functional.cross_entropy(logits, classes.reshape(-1), reduction=reduction)
        return losses if reduction == "mean" else losses.reshape(len(outputs), -1).mean(dim=1)

    def _is_right(self, outputs: torch.Tensor, rows: TorchRows) -> bool:
        if outputs.shape[-1] == 1:
            return bool(torch.sigmoid(torch.where(rows.targets == 1, 1.0, -1.0) * outputs[..., 0]).min() >= SURE)
        chances = torch.softmax(outputs.masked_fill(self._is_unseen, IMPOSSIBLE), dim=-1)
        return bool(chances[:, torch.arange(len(rows.targets)), rows.targets].min() >= SURE)

    def networks(self) -> list[Any]:
        stacks, unseen = super().networks(), self._is_unseen.numpy()
        for layers in stacks:
            weight, bias = layers[-1]
            weight[unseen], bias[unseen] = 0.0, IMPOSSIBLE
        return stacks

    def probabilities(self, inputs: Any) -> Float64:
        """``float64 [B, classes]``: the members' mean."""
        logits = np.where(self._is_unseen.numpy(), IMPOSSIBLE, self.outputs(inputs))
        if logits.shape[-1] == 1:
            logits = np.concatenate([np.zeros_like(logits), logits], axis=-1)
        weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
        mean: Float64 = (weights / weights.sum(axis=-1, keepdims=True)).mean(axis=0)
        return mean


def is_certain(probabilities: Float64, classes: Int64) -> bool:
    """Whether the likeliest class is as good as sure, by held-out rows: rightly told from the others nearly always."""
    guessed = probabilities.argmax(axis=1)
    if probabilities.shape[1] > 2:
        return len(classes) >= MIN_CERTAIN and bool((guessed == classes).mean() >= CERTAIN_CLASS)
    hits = ((guessed == 1) & (classes == 1)).sum()
    most = max((guessed == 1).sum(), (classes == 1).sum())
    return bool((classes == 1).sum() >= MIN_CERTAIN and hits >= CERTAIN * most)
