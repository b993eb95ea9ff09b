"""Minibatches of a log, drawn anew by what the others would have done, and steps on tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from coffee_fast.checks import check_count
from coffee_fast.regularized.cooperative.in_sample import Policies, marginals
from coffee_fast.seeding import check_seed, derive_seed
from coffee_fast.tabular.common_payoff import CommonPayoffGame
from coffee_fast.tabular.common_payoff_log import LogRows, tabulate_log
from coffee_fast.typing import Float64, Int64

_MOST_RATIO = 100.0
_NUM_DRAWS = 16  # of the others' actions, for their KL penalty


@dataclass(frozen=True, eq=False)
class Minibatches:
    """A log, its table, and the draws of minibatches."""

    game: CommonPayoffGame
    rows: LogRows
    log_profiles: Float64  # [S, A1 ... An], profiles as one axis
    log_own: Policies
    batch_size: int
    rng: np.random.Generator

    @classmethod
    def of(
        cls,
        caller: str,
        log: Mapping[str, ArrayLike],
        discount: float,
        num_actions: Sequence[int] | int | None,
        floor: float,
        num_sweeps: int,
        batch_size: int,
        seed: int,
    ) -> Minibatches:
        check_count(f"{caller}: num_sweeps", num_sweeps, at_least=1)
        check_count(f"{caller}: batch_size", batch_size, at_least=1)
        game = CommonPayoffGame.from_log(log, discount=discount, num_actions=num_actions, floor=floor)
        rng = np.random.Generator(np.random.PCG64(derive_seed(check_seed(seed), caller)))
        profiles = game.log_behavior.reshape(game.num_states, -1)
        log_own = [np.log(policy) for policy in marginals(np.exp(game.log_behavior))]
        return cls(game, tabulate_log(log, num_actions).rows, profiles, log_own, batch_size, rng)

    def behavior(self) -> Policies:
        """Return the frequencies of each player's own actions: zero for what it never did."""
        assert self.game.counts is not None
        axes = tuple(range(1, self.game.counts.ndim))
        return marginals(self.game.counts / self.game.counts.sum(axis=axes, keepdims=True))

    def batch(self, policies: Policies | None, player: int) -> Int64:
        """Return rows drawn uniformly, and of these again by the others' policies, if given."""
        if policies is not None:
            return self.resampled(policies, player)[0]
        return self.rng.integers(len(self.rows.state), size=self.batch_size)

    def resampled(self, policies: Policies, player: int) -> tuple[Int64, float]:
        """Return rows as the others would have played them, and the mean of their ratios."""
        batch = self.rng.integers(len(self.rows.state), size=self.batch_size)
        state, action = self.rows.state[batch], self.rows.action[batch]
        ratio = np.exp(-self._log_others(state, action, player))
        for other, policy in enumerate(policies):
            if other != player:
                ratio = ratio * policy[state, action[:, other]]
        ratio = np.minimum(ratio, _MOST_RATIO) + 1e-12
        drawn = self.rng.choice(len(batch), size=len(batch), p=ratio / ratio.sum())
        return batch[drawn], float(ratio.mean())

    def penalties(
        self, policies: Policies, player: int, states: Int64, kl_weight: float, entropy_weight: float
    ) -> Float64:
        """Return ``[B, A_i]``: minus the others' KL and entropy penalties beside each own action, by drawing theirs."""
        size = self.game.num_actions[player]
        total = np.zeros((len(states), size))
        if self.game.num_players == 1:
            return total
        drawn = np.zeros((_NUM_DRAWS, len(states), self.game.num_players), dtype=np.int64)
        log_play = np.zeros((_NUM_DRAWS, len(states)))
        for other, policy in enumerate(policies):
            if other != player:
                now = policy[states]
                uniform = self.rng.random((_NUM_DRAWS, len(states), 1))
                drawn[:, :, other] = np.minimum((uniform >= now.cumsum(axis=1)).sum(axis=2), now.shape[1] - 1)
                log_play += log_of(now)[np.arange(len(states)), drawn[:, :, other]]
        for action in range(size):
            drawn[:, :, player] = action
            log_mu = self._log_others(np.tile(states, _NUM_DRAWS), drawn.reshape(-1, drawn.shape[2]), player)
            mean_mu = log_mu.reshape(log_play.shape).mean(axis=0)
            total[:, action] = kl_weight * mean_mu - (kl_weight + entropy_weight) * log_play.mean(axis=0)
        return total

    def _log_others(self, state: Int64, action: Int64, player: int) -> Float64:
        """Return the log-probability ``[B]`` of the others' actions in the log, given the player's own."""
        profile = np.ravel_multi_index(tuple(action.T), self.game.num_actions)
        return np.asarray(self.log_profiles[state, profile] - self.log_own[player][state, action[:, player]])


@dataclass
class Adam:
    """A point and the moments of its gradients (Kingma and Ba 2015)."""

    point: Float64
    rate: float
    first: Float64 | float = 0.0
    second: Float64 | float = 0.0
    step: int = 0

    def descend(self, gradient: Float64) -> None:
        self.step += 1
        self.first = 0.9 * self.first + 0.1 * gradient
        self.second = 0.999 * self.second + 0.001 * gradient**2
        mean, square = self.first / (1.0 - 0.9**self.step), self.second / (1.0 - 0.999**self.step)
        self.point -= self.rate * mean / (np.sqrt(square) + 1e-8)


def move_towards(table: Float64, state: Int64, action: Int64, target: Float64, rate: float) -> None:
    """Move entries of ``table [S, A]`` towards the mean of their targets."""
    cell = state * table.shape[1] + action
    total, count = np.bincount(cell, target, minlength=table.size), np.bincount(cell, minlength=table.size)
    hit = count > 0
    flat = table.reshape(-1)
    flat[hit] += rate * (total[hit] / count[hit] - flat[hit])


def log_of(p: Float64) -> Float64:
    return np.asarray(np.log(np.maximum(p, 1e-30)))


def softmax_rows(scores: Float64) -> Float64:
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def moved_policy(policy: Float64, wanted: Float64, rate: float) -> Float64:
    """Return the policy a share of the way, in logarithms, to ``softmax(wanted)``; where it is 0 it stays."""
    mixed = (1.0 - rate) * log_of(policy) + rate * log_of(softmax_rows(np.where(policy > 0.0, wanted, -np.inf)))
    return softmax_rows(np.where(policy > 0.0, mixed, -np.inf))
