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
    @property
    def moves(self) -> str: ...
    @property
    def rewards(self) -> str: ...
    @property
    def num_chance_actions(self) -> int: ...
    @property
    def chance_vectors(self) -> Float32: ...


@dataclass(frozen=True)
class Prediction:
    """What the networks say of one state and action.

    ``state [D]`` is the mean next state; ``member_rewards [N, E]`` and ``disagreement`` hold at any transition, final
    or not; ``observations [N, O]`` and ``scores [A]`` (legal above one half) are those of the next state. Where ends
    are drawn, ``end`` is the probability of one and ``movers`` those of who moves next, chance last.
    """

    state: Float32
    distance_to_terminal: float
    member_rewards: Float64
    disagreement: float
    observations: Float32
    scores: Float32
    end: float
    movers: Float64


@dataclass(frozen=True)
class DynamicsEnsemble:
    """A learned game, see dynamics_ensemble.hpp, made of the arrays that a saved one holds.

    ``arrays`` name each layer of the networks ``delta.m``, ``reward.m`` and ``shared.0``, mean and scale of ``state``,
    ``action`` and ``observation``, ``reward_scale``, and the ``initial`` states, observations, masks and players. Where
    ends are drawn there is a network ``end.0``, ``mover.0`` if the next mover is predicted, and with chance
    ``chance.0`` and the normalizer ``chance``.

    Source: Nguyen and Wellman (2026), Section 4.1, Appendix A.
    """

    spec: Spec
    arrays: Arrays
    num_members: int
    terminal_threshold: float = 0.5
    disagreement: str = "max_deviation"
    history_source: str = "observations"

    @property
    def draws_ends(self) -> bool:
        return "end.0.0.weight" in self.arrays

    def start(self, seed: int, profile: int, rollout: int) -> Episode:
        """Begin the episode of these coordinates, at the first transition of a logged trajectory."""
        stream = Stream(seed, Purpose.initial_state, profile, rollout)
        return Episode(self, stream.next_below(len(self.arrays["initial.player"])), (seed, profile, rollout))

    def predict(self, state: Float32, action: int, player: int = 0, next_player: int | None = None) -> Prediction:
        """Return what follows ``state`` and ``action``: all networks' outputs in raw units.

        Where the next mover is predicted, ``next_player`` is the most likely one if it is not given.
        """
        arrays, members, num_players = self.arrays, range(self.num_members), self.spec.num_players
        inputs = self.inputs(state, action, player)
        delta_inputs, end, movers = inputs, 0.0, self.movers(inputs, player)
        if next_player is None:
            next_player = int(movers.argmax())
        if self.draws_ends:
            end = 1 / (1 + np.exp(-float(self._forward("end.0", inputs)[0])))
        if "mover.0.0.weight" in arrays:
            delta_inputs = np.concatenate([inputs, np.eye(len(movers), dtype=np.float32)[next_player]])
        deltas = np.array([self._forward(f"delta.{member}", delta_inputs) for member in members])
        next_states = (inputs[: len(state)] + deltas) * arrays["state.scale"] + arrays["state.mean"]
        next_state = next_states.mean(axis=0).astype(np.float32)
        if self.spec.moves == "simultaneous":
            next_state[-self.num_choices :] = 0.0
        rewards = np.array([self._forward(f"reward.{member}", inputs) for member in members]).T
        member_rewards: Float64 = rewards.astype(np.float64) * float(arrays["reward_scale"])
        observations, scores = self.observe(next_state, next_player)
        return Prediction(
            state=next_state,
            distance_to_terminal=float(np.abs(next_state - self.spec.terminal_state_value).mean()),
            member_rewards=member_rewards,
            disagreement=self.disagreement_of(member_rewards),
            observations=observations.reshape(num_players, -1),
            scores=scores,
            end=end,
            movers=movers,
        )

    @property
    def num_choices(self) -> int:
        """Entries of a state of simultaneous moves that hold the choices of the round."""
        return self.spec.num_players * int(self.spec.action_vectors.shape[1])

    def inputs(self, state: Float32, action: int, player: int) -> Float32:
        """Return what the networks see of a state and the action, or outcome of chance, there."""
        spec = self.spec
        z_state, z_action = self._normalize("state", state), np.zeros(spec.action_vectors.shape[1], np.float32)
        if player >= 0 or not self.draws_ends:
            z_action = self._normalize("action", spec.action_vectors[action])
        if not self.draws_ends:
            return np.concatenate([z_state, z_action])
        z_outcome = np.zeros(spec.chance_vectors.shape[1], np.float32)
        if player < 0:
            z_outcome = self._normalize("chance", spec.chance_vectors[action])
        return np.concatenate([z_state, z_action, self.one_hot(player), z_outcome])

    def one_hot(self, player: int) -> Float32:
        """Return the player among all, zeros for chance."""
        return np.asarray(np.arange(self.spec.num_players) == player, dtype=np.float32)

    def movers(self, inputs: Float32, player: int) -> Float64:
        """Return the probabilities of who moves next, chance last where there is chance."""
        if "mover.0.0.weight" in self.arrays:
            return softmax(self._forward("mover.0", inputs))
        return self.one_hot((player + 1) % self.spec.num_players).astype(np.float64)

    def chance(self, state: Float32) -> Float64:
        """Return the probabilities of the outcomes of chance."""
        return softmax(self._forward("chance.0", self._normalize("state", state)))

    def observe(self, state: Float32, player: int) -> tuple[Float32, Float32]:
        """Return all players' observations and the scores of actions at a state, ``player`` on move."""
        inputs = self._normalize("state", state)
        if self.draws_ends:
            inputs = np.concatenate([inputs, self.one_hot(player)])
        outputs = self._forward("shared.0", inputs)
        split = len(outputs) - self.spec.num_actions
        observations = outputs[:split].reshape(self.spec.num_players, -1)
        return observations * self.arrays["observation.scale"] + self.arrays["observation.mean"], outputs[split:]

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


