"""Markov games in which each player fears the next state: stage by stage, and what given play is worth."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from coffee_fast.regularized.cooperative.in_sample import against, joint_play
from coffee_fast.regularized.robust.expectation import Uncertainty
from coffee_fast.tabular.game import Bools, TabularGame
from coffee_fast.typing import Float64, Int64, Profile

MOST_SWEEPS = 100_000
Faced = tuple[Float64, Float64 | None]  # rewards [G, A_i] and moves [G, A_i, S']


@dataclass(frozen=True, eq=False)
class Environment:
    """A game whose transitions may be wrong, by what each player fears, and what cells are worth that nobody knows.

    Only states that can come are feared: those of the game and, where an episode may stop, its end. A set of kernels
    surrounds those of every cell; or, ``is_fictitious``, the average that a player's action meets as the others play.
    There an unseen cell pays what it is worth and ends the episode. With ``has_fail_state`` the end may come at any
    time. With a ``discount`` the one step of the game is played for ever.
    """

    game: TabularGame
    uncertainty: Uncertainty
    unseen_value: Float64
    discount: float | None = None
    is_fictitious: bool = False
    has_fail_state: bool = False

    @cached_property
    def reached(self) -> Bools:
        return self.game.reached

    @cached_property
    def legal_profiles(self) -> Bools:
        return self.game.legal_profiles

    @cached_property
    def unseen(self) -> Bools:
        return self.game.unseen

    @property
    def trusted(self) -> Environment:
        """The same, of players who take the transitions to be right."""
        return dataclasses.replace(self, uncertainty=Uncertainty.none(self.game.num_players))

    @property
    def factor(self) -> float:
        """What a payoff is worth one step earlier."""
        return 1.0 if self.discount is None else self.discount

    def stages(self) -> Iterator[Stage]:
        """Yield the stage games from the last step to the first; with a discount the same ones again and again."""
        if self.discount is None:
            yield from (self.at(step) for step in reversed(range(self.game.horizon)))
        else:
            yield from itertools.repeat(self.at(0), MOST_SWEEPS)

    def stands_still(self, values: Float64, before: Float64) -> bool:
        """Whether another sweep over a discounted game would change its values by rounding alone."""
        scale = max(float(np.abs(values).max()), 1e-300)
        return self.discount is not None and bool(np.abs(values - before).max() <= 1e-15 * scale)

    def error(self, values: Float64, before: Float64) -> float:
        """Return how far values of a discounted game can be from where sweeps lead, by the change of the last one."""
        if self.discount is None:
            return 0.0
        return float(np.abs(values - before).max()) * self.discount / (1.0 - self.discount)

    def at(self, step: int) -> Stage:
        """Return the stage games of the states reached at ``step``."""
        game, rows = self.game, np.flatnonzero(self.reached[step])
        legal_profiles, unseen = self.legal_profiles[step, rows], self.unseen[step, rows]
        known = legal_profiles & ~unseen
        rewards = [np.where(known, game.rewards[player, step, rows], 0.0) for player in range(game.num_players)]
        rewards = [np.where(unseen, worth, r) for r, worth in zip(rewards, self.unseen_value, strict=True)]
        legal = [np.ones((len(rows), size), dtype=bool) for size in game.num_actions]
        if game.legal is not None:
            legal = [mask[step, rows] for mask in game.legal]
        stage = Stage(self, step, rows, legal, legal_profiles, unseen, rewards)
        if game.transitions is not None and (self.discount is not None or step + 1 < game.horizon):
            stage.next_states = np.flatnonzero(self.reached[(step + 1) % game.horizon])
            moves = np.where(known[..., None], game.transitions[step, rows][..., stage.next_states], 0.0)
            end = np.where(legal_profiles, np.maximum(1.0 - moves.sum(axis=-1), 0.0), 0.0)
            stage.can_end = self.has_fail_state or bool(
                (end[legal_profiles if self.is_fictitious else known] > 1e-9).any()
            )
            stage.moves = np.concatenate([moves, end[..., None]], axis=-1) if stage.can_end else moves
        return stage


@dataclass(eq=False)
class Stage:
    """``G`` stage games: ``legal [G, A_i]`` and ``rewards [G, A1, ..., An]`` a player, ``moves [G, A1, ..., An, S']``.

    ``moves`` are to ``next_states`` and, if ``can_end``, to the end; None if nothing follows.
    """

    environment: Environment
    step: int
    rows: Int64
    legal: list[Bools]
    legal_profiles: Bools
    unseen: Bools
    rewards: Profile
    next_states: Int64 | None = None
    can_end: bool = False
    moves: Float64 | None = None

    def payoffs(self, following: Float64) -> Profile:
        """Return ``[G, A1, ..., An]`` a player: rewards and the worst of what follows, worth ``following [N, S]``."""
        filled = []
        for player, rewards in enumerate(self.rewards):
            q = rewards
            if self.moves is not None:
                q = np.where(self.unseen, q, q + self._worst(player, following, self.moves))
            low = np.where(self.legal_profiles, q, np.inf).min(axis=tuple(range(1, q.ndim)), keepdims=True)
            filled.append(np.where(self.legal_profiles, q, low))
        return filled

    def deviations(self, following: Float64, mixtures: Sequence[Float64]) -> Profile:
        """Return ``[G, A_i]`` a player: what its actions are worth against the others' mixtures ``[G, A_j]``.

        Of an action that is not legal the least that a legal one is worth.
        """
        if self.environment.is_fictitious:
            return self.gains(self.faced(mixtures), following)
        payoffs = self.payoffs(following)
        expected = [against(joint_play(mixtures, skip=player), q, player) for player, q in enumerate(payoffs)]
        return [self._legal_gains(player, q) for player, q in enumerate(expected)]

    def faced(self, mixtures: Sequence[Float64]) -> list[Faced]:
        """Return what each player's actions meet on average as the others play."""
        found = []
        for player, (rewards, moves) in enumerate(self.by_player):
            others = joint_play(mixtures, skip=player).reshape(len(self.rows), 1, 1, -1)
            met = None if moves is None else (others @ moves)[:, :, 0]
            found.append(((others @ rewards[..., None])[:, :, 0, 0], met))
        return found

    def gains(self, faced: list[Faced], following: Float64, *, is_trusted: bool = False) -> Profile:
        """Return :meth:`deviations` for what actions meet; of players who take the transitions to be right if told."""
        found = []
        for player, (rewards, met) in enumerate(faced):
            q = rewards
            if met is not None and is_trusted:
                q = q + self.environment.factor * (met @ self._values(player, following))
            elif met is not None:
                q = q + self._worst(player, following, met)
            found.append(self._legal_gains(player, q))
        return found

    @cached_property
    def by_player(self) -> list[Faced]:
        """Rewards ``[G, A_i, others]`` and moves ``[G, A_i, others, S']`` a player."""
        found = []
        for player, rewards in enumerate(self.rewards):
            shape = (len(rewards), rewards.shape[player + 1], -1)
            moves = self.moves
            if moves is not None:
                moves = np.ascontiguousarray(np.moveaxis(moves, player + 1, 1)).reshape(*shape, moves.shape[-1])
            found.append((np.ascontiguousarray(np.moveaxis(rewards, player + 1, 1)).reshape(shape), moves))
        return found

    def _legal_gains(self, player: int, gain: Float64) -> Float64:
        low = np.where(self.legal[player], gain, np.inf).min(axis=1, keepdims=True)
        return np.where(self.legal[player], gain, low)

    def ranges(self, following: Float64) -> list[Float64]:
        """Return ``[G]`` a player: no payoffs of the stage game are further apart; 1 where all are alike."""
        found = []
        for player, rewards in enumerate(self.rewards):
            flat, legal = rewards.reshape(len(rewards), -1), self.legal_profiles.reshape(len(rewards), -1)
            spread = np.where(legal, flat, -np.inf).max(axis=1) - np.where(legal, flat, np.inf).min(axis=1)
            if self.moves is not None:
                spread = spread + np.ptp(self._values(player, following))
            found.append(np.where(spread > 0.0, spread, 1.0))
        return found

    def _values(self, player: int, following: Float64) -> Float64:
        """Return what the states that can come are worth, and the end."""
        assert self.next_states is not None
        values = following[player, self.next_states]
        return np.append(values, 0.0) if self.can_end else values

    def _worst(self, player: int, following: Float64, moves: Float64) -> Float64:
        values = self._values(player, following)
        return self.environment.factor * self.environment.uncertainty.worst(player, values, moves)


@dataclass(frozen=True, eq=False)
class Judged:
    """What play is worth, ``values`` and ``stage_gap [N, H, S]``, ``value [N]``; ``gap [N]`` of the whole game."""

    values: Float64
    stage_gap: Float64
    value: Float64
    gap: Float64


def judged(environment: Environment, policies: Sequence[Float64]) -> Judged:
    """Return figures of ``policies [H, S, A_i]``: one induction of their values, and one of best responses to them."""
    game = environment.game
    shape = game.rewards.shape[:3]
    values, stage_gap = np.full(shape, np.nan), np.full(shape, np.nan)
    following, best = np.zeros((shape[0], shape[2])), np.zeros((shape[0], shape[2]))
    error = 0.0
    for stage in environment.stages():
        step, rows = stage.step, stage.rows
        mixtures = [policy[step, rows] for policy in policies]
        gains, hopes = stage.deviations(following, mixtures), stage.deviations(best, mixtures)
        before = np.stack([following, best])
        following, best = np.zeros_like(following), np.zeros_like(best)
        for player, x in enumerate(mixtures):
            following[player, rows] = (x * gains[player]).sum(axis=1)
            best[player, rows] = hopes[player].max(axis=1)
            stage_gap[player, step, rows] = np.maximum(gains[player].max(axis=1) - following[player, rows], 0.0)
        values[:, step, rows] = following[:, rows]
        now = np.stack([following, best])
        error = 2.0 * environment.error(now, before)
        if environment.stands_still(now, before):
            break
    gap = np.maximum((best - following) @ game.initial, 0.0) + error
    return Judged(values, stage_gap, following @ game.initial, gap)
