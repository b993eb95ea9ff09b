"""Policies that are written down: what they say, what kernels play of it, and what cannot be written."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast import _core
from coffee_fast._reference.policy import Decision, choose_action
from coffee_fast._reference.rng import Stream
from coffee_fast.policy_files import policy_arrays, policy_fingerprint, policy_from_arrays

STATES = [[0.0, 1.0], [1.0, 0.0], [0.5, -2.0]]
ROWS = [[0.25, 0.75, 0.0], [0.0, 0.0, 1.0], [0.2, 0.3, 0.5]]
ACTION = 3  # Purpose


@pytest.fixture
def policy():
    return cf.TablePolicy(STATES, ROWS)


def test_it_does_what_is_written_and_else_plays_uniformly(policy):
    asked = [*STATES, [7.0, 7.0], STATES[1], STATES[2]]
    masks = [[1, 1, 1], [1, 1, 1], [1, 1, 1], [1, 0, 1], [1, 1, 0], [0, 1, 1]]
    expected = [*ROWS, [0.5, 0.0, 0.5], [0.5, 0.5, 0.0], [0.0, 0.375, 0.625]]
    np.testing.assert_allclose(policy.probabilities(asked, masks), expected, atol=1e-15)


def test_minus_zero_is_zero(policy):
    np.testing.assert_array_equal(policy.probabilities([[-0.0, 1.0]], [[1, 1, 1]]), [ROWS[0]])
    same = cf.TablePolicy([[-0.0, 1.0]], [ROWS[1]])
    np.testing.assert_array_equal(same.probabilities([[0.0, 1.0]], [[1, 1, 1]]), [ROWS[1]])
    actions = _core.choose_actions(same.core, np.array([[0.0, 1.0], [-0.0, 1.0]], np.float32), np.ones((2, 3), "u1"), 1)
    assert actions.tolist() == [2, 2]


def test_kernels_draw_as_the_twin_does_and_as_often_as_it_says(policy, rng):
    count = 3000
    states = np.array([*STATES, [7.0, 7.0]], np.float32)[rng.integers(4, size=count)]
    masks = (rng.random((count, 3)) < 0.7).astype(np.uint8)
    masks[~masks.any(axis=1)] = 1
    actions = _core.choose_actions(policy.core, states, masks, 5)
    expected = [
        choose_action(policy, Decision(state, np.flatnonzero(mask).tolist()), Stream(5, ACTION, 0, row, 0))
        for row, (state, mask) in enumerate(zip(states, masks, strict=True))
    ]
    np.testing.assert_array_equal(actions, expected)
    drawn = np.eye(3)[actions]
    np.testing.assert_allclose(drawn.mean(axis=0), policy.probabilities(states, masks).mean(axis=0), atol=0.03)


def test_a_large_table_finds_each_of_its_rows(rng):
    states = rng.integers(2, size=(4000, 14)).astype(np.float32)
    states = np.unique(states, axis=0)
    rng.shuffle(states)
    best = rng.integers(5, size=len(states))
    table = cf.TablePolicy(states, np.eye(5)[best])
    masks = np.ones((len(states), 5), np.uint8)
    np.testing.assert_array_equal(_core.choose_actions(table.core, states, masks, 0), best)
    np.testing.assert_array_equal(table.probabilities(states, masks), np.eye(5)[best])


def test_it_is_saved_copied_and_mixed(policy):
    masks = np.ones((3, 3))
    again = policy_from_arrays(*policy_arrays(policy, "a."), prefix="a.")
    assert policy_fingerprint(again) == policy_fingerprint(policy)
    assert policy_fingerprint(cf.TablePolicy(STATES, ROWS[::-1])) != policy_fingerprint(policy)
    for same in (again, copy.deepcopy(policy), pickle.loads(pickle.dumps(policy))):
        np.testing.assert_array_equal(same.probabilities(STATES, masks), ROWS)
    mixed = cf.PerStepMixture((policy, cf.UniformRandom()), (0.5, 0.5))
    np.testing.assert_allclose(mixed.probabilities(STATES, masks), np.array(ROWS) / 2 + 1 / 6)
    with pytest.raises(ValueError, match="read-only"):
        policy.action_probabilities[0] = 1.0


def test_without_rows_it_plays_uniformly():
    empty = cf.TablePolicy(np.zeros((0, 2)), np.zeros((0, 3)))
    np.testing.assert_array_equal(empty.probabilities([[1.0, 2.0]], [[0, 1, 1]]), [[0.0, 0.5, 0.5]])
    assert _core.choose_actions(empty.core, np.ones((1, 2), np.float32), np.array([[0, 0, 1]], "u1"), 0).tolist() == [2]


def test_it_plays_in_games_and_at_tables():
    tree = cf.GameTree("openspiel:kuhn_poker")
    first = tree.information_set_players == 0
    always_bets = cf.TablePolicy(tree.information_states[first], np.tile([0.0, 1.0], (first.sum(), 1)))
    exact = cf.exact_regret(tree, [always_bets, "uniform_random"]).values
    played = cf.simulate(tree, [always_bets, "uniform_random"], num_episodes=20_000, seed=1).returns.mean(axis=0)
    np.testing.assert_allclose(played, exact, atol=0.05)
    player = cf.Player(always_bets, 0, seed=1)
    player.reset()
    assert player.act(tree.information_states[0], [0, 1]) == 1
    with pytest.raises(
        cf.InvalidArgumentError, match="table must be of information states of 30 features and 3 actions"
    ):
        cf.simulate(cf.GameTree("openspiel:leduc_poker"), [always_bets] * 2, num_episodes=1, seed=0)


def test_openspiel_plays_it():
    pyspiel = pytest.importorskip("pyspiel")
    from coffee_fast.games.openspiel import to_openspiel_policy

    tree, game = cf.GameTree("openspiel:kuhn_poker"), pyspiel.load_game("kuhn_poker")
    first = tree.information_set_players == 0
    policy = cf.TablePolicy(tree.information_states[first], np.tile([0.3, 0.7], (first.sum(), 1)))
    state = game.new_initial_state().child(0).child(1)
    assert to_openspiel_policy(game, policy).action_probabilities(state) == {0: 0.3, 1: 0.7}
    with pytest.raises(cf.InvalidArgumentError, match="the table must be of 11 features and 2 actions for this game"):
        to_openspiel_policy(game, cf.TablePolicy(STATES, ROWS))


@pytest.mark.parametrize(
    ("states", "rows", "message"),
    [
        ([STATES[0]] * 2, ROWS[:2], "information_states of a table must have no two rows alike, got rows 0 and 1"),
        ([[0.0, 0.0], [-0.0, 0.0]], ROWS[:2], "no two rows alike"),
        (STATES, ROWS[:2], r"action_probabilities must be numbers of shape \[3, A\]"),
        (STATES, [[0.5, 0.6, 0.0], *ROWS[1:]], r"must be distributions, got \[0.5, 0.6, 0.0\] at row 0"),
        (STATES, [*ROWS[:2], [1.5, -0.5, 0.0]], "must be distributions, .* at row 2"),
        (STATES, [*ROWS[:2], [np.nan, 1.0, 0.0]], "must be distributions, .* at row 2"),
        (STATES, np.zeros((3, 0)), "action_probabilities must be numbers of shape"),
        (np.zeros((3, 0)), ROWS, "must have a column or more"),
        ([[np.inf, 0.0], *STATES[1:]], ROWS, "information_states must be finite"),
        (STATES, "abc", "action_probabilities must be numbers"),
        (None, ROWS, r"information_states must have shape \[K, I\], got \[\]"),
    ],
)
def test_what_is_no_table_is_refused(states, rows, message):
    with pytest.raises(cf.InvalidArgumentError, match=message):
        cf.TablePolicy(states, rows)


def test_questions_of_another_game_are_refused(policy):
    with pytest.raises(cf.InvalidArgumentError, match=r"information_states must have shape \[B, 2\]"):
        policy.probabilities([[1.0]], [[1, 1, 1]])
    with pytest.raises(cf.CheckpointError, match="lacks 'action_probabilities'"):
        policy_from_arrays({"policy": "table"}, {"information_states": np.zeros((1, 1))})
