"""NumPy twin of cpp/src/actor.cpp: the same rounds, one episode after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from coffee_fast._core import Purpose, Stream
from coffee_fast._reference.replay_buffer import ReplayBuffer
from coffee_fast._reference.rng import sample_categorical
from coffee_fast.typing import Float32, Float64, UInt8


class Episode(Protocol):
    """One running episode of a game."""

    def player_to_act(self) -> int:
        """Return who is on move, -1 for chance."""
        ...

    def chance_probabilities(self) -> Float64: ...
    def information_state(self) -> Float32: ...
    def legal_mask(self) -> UInt8: ...
    def step(self, action: int) -> tuple[Float64, float, bool]:
        """Return rewards [N] (means over members), disagreement and whether the episode is over."""
        ...


StartEpisode = Callable[[int, int, int], Episode]
"""``(seed, profile, rollout)`` to a new episode."""
ChooseAction = Callable[[Float32, UInt8, Stream], int]


@dataclass
class Options:
    """As ActorOptions in actor.hpp."""

    seed: int
    seats: Sequence[int] = (0,)
    num_parallel_episodes: int = 32
    replay_capacity: int = 50_000
    uncertainty_penalty: float = 0.0
    coverage_weight: float = 0.0
    epsilon_start: float = 1.0
    epsilon_end: float = 0.02
    epsilon_decay_steps: int = 200_000


def choose_uniformly(_: Float32, mask: UInt8, stream: Stream) -> int:
    """Return a legal action, each with equal probability."""
    legal = np.flatnonzero(mask)
    return int(legal[stream.next_below(len(legal))])


def choose_greedily(values: Float32, mask: UInt8) -> int:
    """Return the legal action of largest value, the lowest on ties."""
    return int(np.argmax(np.where(mask != 0, values, -np.inf)))


@dataclass
class _Lane:
    number: int
    player: int
    episode: Episode
    is_coverage: bool
    policies: list[int]
    num_actions: int = 0
    decisions: list[tuple[Float32, int, UInt8]] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)


class Actor:
    """Collects experience; see ActorBase in actor.hpp."""

    def __init__(
        self,
        start: StartEpisode,
        opponents: Sequence[tuple[Sequence[ChooseAction], Float64]],
        options: Options,
    ) -> None:
        self.start, self.opponents, self.options = start, opponents, options
        self.replay = ReplayBuffer(options.replay_capacity)
        self.num_calls = self.num_decisions = self.num_started = 0
        self.lanes = [self._begin() for _ in range(options.num_parallel_episodes)]

    def epsilon(self, call: int) -> float:
        """Return the probability of exploring at a call."""
        options = self.options
        share_left = 1 - min(call, options.epsilon_decay_steps) / options.epsilon_decay_steps
        return options.epsilon_end + (options.epsilon_start - options.epsilon_end) * share_left

    def _stream(self, purpose: Purpose, lane_number: int, step: int = 0) -> Stream:
        return Stream(self.options.seed, purpose, 0, lane_number, step)

    def _begin(self) -> _Lane:
        number = self.num_started
        self.num_started += 1
        episode = self.start(self.options.seed, 0, number)
        is_coverage = self._stream(Purpose.coverage, number).next_double() < self.options.coverage_weight
        strategies = []
        for seat, (_, probabilities) in enumerate(self.opponents):
            draw = self._stream(Purpose.strategy, number, seat).next_double()
            strategies.append(int(np.searchsorted(np.cumsum(probabilities), draw, side="right")))
        player = self.options.seats[number % len(self.options.seats)]
        return _Lane(number, player, episode, is_coverage, strategies)

    def advance(self, q_network: Callable[[Float32], Float32]) -> None:
        """Let every episode take one step, then replace those that are over."""
        finished = []
        for index, lane in enumerate(self.lanes):
            reward, disagreement, is_over = self._act(lane, q_network)
            if lane.rewards:  # what is paid before the first own decision is no decision's doing
                weight = 0.0 if lane.is_coverage else 1.0
                lane.rewards[-1] += weight * reward - self.options.uncertainty_penalty * disagreement
            if is_over:
                finished.append(index)
        for index in finished:
            self._push(self.lanes[index])
            self.num_calls += 1
            self.lanes[index] = self._begin()

    def _act(self, lane: _Lane, q_network: Callable[[Float32], Float32]) -> tuple[float, float, bool]:
        player = lane.episode.player_to_act()
        if player == -1:
            draw = self._stream(Purpose.chance, lane.number, lane.num_actions).next_double()
            return self._step(lane, sample_categorical(lane.episode.chance_probabilities().tolist(), draw))
        state, mask = lane.episode.information_state(), lane.episode.legal_mask()
        if player == lane.player:
            stream = self._stream(Purpose.exploration, lane.number, lane.num_actions)
            if stream.next_double() < self.epsilon(self.num_calls):
                action = choose_uniformly(state, mask, stream)
            else:
                action = choose_greedily(q_network(state), mask)
            self.num_calls += 1
            self.num_decisions += 1
            lane.decisions.append((state, action, mask))
            lane.rewards.append(0.0)
        else:
            choose = choose_uniformly if lane.is_coverage else self.opponents[player][0][lane.policies[player]]
            action = choose(state, mask, self._stream(Purpose.action, lane.number, lane.num_actions))
        return self._step(lane, action)

    def _step(self, lane: _Lane, action: int) -> tuple[float, float, bool]:
        lane.num_actions += 1
        rewards, disagreement, is_over = lane.episode.step(action)
        return float(rewards[lane.player]), disagreement, is_over

    def _push(self, lane: _Lane) -> None:
        following: list[Any] = lane.decisions[1:]
        if lane.decisions:
            state, _, mask = lane.decisions[-1]
            following.append((np.zeros_like(state), -1, np.zeros_like(mask)))
        for decision, reward, (next_state, next_action, next_mask) in zip(
            lane.decisions, lane.rewards, following, strict=True
        ):
            self.replay.push(*decision[:2], reward, next_state, next_action < 0, next_mask)
