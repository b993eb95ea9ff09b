"""Robust Q-iteration on a log and on play: play shows what the log does not."""

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.errors import InvalidArgumentError
from coffee_fast.games import GameSpec
from coffee_fast.policies import NetworkPolicy
from coffee_fast.regularized import hytq, network_rpq

QUICK = {"hidden_sizes": (8,), "num_iterations": 4, "num_steps": 60, "learning_rate": 0.02, "discount": 1.0}


class Door:
    """One alone chooses: nothing, an envelope of 1, or a door behind which 2 lie if it was open."""

    def reset(self, random):
        return np.zeros(len(random))

    def legal_actions(self, state):
        return np.ones((len(state), 1, 3), bool)

    def observe(self, state):
        return np.ones((len(state), 1, 1))

    def step(self, state, actions, random):
        return state, actions.astype(float), np.ones(len(state), bool)


def door():
    sizes = {"num_players": 1, "num_actions": 3, "action_vectors": np.eye(3), "state_size": 4, "observation_size": 1}
    spec = GameSpec("door", **sizes, history_start=1, max_episode_length=2, moves="simultaneous")
    return cf.games.from_simulator(spec, Door())


def plays(action):
    bias = np.zeros(3, np.float32)
    bias[action] = 1.0
    return NetworkPolicy(((np.zeros((3, 1), np.float32), bias),))


def test_play_finds_what_the_log_never_shows():
    game = door()
    log = cf.generate_dataset(game, [(plays(0),), (plays(1),)], num_trajectories=40, seed=0)
    alone = network_rpq(log, weight=10.0, **QUICK)
    assert alone.policy.probabilities([[1.0]], [[1, 1, 1]]).tolist() == [[0, 1, 0]]
    both = hytq(log, game, weight=10.0, num_rounds=2, num_episodes=40, exploration=0.5, **QUICK)
    assert both.policy.probabilities([[1.0]], [[1, 1, 1]]).tolist() == [[0, 0, 1]]
    assert both.value == pytest.approx(2.0, abs=0.1)
    assert (both.num_decisions, both.distance) == (120, "total_variation")
    again = hytq(log, game, weight=10.0, num_rounds=2, num_episodes=40, exploration=0.5, **QUICK)
    for mine, other in zip(both.policy.layers, again.policy.layers, strict=True):
        np.testing.assert_array_equal(mine[0], other[0])
        np.testing.assert_array_equal(mine[1], other[1])


def test_a_game_of_other_sizes_is_refused():
    log = cf.generate_dataset(door(), num_trajectories=4, seed=0)
    with pytest.raises(InvalidArgumentError, match=r"hytq: dynamics must have .* \[1, 1, 3\], got"):
        hytq(log, cf.load_game("generalized_bargaining"))
    with pytest.raises(InvalidArgumentError, match="hytq: exploration must be a finite number >= 0 and <= 1, got 2"):
        hytq(log, door(), exploration=2)
