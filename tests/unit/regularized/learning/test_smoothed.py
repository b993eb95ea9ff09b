"""Doubly smoothed best response: where learners who see payoffs alone settle, and what is said of it."""

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.errors import InvalidArgumentError, InvalidGameError
from coffee_fast.regularized import gane, smoothed_best_response

SKEWED = np.array([[0.9, -0.1], [-0.3, 0.3]])


def zero_sum(row):
    return cf.PayoffTable.from_arrays([row, -np.asarray(row)])


def test_two_learners_settle_at_the_logit_equilibrium():
    """Of gambit at precision 10; the Nash equilibrium (0.375, 0.25) lies elsewhere."""
    found = smoothed_best_response(zero_sum(SKEWED), temperature=0.1, num_episodes=40_000)
    np.testing.assert_allclose([x[0] for x in found.mixtures], (0.44808385, 0.23697402), atol=0.03)
    assert found.status == "converged"
    assert found.regret.sum() <= 2 * 0.1 * np.log(2)
    anchored = gane(zero_sum(SKEWED), kl_weight=0.1)
    np.testing.assert_allclose([x[0] for x in anchored.mixtures], (0.44808385, 0.23697402), atol=1e-6)


def test_the_distance_falls_like_one_over_the_number_of_episodes():
    target = [x[0] for x in gane(zero_sum(SKEWED), kl_weight=0.3).mixtures]

    def error(num_episodes):
        options = {"temperature": 0.3, "num_episodes": num_episodes}
        options |= {"policy_rate": 0.5, "step_size": 20.0, "step_offset": 40.0}
        runs = [smoothed_best_response(zero_sum(SKEWED), seed=seed, **options) for seed in range(10)]
        return np.mean([sum((x[0] - t) ** 2 for x, t in zip(r.mixtures, target, strict=True)) for r in runs])

    assert np.log(error(3200) / error(200)) / np.log(16) < -0.6


def test_against_a_fixed_opponent_the_answer_is_the_softmax_of_what_actions_are_worth():
    opponent = np.array([0.7, 0.3])
    found = smoothed_best_response(
        zero_sum(SKEWED), temperature=0.2, fixed=[None, opponent], num_episodes=15_000, policy_rate=0.1
    )
    worth = SKEWED @ opponent
    expected = np.exp(worth / 0.2) / np.exp(worth / 0.2).sum()
    np.testing.assert_allclose(found.mixtures[0], expected, atol=0.03)
    np.testing.assert_allclose(found.action_values[0][0, 0], worth, atol=0.05)
    np.testing.assert_array_equal(found.mixtures[1], opponent)
    assert found.gap[1] == 0.0
    np.testing.assert_allclose(found.value[0], found.mixtures[0] @ SKEWED @ opponent, atol=1e-12)


def two_steps(rng):
    rewards = rng.random((2, 2, 2, 2, 2))
    rewards[1] = -rewards[0]
    return cf.TabularGame(rewards, rng.dirichlet(np.ones(2), size=(2, 2, 2, 2)), np.array([0.5, 0.5]))


def smoothed_induction(game, temperature):
    """Return the fixed point by backward induction: each stage game's logit equilibrium, worth its plain payoff."""
    following, policies = np.zeros((2, 2)), np.zeros((2, 2, 2, 2))
    for step in (1, 0):
        now = np.zeros((2, 2))
        for state in range(2):
            payoffs = game.rewards[:, step, state]
            if step == 0:
                payoffs = payoffs + np.stack([game.transitions[0, state] @ v for v in following])
            x = gane(cf.PayoffTable.from_arrays(list(payoffs)), kl_weight=temperature).mixtures
            policies[:, step, state] = x
            now[:, state] = [x[0] @ p @ x[1] for p in payoffs]
        following = now
    return policies


