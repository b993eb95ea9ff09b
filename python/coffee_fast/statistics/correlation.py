"""The relation of two figures, with an interval that knows which observations belong together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coffee_fast.typing import Float64, Int32

NUM_RESAMPLES = 2000
MOST_WEIGHTS = 20_000_000  # of profiles in resamples, each held in memory


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


def correlation_over_profiles(
    first: Float64, second: Float64, profiles: Int32, seed: int, roles: Sequence[int] = (2,)
) -> Correlation:
    """Correlate two figures of profiles of strategies.

    Profiles with a strategy in common are no independent observations, so the interval (bootstrap percentiles) comes
    from drawing the strategies of each role anew, each profile counting as often as its strategies were drawn together.
    There is none where there are millions of profiles.

    Parameters
    ----------
    first, second
        f64 ``[P]``.
    profiles
        A strategy of its role for each player, ascending within a role: i32 ``[P, N]``.
    seed
        Of the bootstrap.
    roles
        Number of seats of each role, seats in order.
    """
    num_strategies = int(profiles.max()) + 1
    num_resamples = min(NUM_RESAMPLES, MOST_WEIGHTS // len(profiles))
    rng, weights, seat = np.random.default_rng(seed), np.ones((num_resamples, len(profiles))), 0
    for size in roles:
        drawn = _draws(num_strategies, rng)[:num_resamples]
        alike = np.zeros(len(profiles), dtype=np.int64)  # players before this one who play the same
        for place in range(seat, seat + size):
            same = place > seat and profiles[:, place] == profiles[:, place - 1]
            alike = np.where(same, alike + 1, 0)
            weights *= (drawn[:, profiles[:, place]] + alike) / (alike + 1)  # ways to choose with repetition
        seat += size
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
    drawn = _draws(num_groups, np.random.default_rng(seed))
    return _correlation(first, second, drawn[:, groups].astype(np.float64), num_groups)


def _draws(number: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """How often each of ``number`` units is drawn, in each resample: ``[R, number]``."""
    return rng.multinomial(number, np.full(number, 1.0 / number), size=NUM_RESAMPLES)


def _correlation(first: Float64, second: Float64, weights: Float64, num_units: int) -> Correlation:
    if len(first) < 3 or np.ptp(first) == 0.0 or np.ptp(second) == 0.0:
        return Correlation(math.nan, math.nan, math.nan)
    value = float(_weighted(first, second, np.ones((1, len(first))))[0])
    resampled = _weighted(first, second, weights)
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
