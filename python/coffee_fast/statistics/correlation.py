"""The relation of two figures, with an interval that knows which observations belong together."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coffee_fast.typing import Float64, Int32

NUM_RESAMPLES = 2000


@dataclass(frozen=True)
class Correlation:
    """Pearson's correlation with a 95 % interval; NaN where it is not defined."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        if math.isnan(self.value):
            return "unknown"
        return f"{self.value:.2f}" if math.isnan(self.low) else f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"


def correlation_over_profiles(first: Float64, second: Float64, profiles: Int32, seed: int) -> Correlation:
    """Correlate two figures of unordered pairs of strategies.

    Pairs with a strategy in common are no independent observations, so the interval (bootstrap percentiles) comes from
    drawing the strategies anew, each pair counting as often as its strategies were drawn together.

    Parameters
    ----------
    first, second
        f64 ``[P]``.
    profiles
        The pairs ``(a, b)``, ``a <= b``: i32 ``[P, 2]``.
    seed
        Of the bootstrap.
    """
    num_strategies = int(profiles.max()) + 1
    drawn = _draws(num_strategies, seed)
    one, two = drawn[:, profiles[:, 0]], drawn[:, profiles[:, 1]]
    weights = np.where(profiles[:, 0] == profiles[:, 1], one * (one + 1) // 2, one * two)
    return _correlation(first, second, weights, num_strategies)


def correlation_over_groups(first: Float64, second: Float64, groups: NDArray[np.integer], seed: int) -> Correlation:
    """Correlate two figures of observations that come in groups.

    Parameters
    ----------
    first, second
        f64 ``[P]``.
    groups
        The number of each observation's group, from 0 on: ``[P]``. The interval comes from drawing groups anew.
    seed
        Of the bootstrap.
    """
    num_groups = int(groups.max()) + 1
    return _correlation(first, second, _draws(num_groups, seed)[:, groups], num_groups)


def _draws(number: int, seed: int) -> NDArray[np.int64]:
    """How often each of ``number`` units is drawn, in each resample: ``[R, number]``."""
    return np.random.default_rng(seed).multinomial(number, np.full(number, 1.0 / number), size=NUM_RESAMPLES)


def _correlation(first: Float64, second: Float64, weights: NDArray[np.int64], num_units: int) -> Correlation:
    if len(first) < 3 or np.ptp(first) == 0.0 or np.ptp(second) == 0.0:
        return Correlation(math.nan, math.nan, math.nan)
    value = float(_weighted(first, second, np.ones((1, len(first))))[0])
    resampled = _weighted(first, second, weights.astype(np.float64))
    resampled = resampled[~np.isnan(resampled)]
    if num_units < 4 or len(resampled) < NUM_RESAMPLES // 2:
        return Correlation(value, math.nan, math.nan)
    low, high = np.quantile(resampled, [0.025, 0.975])
    return Correlation(value, float(low), float(high))


def _weighted(first: Float64, second: Float64, weights: Float64) -> Float64:
    """Pearson's correlation under each row of weights ``[R, P]``; NaN where a figure does not vary."""
    total = np.maximum(weights.sum(axis=1, keepdims=True), 1.0)
    x = first - (weights * first).sum(axis=1, keepdims=True) / total
    y = second - (weights * second).sum(axis=1, keepdims=True) / total
    spread = (weights * x * x).sum(axis=1) * (weights * y * y).sum(axis=1)
    scale = np.sqrt(np.where(spread > 1e-24, spread, np.nan))
    return np.asarray((weights * x * y).sum(axis=1) / scale, dtype=np.float64)
