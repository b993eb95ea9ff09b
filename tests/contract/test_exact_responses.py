"""Learned responses against exact ones, which OpenSpiel computes by walking the whole tree of a small game.

The learners see such a game through the only window they have, a dynamics ensemble: one whose networks are written down
rather than learned, a hidden unit for each state and action, so that it plays the game exactly.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast import _core
from coffee_fast.policies import as_mixture
from coffee_fast.responses import DDQN, DDQNTorch, ResponseObjective

pyspiel = pytest.importorskip("pyspiel")
from open_spiel.python.algorithms import best_response, expected_game_score  # noqa: E402

from coffee_fast.games.openspiel import to_openspiel_policy  # noqa: E402

BARGAINING = "python_generalized_bargaining(pool=1 1 0,max_offers=3,num_valuations=3)"
# Where the moves begin in an information state, and how many entries tell of each.
LAYOUTS = {"kuhn_poker": (5, 2), BARGAINING: (8, 3)}
SMALL = {
    "hidden_sizes": (128,),
    "num_steps": 20_000,
    "replay_capacity": 20_000,
    "min_replay": 500,
    "learning_rate": 1e-3,
    "target_period": 200,
    "epsilon_decay_steps": 20_000,
    "discount": 1.0,
}
ORACLES = [DDQN, pytest.param(DDQNTorch, marks=pytest.mark.slow)]


def walk(state, num_moves=0):
    """Yield (state, moves made) for every state in which a player is on move; chance only begins the game."""
    if state.is_chance_node():
        assert num_moves == 0
        for outcome, _ in state.chance_outcomes():
            yield from walk(state.child(outcome))
    elif not state.is_terminal():
        yield state, num_moves
        for action in state.legal_actions():
            yield from walk(state.child(action), num_moves + 1)


class TabularDynamics:
    """A dynamics ensemble of one member that is right about an OpenSpiel game."""

    def __init__(self, game, history_start, event_size):
        nodes = list(walk(game.new_initial_state()))
        place = {state.history_str(): s for s, (state, _) in enumerate(nodes)}
        pairs = [(s, action) for s, (state, _) in enumerate(nodes) for action in state.legal_actions()]
        used = sorted({action for _, action in pairs})
        num_states, num_pairs, num_players = len(nodes), len(pairs), game.num_players()

        vectors = np.zeros((game.num_distinct_actions(), len(used)), np.float32)
        vectors[used, np.arange(len(used))] = 1.0
        fires = np.zeros((num_pairs, num_states + len(used)), np.float32)
        change = np.zeros((num_states, num_pairs), np.float32)
        rewards = np.zeros((num_players, num_pairs), np.float32)
        for pair, (s, action) in enumerate(pairs):
            fires[pair, [s, num_states + used.index(action)]] = 1.0
            after = nodes[s][0].child(action)
            if after.is_terminal():
                rewards[:, pair] = after.returns()
                change[:, pair] = -1.0
            else:
                change[place[after.history_str()], pair] = 1.0
            change[s, pair] -= 1.0

        observations = [self._observations(*node, history_start, event_size) for node in nodes]
        masks = np.array([state.legal_actions_mask() for state, _ in nodes], np.uint8)
        shared = np.hstack([np.array(observations, np.float32), masks.astype(np.float32)]).T.copy()
        first = [s for s, (_, num_moves) in enumerate(nodes) if num_moves == 0]
        observation_size = history_start + event_size
        hidden = (fires, np.full(num_pairs, -1.0, np.float32))
        unit = {
            f"{name}_{part}": np.full(size, float(part == "scale"), np.float32)
            for name, size in (("state", num_states), ("action", len(used)), ("observation", len(observations[0])))
            for part in ("mean", "scale")
        }
        num_moves = (game.information_state_tensor_size() - history_start) // event_size
        self.core = _core.DynamicsEnsemble(
            num_players=num_players,
            history_start=history_start,
            max_episode_length=num_moves,
            terminal_state_value=-1.0,
            terminal_threshold=0.5,
            reward_scale=1.0,
            disagreement="max_deviation",
            history_source="observations",
            delta=[_core.Mlp([hidden, (change, np.zeros(num_states, np.float32))])],
            reward=[_core.Mlp([hidden, (rewards, np.zeros(num_players, np.float32))])],
            shared=_core.Mlp([(shared, np.zeros(len(shared), np.float32))]),
            action_vectors=vectors,
            initial_states=np.eye(num_states, dtype=np.float32)[first],
            initial_observations=np.array(observations, np.float32)[first],
            initial_legal_masks=masks[first],
            initial_players=np.array([nodes[s][0].current_player() for s in first], np.int32),
            **unit,
        )
        assert (self.core.observation_size, self.core.state_size) == (observation_size, num_states)
        self.spec = cf.GameSpec(
            name="of one's own",
            num_players=num_players,
            num_actions=game.num_distinct_actions(),
            action_vectors=vectors,
            state_size=num_states,
            observation_size=observation_size,
            history_start=history_start,
            max_episode_length=num_moves,
        )

    @staticmethod
    def _observations(state, num_moves, history_start, event_size):
        """Both players' views: what they know besides the moves, and the last move."""
        views = []
        for player in range(state.num_players()):
            known = np.asarray(state.information_state_tensor(player), np.float32)
            last = history_start + event_size * (num_moves - 1)
            event = known[last : last + event_size] if num_moves else np.zeros(event_size, np.float32)
            views += [known[:history_start], event]
        return np.concatenate(views)