def test_games_of_many_steps_are_solved_by_value_iteration(rng):
    game = two_steps(rng)
    found = smoothed_best_response(game, temperature=0.5, num_episodes=4000, policy_rate=0.2)
    for x, y in zip(found.policies, smoothed_induction(game, 0.5), strict=True):
        np.testing.assert_allclose(x, y, atol=0.08)
    assert found.status == "converged"
    assert found.num_iterations == 8000


def test_the_certificate_is_what_better_answers_would_gain(rng):
    game, tau = two_steps(rng), 0.5
    _, y = smoothed_induction(game, tau)
    found = smoothed_best_response(game, temperature=tau, fixed=[None, y], num_episodes=1, tolerance=1e-6)
    x = found.policies[0]
    value, best, gap = np.zeros(2), np.zeros(2), np.zeros((2, 2))
    for step in (1, 0):
        after = game.transitions[0] @ np.stack([value, best], axis=1) if step == 0 else np.zeros((2, 2, 2, 2))
        q = np.einsum("sab,sb->sa", game.rewards[0, step] + after[..., 0], y[step])
        q_best = np.einsum("sab,sb->sa", game.rewards[0, step] + after[..., 1], y[step])
        response = np.exp(q / tau) / np.exp(q / tau).sum(axis=1, keepdims=True)
        gap[step] = tau * (x[step] * np.log(x[step] / response)).sum(axis=1)
        value, best = (x[step] * q).sum(axis=1), q_best.max(axis=1)
    met = np.einsum("sa,sb,sabt->t", x[0], y[0], game.transitions[0]) / 2
    np.testing.assert_allclose(found.gap, (gap[0].mean() + gap[1] @ met, 0.0), atol=1e-12)
    np.testing.assert_allclose(found.value[0], value.mean(), atol=1e-12)
    np.testing.assert_allclose(found.regret[0], best.mean() - value.mean(), atol=1e-12)
    assert found.status == "max_iterations"


def test_same_seed_same_bits_and_illegal_actions_are_never_played(rng):
    legal = (np.array([[[True, True]], [[True, False]]]), np.ones((2, 1, 2), dtype=bool))
    game = cf.TabularGame(rng.random((2, 2, 1, 2, 2)), np.ones((2, 1, 2, 2, 1)), legal=legal)
    first, second, third = (smoothed_best_response(game, num_episodes=300, seed=seed) for seed in (1, 1, 2))
    assert all((x == y).all() for x, y in zip(first.policies, second.policies, strict=True))
    assert (first.policies[0] != third.policies[0]).any()
    assert first.policies[0][1, 0].tolist() == [1.0, 0.0]
    np.testing.assert_allclose(sum(p.sum() for p in first.policies), 4.0)


def test_holes_of_a_log_are_refused_or_worth_what_is_said():
    log = {"action": [[0, 0], [0, 1], [1, 0]] * 5, "reward": [[1, 0], [0, 1], [0, 1]] * 5}
    with pytest.raises(InvalidGameError, match="1 cells are empty.*unseen_value"):
        smoothed_best_response(log)
    found = smoothed_best_response(log, unseen_value=[5.0, 5.0], temperature=0.5, num_episodes=3000, policy_rate=0.1)
    assert min(x[1] for x in found.mixtures) > 0.9
    assert found.about.startswith("the table of 15 logged steps")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"step_size": 3.0, "step_offset": 2.0}, "step_size must be at most step_offset"),
        ({"policy_rate": 1.5}, "policy_rate must be a finite number > 0 and <= 1"),
        ({"fixed": [[0.5, 0.5], [1.0, 0.0]]}, "must leave None for a player who learns"),
        ({"fixed": [None, [0.5, 0.6]]}, "must hold probabilities that sum to 1"),
        ({"fixed": [None, [1.0]]}, r"must have shape \[1, 1, 2\]"),
        ({"temperature": 0.0}, "temperature must be a finite number > 0"),
    ],
)
def test_impossible_arguments_are_refused(options, words):
    with pytest.raises(InvalidArgumentError, match=words):
        smoothed_best_response(zero_sum(SKEWED), **options)