def softmax(logits: Float32) -> Float64:
    """Return probabilities proportional to ``exp(logits)``."""
    weights = np.exp(logits.astype(np.float64) - float(logits.max()))
    return np.asarray(weights / weights.sum())


class Episode:
    """One running episode of these coordinates: seed, profile, rollout."""

    def __init__(self, model: DynamicsEnsemble, start: int, key: tuple[int, int, int] = (0, 0, 0)) -> None:
        arrays, spec = model.arrays, model.spec
        self.model = model
        self.key = key
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
        """The part of the mover's observation before ``history_start``, then the event of each move, zero padded.

        Nothing where chance is to move.
        """
        spec = self.model.spec
        known = [self.observations[self.player, : spec.history_start], *self.events]
        features = np.zeros(spec.information_state_size, dtype=np.float32)
        if self.player >= 0:
            values = np.concatenate(known)
            features[: len(values)] = values
        return features

    def step(self, action: int) -> tuple[Float64, float, bool]:
        """Play ``action``; return the members' mean rewards ``[N]``, disagreement, whether the episode is over.

        ``member_rewards [N, E]`` are those of the step.
        """
        model, spec = self.model, self.model.spec
        self.member_rewards = np.zeros_like(self.member_rewards)
        if spec.moves == "simultaneous" and 0 <= self.player < spec.num_players - 1:
            return self._choose_within_round(action)
        if model.draws_ends:
            return self._draw(action)
        predicted = model.predict(self.state, action)
        if predicted.distance_to_terminal < model.terminal_threshold:
            self.member_rewards = predicted.member_rewards
            return predicted.member_rewards.mean(axis=1), predicted.disagreement, True
        if len(self.events) + 1 == spec.max_episode_length:
            return np.zeros(spec.num_players), 0.0, True
        self._go_on(predicted, (self.player + 1) % spec.num_players, action)
        return np.zeros(spec.num_players), 0.0, False

    def _choose_within_round(self, action: int) -> tuple[Float64, float, bool]:
        model, spec = self.model, self.model.spec
        self.state = self.state.copy()
        choices = self.state[-model.num_choices :].reshape(spec.num_players, -1)
        choices[self.player] = spec.action_vectors[action]
        self.player += 1
        self._see(model.observe(self.state, self.player)[1], action)
        return np.zeros(spec.num_players), 0.0, False

    def _draw(self, action: int) -> tuple[Float64, float, bool]:
        model, spec = self.model, self.model.spec
        seed, profile, rollout = self.key
        stream = Stream(seed, Purpose.transition, profile, rollout, len(self.events))
        predicted = model.predict(self.state, action, self.player)
        room = spec.num_players if spec.moves == "simultaneous" else 1
        is_over = stream.next_double() < predicted.end or len(self.events) + 1 + room > spec.max_episode_length
        disagreement = 0.0
        if is_over or spec.rewards == "every_step":
            self.member_rewards, disagreement = predicted.member_rewards, predicted.disagreement
        if not is_over:
            following = int(np.searchsorted(predicted.movers.cumsum(), stream.next_double(), side="right"))
            predicted = model.predict(self.state, action, self.player, following)
            self._go_on(predicted, -1 if following == spec.num_players else following, action)
        return self.member_rewards.mean(axis=1), disagreement, is_over

    def _go_on(self, predicted: Prediction, player: int, action: int) -> None:
        self.state, self.observations, self.player = predicted.state, predicted.observations, player
        self._see(predicted.scores, action)

    def _see(self, scores: Float32, action: int) -> None:
        """Append the event; what a move shows it shows to all, so where chance is on move it is player 0's."""
        model, spec = self.model, self.model.spec
        self.mask = (scores > 0.5).astype(np.uint8)
        if not self.mask.any():  # a model that sees no legal action forbids none
            self.mask[:] = 1
        if self.player < 0:
            self.mask[:] = 0
        if model.history_source == "observations":
            self.events.append(self.observations[max(self.player, 0), spec.history_start :])
        else:
            self.events.append(spec.action_vectors[action])
