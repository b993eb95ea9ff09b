"""The uniform mixture: every strategy alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from coffee_fast.empirical.payoff_table import PayoffLike
from coffee_fast.meta_solvers.base import (
    ConfigurableSolver,
    MetaSolution,
    complete_table,
    make_solution,
    uniform_mixtures,
)


@dataclass(frozen=True)
class Uniform(ConfigurableSolver):
    """Each player mixes its strategies equally; with it PSRO is fictitious play (Brown 1951)."""

    kind: ClassVar[str] = "uniform"

    def solve(self, table: PayoffLike) -> MetaSolution:
        """Return uniform mixtures and their regret; the status is ``"converged"`` where they are an equilibrium."""
        table = complete_table(table)
        return make_solution(table, uniform_mixtures(table), num_iterations=0, solver=self.kind)
