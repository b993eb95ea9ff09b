"""What the networks of a dynamics ensemble say, in NumPy: the half of its twin that knows no episode."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast._reference import mlp
from coffee_fast._reference.entry_kinds import EntryKinds
from coffee_fast.typing import Float32, Float64

if TYPE_CHECKING:
    from coffee_fast.games import GameSpec

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class EnsembleNetworks:
    """The networks of a learned game, see dynamics_ensemble.hpp, made of the arrays that a saved one holds.

    ``arrays`` name each layer of the networks ``delta.m``, ``reward.m`` and ``shared.0``, mean and scale of ``state``,
    ``action`` and ``observation``, ``reward_scale``, and the ``initial`` states, observations, masks and players. Where
    ends are drawn there is a network ``end.0``, ``mover.0`` if the next mover is predicted, and with chance
    ``chance.0`` and the normalizer ``chance``.

    Source: Nguyen and Wellman (2026), Section 4.1, Appendix A.
    """

    spec: GameSpec
    arrays: Arrays
    num_members: int
    terminal_threshold: float = 0.5
    disagreement: str = "max_deviation"
    history_source: str = "observations"
    member_per_episode: bool = False
    outcome_disagreement: bool = False

    @property
    def draws_ends(self) -> bool:
        return "end.0.0.weight" in self.arrays

    @property
    def has_kinds(self) -> bool:
        return "state.source" in self.arrays

    @property
    def num_movers(self) -> int:
        """Who may move: players and, where there is chance, chance last."""
        return self.spec.num_players + (self.spec.num_chance_actions > 0)

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
        return np.concatenate([z_state, z_action, self.one_hot(player), self._z_outcome(action, player), self._no_code])

    def likely_inputs(self, state: Float32, action: int, player: int) -> Float32:
        """Return the inputs with the most likely kind of luck."""
        inputs = self.inputs(state, action, player)
        if "code.0.0.weight" not in self.arrays:
            return inputs
        return self.with_code(inputs, int(self._forward("code.0", inputs).argmax()))

    @property
    def _no_code(self) -> Float32:
        layer = 0
        while f"code.0.{layer}.weight" in self.arrays:
            layer += 1
        return np.zeros(len(self.arrays[f"code.0.{layer - 1}.bias"]) if layer else 0, np.float32)

    def with_code(self, inputs: Float32, code: int) -> Float32:
        """Return the inputs with a kind of luck."""
        codes = self._no_code
        codes[code] = 1.0
        return np.concatenate([inputs[: len(inputs) - len(codes)], codes])

    def _z_outcome(self, action: int, player: int) -> Float32:
        if player >= 0:
            return np.zeros(self.spec.chance_vectors.shape[1], np.float32)
        return self._normalize("chance", self.spec.chance_vectors[action])

    def one_hot(self, player: int, count: int | None = None) -> Float32:
        """Return the player among all, zeros for chance; or among ``count``, of which chance is the last."""
        count, last = (self.spec.num_players, -1) if count is None else (count, count - 1)
        return np.asarray(np.arange(count) == (player if player >= 0 else last), dtype=np.float32)

    def next_state(
        self, state: Float32, inputs: Float32, action: int, player: int, next_player: int, member: int | None = None
    ) -> Float32:
        """Return the members' mean next state, or a member's, after who moved and who is next (``N`` is chance)."""
        arrays, spec = self.arrays, self.spec
        delta_inputs = inputs
        if "mover.0.0.weight" in arrays:
            delta_inputs = np.concatenate([inputs, self.one_hot(next_player, self.num_movers)])
        members = range(self.num_members) if member is None else [member]
        deltas = np.array([self._forward(f"delta.{one}", delta_inputs) for one in members])
        next_states = (inputs[: len(state)] + deltas) * arrays["state.scale"] + arrays["state.mean"]
        next_state: Float32 = next_states.mean(axis=0).astype(np.float32)
        if self.has_kinds:
            known = np.concatenate([state, *self._vectors(action, player)])
            self.entry_kinds("state").settle(player, 0, known, next_state)
        if spec.moves == "simultaneous":
            next_state[-self.num_choices :] = 0.0
        return next_state

    def _vectors(self, action: int, player: int) -> tuple[Float32, Float32]:
        """Return the raw vectors of the action and the outcome, zeros for that which there is not."""
        actions, outcomes = self.spec.action_vectors, self.spec.chance_vectors
        if player < 0:
            return np.zeros_like(actions[0]), outcomes[action]
        return actions[action], np.zeros(outcomes.shape[1], np.float32)

    def entry_kinds(self, part: str) -> EntryKinds:
        """Return what is known of the entries of states or of observations."""
        bounds = (self.arrays.get(f"{part}.{name}") for name in ("least", "most"))
        return EntryKinds(*(self.arrays[f"{part}.{name}"] for name in ("source", "values", "values_offsets")), *bounds)

    def rewards(self, inputs: Float32) -> Float64:
        """Return the members' rewards ``[N, E]``."""
        arrays = self.arrays
        rewards = np.array([self._forward(f"reward.{member}", inputs) for member in range(self.num_members)]).T
        member_rewards: Float64 = rewards.astype(np.float64) * float(arrays["reward_scale"])
        if "reward.least" in arrays:
            member_rewards = np.clip(member_rewards, arrays["reward.least"][:, None], arrays["reward.most"][:, None])
        return member_rewards * self.pays(inputs)

    def pays(self, inputs: Float32) -> float:
        """Return the probability that anything is paid."""
        if "pay.0.0.weight" not in self.arrays:
            return 1.0
        return self._certain("pay", sigmoid(self._forward("pay.0", inputs)[0]))

    def _certain(self, part: str, probability: float) -> float:
        is_certain = f"{part}.is_certain" in self.arrays and self.arrays[f"{part}.is_certain"].item()
        return float(probability > 0.5) if is_certain else probability

    def _each(self, part: str) -> range:
        """Return the members that have a network of this part."""
        return range(self.num_members if f"{part}.1.0.weight" in self.arrays else 1)

    def ends_by_member(self, inputs: Float32) -> Float64:
        """Return the probabilities ``[E, 2]`` that the episode goes on, and that it ends."""
        ends = np.array([sigmoid(self._forward(f"end.{member}", inputs)[0]) for member in self._each("end")])
        return np.stack([1 - ends, ends], axis=1)

    def end(self, inputs: Float32) -> float:
        """Return the probability that the episode ends."""
        return self._certain("end", float(self.ends_by_member(inputs)[:, 1].mean()))

    def movers_by_member(self, inputs: Float32) -> Float64:
        """Return the probabilities ``[E, M]`` of who moves next, chance last where there is chance."""
        return np.array([softmax(self._forward(f"mover.{member}", inputs)) for member in self._each("mover")])

    def movers(self, inputs: Float32, player: int) -> Float64:
        """Return the probabilities of who moves next."""
        if "mover.0.0.weight" not in self.arrays:
            return self.one_hot((player + 1) % self.spec.num_players).astype(np.float64)
        movers: Float64 = self.movers_by_member(inputs).mean(axis=0)
        if "mover.is_certain" in self.arrays and self.arrays["mover.is_certain"].item():
            movers = self.one_hot(int(movers.argmax()), self.num_movers).astype(np.float64)
        return movers

    def chances_by_member(self, state: Float32) -> Float64:
        """Return the probabilities ``[E, C]`` of the outcomes of chance."""
        z_state = self._normalize("state", state)
        return np.array([softmax(self._forward(f"chance.{member}", z_state)) for member in self._each("chance")])

    def chance(self, state: Float32) -> Float64:
        """Return the probabilities of the outcomes of chance."""
        return np.asarray(self.chances_by_member(state).mean(axis=0))

    def outcome_information(self, state: Float32, inputs: Float32, player: int) -> float:
        """Return what members disagree about in what is drawn there, in units of rewards."""
        drawn = [self.ends_by_member(inputs)]
        if "mover.0.0.weight" in self.arrays:
            drawn.append(self.movers_by_member(inputs))
        if player < 0:
            drawn.append(self.chances_by_member(state))
        information = sum(entropy(by_member.mean(axis=0)) - np.mean([*map(entropy, by_member)]) for by_member in drawn)
        return float(self.arrays["reward_scale"]) * float(information)

    def observe(self, state: Float32, player: int) -> tuple[Float32, Float32]:
        """Return all players' observations and the scores of actions at a state, ``player`` on move."""
        inputs = self._normalize("state", state)
        if self.draws_ends:
            inputs = np.concatenate([inputs, self.one_hot(player)])
        outputs = self._forward("shared.0", inputs)
        split = len(outputs) - self.spec.num_actions
        observations = outputs[:split].reshape(self.spec.num_players, -1)
        return observations * self.arrays["observation.scale"] + self.arrays["observation.mean"], outputs[split:]

    def observe_after(
        self, observations: Float32, next_state: Float32, action: int, player: int, next_player: int
    ) -> Float32:
        """Return the observations ``[N, O]`` that follow those before the move, where entries are of kinds."""
        kinds, vectors = self.entry_kinds("observation"), self._vectors(action, player)
        following = np.zeros_like(observations)
        for seat, own in enumerate(observations):
            following[seat] = self._view(own, seat, next_state, action, player, next_player)
            kinds.settle(player, seat * len(own), np.concatenate([own, next_state, *vectors]), following[seat])
        return following

    def _view(
        self, own: Float32, seat: int, next_state: Float32, action: int, player: int, next_player: int
    ) -> Float32:
        """Return the predicted observation of a player that may see its own one before, the move and the state."""
        if "view.0.0.weight" not in self.arrays:
            return own
        sees_move, sees_state = self.arrays["view.sees"]
        z_action = self._normalize("action", self._vectors(action, player)[0]) if player >= 0 else np.float32(0)
        z_action = np.broadcast_to(z_action, self.spec.action_vectors.shape[1:])
        inputs = [
            self._normalize("observation", own),
            self.one_hot(seat),
            self.one_hot(player, self.num_movers),
            self.one_hot(next_player, self.num_movers),
            np.float32(sees_move) * z_action,
            np.float32(sees_move) * self._z_outcome(action, player),
            np.float32(sees_state) * self._normalize("state", next_state),
        ]
        outputs = self._forward("view.0", np.concatenate(inputs))
        return outputs * self.arrays["observation.scale"] + self.arrays["observation.mean"]

    def scores(self, state: Float32, observations: Float32, player: int) -> Float32:
        """Return the scores of actions where entries are of kinds; legal is what has more than one half."""
        (sees_state,) = self.arrays["mask.sees"]
        own = self._normalize("observation", observations[max(player, 0)])
        z_state = np.float32(sees_state) * self._normalize("state", state)
        return self._forward("mask.0", np.concatenate([own, self.one_hot(player), z_state]))

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
        is_product = self.arrays.get(f"{network.split('.')[0]}.is_product", np.zeros(1)).item()
        outputs: Float32 = mlp.forward(layers, inputs[None], "product" if is_product else "relu")[0]
        return outputs


def sigmoid(logit: float) -> float:
    """Return the probability with this logit."""
    return 1 / (1 + float(np.exp(-float(logit))))


def entropy(probabilities: Float64) -> float:
    """Return the entropy in nats."""
    likely = probabilities[probabilities > 0]
    return float(-(likely * np.log(likely)).sum())


def softmax(logits: Float32) -> Float64:
    """Return probabilities proportional to ``exp(logits)``."""
    weights = np.exp(logits.astype(np.float64) - float(logits.max()))
    return np.asarray(weights / weights.sum())
