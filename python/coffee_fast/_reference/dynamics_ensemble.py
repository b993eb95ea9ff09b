"""NumPy twin of cpp/src/dynamics_ensemble.cpp: one episode in a learned model, one step at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from coffee_fast._core import Purpose, Stream
from coffee_fast._reference import mlp
from coffee_fast.typing import Float32, Float64, UInt8

Arrays = Mapping[str, NDArray[Any]]


class Spec(Protocol):
    """What the twin asks of a game's specification."""

    @property
    def num_players(self) -> int: ...
    @property
    def num_actions(self) -> int: ...
    @property
    def action_vectors(self) -> Float32: ...
    @property
    def observation_size(self) -> int: ...
    @property
    def history_start(self) -> int: ...
    @property
    def information_state_size(self) -> int: ...
    @property
    def max_episode_length(self) -> int: ...
    @property
    def terminal_state_value(self) -> float: ...


@dataclass(frozen=True)
class Prediction:
    """What the networks say of one state and action.

    ``state [D]`` is the mean next state; ``member_rewards [N, E]`` and ``disagreement`` hold at any transition, final
    or not; ``observations [N, O]`` and ``scores [A]`` (legal above one half) are those of the next state.
    """

    state: Float32
    distance_to_terminal: float
    member_rewards: Float64
    disagreement: float
    observations: Float32
    scores: Float32


@dataclass(frozen=True)
class DynamicsEnsemble:
    """A learned game, see dynamics_ensemble.hpp, made of the arrays that a saved one holds.

    ``arrays`` name each layer of the networks ``delta.m``, ``reward.m`` and ``shared.0``, mean and scale of ``state``,
    ``action`` and ``observation``, ``reward_scale``, and the ``initial`` states, observations, masks and players.

    Source: Nguyen and Wellman (2026), Section 4.1, Appendix A.
    """

    spec: Spec
    arrays: Arrays
    num_members: int
    terminal_threshold: float = 0.5
    disagreement: str = "max_deviation"
    history_source: str = "observations"

    def start(self, seed: int, profile: int, rollout: int) -> Episode:
        """Begin the episode of these coordinates, at the first transition of a logged trajectory."""
        stream = Stream(seed, Purpose.initial_state, profile, rollout)
        return Episode(self, stream.next_below(len(self.arrays["initial.player"])))

    def predict(self, state: Float32, action: int) -> Prediction:
        """Return what follows ``state`` and ``action``: all networks' outputs in raw units."""
        arrays, members, num_players = self.arrays, range(self.num_members), self.spec.num_players
        z_state = self._normalize("state", state)
        inputs = np.concatenate([z_state, self._normalize("action", self.spec.action_vectors[action])])
        deltas = np.array([self._forward(f"delta.{member}", inputs) for member in members])
        next_states = (z_state + deltas) * arrays["state.scale"] + arrays["state.mean"]
        next_state = next_states.mean(axis=0).astype(np.float32)
        rewards = np.array([self._forward(f"reward.{member}", inputs) for member in members]).T
        member_rewards: Float64 = rewards.astype(np.float64) * float(arrays["reward_scale"])
        outputs = self._forward("shared.0", self._normalize("state", next_state))
        observations = outputs[: -self.spec.num_actions].reshape(num_players, -1)
        return Prediction(
            state=next_state,
            distance_to_terminal=float(np.abs(next_state - self.spec.terminal_state_value).mean()),
            member_rewards=member_rewards,
            disagreement=self.disagreement_of(member_rewards),
            observations=observations * arrays["observation.scale"] + arrays["observation.mean"],
            scores=outputs[-self.spec.num_actions :],
        )

    def disagreement_of(self, member_rewards: Float64) -> float:
        """Return how much rewards ``[N, E]`` differ between members, in reward units."""
        if self.disagreement == "max_deviation":
            deviations = np.abs(member_rewards - member_rewards.mean(axis=1, keepdims=True))
            return float(deviations.mean(axis=0).max())
        ranges = np.ptp(member_rewards, axis=1)
        return float(ranges.mean() if self.disagreement == "range_mean" else ranges.max())

    def _normalize(self, name: str, values: Float32) -> Float32:
        mean, scale = self.arrays[f"{name}.mean"], self.arrays[f"{name}.scale"]
        return ((values - mean) / scale).astype(np.float32)

    def _forward(self, network: str, inputs: Float32) -> Float32:
        layers, index = [], 0
        while f"{network}.{index}.weight" in self.arrays:
            layers.append((self.arrays[f"{network}.{index}.weight"], self.arrays[f"{network}.{index}.bias"]))
            index += 1
        outputs: Float32 = mlp.forward(layers, inputs[None])[0]
        return outputs


class Episode:
    """One running episode."""

    def __init__(self, model: DynamicsEnsemble, start: int) -> None:
        arrays, spec = model.arrays, model.spec
        self.model = model
        self.state: Float32 = arrays["initial.state"][start]
        self.observations: Float32 = arrays["initial.observation"][start].reshape(spec.num_players, -1)
        self.mask: UInt8 = arrays["initial.legal_mask"][start]
        self.player = int(arrays["initial.player"][start])
        self.events: list[Float32] = []
        self.member_rewards: Float64 = np.zeros((spec.num_players, model.num_members))

    def player_to_act(self) -> int:
        return self.player

    def legal_mask(self) -> UInt8:
        return self.mask

    def information_state(self) -> Float32:
        """The part of the mover's observation before ``history_start``, then the event of each move, zero padded."""
        spec = self.model.spec
        known = [self.observations[self.player, : spec.history_start], *self.events]
        features = np.zeros(spec.information_state_size, dtype=np.float32)
        values = np.concatenate(known)
        features[: len(values)] = values
        return features

    def step(self, action: int) -> tuple[Float64, float, bool]:
        """Play ``action``; return the members' mean rewards ``[N]``, disagreement, whether the episode is over."""
        model, spec = self.model, self.model.spec
        predicted = model.predict(self.state, action)
        if predicted.distance_to_terminal < model.terminal_threshold:
            self.member_rewards = predicted.member_rewards
            return predicted.member_rewards.mean(axis=1), predicted.disagreement, True
        if len(self.events) + 1 == spec.max_episode_length:
            return np.zeros(spec.num_players), 0.0, True
        self.state, self.observations = predicted.state, predicted.observations
        self.mask = (predicted.scores > 0.5).astype(np.uint8)
        if not self.mask.any():  # a model that sees no legal action forbids none
            self.mask[:] = 1
        self.player = (self.player + 1) % spec.num_players
        if model.history_source == "observations":
            self.events.append(self.observations[self.player, spec.history_start :])
        else:
            self.events.append(spec.action_vectors[action])
        return np.zeros(spec.num_players), 0.0, False
