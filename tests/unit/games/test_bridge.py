"""Bridge: its rules in the places where two agents meet, its optimum, and its logs."""

from collections import Counter

import numpy as np
import pytest

from coffee_fast.data import bridge_log, xor_log
from coffee_fast.errors import InvalidArgumentError
from coffee_fast.games import Bridge

STAY, UP, DOWN, RIGHT, LEFT = range(5)
BRIDGE = Bridge()


def number(first, second):
    return (first[0] * 6 + first[1]) * 18 + second[0] * 6 + second[1]


@pytest.mark.parametrize(
    ("cells", "actions", "expected"),
    [
        ([(1, 2), (1, 3)], (RIGHT, LEFT), [(1, 2), (1, 3)]),  # nobody passes another
        ([(1, 2), (1, 3)], (LEFT, LEFT), [(1, 1), (1, 2)]),  # one may follow the other
        ([(1, 2), (1, 3)], (STAY, LEFT), [(1, 2), (1, 3)]),
        ([(1, 2), (1, 3)], (UP, DOWN), [(1, 2), (1, 3)]),  # walls
        ([(1, 2), (1, 4)], (RIGHT, LEFT), [(1, 3), (1, 4)]),  # the first gets a cell both want
        ([(0, 0), (0, 1)], (LEFT, LEFT), [(0, 0), (0, 0)]),  # nobody who stands still keeps another from its goal
        ([(1, 5), (2, 5)], (DOWN, UP), [(2, 5), (1, 5)]),
        ([(2, 5), (1, 5)], (UP, DOWN), [(2, 5), (2, 5)]),  # the first has left the board
    ],
)
def test_who_moves_where(cells, actions, expected):
    assert BRIDGE.next_state[(number(*cells), *actions)] == number(*expected)


def test_rewards_are_the_mean_distance_of_those_under_way():
    after_both_left = -0.05 * (np.hypot(1, 4) + np.hypot(1, 2))
    assert BRIDGE.reward[BRIDGE.initial_state, LEFT, LEFT] == pytest.approx(after_both_left)
    assert BRIDGE.reward[number((2, 5), (0, 1)), STAY, LEFT] == 0.0


def test_the_optimum_is_the_published_one():
    assert BRIDGE.optimal_return(horizon=20) == pytest.approx(-1.235453, abs=5e-7)
    assert BRIDGE.optimal_return(horizon=60, discount=0.99) == pytest.approx(-1.212155, abs=5e-7)


def test_the_optimal_log_has_the_returns_of_the_published_one():
    """Returns of 173, 167 and 160 of 500 published episodes; two thirds of a third here and there are noise."""
    log = bridge_log("optimal", seed=1, num_episodes=3000)
    returns = np.bincount(log["trajectory"], log["reward"][:, 0]).round(4)
    shares = {value: count / 3000 for value, count in Counter(returns.tolist()).items()}
    assert sorted(shares) == [-1.2904, -1.2591, -1.2355]
    assert all(share == pytest.approx(1 / 3, abs=0.03) for share in shares.values())
    assert returns.mean() == pytest.approx(-1.26202, abs=1.5e-3)
    assert len(log["state"]) == 8 * 3000


def test_logs_follow_the_rules_and_the_seed():
    log = bridge_log("mix", seed=3, num_episodes=40)
    first, second = log["action"].T
    np.testing.assert_array_equal(BRIDGE.next_state[log["state"], first, second], log["next_state"])
    np.testing.assert_array_equal(log["terminal"] == 1, BRIDGE.is_over[log["next_state"]])
    assert len(np.unique(log["trajectory"])) == 80
    assert np.bincount(log["trajectory"])[40:].max() == 50
    same, other = bridge_log("mix", seed=3, num_episodes=40), bridge_log("mix", seed=4, num_episodes=40)
    np.testing.assert_array_equal(same["action"], log["action"])
    assert not np.array_equal(other["state"], log["state"])
    optimal = bridge_log("optimal", seed=3, num_episodes=40)
    np.testing.assert_array_equal(optimal["action"], log["action"][: len(optimal["action"])])


def test_uniform_play_of_the_joint_actions_of_the_log_returns_its_mean():
    assert BRIDGE.expected_return(BRIDGE.shortest_play) == pytest.approx((-1.2904 - 1.2591 - 1.2355) / 3, abs=1e-4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bridge_log("best"), "must be one of optimal, mix, got 'best'"),
        (lambda: bridge_log(num_episodes=0), "num_episodes must be an integer >= 1"),
        (lambda: xor_log("e"), "must be one of a, b, c, d, got 'e'"),
        (lambda: BRIDGE.expected_return(np.ones((3, 5, 5))), "must be two arrays"),
        (lambda: BRIDGE.expected_return(BRIDGE.shortest_play, horizon=0), "horizon must be an integer >= 1"),
    ],
)
def test_bad_arguments_are_refused(call, message):
    with pytest.raises(InvalidArgumentError, match=message):
        call()
