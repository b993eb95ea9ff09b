"""Risk-averse quantal equilibria as meta-strategies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from coffee_fast.checks import check_choice, check_count, check_number
from coffee_fast.empirical.payoff_table import PayoffLike
from coffee_fast.meta_solvers.base import ConfigurableSolver, MetaSolution, complete_table, make_solution
from coffee_fast.regularized.risk_averse.rqe import rqe
from coffee_fast.stage_games.kernels import DIVERGENCES, REGULARIZERS, Divergence, Regularizer


@dataclass(frozen=True)
class RQE(ConfigurableSolver):
    r"""The risk-averse quantal equilibrium: every player is wary of the others' mixtures and of bounded rationality.

    See :func:`coffee_fast.regularized.rqe`.

    Parameters
    ----------
    temperature
        In units of payoff; None for a tenth of each player's range of payoffs.
    risk_aversion
        In units of one over payoff, 0 for none; None for one over the temperature, the least that makes every
        two-player table tractable.
    divergence, regularizer
        ``"kl"`` or ``"reverse_kl"``; ``"log_barrier"`` or ``"entropy"``.
    environment_risk_aversion
        Of tables with members: 0 solves their mean; above, each payoff is the entropic certainty equivalent over
        members, which holds back from what they disagree about.
    tolerance
        Converged with gaps at most this share of the payoff range or, if that is less, of ten temperatures.
    max_iterations
        Steps along the branch of equilibria, and damped responses where it could not be followed to its end.

    >>> stag_hunt = [[4.0, 0.0], [2.0, 2.0]]  # the hare is safe
    >>> solution = RQE(temperature=0.5, risk_aversion=2.0).solve(stag_hunt)
    >>> solution.status, solution.mixtures[0].round(4).tolist()
    ('converged', [0.205, 0.795])
    """

    temperature: float | None = None
    risk_aversion: float | None = None
    divergence: Divergence = "kl"
    regularizer: Regularizer = "log_barrier"
    environment_risk_aversion: float = 0.0
    tolerance: float = 1e-10
    max_iterations: int = 2000

    kind: ClassVar[str] = "rqe"

    def __post_init__(self) -> None:
        if self.temperature is not None:
            self._set(temperature=check_number("RQE: temperature", self.temperature, is_open=True))
        if self.risk_aversion is not None:
            self._set(risk_aversion=check_number("RQE: risk_aversion", self.risk_aversion))
        self._set(
            divergence=check_choice("RQE: divergence", self.divergence, DIVERGENCES),
            regularizer=check_choice("RQE: regularizer", self.regularizer, REGULARIZERS),
            environment_risk_aversion=check_number("RQE: environment_risk_aversion", self.environment_risk_aversion),
            tolerance=check_number("RQE: tolerance", self.tolerance, is_open=True),
            max_iterations=check_count("RQE: max_iterations", self.max_iterations, at_least=1),
        )

    def solve(self, table: PayoffLike) -> MetaSolution:
        """Find the equilibrium; the status is ``"converged"`` or, of the best mixtures found, ``"max_iterations"``."""
        table = complete_table(table)
        found = rqe(
            table,
            temperature=self.temperature,
            risk_aversion=self.risk_aversion,
            divergence=self.divergence,
            regularizer=self.regularizer,
            environment_risk_aversion=self.environment_risk_aversion,
            tolerance=self.tolerance,
            max_iterations=self.max_iterations,
        )
        return make_solution(
            table, found.mixtures, status=found.status, num_iterations=found.num_iterations, solver=self.kind
        )
