"""Games of OpenSpiel too large for a tree, played move by move: slow, since OpenSpiel is asked an episode at a time.

It needs OpenSpiel: ``pip install 'coffee-fast[openspiel]'``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyspiel
from numpy.typing import NDArray

from coffee_fast.errors import InvalidGameError, shown
from coffee_fast.games.lane_random import LaneRandom
from coffee_fast.games.openspiel_tree import name_of
from coffee_fast.games.simulator import SimulatorGame, from_simulator
from coffee_fast.games.spec import GameSpec
from coffee_fast.games.tree_arrays import move_vectors
from coffee_fast.typing import Float32, Float64, Int32

State = dict[str, NDArray[Any]]


class MoveByMove:
    """The rules of a game as OpenSpiel has them, for :func:`coffee_fast.games.from_simulator`.

    Players see their information state tensor, or where the game has none their observation tensor. The state is all
    players' tensors side by side; where moves at once were made moves in turn, the last ``N`` moves behind them.
    """

    def __init__(self, name: str, game: Any) -> None:
        kind = game.get_type()
        self.fingerprint = f"OpenSpiel {name}"
        self.is_converted = kind.dynamics == pyspiel.GameType.Dynamics.SIMULTANEOUS
        self.game = pyspiel.convert_to_turn_based(game) if self.is_converted else game
        self.pays_early = kind.reward_model == pyspiel.GameType.RewardModel.REWARDS
        self.remembers = bool(kind.provides_information_state_tensor)
        self.num_players, self.num_actions = game.num_players(), game.num_distinct_actions()
        self.num_outcomes = max(self.game.max_chance_outcomes(), 0)
        self.vectors = move_vectors(self.num_actions)
        shape = (self.game.information_state_tensor_size if self.remembers else self.game.observation_tensor_size)()
        self.observation_size = int(shape)

    def __repr__(self) -> str:
        return "played move by move by OpenSpiel"

    def spec(self, name: str) -> GameSpec:
        """The sizes, and who moves and is paid when."""
        N, size = self.num_players, self.observation_size
        hidden = N * self.vectors.shape[1] if self.is_converted else 0
        moves = self.game.max_game_length() + max(self.game.max_chance_nodes_in_history(), 0)
        return GameSpec(
            name=name,
            num_players=N,
            num_actions=self.num_actions,
            action_vectors=self.vectors,
            state_size=N * size + hidden,
            observation_size=size,
            history_start=size,
            max_episode_length=moves * (N if self.is_converted else 1),
            turn_order="predicted",
            rewards="every_step" if self.pays_early else "at_end",
            num_chance_actions=self.num_outcomes,
            chance_vectors=move_vectors(self.num_outcomes),
        )

    def reset(self, random: LaneRandom) -> State:
        states = np.empty(len(random), dtype=object)
        for row in range(len(random)):
            states[row] = self.game.new_initial_state()
        last = np.full((len(random), self.num_players), -1)
        return {"state": states, "last": last, "paid": np.zeros((len(random), self.num_players))}

    def player(self, state: State) -> Int32:
        return np.array([-1 if s.is_chance_node() else s.current_player() for s in state["state"]], dtype=np.int32)

    def legal_actions(self, state: State) -> NDArray[np.bool_]:
        masks = np.zeros((len(state["state"]), self.num_actions), dtype=bool)
        for row, node in enumerate(state["state"]):
            if not node.is_chance_node():
                masks[row, node.legal_actions()] = True
        return masks

    def chance_probabilities(self, state: State) -> Float64:
        table = np.zeros((len(state["state"]), self.num_outcomes))
        for row, node in enumerate(state["state"]):
            if node.is_chance_node():
                outcomes, probabilities = zip(*node.chance_outcomes(), strict=True)
                table[row, outcomes] = np.array(probabilities) / sum(probabilities)
        return table

    def observe(self, state: State) -> Float32:
        return np.array([[self._view(node, seat) for seat in range(self.num_players)] for node in state["state"]])

    def state_vector(self, state: State) -> Float32:
        seen = self.observe(state).reshape(len(state["state"]), -1)
        if not self.is_converted:
            return seen
        known = np.where((state["last"] >= 0)[:, :, None], self.vectors[state["last"]], 0.0)
        return np.hstack([seen, known.reshape(len(seen), -1)]).astype(np.float32)

    def step(self, state: State, actions: Int32, random: LaneRandom) -> tuple[State, Float64, NDArray[np.bool_]]:
        nodes, last, paid = state["state"].copy(), state["last"].copy(), state["paid"].copy()
        rewards, done = np.zeros(paid.shape), np.zeros(len(nodes), dtype=bool)
        for row, action in enumerate(actions.tolist()):
            is_chance = nodes[row].is_chance_node()
            nodes[row] = nodes[row].child(action)
            if not is_chance:
                last[row] = [*last[row, 1:], action]
            done[row] = nodes[row].is_terminal()
            if done[row] or self.pays_early:
                earned = np.asarray(nodes[row].returns())
                rewards[row], paid[row] = earned - paid[row], earned
        return {"state": nodes, "last": last, "paid": paid}, rewards, done

    def _view(self, node: Any, seat: int) -> Any:
        if node.is_terminal():
            return np.zeros(self.observation_size, dtype=np.float32)
        seen = node.information_state_tensor(seat) if self.remembers else node.observation_tensor(seat)
        return np.asarray(seen, dtype=np.float32)


def play_move_by_move(game: Any) -> SimulatorGame:
    """Return a game of OpenSpiel that is played, not written down; ``InvalidGameError`` for one that cannot be."""
    kind, name = game.get_type(), name_of(game)
    if kind.dynamics == pyspiel.GameType.Dynamics.MEAN_FIELD:
        raise InvalidGameError(f"load_game: {shown(name)} is a mean-field game, which has no players to name")
    if kind.chance_mode == pyspiel.GameType.ChanceMode.SAMPLED_STOCHASTIC:
        raise InvalidGameError(
            f"load_game: {shown(name)} only samples what chance does and does not list it, so that no seed would bring "
            "an episode back; take a game, or parameters of it, with explicit chance"
        )
    if not (kind.provides_information_state_tensor or kind.provides_observation_tensor):
        raise InvalidGameError(
            f"load_game: {shown(name)} has no tensors of what its players know, which policies play by; take a game "
            "that provides them: pyspiel.registered_games() says which do"
        )
    rules = MoveByMove(name, game)
    return from_simulator(rules.spec(name), rules)
