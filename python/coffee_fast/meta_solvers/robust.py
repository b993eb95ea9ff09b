"""Robust replicator dynamics: R2D and R3D (with a regret threshold), for payoffs that are known only within bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from coffee_fast import _core
from coffee_fast.empirical.payoff_table import PayoffLike
from coffee_fast.meta_solvers.base import MetaSolution
from coffee_fast.meta_solvers.replicator import Replicator, run_dynamics


@dataclass(frozen=True)
class RobustReplicator(Replicator):
    r"""Robust replicator dynamics on the bounds that the members' payoffs span (R2D; with a threshold R3D).

    With the deviation payoffs ``o`` of each entry's largest and ``q`` of its least value over members,

    .. math:: x_a \leftarrow x_a + dt \, x_a \, [(o_a - x \cdot q) - (\max_{b \ne a} o_b - q_a)]

    and then the projection: a strategy grows with its upper-bound deviation payoff and shrinks with the upper-bound
    regret of having deviated to it. Parameters as in :class:`Replicator`; ``regret_threshold`` is compared with the
    upper bound of the regret, summed over players. Even with one member this is not :class:`Replicator`.

    Notes
    -----
    Cost: two passes over the payoffs of each player a step. Same bits on every processor. Source: Nguyen and Wellman
    2026, Section 4.3.

    >>> from coffee_fast import PayoffTable
    >>> table = PayoffTable.symmetric([[[2.0, 2.0], [9.0, 1.0]], [[2.0, 2.0], [-9.0, 1.0]]])  # the second is a gamble
    >>> RobustReplicator().solve(table).status
    'max_iterations'
    """

    kind: ClassVar[str] = "robust_replicator"

    def solve(self, table: PayoffLike) -> MetaSolution:
        """Run the dynamics; the status is ``"threshold_reached"`` or ``"max_iterations"``."""
        return run_dynamics(
            table,
            _core.ReplicatorKind.robust,
            solver=self.kind,
            step_size=self.step_size,
            max_iterations=self.max_iterations,
            min_probability=self.min_probability,
            regret_threshold=self.regret_threshold,
        )
