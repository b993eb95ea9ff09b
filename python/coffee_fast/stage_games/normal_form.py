"""A payoff table as the one stage game that the kernels solve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coffee_fast.checks import check_number
from coffee_fast.empirical.payoff_table import PayoffTable
from coffee_fast.stage_games.arguments import (
    KLWeight,
    References,
    check_kl_weight,
    check_players,
    check_weight_against_ranges,
    frozen,
    log_reference,
    log_uniform,
)
from coffee_fast.stage_games.kernels import entropic_certainty_equivalent
from coffee_fast.typing import Float64, Profile


@dataclass(frozen=True, eq=False)
class StageGame:
    """One game in the layout of the kernels (``G = 1``); a symmetric one that is anchored alike has one of each.

    ``origins [1, N]`` are the constants that were taken off payoffs far from zero.
    """

    num_players: int
    payoffs: Profile
    reference: Profile
    kl_weight: Float64
    origins: Float64

    @classmethod
    def of(
        cls, caller: str, table: PayoffTable, kl_weight: KLWeight, reference: References, risk_aversion: float
    ) -> StageGame:
        """Check the arguments of a solver and combine the table's members."""
        table.kernel(caller)  # refuses unknown payoffs
        check_number(f"{caller}: risk_aversion", risk_aversion)
        num_players, sizes = table.num_players, table.num_strategies
        centered = [table.centered_payoffs(i) for i in range(num_players)]
        payoffs = [combine_members(array, risk_aversion) for array, _ in centered]
        ranges = np.array([np.ptp(p) for p in payoffs])
        weights = check_kl_weight(caller, kl_weight, ranges)
        check_weight_against_ranges(caller, weights, ranges)
        available = [np.ones(size, dtype=bool) for size in sizes]
        if reference is None or (isinstance(reference, str) and reference == "uniform"):
            logs = [log_uniform(a) for a in available]
        else:
            check_players(f"{caller}: reference", reference, num_players)  # "behavior" is of logs alone
            logs = [
                log_reference(f"{caller}: reference of player {i}", reference[i], (sizes[i],), available[i])
                for i in range(num_players)
            ]
        is_one = table.is_symmetric and weights[0] == weights[1] and np.array_equal(logs[0], logs[1])
        used = slice(0, 1 if is_one else num_players)
        origins = np.array([[origin for _, origin in centered[used]]])
        return cls(
            num_players, [p[None] for p in payoffs[used]], [x[None] for x in logs[used]], weights[None, used], origins
        )

    def all_players(self, values: Float64) -> Float64:
        """Return ``[N]`` figures from ``[1, N or 1]``."""
        return frozen(np.broadcast_to(values[0], (self.num_players,)).copy())

    def all_mixtures(self, logs: Profile) -> tuple[Float64, ...]:
        """Return one array of probabilities a player from logarithms ``[1, A_i]``."""
        found = [np.exp(x[0]) for x in logs]
        found = [frozen(x / x.sum()) for x in found]
        return tuple(found if len(found) == self.num_players else found * self.num_players)


def combine_members(payoffs: Float64, risk_aversion: float) -> Float64:
    """Return payoffs ``[E, ...]`` as one of each: their mean, or their certainty equivalent under risk aversion."""
    if len(payoffs) == 1:
        return np.asarray(payoffs[0])
    members = np.moveaxis(payoffs, 0, -1)
    weights = np.full(len(payoffs), 1.0 / len(payoffs))
    return entropic_certainty_equivalent(members, weights, risk_aversion)
