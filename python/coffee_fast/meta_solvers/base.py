"""What every meta-strategy solver takes and returns."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

import numpy as np

from coffee_fast.empirical.payoff_table import PayoffTable
from coffee_fast.typing import Float64

Status = Literal["converged", "threshold_reached", "max_iterations"]


@dataclass(frozen=True, eq=False)
class MetaSolution:
    """Mixtures over the strategies of a payoff table, how good they are in it, and how the solver ended.

    Attributes
    ----------
    mixtures
        One ``f64[S_i]`` a player; both the same for a symmetric table.
    regret
        ``f64[N]``: what each player could gain by deviating, on payoffs averaged over members.
    pessimistic_regret
        ``f64[N]``: the same with every member believed where it favors the deviation; ``regret`` with one member. It
        bounds the regret in each member's game, but not in the true game: errors that members share are in none.
    status
        ``"converged"``: the mixtures are what the solver promises; ``"threshold_reached"``: it stopped below its regret
        threshold; ``"max_iterations"``: it ran all its iterations, which says nothing about their quality.
    num_iterations
        Steps taken.
    solver
        The kind of solver, as in its config.
    """

    mixtures: tuple[Float64, ...]
    regret: Float64
    pessimistic_regret: Float64
    status: Status
    num_iterations: int
    solver: str

    @property
    def max_regret(self) -> float:
        return float(self.regret.max())

    @property
    def sum_regret(self) -> float:
        return float(self.regret.sum())


@runtime_checkable
class MetaSolver(Protocol):
    """Anything with ``solve``; those of this package are frozen dataclasses that also turn into configs."""

    kind: ClassVar[str]

    def solve(self, table: PayoffTable) -> MetaSolution:
        """Return mixtures for ``table``. Deterministic; refuses a table with unknown payoffs (InvalidGameError)."""
        ...

    def to_config(self) -> dict[str, Any]:
        """Return ``{"kind": ..., **parameters}``, what :func:`coffee_fast.meta_solvers.from_config` reads."""
        ...


class ConfigurableSolver:
    """Turns a frozen dataclass into a config and back."""

    kind: ClassVar[str]

    def to_config(self) -> dict[str, Any]:
        """Return ``{"kind": ..., **parameters}`` of plain numbers and None."""
        parameters: Mapping[str, Any] = dataclasses.asdict(self)  # type: ignore[call-overload]
        return {"kind": self.kind, **parameters}


def make_solution(
    table: PayoffTable, mixtures: Sequence[Float64], *, status: Status, num_iterations: int, solver: str
) -> MetaSolution:
    """Return the solution with its regrets worked out and its arrays read-only."""
    table.kernel("solve")  # refuses unknown payoffs in the name of the solver
    regret, bound = table.regret(mixtures), table.pessimistic_regret(mixtures)
    for array in (*mixtures, regret, bound):
        array.flags.writeable = False
    return MetaSolution(tuple(mixtures), regret, bound, status, num_iterations, solver)


def uniform_mixtures(table: PayoffTable) -> list[Float64]:
    """Return the uniform distribution over each player's strategies."""
    return [np.full(size, 1.0 / size) for size in table.num_strategies]
