"""What a profile of mixtures is worth in a payoff table, and what deviating from it would bring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from coffee_fast.empirical.payoff_table import PayoffLike, PayoffTable, as_payoff_table
from coffee_fast.typing import Float64, Int64


@dataclass(frozen=True, eq=False)
class ProfileRegret:
    """The regret of a profile in an empirical game; arrays by player.

    Attributes
    ----------
    payoffs, regret
        ``f64[N]``, on payoffs averaged over members.
    best_deviations
        ``i64[N]``: the strategy that would gain the regret; the first of several.
    member_regret
        ``f64[E, N]``: the regret in the game each member sees.
    pessimistic_regret
        ``f64[N]``: at least all of the above.
    """

    payoffs: Float64
    regret: Float64
    best_deviations: Int64
    member_regret: Float64
    pessimistic_regret: Float64

    @property
    def max_regret(self) -> float:
        return float(self.regret.max())

    @property
    def sum_regret(self) -> float:
        return float(self.regret.sum())


def profile_regret(table: PayoffLike, mixtures: Sequence[ArrayLike]) -> ProfileRegret:
    """Return payoffs and regrets of ``mixtures``, one a player, in ``table`` (or in what makes a table).

    >>> report = profile_regret(PayoffTable.symmetric([[3.0, 0.0], [5.0, 1.0]]), [[1.0, 0.0], [1.0, 0.0]])
    >>> report.regret.tolist(), report.best_deviations.tolist()
    ([2.0, 2.0], [1, 1])
    """
    table = as_payoff_table("profile_regret", table)
    deviations = table.deviation_payoffs(mixtures)
    return ProfileRegret(
        payoffs=table.expected_payoffs(mixtures),
        regret=table.regret(mixtures),
        best_deviations=np.array([int(payoffs.argmax()) for payoffs in deviations]),
        member_regret=np.array([table.member(index).regret(mixtures) for index in range(table.num_members)]),
        pessimistic_regret=table.pessimistic_regret(mixtures),
    )


def payoff_stakes(table: PayoffTable, mixtures: Sequence[Float64]) -> tuple[Float64, Float64]:
    """Return what is at stake for each player in this play, ``f64[N]``, and what payoffs of this size are rounded by.

    The stakes are how much the player's own choice moves its payoff, on average over the others' play: in play, or by
    the deviation that gains for which it is most. Payoffs that are hardly ever met, deviations that lose, and what the
    others alone decide count for nothing, however large they are. No regret is more than the stakes. Payoffs are
    averaged over members.
    """
    mean, stakes, rounding = table.mean(), np.zeros(table.num_players), np.zeros(table.num_players)
    for player, own in enumerate(mixtures):
        centered, origin = mean.centered_payoffs(player)
        payoffs = centered[0]
        values = _against(payoffs, player, mixtures)
        gains = values > own @ values
        in_play = np.expand_dims(np.tensordot(own, payoffs, axes=(0, player)), player)
        for array, sizes in ((stakes, np.abs(payoffs - in_play)), (rounding, np.abs(payoffs + origin))):
            met = _against(sizes, player, mixtures)
            array[player] = max(float(own @ met), met[gains].max(initial=0.0))
    return stakes, 4.0 * np.finfo(np.float64).eps * rounding


def usual_payoff_sizes(table: PayoffTable) -> Float64:
    """Return the payoff range of each player without outliers, ``f64[N]``: at most ten times that of the middle half.

    Payoffs are averaged over members.
    """
    mean, sizes = table.mean(), []
    for player in range(table.num_players):
        payoffs = mean.centered_payoffs(player)[0]
        low, high = np.quantile(payoffs, [0.25, 0.75])
        largest, middle = float(np.ptp(payoffs)), 10.0 * float(high - low)
        sizes.append(min(largest, middle) if middle > 0.0 else largest)
    return np.array(sizes)


def _against(payoffs: Float64, player: int, mixtures: Sequence[Float64]) -> Float64:
    """Return ``[S_i]``: ``payoffs [S1, ..., Sn]`` averaged over the others' mixtures."""
    for other in reversed(range(len(mixtures))):
        if other != player:
            payoffs = np.tensordot(payoffs, mixtures[other], axes=(other, 0))
    return payoffs