@pytest.fixture(scope="module", params=LAYOUTS, ids=["kuhn_poker", "bargaining"])
def small_game(request):
    game = pyspiel.load_game(request.param)
    return game, TabularDynamics(game, *LAYOUTS[request.param])


def fixed_policy(game):
    """Plays everything, some of it much more often than the rest."""
    rng = np.random.default_rng(11)
    shapes = itertools.pairwise((game.information_state_tensor_size(), 16, game.num_distinct_actions()))
    layers = tuple(
        (rng.normal(size=(o, i)).astype(np.float32), rng.normal(size=o).astype(np.float32)) for i, o in shapes
    )
    return cf.NetworkPolicy(layers, "softmax", temperature=2.0)


def value(game, player, strategy, opponent):
    """The exact expected return of ``player``."""
    seats = [to_openspiel_policy(game, opponent)] * 2
    seats[player] = to_openspiel_policy(game, strategy)
    return expected_game_score.policy_value(game.new_initial_state(), seats)[player]


def test_the_tabular_dynamics_are_the_game(small_game):
    game, dynamics = small_game
    policy, num_episodes = fixed_policy(game), 20_000
    players = [as_mixture(policy).core, as_mixture("uniform_random").core]
    returns = _core.rollout(dynamics.core, players, num_episodes, 3)["returns"][:, :, 0]
    for player, strategy, opponent in ((0, policy, "uniform_random"), (1, "uniform_random", policy)):
        error = 4 * returns[:, player].std() / np.sqrt(num_episodes)
        assert returns[:, player].mean() == pytest.approx(value(game, player, strategy, opponent), abs=error)


@pytest.mark.parametrize("make_oracle", ORACLES)
@pytest.mark.parametrize("opponent", ["uniform random", "fixed"])
@pytest.mark.parametrize("player", [0, 1])
def test_a_learned_response_earns_what_an_exact_one_does(small_game, make_oracle, opponent, player):
    game, dynamics = small_game
    opponents = as_mixture("uniform_random" if opponent == "uniform random" else fixed_policy(game))
    exact = best_response.BestResponsePolicy(game, player, to_openspiel_policy(game, opponents))
    best = exact.value(game.new_initial_state())
    response = make_oracle(**SMALL).respond(
        dynamics, opponents, ResponseObjective(), seed=1, reward_scale=1.0, player=player
    )
    learned = value(game, player, response.policy, opponents)
    assert value(game, player, "uniform_random", opponents) < 0.9 * best
    assert 0.98 * best <= learned <= best * (1 + 1e-9)
