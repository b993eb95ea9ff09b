"""Robust Q-iteration of one player: on samples, at both ends of its weight, for ever, beside others."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from tests.unit.regularized.robust.test_robust_games import random_game

import coffee_fast as cf
from coffee_fast.errors import InvalidArgumentError, InvalidGameError
from coffee_fast.regularized import robust_expectation, robust_nash, rpq


def logged_decisions(num_episodes=200, seed=0):
    """A log of one player over three steps and two states that rewards 0 to 2."""
    rng = np.random.default_rng(seed)
    rows = {"state": [], "action": [], "reward": [], "trajectory": []}
    for episode in range(num_episodes):
        state = 0
        for step in range(3):
            action = int(rng.integers(2))
            rows["state"].append(state)
            rows["action"].append([action])
            rows["reward"].append([float(rng.integers(2)) + (state == action)])
            rows["trajectory"].append(episode)
            state = int(rng.random() < (0.3 if action else 0.6 - 0.1 * step))
    return rows


def fitted(log, dual, weight):
    """Return values by fitted Q-iteration over rows: one class of functions for the dual, one for Q, both tables."""
    steps = np.concatenate([np.arange(3)] * (len(log["state"]) // 3))
    state, action, reward = np.array(log["state"]), np.array(log["action"])[:, 0], np.array(log["reward"])[:, 0]
    values = np.zeros((4, 2))
    for step in (2, 1, 0):
        for s in set(state[steps == step].tolist()):
            q = []
            for a in range(2):
                rows = np.flatnonzero((steps == step) & (state == s) & (action == a))
                target = reward[rows]
                if step < 2:
                    after = values[step + 1, state[rows + 1]]
                    loss = lambda g, after=after: np.mean(dual(g, after)) - g  # noqa: E731
                    best = minimize_scalar(loss, bounds=(0.0, weight if dual is tv_dual else 20.0), method="bounded")
                    g = weight if dual is tv_dual and loss(weight) <= best.fun else best.x
                    target = target - (dual(g, after) - g)
                q.append(target.mean())
            values[step, s] = max(q)
    return values


def tv_dual(g, after):
    return np.maximum(g - after, 0.0)


@pytest.mark.parametrize("weight", [0.4, 1.5])
def test_on_tables_it_is_fitted_iteration_over_rows(weight):
    log = logged_decisions()
    found = rpq(log, weight=weight, has_fail_state=True)
    np.testing.assert_allclose(found.values[0, 0, 0], fitted(log, tv_dual, weight)[0, 0], atol=1e-5)
    kl = rpq(log, distance="kl", weight=weight)
    dual = lambda g, after: weight * np.exp((g - after) / weight - 1.0)  # noqa: E731
    np.testing.assert_allclose(kl.values[0, 0, 0], fitted(log, dual, weight)[0, 0], atol=1e-5)
    assert found.status == kl.status == "converged"


def test_at_the_ends_of_the_weight_it_is_plain_and_worst_case_iteration():
    game = random_game((3,))
    plain, worst = np.zeros(3), np.zeros(3)
    for step in (2, 1, 0):
        follows = (game.transitions[step] @ plain, np.full((3, 3), worst.min())) if step < 2 else (0.0, 0.0)
        plain, worst = ((game.rewards[0, step] + f).max(axis=1) for f in follows)
    for distance in ("total_variation", "kl", "chi_squared"):
        assert rpq(game, distance=distance, weight=1e7).value[0] == pytest.approx(plain.mean(), abs=1e-5)
    assert rpq(game, weight=1e-9).value[0] == pytest.approx(worst.mean(), abs=1e-7)
    values = [rpq(game, distance="chi_squared", weight=w).value[0] for w in (0.1, 0.5, 2.0, 10.0)]
    assert np.all(np.diff(values) > 0)


def test_one_player_alone_is_robust_nash():
    game = random_game((4,))
    for distance in ("total_variation", "kl", "chi_squared"):
        found, other = (solve(game, distance=distance, weight=0.7) for solve in (rpq, robust_nash))
        np.testing.assert_allclose(found.values, other.values, atol=1e-10)


def test_for_ever_it_is_the_fixed_point():
    """One state that pays 1: Q = 1 + 0.9 min(Q, 5) = 5.5, if a state worth nothing is feared; 10 if not."""
    game = cf.TabularGame([[[[1.0]]]], [[[[1.0]]]])
    found = rpq(game, weight=5.0, discount=0.9, has_fail_state=True)
    assert found.value[0] == pytest.approx(5.5, abs=1e-9)
    assert found.nominal_value[0] == pytest.approx(10.0, abs=1e-9)
    assert rpq(game, weight=5.0, discount=0.9).value[0] == pytest.approx(10.0, abs=1e-9)
    assert found.status == "converged"
    rng = np.random.default_rng(0)
    game = cf.TabularGame(rng.normal(size=(1, 1, 4, 3)), rng.dirichlet(np.ones(4), size=(1, 4, 3)), np.eye(4)[0])
    found = rpq(game, distance="kl", weight=0.5, discount=0.95)
    values = found.values[0, 0]
    q = game.rewards[0, 0] + 0.95 * robust_expectation(values, game.transitions[0], "kl", weight=0.5)
    np.testing.assert_allclose(q.max(axis=1), values, atol=1e-9)
    assert found.gap[0] < 1e-9


def test_others_play_as_they_are_said_to_or_as_logged():
    game = random_game((2, 3))
    uniform = rpq(game, weight=1.0)
    given = rpq(game, weight=1.0, opponents=[[0.5, 0.5], np.full(3, 1 / 3)])
    np.testing.assert_allclose(uniform.value, given.value)
    assert uniform.about.endswith("who play uniformly")
    assert given.about.endswith("who play as given")
    pure = rpq(game, weight=1.0, opponents=[[1.0, 0.0], [0.0, 0.0, 1.0]])
    alone = cf.TabularGame(game.rewards[:1, ..., 2], game.transitions[..., 2, :], game.initial)
    np.testing.assert_allclose(pure.values[0], rpq(alone, weight=1.0).values[0], atol=1e-12)
    # The second always did as the first did, and the first expects it to go on.
    log = {"action": [[0, 0], [1, 1], [1, 1]], "reward": [[1, 1], [3, 3], [2, 2]]}
    found = rpq(log, weight=1.0)
    np.testing.assert_allclose(found.value, [2.5, 2.5])
    assert found.about.endswith("who play as logged")
    told = rpq(log, weight=1.0, opponents="uniform", unseen_value=-1.0)
    np.testing.assert_allclose(told.value, [0.5 * 2.5 - 0.5] * 2)
    with pytest.raises(InvalidGameError, match="2 actions of player 0 lead to what the log never shows"):
        rpq(log, opponents="uniform")


def test_actions_that_no_row_shows_are_asked_about():
    log = {"state": [0, 1], "action": [[0, 0], [1, 1]], "reward": [[1, 1], [2, 2]]}
    with pytest.raises(InvalidGameError, match="action 1 at step 0, state 0: say with unseen_value"):
        rpq(log)
    assert rpq(log, unseen_value=0.0).value.tolist() == [1.5, 1.5]
    assert rpq(log, unseen_value=3.0).policies[0][0].tolist() == [[0.0, 1.0], [1.0, 0.0]]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"distance": "contamination"}, "distance must be one of total_variation, kl, chi_squared"),
        ({"weight": -1.0}, "weight must be a finite number > 0"),
        ({"opponents": "behavior"}, "'behavior' for a game from a log"),
        ({"opponents": [[1.0, 0.0]]}, "opponents must be one array a player, 2 in all"),
        ({"opponents": [[1.0, 0.0], [1.0, 1.0]]}, "player 1 must hold probabilities"),
        ({"discount": 0.5}, "discount needs a game of one step"),
    ],
)
def test_bad_arguments_are_refused_with_a_sentence(options, message):
    with pytest.raises(InvalidArgumentError, match=message):
        rpq(random_game((2, 2)), **options)
