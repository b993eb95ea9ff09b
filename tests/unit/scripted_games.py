"""Games of OpenSpiel for tests, written down."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

_names = (f"python_scripted_{number}" for number in itertools.count())


@pytest.fixture(scope="session")
def scripted_game():
    """What makes a game of OpenSpiel that follows nested tuples.

    - ``("chance", (probability, node), ...)``
    - ``("move", player, what the player knows, node, ...)``: a string; what follows "|" is shown by its tensor alone
    - ``("pay", payoffs, node)``: before the end
    - ``("end", payoffs)``
    """
    return _game_of


def _game_of(script, num_players=2, reward_model="TERMINAL"):
    pyspiel = pytest.importorskip("pyspiel")
    name = next(_names)
    kind = pyspiel.GameType(
        short_name=name,
        long_name=name,
        dynamics=pyspiel.GameType.Dynamics.SEQUENTIAL,
        chance_mode=pyspiel.GameType.ChanceMode.EXPLICIT_STOCHASTIC,
        information=pyspiel.GameType.Information.IMPERFECT_INFORMATION,
        utility=pyspiel.GameType.Utility.GENERAL_SUM,
        reward_model=getattr(pyspiel.GameType.RewardModel, reward_model),
        max_num_players=num_players,
        min_num_players=num_players,
        provides_information_state_string=True,
        provides_information_state_tensor=True,
        provides_observation_string=False,
        provides_observation_tensor=False,
        parameter_specification={},
    )
    info = pyspiel.GameInfo(
        num_distinct_actions=3,
        max_chance_outcomes=3,
        num_players=num_players,
        min_utility=-10.0,
        max_utility=10.0,
        utility_sum=None,
        max_game_length=9,
    )

    class Game(pyspiel.Game):
        def __init__(self, params=None):
            super().__init__(kind, info, params or {})

        def new_initial_state(self):
            return State(self)

        def make_py_observer(self, iig_obs_type=None, params=None):
            return Observer()

    class State(pyspiel.State):
        def __init__(self, game):
            super().__init__(game)
            self.node = script
            self.paid = [0.0] * num_players
            self._collect()

        def _collect(self):
            while self.node[0] == "pay":
                self.paid = [a + b for a, b in zip(self.paid, self.node[1], strict=True)]
                self.node = self.node[2]

        def current_player(self):
            kinds = {"chance": pyspiel.PlayerId.CHANCE, "end": pyspiel.PlayerId.TERMINAL}
            return self.node[1] if self.node[0] == "move" else kinds[self.node[0]]

        def is_terminal(self):
            return self.node[0] == "end"

        def chance_outcomes(self):
            return [(outcome, part[0]) for outcome, part in enumerate(self.node[1:])]

        def _legal_actions(self, player):
            return list(range(len(self.node) - 3))

        def _apply_action(self, action):
            self.node = self.node[1 + action][1] if self.node[0] == "chance" else self.node[3 + action]
            self._collect()

        def _action_to_string(self, player, action):
            return str(action)

        def returns(self):
            end = self.node[1] if self.is_terminal() else [0.0] * num_players
            return [a + b for a, b in zip(self.paid, end, strict=True)]

        def rewards(self):
            return self.returns()

        def known_to(self, player):
            return self.node[2] if self.node[0] == "move" and self.node[1] == player else ""

        def __str__(self):
            return str(self.history())

    class Observer:
        def __init__(self):
            self.tensor = np.zeros(2, np.float32)
            self.dict = {"known": self.tensor}

        def set_from(self, state, player):
            self.tensor[:] = float(state.known_to(player).partition("|")[2] or 0), player

        def string_from(self, state, player):
            return state.known_to(player).partition("|")[0]

    pyspiel.register_game(kind, Game)
    return pyspiel.load_game(name)
