"""Solvers of tabular games whose transitions may be wrong, with their options as configurations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from coffee_fast.regularized.robust.expectation import Distance
from coffee_fast.regularized.robust.nash import robust_nash
from coffee_fast.regularized.robust.q_ftrl import robust_q_ftrl
from coffee_fast.regularized.robust.rpq import rpq
from coffee_fast.regularized.robust.vdn import robust_vdn
from coffee_fast.regularized.table_solver import PerPlayer, TableSolver
from coffee_fast.tabular import TabularGame


@dataclass(frozen=True)
class Robust(TableSolver):
    """What solvers for players who fear the next state have in common.

    Attributes
    ----------
    distance
        How transitions may differ from those of the log.
    radius, weight
        How far, one or one a player; or what it costs, in units of payoff. By default a radius of 0.1.
    unseen_value
        What legal cells that the log never shows are worth, with all that follows, one or one a player; such cells are
        refused without it.
    """

    _PER_PLAYER: ClassVar[tuple[str, ...]] = ("radius", "weight", "unseen_value")
    distance: Distance = "total_variation"
    radius: PerPlayer = None
    weight: PerPlayer = None
    unseen_value: PerPlayer = None


@dataclass(frozen=True)
class TableRobustNash(Robust):
    """A Nash equilibrium of players who each expect the worst transitions. See ``regularized.robust_nash``.

    Attributes
    ----------
    tolerance
        Converged with gaps at most this share of the range of rewards a step.
    """

    kind: ClassVar[str] = "robust_nash"
    tolerance: float = 1e-9

    def solve(self, game: TabularGame, seed: int) -> Any:
        return robust_nash(game, **self.options())


@dataclass(frozen=True)
class TableRobustQFTRL(Robust):
    """Correlated play of players who fear what their own action leads to. See ``regularized.robust_q_ftrl``.

    Attributes
    ----------
    num_iterations
        Rounds in every stage game.
    tolerance
        Converged with gaps at most this share of the range of rewards a step.
    """

    kind: ClassVar[str] = "robust_q_ftrl"
    num_iterations: int = 1000
    tolerance: float = 0.01

    def solve(self, game: TabularGame, seed: int) -> Any:
        return robust_q_ftrl(game, **self.options())


@dataclass(frozen=True)
class TableRPQ(TableSolver):
    """Each player's best policy against the others as logged, wary of what follows. See ``regularized.rpq``.

    Attributes
    ----------
    distance
        How transitions may differ from those of the log.
    weight
        What a difference costs, in units of payoff, one or one a player; by default the range of rewards.
    has_fail_state
        Whether the episode may end at any time, though the log never shows it.
    unseen_value
        What actions that the log never shows are worth, with all that follows, one or one a player; they are refused
        without it.
    tolerance
        Converged with gaps at most this share of the range of rewards a step.
    """

    kind: ClassVar[str] = "rpq"
    _PER_PLAYER: ClassVar[tuple[str, ...]] = ("weight", "unseen_value")
    distance: Literal["total_variation", "kl", "chi_squared"] = "total_variation"
    weight: PerPlayer = None
    has_fail_state: bool = False
    unseen_value: PerPlayer = None
    tolerance: float = 1e-9

    def solve(self, game: TabularGame, seed: int) -> Any:
        return rpq(game, **self.options())


@dataclass(frozen=True)
class TableRobustVDN(TableSolver):
    """Teammates who act apart on shares of the team's robust value. See ``regularized.robust_vdn``.

    Attributes
    ----------
    distance, radius, weight
        How transitions may differ from those of the log; how far, by default 0.1, or what it costs.
    has_fail_state
        Whether the episode may end at any time, though the log never shows it.
    unseen_value
        What legal cells that the log never shows are worth in value and gap, with all that follows.
    tolerance
        Converged with gaps at most this share of the range of rewards a step.
    """

    kind: ClassVar[str] = "robust_vdn"
    distance: Distance = "total_variation"
    radius: float | None = None
    weight: float | None = None
    has_fail_state: bool = False
    unseen_value: float | None = None
    tolerance: float = 1e-9

    def solve(self, game: TabularGame, seed: int) -> Any:
        return robust_vdn(game, **self.options())
