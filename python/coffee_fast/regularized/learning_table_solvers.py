"""Solvers of tabular games that learn from play, with their options as configurations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from coffee_fast.regularized.learning.smoothed import smoothed_best_response
from coffee_fast.regularized.risk_averse.actor_critic import rqe_actor_critic
from coffee_fast.regularized.risk_averse.srpo import srpo
from coffee_fast.regularized.table_solver import PerPlayer, RiskAverse, TableSolver
from coffee_fast.tabular import TabularGame


@dataclass(frozen=True)
class TableActorCritic(RiskAverse):
    """Players averse to risk who learn beside adversaries, values more slowly. See ``regularized.rqe_actor_critic``.

    Attributes
    ----------
    regularizer
        What keeps play mixed.
    critic_step
        The share of the way that values go in an iteration.
    is_sampled
        Whether one next state a cell is drawn in each iteration.
    tolerance, max_iterations
        Converged with gaps at most this share of the stage games' payoff ranges; iterations at most.
    """

    kind: ClassVar[str] = "rqe_actor_critic"
    regularizer: Literal["log_barrier", "entropy"] = "log_barrier"
    critic_step: float = 0.05
    is_sampled: bool = False
    tolerance: float = 1e-8
    max_iterations: int = 20_000

    def solve(self, game: TabularGame, seed: int) -> Any:
        return rqe_actor_critic(game, seed=seed, **self.options())


@dataclass(frozen=True)
class TableSRPO(RiskAverse):
    """Teammates who learn not to rely on each other too much. See ``regularized.srpo``.

    Attributes
    ----------
    step_size
        The share of the way to the best responses that one step takes; by default found for each stage game.
    tolerance, max_iterations
        Converged with gaps at most this share of the stage games' payoff ranges; steps at most.
    """

    kind: ClassVar[str] = "srpo"
    step_size: float | None = None
    tolerance: float = 1e-12
    max_iterations: int = 5000

    def solve(self, game: TabularGame, seed: int) -> Any:
        return srpo(game, **self.options())


@dataclass(frozen=True)
class TableSmoothedBestResponse(TableSolver):
    """Players who learn from their payoffs alone, in play drawn. See ``regularized.smoothed_best_response``.

    Attributes
    ----------
    temperature
        How soft answers are, in units of payoff, one or one a player; by default a tenth of the range of rewards.
    num_episodes, num_epochs
        Episodes of each epoch; epochs of value iteration, by default as many as the game has steps.
    step_size, step_offset, policy_rate
        At the k-th visit values move by size / (k + offset), policies by this rate times as much.
    unseen_value
        What legal cells that the log never shows are worth, with all that follows, one or one a player; such cells are
        refused without it.
    tolerance
        Converged with gaps at most this share of the range of rewards, or of ten temperatures, a step.
    """

    kind: ClassVar[str] = "smoothed_best_response"
    _PER_PLAYER: ClassVar[tuple[str, ...]] = ("temperature", "unseen_value")
    temperature: PerPlayer = None
    num_episodes: int = 100_000
    num_epochs: int | None = None
    step_size: float = 200.0
    step_offset: float = 2000.0
    policy_rate: float = 0.02
    unseen_value: PerPlayer = None
    tolerance: float = 0.01

    def solve(self, game: TabularGame, seed: int) -> Any:
        return smoothed_best_response(game, seed=seed, **self.options())
