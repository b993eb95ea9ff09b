"""Replicator dynamics: RD, RRD (with a regret threshold) and projected RD (averaged)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from coffee_fast import _core
from coffee_fast.checks import check_count, check_number
from coffee_fast.empirical.payoff_table import PayoffLike
from coffee_fast.errors import InvalidArgumentError
from coffee_fast.meta_solvers.base import (
    ConfigurableSolver,
    MetaSolution,
    Status,
    complete_table,
    make_solution,
    uniform_mixtures,
)


@dataclass(frozen=True)
class Replicator(ConfigurableSolver):
    r"""Discrete replicator dynamics on payoffs averaged over members (RD; with a threshold RRD).

    From uniform mixtures, all players at once,

    .. math:: x_a \leftarrow x_a + dt \, x_a \, (u_a - x \cdot u)

    for the deviation payoffs ``u``, then the exact Euclidean projection onto ``{x : x_a >= min_probability}``; the
    last iterate is the answer. A symmetric table moves one mixture for both players.

    Parameters
    ----------
    step_size
        ``dt`` above, in units of one over payoff.
    max_iterations
        Steps at most; all of them without a threshold.
    min_probability
        The least probability of a strategy; at most one over the number of strategies.
    regret_threshold
        Stop after the step that brings the regret, summed over players, below this (payoff units).

    Notes
    -----
    Cost: one pass over the payoffs of each player a step. Same bits on every processor. Source: Taylor and Jonker
    1978; the threshold: Wang and Wellman 2023.

    >>> from coffee_fast import PayoffTable
    >>> table = PayoffTable.symmetric([[3.0, 0.0], [5.0, 1.0]])  # the prisoner's dilemma: defection dominates
    >>> Replicator().solve(table).mixtures[0].round(6).tolist()
    [1e-06, 0.999999]
    """

    step_size: float = 1e-3
    max_iterations: int = 20_000
    min_probability: float = 1e-6
    regret_threshold: float | None = None

    kind: ClassVar[str] = "replicator"

    def __post_init__(self) -> None:
        self._set(**checked_parameters(self))
        if self.regret_threshold is not None:
            self._set(regret_threshold=check_number(f"{type(self).__name__}: regret_threshold", self.regret_threshold))

    def solve(self, table: PayoffLike) -> MetaSolution:
        """Run the dynamics; the status is ``"threshold_reached"`` or ``"max_iterations"``."""
        return run_dynamics(
            table,
            _core.ReplicatorKind.plain,
            solver=self.kind,
            step_size=self.step_size,
            max_iterations=self.max_iterations,
            min_probability=self.min_probability,
            regret_threshold=self.regret_threshold,
        )


@dataclass(frozen=True)
class ProjectedReplicator(ConfigurableSolver):
    """Projected replicator dynamics: the same steps, but the average of all iterates, the uniform start among them.

    Averages settle where last iterates circle, as in zero-sum games. Source: Lanctot et al. 2017, Appendix.

    Parameters
    ----------
    step_size, max_iterations, min_probability
        As in :class:`Replicator`.

    >>> from coffee_fast import PayoffTable
    >>> pennies = PayoffTable.from_arrays([[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]])
    >>> ProjectedReplicator(max_iterations=100).solve(pennies).mixtures[0].tolist()
    [0.5, 0.5]
    """

    step_size: float = 1e-3
    max_iterations: int = 100_000
    min_probability: float = 1e-6

    kind: ClassVar[str] = "projected_replicator"

    def __post_init__(self) -> None:
        self._set(**checked_parameters(self))

    def solve(self, table: PayoffLike) -> MetaSolution:
        """Run the dynamics and average them; the status is ``"max_iterations"``."""
        return run_dynamics(
            table,
            _core.ReplicatorKind.plain,
            solver=self.kind,
            step_size=self.step_size,
            max_iterations=self.max_iterations,
            min_probability=self.min_probability,
            average=True,
        )


def run_dynamics(
    table: PayoffLike,
    dynamics: _core.ReplicatorKind,
    *,
    solver: str,
    step_size: float,
    max_iterations: int,
    min_probability: float,
    regret_threshold: float | None = None,
    average: bool = False,
) -> MetaSolution:
    """Run the kernel on ``table`` and wrap what it returns."""
    table = complete_table(table)
    if max(table.num_strategies) == 1:  # nothing to choose, nothing to iterate
        return make_solution(table, uniform_mixtures(table), num_iterations=0, solver=solver)
    for player, size in enumerate(table.num_strategies):
        if min_probability * size > 1.0:
            raise InvalidArgumentError(
                f"solve: min_probability must be at most 1 / {size} for the {size} strategies of player {player}, "
                f"got {min_probability}"
            )
    mixtures, num_iterations, threshold_reached = _core.solve_replicator(
        table.kernel("solve"), dynamics, step_size, max_iterations, min_probability, regret_threshold, average
    )
    status: Status = "threshold_reached" if threshold_reached else "max_iterations"
    return make_solution(table, mixtures, status=status, num_iterations=num_iterations, solver=solver)


def checked_parameters(solver: Any) -> dict[str, float]:
    """Return the parameters that all replicator dynamics share, as plain numbers."""
    name = type(solver).__name__
    return {
        "step_size": check_number(f"{name}: step_size", solver.step_size, is_open=True),
        "max_iterations": check_count(f"{name}: max_iterations", solver.max_iterations, at_least=1),
        "min_probability": check_number(f"{name}: min_probability", solver.min_probability),
    }
