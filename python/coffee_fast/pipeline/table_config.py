"""What a run is told that solves its log as a table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from coffee_fast.checks import check_count, check_flag
from coffee_fast.errors import ConfigError, shown
from coffee_fast.regularized import from_config, known_solvers
from coffee_fast.regularized.table_solver import TableSolver


def _default_solver() -> TableSolver:
    return from_config({"kind": "gane"})


@dataclass(frozen=True)
class TableConfig:
    """Of the algorithm ``"table"``: which states of the log are one cell, and what solves the table.

    Attributes
    ----------
    solver
        ``inspo`` and ``alberdice`` are for logs in which all players get the same; the others ask for ``unseen_value``
        where the log leaves legal cells empty.
    state_entries
        The entries of the state that tell cells apart, counted from 0; by default all of them. Without any, there is
        one cell a step, and nobody knows anything.
    is_fully_observed
        Whether you know that every player sees the cell, and that whatever else it saw tells it nothing that matters;
        a log in which players see different things is refused otherwise.
    """

    solver: TableSolver = field(default_factory=_default_solver)
    state_entries: tuple[int, ...] | None = None
    is_fully_observed: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.solver, TableSolver):
            kinds = ", ".join(known_solvers())
            raise ConfigError(f"TableConfig: solver must be one of {kinds}, got {shown(self.solver)}")
        check_flag("TableConfig: is_fully_observed", self.is_fully_observed, error=ConfigError)
        if self.state_entries is not None:
            if not isinstance(self.state_entries, tuple | list):
                raise ConfigError(f"TableConfig: state_entries must be a list, got {shown(self.state_entries)}")
            name = "TableConfig: state_entries"
            entries = tuple(check_count(name, entry, error=ConfigError) for entry in self.state_entries)
            object.__setattr__(self, "state_entries", entries)

    def to_json(self) -> dict[str, Any]:
        """Return the configuration as plain JSON values."""
        entries = None if self.state_entries is None else list(self.state_entries)
        solver = {name: list(v) if isinstance(v, tuple) else v for name, v in self.solver.to_config().items()}
        return {"solver": solver, "state_entries": entries, "is_fully_observed": self.is_fully_observed}
