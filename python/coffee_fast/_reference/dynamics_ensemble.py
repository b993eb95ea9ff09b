"""NumPy twin of cpp/src/dynamics_ensemble.cpp: one episode in a learned model, one step at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coffee_fast._core import Purpose, Stream
from coffee_fast._reference.ensemble_networks import EnsembleNetworks, softmax
from coffee_fast.typing import Float32, Float64, UInt8


@dataclass(frozen=True)
class Prediction:
    """What the networks say of one state and action.

    ``state [D]`` is the mean next state; ``member_rewards [N, E]`` and ``disagreement`` hold at any transition, final
    or not. Where ends are drawn, ``end`` is the probability of one and ``movers`` those of who
    moves next, chance last.
    """

    state: Float32
    distance_to_terminal: float
    member_rewards: Float64
    disagreement: float
    end: float
    movers: Float64


@dataclass(frozen=True)
class DynamicsEnsemble(EnsembleNetworks):
    """A learned game.

    Source: Nguyen and Wellman (2026), Section 4.1, Appendix A.
    """

    def start(self, seed: int, profile: int, rollout: int) -> Episode:
        """Begin the episode of these coordinates, at the first transition of a logged trajectory."""
        stream = Stream(seed, Purpose.initial_state, profile, rollout)
        return Episode(self, stream.next_below(len(self.arrays["initial.player"])), (seed, profile, rollout))

    def predict(self, state: Float32, action: int, player: int = 0, next_player: int | None = None) -> Prediction:
        """Return what follows ``state`` and ``action``: all networks' outputs in raw units.

        Where the next mover, or luck, is predicted, it is the most likely one if it is not given.
        """
        inputs = self.likely_inputs(state, action, player)
        movers = self.movers(inputs, player)
        if next_player is None:
            next_player = int(movers.argmax())
        next_state = self.next_state(state, inputs, action, player, next_player)
        member_rewards = self.rewards(inputs)
        return Prediction(
            state=next_state,
            distance_to_terminal=float(np.abs(next_state - self.spec.terminal_state_value).mean()),
            member_rewards=member_rewards,
            disagreement=self.disagreement_of(member_rewards),
            end=self.end(inputs) if self.draws_ends else 0.0,
            movers=movers,
        )


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
        self.member: int | None = None
        if model.member_per_episode:
            self.member = Stream(key[0], Purpose.member, key[1], key[2]).next_below(model.num_members)

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
        inputs, following = model.inputs(self.state, action, self.player), (self.player + 1) % spec.num_players
        predicted = model.next_state(self.state, inputs, action, self.player, following, self.member)
        if float(np.abs(predicted - spec.terminal_state_value).mean()) < model.terminal_threshold:
            self.member_rewards = model.rewards(inputs)
            return self.member_rewards.mean(axis=1), model.disagreement_of(self.member_rewards), True
        if len(self.events) + 1 == spec.max_episode_length:
            return np.zeros(spec.num_players), 0.0, True
        self._go_on(inputs, following, action)
        return np.zeros(spec.num_players), 0.0, False

    def _choose_within_round(self, action: int) -> tuple[Float64, float, bool]:
        model, spec = self.model, self.model.spec
        self.state = self.state.copy()
        choices = self.state[-model.num_choices :].reshape(spec.num_players, -1)
        choices[self.player] = spec.action_vectors[action]
        self.player += 1
        self._see(action)
        return np.zeros(spec.num_players), 0.0, False

    def _draw(self, action: int) -> tuple[Float64, float, bool]:
        """Draw luck, the end and who moves next, in this order."""
        model, spec = self.model, self.model.spec
        seed, profile, rollout = self.key
        stream = Stream(seed, Purpose.transition, profile, rollout, len(self.events))
        inputs = model.inputs(self.state, action, self.player)
        if "code.0.0.weight" in model.arrays:
            codes = softmax(model._forward("code.0", inputs)).cumsum()
            inputs = model.with_code(inputs, int(np.searchsorted(codes, stream.next_double(), side="right")))
        room = spec.num_players if spec.moves == "simultaneous" else 1
        is_over = stream.next_double() < model.end(inputs) or len(self.events) + 1 + room > spec.max_episode_length
        disagreement = 0.0
        if is_over or spec.rewards == "every_step":
            self.member_rewards = model.rewards(inputs)
            disagreement = model.disagreement_of(self.member_rewards)
        if model.outcome_disagreement:
            disagreement += model.outcome_information(self.state, inputs, self.player)
        if not is_over:
            movers = model.movers(inputs, self.player).cumsum()
            self._go_on(inputs, int(np.searchsorted(movers, stream.next_double(), side="right")), action)
        return self.member_rewards.mean(axis=1), disagreement, is_over

    def _go_on(self, inputs: Float32, following: int, action: int) -> None:
        """Take the next state and see what it shows; ``following`` is ``N`` for chance."""
        model, player = self.model, self.player
        self.state = model.next_state(self.state, inputs, action, player, following, self.member)
        self.player = -1 if following == model.spec.num_players else following
        if model.has_kinds:
            self.observations = model.observe_after(self.observations, self.state, action, player, following)
        else:
            self.observations = model.observe(self.state, self.player)[0]
        self._see(action)

    def _see(self, action: int) -> None:
        """Append the event; what a move shows it shows to all, so where chance is on move it is player 0's."""
        model, spec = self.model, self.model.spec
        if model.has_kinds:
            scores = model.scores(self.state, self.observations, self.player)
        else:
            scores = model.observe(self.state, self.player)[1]
        self.mask = (scores > 0.5).astype(np.uint8)
        if not self.mask.any():  # a model that sees no legal action forbids none
            self.mask[:] = 1
        if self.player < 0:
            self.mask[:] = 0
        if model.history_source == "observations":
            self.events.append(self.observations[max(self.player, 0), spec.history_start :])
        else:
            self.events.append(spec.action_vectors[action])
