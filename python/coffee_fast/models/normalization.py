"""Means and deviations that bring the networks' inputs and outputs to one scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coffee_fast.typing import Float32


@dataclass(frozen=True, eq=False)
class Normalizer:
    """``z(x) = (x - mean) / scale``, entry by entry; both ``float32 [K]``."""

    mean: Float32
    scale: Float32

    @classmethod
    def of(cls, rows: Float32, kind: str) -> Normalizer:
        """The normalizer of ``rows [B, K]``: one mean and deviation for all entries (``"scalar"``), or one for each.

        An entry (or a whole array) that never changes gets the deviation 1.
        """
        axis = None if kind == "scalar" else 0
        values = rows.astype(np.float64)
        mean = np.broadcast_to(values.mean(axis=axis), rows.shape[1:])
        deviation = np.broadcast_to(values.std(axis=axis), rows.shape[1:])
        scale = np.where(deviation > 0, deviation, 1.0)
        return cls(mean.astype(np.float32), scale.astype(np.float32))

    def __call__(self, rows: Float32) -> Float32:
        normalized: Float32 = ((rows - self.mean) / self.scale).astype(np.float32)
        return normalized

    def repeated(self, count: int) -> Normalizer:
        """The normalizer of ``count`` such rows side by side."""
        return Normalizer(np.tile(self.mean, count), np.tile(self.scale, count))
