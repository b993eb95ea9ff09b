"""What every meta-strategy solver takes and returns."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

import numpy as np

from coffee_fast.empirical.payoff_table import PayoffLike, PayoffTable, as_payoff_table
from coffee_fast.empirical.regret import payoff_stakes
from coffee_fast.errors import CoffeeError, InvalidArgumentError, shown
from coffee_fast.typing import Float64

Status = Literal["converged", "threshold_reached", "max_iterations", "not_converged"]
EQUILIBRIUM_TOLERANCE = 1e-9
"""The share of what is at stake for a player that its regret may be in what is called an equilibrium."""


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
        ``"converged"``: the certificate of these mixtures, their regret or regularized gap, is within the tolerance;
        ``"threshold_reached"``: the dynamics stopped below their regret threshold; ``"max_iterations"``: all iterations
        were run, and the regret alone says how good the mixtures are; ``"not_converged"``: the solver came to its end,
        and its certificate does not hold.
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
        """Return mixtures for ``table``. Deterministic; refuses a table with unknown payoffs (InvalidGameError).

        Solvers of this package also take what makes a table: a square matrix, the row player's payoffs in a symmetric
        game, or a list of one array a player.
        """
        ...

    def to_config(self) -> dict[str, Any]:
        """Return ``{"kind": ..., **parameters}``, what :func:`coffee_fast.meta_solvers.from_config` reads."""
        ...


class ConfigurableSolver:
    """Turns a frozen dataclass into a config and back."""

    kind: ClassVar[str]
    is_independent: ClassVar[bool] = True
    """Whether players who draw from the mixtures on their own play what was solved for."""

    def _set(self, **fields: Any) -> None:
        """Keep the fields as the checks return them: plain numbers."""
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def to_config(self) -> dict[str, Any]:
        """Return ``{"kind": ..., **parameters}`` of plain numbers and None."""
        parameters: Mapping[str, Any] = dataclasses.asdict(self)  # type: ignore[call-overload]
        return {"kind": self.kind, **parameters}


def check_independent(name: str, solver: object, error: type[CoffeeError] = InvalidArgumentError) -> None:
    """Refuse a solver of correlated play, for what has its players draw strategies on their own."""
    if not getattr(solver, "is_independent", True):
        raise error(
            f"{name} must be a solver whose mixtures players draw from on their own, got {shown(solver)}: marginals of "
            "correlated play are no equilibrium; use nash, gane or replicator dynamics"
        )


def complete_table(payoffs: PayoffLike) -> PayoffTable:
    """Return what is to be solved as a table; refuses unknown payoffs in the name of the solver."""
    table = as_payoff_table("solve", payoffs)
    table.kernel("solve")
    return table


def make_solution(
    table: PayoffTable, mixtures: Sequence[Float64], *, status: Status | None = None, num_iterations: int, solver: str
) -> MetaSolution:
    """Return the solution with its regrets worked out and its arrays read-only.

    Without a status of the solver's own certificate, the regret decides whether it is ``"converged"``.
    """
    regret, bound = table.regret(mixtures), table.pessimistic_regret(mixtures)
    if status is None:
        stakes, rounding = payoff_stakes(table, mixtures)
        is_equilibrium = bool((regret <= EQUILIBRIUM_TOLERANCE * stakes + rounding).all())
        status = "converged" if is_equilibrium else "not_converged"
    for array in (*mixtures, regret, bound):
        array.flags.writeable = False
    return MetaSolution(tuple(mixtures), regret, bound, status, num_iterations, solver)


def uniform_mixtures(table: PayoffTable) -> list[Float64]:
    """Return the uniform distribution over each player's strategies."""
    return [np.full(size, 1.0 / size) for size in table.num_strategies]
