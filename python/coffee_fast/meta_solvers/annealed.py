"""Replicator dynamics whose regret threshold falls as strategies are added: RRD and R3D as PSRO explores with them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from coffee_fast.checks import check_count, check_flag, check_number
from coffee_fast.empirical.payoff_table import PayoffLike
from coffee_fast.meta_solvers.base import ConfigurableSolver, MetaSolution, complete_table
from coffee_fast.meta_solvers.replicator import Replicator, checked_parameters
from coffee_fast.meta_solvers.robust import RobustReplicator


@dataclass(frozen=True)
class AnnealedReplicator(ConfigurableSolver):
    r"""Regret-based replicator dynamics: stop early while there are few strategies, later and later as more come.

    Runs :class:`Replicator` (RRD), or :class:`RobustReplicator` with ``is_robust`` (R3D), with the regret threshold
    that a table of :math:`S` strategies has come to,

    .. math:: \max(final, initial \cdot (1 - (S - 2) / num\_steps)).

    As PSRO adds one strategy an iteration, this anneals the threshold linearly over its iterations. For a constant
    threshold use those two solvers with their ``regret_threshold``; with 1e-5 or none they are RD and R2D.

    Parameters
    ----------
    is_robust
        Whether to run the robust dynamics and compare the upper bound of the regret with the threshold.
    initial_regret_threshold, final_regret_threshold
        In units of payoff, for the regret summed over players.
    num_anneal_steps
        Strategies to be added until the threshold is the final one.
    step_size, max_iterations, min_probability
        As in :class:`Replicator`.

    Notes
    -----
    Source: Wang and Wellman 2023 for the threshold; its fall from 5 to 1e-5 over 20 iterations is that of the authors'
    code of Nguyen and Wellman 2026.

    >>> AnnealedReplicator().regret_threshold(num_strategies=12)
    2.5
    """

    is_robust: bool = False
    initial_regret_threshold: float = 5.0
    final_regret_threshold: float = 1e-5
    num_anneal_steps: int = 20
    step_size: float = 1e-3
    max_iterations: int = 20_000
    min_probability: float = 1e-6

    kind: ClassVar[str] = "annealed_replicator"

    def __post_init__(self) -> None:
        self._set(is_robust=check_flag("AnnealedReplicator: is_robust", self.is_robust))
        for name in ("initial_regret_threshold", "final_regret_threshold"):
            self._set(**{name: check_number(f"AnnealedReplicator: {name}", getattr(self, name))})
        num_steps = check_count("AnnealedReplicator: num_anneal_steps", self.num_anneal_steps, at_least=1)
        self._set(num_anneal_steps=num_steps)
        self._set(**checked_parameters(self))

    def regret_threshold(self, num_strategies: int) -> float:
        """Return the threshold for a table of this many strategies a player."""
        share_left = 1.0 - max(0, num_strategies - 2) / self.num_anneal_steps
        return max(self.final_regret_threshold, self.initial_regret_threshold * share_left)

    def solve(self, table: PayoffLike) -> MetaSolution:
        """Run the dynamics; the status is ``"threshold_reached"`` or ``"max_iterations"``."""
        table = complete_table(table)
        threshold = self.regret_threshold(max(table.num_strategies))
        return replace(self._dynamics(threshold).solve(table), solver=self.kind)

    def _dynamics(self, regret_threshold: float) -> Replicator:
        dynamics = RobustReplicator if self.is_robust else Replicator
        return dynamics(self.step_size, self.max_iterations, self.min_probability, regret_threshold)
