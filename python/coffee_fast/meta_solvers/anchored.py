"""Anchored equilibria as meta-strategies: GANE, GAMD, and logit quantal response."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from coffee_fast.checks import check_count, check_flag, check_number
from coffee_fast.empirical.payoff_table import PayoffLike, PayoffTable
from coffee_fast.meta_solvers.base import ConfigurableSolver, MetaSolution, complete_table, make_solution
from coffee_fast.regularized import AnchoredEquilibrium, CorrelatedEquilibrium, gamd, gane


@dataclass(frozen=True)
class GANE(ConfigurableSolver):
    r"""The Nash equilibrium of the game in which leaving the uniform mixture costs :math:`\lambda KL(x \| uniform)`.

    Exact and found in milliseconds; noise of the payoffs moves it little. See :func:`coffee_fast.regularized.gane`.

    Parameters
    ----------
    kl_weight
        :math:`\lambda`, in units of payoff; None for a tenth of each player's range of payoffs.
    risk_aversion
        Of tables with members: 0 solves their mean; above, each payoff is the entropic certainty equivalent over
        members, which holds back from what they disagree about.
    tolerance
        Converged with gaps at most this share of the payoff range or, if that is less, of ten KL weights.
    max_iterations
        Of the fixed point iteration and mirror descent, before the branch of equilibria is traced.

    >>> table = PayoffTable.symmetric([[3.0, 0.0], [5.0, 1.0]])  # the prisoner's dilemma
    >>> solution = GANE(kl_weight=1.0).solve(table)
    >>> solution.status, solution.mixtures[0].round(4).tolist()
    ('converged', [0.2268, 0.7732])
    """

    kl_weight: float | None = None
    risk_aversion: float = 0.0
    tolerance: float = 1e-10
    max_iterations: int = 500

    kind: ClassVar[str] = "gane"

    def __post_init__(self) -> None:
        if self.kl_weight is not None:
            self._set(kl_weight=check_number("GANE: kl_weight", self.kl_weight, is_open=True))
        self._set(
            risk_aversion=check_number("GANE: risk_aversion", self.risk_aversion),
            tolerance=check_number("GANE: tolerance", self.tolerance, is_open=True),
            max_iterations=check_count("GANE: max_iterations", self.max_iterations, at_least=1),
        )

    def solve(self, table: PayoffLike) -> MetaSolution:
        """Find the equilibrium; the status is ``"converged"`` or, of the best mixtures found, ``"max_iterations"``."""
        table = complete_table(table)
        found = gane(
            table,
            kl_weight=self.kl_weight,
            risk_aversion=self.risk_aversion,
            tolerance=self.tolerance,
            max_iterations=self.max_iterations,
        )
        return _solution(table, found, self.kind)


@dataclass(frozen=True)
class GAMD(ConfigurableSolver):
    """Anchored mirror descent from the uniform mixture: marginals of a coarse correlated equilibrium.

    Tractable for any number of players. See :func:`coffee_fast.regularized.gamd`.

    Parameters
    ----------
    kl_weight, risk_aversion
        As in :class:`GANE`.
    num_iterations
        Rounds of play.
    last_iterate
        Take constant steps and the last round instead of the average.
    tolerance
        Stop with gaps at most this share of the payoff range; with 0 all rounds are played.

    >>> pennies = PayoffTable.from_arrays([[[2, -1], [-1, 1]], [[-2, 1], [1, -1]]])
    >>> GAMD(kl_weight=0.01, num_iterations=20_000).solve(pennies).mixtures[0].round(2).tolist()
    [0.4, 0.6]
    """

    kl_weight: float | None = None
    num_iterations: int = 1000
    last_iterate: bool = False
    risk_aversion: float = 0.0
    tolerance: float = 0.0

    kind: ClassVar[str] = "gamd"

    def __post_init__(self) -> None:
        if self.kl_weight is not None:
            self._set(kl_weight=check_number("GAMD: kl_weight", self.kl_weight, is_open=True))
        self._set(
            num_iterations=check_count("GAMD: num_iterations", self.num_iterations, at_least=1),
            last_iterate=check_flag("GAMD: last_iterate", self.last_iterate),
            risk_aversion=check_number("GAMD: risk_aversion", self.risk_aversion),
            tolerance=check_number("GAMD: tolerance", self.tolerance),
        )

    def solve(self, table: PayoffLike) -> MetaSolution:
        """Play the rounds; the status is ``"converged"`` within the tolerance, else ``"max_iterations"``."""
        table = complete_table(table)
        found = gamd(
            table,
            kl_weight=self.kl_weight,
            num_iterations=self.num_iterations,
            last_iterate=self.last_iterate,
            risk_aversion=self.risk_aversion,
            tolerance=self.tolerance,
        )
        return _solution(table, found, self.kind)


@dataclass(frozen=True)
class LogitQRE(ConfigurableSolver):
    r"""The logit quantal response equilibrium :math:`x \propto e^{u / temperature}` on the principal branch.

    It is :class:`GANE` by its older name: the branch starts at the uniform mixture for an infinite temperature.
    Source: McKelvey and Palfrey 1995, whose :math:`\lambda` is one over the temperature.

    Parameters
    ----------
    temperature
        In units of payoff; None for a tenth of each player's range of payoffs.

    >>> table = PayoffTable.from_arrays([[[9, 0], [0, 1]], [[0, 1], [1, 0]]])  # asymmetric matching pennies
    >>> [round(float(x[0]), 6) for x in LogitQRE(temperature=1.0).solve(table).mixtures]
    [0.893576, 0.31278]
    """

    temperature: float | None = None

    kind: ClassVar[str] = "logit_qre"

    def __post_init__(self) -> None:
        if self.temperature is not None:
            self._set(temperature=check_number("LogitQRE: temperature", self.temperature, is_open=True))

    def solve(self, table: PayoffLike) -> MetaSolution:
        """Find the equilibrium; the status is ``"converged"`` or, of the best mixtures found, ``"max_iterations"``."""
        table = complete_table(table)
        found = gane(table, kl_weight=self.temperature)
        return _solution(table, found, self.kind)


def _solution(table: PayoffTable, found: AnchoredEquilibrium | CorrelatedEquilibrium, solver: str) -> MetaSolution:
    return make_solution(table, found.mixtures, status=found.status, num_iterations=found.num_iterations, solver=solver)
