"""Networks of numbers of which some need not be learned in every row."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from coffee_fast.models.parts import Examples, Regression
from coffee_fast.typing import Float32, Int64


def weighted_examples(inputs: Float32, targets: Float32, weights: NDArray[Any], episodes: Int64) -> Examples:
    """Examples of :class:`WeightedRegression`, weights behind targets; without the rows in which nothing counts."""
    counts = (weights != 0).any(axis=1)
    both = np.concatenate([targets, weights.astype(np.float32)], axis=1)
    return Examples(inputs[counts], both[counts], episodes[counts])


class WeightedRegression(Regression):
    """Networks of numbers, by their mean squared error where weights are 1; where they are 0 nothing is asked."""

    def __init__(self, *args: Any, num_outputs: int, **options: Any) -> None:
        super().__init__(*args, num_outputs=num_outputs, groups=(num_outputs,), **options)

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor, reduction: str) -> torch.Tensor:
        values, weights = targets.chunk(2, dim=-1)
        return super().loss(outputs * weights, values * weights, reduction)
