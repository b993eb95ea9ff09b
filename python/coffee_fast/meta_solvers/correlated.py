"""Correlated equilibria: one distribution over profiles that no player gains by not following."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from coffee_fast.checks import check_choice, check_flag
from coffee_fast.empirical.payoff_table import PayoffLike, PayoffTable
from coffee_fast.errors import InvalidGameError, NumericalError
from coffee_fast.meta_solvers.base import EQUILIBRIUM_TOLERANCE, ConfigurableSolver, MetaSolution, complete_table
from coffee_fast.meta_solvers.best_correlated import Optimum, largest_entropy, largest_linear
from coffee_fast.meta_solvers.incentives import deviation_gains, incentive_constraints, incentive_stakes
from coffee_fast.meta_solvers.nash import Nash
from coffee_fast.typing import Float64

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Objective = Literal["entropy", "welfare"]
OBJECTIVES: tuple[Objective, ...] = ("entropy", "welfare")
MAX_COEFFICIENTS = 200_000
"""Of the constraints: how many are solved (about a minute)."""
OBJECTIVE_TOLERANCE = 1e-6
"""By how much another correlated equilibrium may be better: in nats, or of the range of the sum of payoffs."""


@dataclass(frozen=True, eq=False)
class CorrelatedSolution(MetaSolution):
    """A distribution over profiles, how good it is in its table, and how the solver ended.

    A profile is drawn from ``joint`` and each player is told its own strategy alone. ``mixtures`` are the marginals:
    drawn from independently they are another play, in general no equilibrium of any kind. ``regret`` is of the joint
    distribution: what each player could gain by the best rule of what to play instead of what it is told; coarse, by
    the best strategy that it plays instead of listening. ``pessimistic_regret`` is the same with every member believed
    where it favors the deviation.

    Attributes
    ----------
    joint
        ``f64[S1, ..., Sn]``.
    expected_payoffs
        ``f64[N]``, of the joint distribution on payoffs averaged over members.
    objective_value, objective_gap
        The entropy of the joint distribution in nats, or the sum of payoffs, and how much more another correlated
        equilibrium might have at most.
    """

    joint: Float64
    expected_payoffs: Float64
    objective_value: float
    objective_gap: float


@dataclass(frozen=True)
class CorrelatedEquilibrium(ConfigurableSolver):
    r"""The correlated equilibrium of largest entropy or welfare, for any number of players.

    A mediator draws a profile from a distribution :math:`p` and tells each player its own strategy; in a correlated
    equilibrium (Aumann 1974) no player gains by playing another than it is told:

    .. math:: \sum_{a_{-i}} p(a, a_{-i}) \, [u_i(a', a_{-i}) - u_i(a, a_{-i})] \le 0 \quad \forall i, a, a'.

    In a coarse one (Moulin and Vial 1978) none gains by a strategy that it settles on before it is told anything. Nash
    equilibria are such distributions too. Those with correlation have no mixtures that players could draw from alone:
    the result is :class:`CorrelatedSolution`, with the distribution as ``joint``, and runs do not take this solver.

    Parameters
    ----------
    coarse
        Whether only strategies settled on beforehand count as deviations.
    objective
        Among all of them, ``"entropy"`` takes the one that is nearest to uniform play, of which there is one;
        ``"welfare"`` one with the largest sum of payoffs.

    Notes
    -----
    Deterministic; a symmetric table gets a symmetric distribution. Cost: a linear program (HiGHS) with a variable a
    profile and a constraint a deviation; for the entropy also Newton steps on its dual, each a linear system of the
    constraints. Source: Ortiz, Schapire and Kakade 2007 for the largest entropy.

    >>> chicken = [[6.0, 2.0], [7.0, 0.0]]
    >>> best = CorrelatedEquilibrium(objective="welfare").solve(chicken)
    >>> best.joint.round(4).tolist(), round(float(best.expected_payoffs.sum()), 4)
    ([[0.5, 0.25], [0.25, 0.0]], 10.5)
    """

    coarse: bool = False
    objective: Objective = "entropy"

    kind: ClassVar[str] = "correlated_equilibrium"
    is_independent: ClassVar[bool] = False

    def __post_init__(self) -> None:
        self._set(
            coarse=check_flag("CorrelatedEquilibrium: coarse", self.coarse),
            objective=check_choice("CorrelatedEquilibrium: objective", self.objective, OBJECTIVES),
        )

    def solve(self, table: PayoffLike) -> CorrelatedSolution:
        """Find the distribution; the status is ``"converged"`` if both certificates hold, else ``"not_converged"``.

        These are: no player can gain 1e-9 of what is at stake for it, and no correlated equilibrium is better by 1e-6
        nats of entropy, or of the range of the sum of payoffs. Where the programs fail, as with payoffs of very
        different sizes, a Nash equilibrium is returned, which is a correlated one, but perhaps not the best.

        Raises
        ------
        InvalidGameError
            The constraints have more than 200,000 coefficients: profiles times the strategies of all players.
        """
        table = complete_table(table)
        size = math.prod(table.num_strategies) * sum(table.num_strategies)
        if size > MAX_COEFFICIENTS:
            raise InvalidGameError(
                f"CorrelatedEquilibrium: the table must have at most {MAX_COEFFICIENTS} profiles times strategies, got "
                f"{size} of {table}; use GAMD, whose average play is nearly a coarse one, or Nash, which is one too"
            )
        mean = table.mean()
        best, scale = _best(mean, incentive_constraints(mean, self.coarse), self.objective)
        found = self._solution(table, best, scale)
        if found.status != "converged":
            nash = Nash().solve(table)
            product = functools.reduce(np.multiply.outer, nash.mixtures).ravel()
            other = self._solution(table, Optimum(product, best.bound, best.num_iterations), scale)
            found = other if other.max_regret < 1e-3 * found.max_regret else found
        return found

    def _solution(self, table: PayoffTable, best: Optimum, scale: float) -> CorrelatedSolution:
        """Return the distribution with its certificates, read-only; ``scale`` is that of the objective."""
        mean, (lower, upper), players = table.mean(), table.payoff_bounds(), range(table.num_players)
        joint = best.probabilities.reshape(table.num_strategies)
        joint = 0.5 * (joint + joint.T) if table.is_symmetric else joint
        regret = deviation_gains(joint, mean, mean, self.coarse)
        pessimistic = regret if table.num_members == 1 else deviation_gains(joint, upper, lower, self.coarse)
        payoffs = np.array([(joint * mean.payoffs(player)[0]).sum() for player in players])
        value = _entropy(joint) if self.objective == "entropy" else float(payoffs.sum())
        stakes, rounding = incentive_stakes(joint, mean, self.coarse)
        is_equilibrium = bool((regret <= EQUILIBRIUM_TOLERANCE * stakes + rounding).all())
        is_best = best.bound - value <= OBJECTIVE_TOLERANCE * scale
        marginals = [joint.sum(axis=tuple(other for other in players if other != player)) for player in players]
        marginals = marginals[:1] * 2 if table.is_symmetric else marginals
        for array in (joint, *marginals, regret, pessimistic, payoffs):
            array.flags.writeable = False
        return CorrelatedSolution(
            mixtures=tuple(marginals),
            regret=regret,
            pessimistic_regret=pessimistic,
            status="converged" if is_equilibrium and is_best else "not_converged",
            num_iterations=best.num_iterations,
            solver=self.kind,
            joint=joint,
            expected_payoffs=payoffs,
            objective_value=value,
            objective_gap=max(0.0, best.bound - value),
        )


def _best(mean: PayoffTable, constraints: csr_array, objective: Objective) -> tuple[Optimum, float]:
    """Return the distribution with the largest objective, or any and a bound if it was not found, and its scale."""
    centered = [mean.centered_payoffs(player) for player in range(mean.num_players)]
    welfare, origin = sum(array[0] for array, _ in centered).ravel(), sum(origin for _, origin in centered)
    lowest, scale = float(welfare.min()), float(np.ptp(welfare)) or 1.0
    try:
        if objective == "entropy":
            return largest_entropy(constraints), 1.0
        found = largest_linear(constraints, (welfare - lowest) / scale)
        return Optimum(found.probabilities, lowest + scale * found.bound + origin, found.num_iterations), scale
    except NumericalError:  # of payoffs of very different sizes
        anything = np.full(welfare.size, 1.0 / welfare.size)
        bound = math.log(welfare.size) if objective == "entropy" else float(welfare.max()) + origin
        return Optimum(anything, bound, 0), 1.0 if objective == "entropy" else scale


def _entropy(joint: Float64) -> float:
    positive = joint[joint > 0.0]
    return max(0.0, float(-(positive * np.log(positive)).sum()))
