"""Solvers of tabular games that learn from play, with their options as configurations."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from coffee_fast.errors import InvalidGameError
from coffee_fast.regularized.learning.quantiles import qrpo
from coffee_fast.regularized.learning.smoothed import smoothed_best_response
from coffee_fast.regularized.risk_averse.actor_critic import rqe_actor_critic
from coffee_fast.regularized.risk_averse.exploration import optimistic_rqre
from coffee_fast.regularized.risk_averse.induction import check_unseen
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


@dataclass(frozen=True)
class TableOptimisticRQRE(RiskAverse):
    """Risk-sensitive players who learn by playing what the log shows, optimistic where they have not been.

    See regularized.optimistic_rqre. The game that is played is the log's table; it must leave all actions legal.

    Attributes
    ----------
    num_episodes, episodes_per_update
        Episodes at most; how many are played between two updates.
    ridge
        What is added to the visits of each cell.
    bonus
        Times a cell's uncertainty it is added to all players' payoffs.
    tolerance
        Stop with gaps at most this share of the range of rewards or, if that is less, of ten temperatures.
    """

    kind: ClassVar[str] = "optimistic_rqre"
    num_episodes: int = 1000
    episodes_per_update: int = 20
    ridge: float = 1.0
    bonus: float = 0.1
    tolerance: float = 1e-4

    def solve(self, game: TabularGame, seed: int) -> Any:
        options = self.options()
        found = optimistic_rqre(_as_known(game, options.pop("unseen_value")), seed=seed, **options)
        return dataclasses.replace(found, about=game.about)


def _as_known(game: TabularGame, unseen_value: PerPlayer) -> TabularGame:
    """Return a log's game as one that can be played; cells that the log never shows end the episode."""
    if game.counts is None:
        return game
    worth = check_unseen(TableOptimisticRQRE.kind, game, unseen_value)
    if not game.legal_profiles[game.reached].all():
        raise InvalidGameError(
            "optimistic_rqre: all actions must be legal everywhere, got a log in which some are not; rqe solves it"
        )
    seen = game.counts > 0
    rewards = np.where(seen, game.rewards, worth.reshape(-1, *[1] * seen.ndim))
    moves = None if game.transitions is None else np.where(seen[..., None], game.transitions, 0.0)
    return TabularGame(rewards, moves, game.initial)


@dataclass(frozen=True)
class TableQRPO(TableSolver):
    """Each player near a reference, towards actions whose logged returns rank high. See ``regularized.qrpo``.

    Attributes
    ----------
    kl_weight
        What leaving the reference costs, in units of rank, one or one a player.
    reference
        The log's frequencies, or uniform play.
    discount
        Of rewards to come in a return.
    """

    kind: ClassVar[str] = "qrpo"
    _PER_PLAYER: ClassVar[tuple[str, ...]] = ("kl_weight",)
    kl_weight: float | tuple[float, ...] = 0.1
    reference: Literal["behavior", "uniform"] = "behavior"
    discount: float = 1.0

    def try_out(self, num_players: int) -> None:
        one = np.zeros((1, num_players), dtype=np.int64)
        qrpo({"action": one, "reward": one}, **self.options())

    def solve(self, game: TabularGame, seed: int) -> Any:
        raise InvalidGameError("qrpo: ranks of returns are not in a table of averages; give the log itself")

    def solve_log(self, game: TabularGame, rows: Callable[[], Mapping[str, Any]], seed: int) -> Any:
        return qrpo(**rows(), **self.options())
