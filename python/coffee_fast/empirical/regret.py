"""What a profile of mixtures is worth in a payoff table, and what deviating from it would bring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from coffee_fast.empirical.payoff_table import PayoffTable
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


def profile_regret(table: PayoffTable, mixtures: Sequence[ArrayLike]) -> ProfileRegret:
    """Return payoffs and regrets of ``mixtures``, one a player, in ``table``.

    >>> report = profile_regret(PayoffTable.symmetric([[3.0, 0.0], [5.0, 1.0]]), [[1.0, 0.0], [1.0, 0.0]])
    >>> report.regret.tolist(), report.best_deviations.tolist()
    ([2.0, 2.0], [1, 1])
    """
    deviations = table.deviation_payoffs(mixtures)
    return ProfileRegret(
        payoffs=table.expected_payoffs(mixtures),
        regret=table.regret(mixtures),
        best_deviations=np.array([int(payoffs.argmax()) for payoffs in deviations]),
        member_regret=np.array([table.member(index).regret(mixtures) for index in range(table.num_members)]),
        pessimistic_regret=table.pessimistic_regret(mixtures),
    )
