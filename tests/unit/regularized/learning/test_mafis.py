"""Imitation by soft values: plain cloning, closed forms, gradients, experts, what follows, refusals."""

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.errors import DatasetError, InvalidArgumentError
from coffee_fast.regularized import gane, mafis
from coffee_fast.regularized.learning.soft_imitation import Imitation

DIVERGENCES = ["total", "hellinger", "kl", "jensen_shannon"]
PHI = {
    "total": lambda z: z,
    "hellinger": lambda z: z / (1 + z),
    "kl": lambda z: -np.exp(-z),
    "jensen_shannon": lambda z: np.log(2 - np.exp(-z)),
}


def played(num_players=2, num_episodes=40, seed=0):
    """A log of three steps and three states, in which play and what it leads to differ by state."""
    rng = np.random.default_rng(seed)
    policy = rng.dirichlet(np.ones(2), size=(num_players, 3, 3))
    moves = rng.dirichlet(np.full(3, 0.5), size=(3, 3, 2**num_players))
    rows = {"state": [], "action": [], "reward": [], "trajectory": []}
    for episode in range(num_episodes):
        state = 0
        for step in range(3 if rng.random() < 0.7 else 2):
            action = [int(rng.random() < policy[i, step, state, 1]) for i in range(num_players)]
            for name, value in (("state", state), ("action", action), ("trajectory", episode)):
                rows[name].append(value)
            rows["reward"].append([0.0] * num_players)
            state = int(rng.choice(3, p=moves[step, state, sum(a << i for i, a in enumerate(action))]))
    return rows


def frequencies(game):
    for player in range(game.num_players):
        own = game.counts.sum(axis=tuple(a for a in range(2, game.counts.ndim) if a != player + 2))
        yield own, own / np.maximum(own.sum(axis=2, keepdims=True), 1)


@pytest.mark.parametrize("discount", [0.0, 0.99])
def test_in_total_it_is_cloning_whatever_follows(discount):
    game = cf.TabularGame.from_dataset(played())
    found = mafis(game, divergence="total", discount=discount, tolerance=1e-7)
    assert found.status == "converged"
    for (own, clone), policy, likelihood in zip(frequencies(game), found.policies, found.log_likelihood, strict=True):
        np.testing.assert_allclose(policy[game.reached], clone[game.reached], atol=1e-6)
        best = (own * np.log(np.maximum(clone, 1e-300))).sum() / own.sum()
        assert likelihood == pytest.approx(best, abs=1e-6)
        assert (policy[~game.reached] == 0.5).all()


@pytest.mark.parametrize("temperature", [0.1, 1.0, 5.0])
def test_of_one_step_the_kl_form_is_a_tempered_clone(temperature):
    """Where exp(-q) p = exp((q - v) / t), play is p to the power of 1 / (1 + t)."""
    log = {"action": [[0], [0], [0], [0], [0], [1], [1], [2]], "reward": [[0.0]] * 8}
    found = mafis(log, temperature=temperature, tolerance=1e-8)
    expected = np.array([5.0, 2.0, 1.0]) ** (1.0 / (1.0 + temperature))
    np.testing.assert_allclose(found.policies[0][0, 0], expected / expected.sum(), atol=1e-7)


@pytest.mark.parametrize("num_players", [1, 2])
@pytest.mark.parametrize("divergence", DIVERGENCES)
def test_objective_and_gradient_are_those_of_the_rows(divergence, num_players):
    """With one player this is inverse soft Q-learning."""
    log = played(num_players)
    game = cf.TabularGame.from_dataset(log)
    problem, rng = Imitation(game, divergence, 0.3, 0.9), np.random.default_rng(1)
    scores = problem.start()
    scores = scores + 0.1 * rng.normal(size=scores.shape)
    value, gradient = problem.objective(scores)
    tables, terms, step = problem.tables(scores), [], 0
    soft = sum(0.3 * np.log(np.exp(table / 0.3).sum(axis=2)) for table in tables)
    for row, state in enumerate(log["state"]):
        is_last = row + 1 == len(log["state"]) or log["trajectory"][row + 1] != log["trajectory"][row]
        after = 0.0 if is_last else soft[step + 1, log["state"][row + 1]]
        q = sum(table[step, state, action] for table, action in zip(tables, log["action"][row], strict=True))
        terms.append(PHI[divergence](q - 0.9 * after) - (soft[step, state] - 0.9 * after))
        step = 0 if is_last else step + 1
    assert value == pytest.approx(np.mean(terms), abs=1e-12)
    slopes = [
        (problem.objective(scores + e)[0] - problem.objective(scores - e)[0]) / 2e-5 for e in 1e-5 * np.eye(len(scores))
    ]
    np.testing.assert_allclose(gradient, slopes, atol=1e-8)


@pytest.mark.parametrize("divergence", DIVERGENCES)
def test_an_expert_that_never_errs_is_found(divergence):
    rows = {"state": [0, 1, 0, 2], "action": [[1, 0], [0, 1], [1, 0], [1, 1]], "trajectory": [0, 0, 1, 1]}
    found = mafis({**rows, "reward": [[0.0, 0.0]] * 4}, divergence=divergence)
    assert found.status == "converged"
    for (step, state), action in zip([(0, 0), (1, 1), (1, 2)], [(1, 0), (0, 1), (1, 1)], strict=True):
        assert all(x[step, state, a] > 0.999 for x, a in zip(found.policies, action, strict=True))


@pytest.mark.parametrize("divergence", DIVERGENCES[1:])
def test_what_follows_matters_where_rewards_are_held_back(divergence):
    apart, together = (mafis(played(), divergence=divergence, temperature=0.5, discount=g) for g in (0.0, 0.99))
    assert apart.status == together.status == "converged"
    moved = max(np.abs(x - y).max() for x, y in zip(apart.policies, together.policies, strict=True))
    assert 1e-3 < moved < 0.5
    short = mafis(played(), divergence=divergence, max_iterations=2)
    assert (short.status, short.num_iterations) == ("max_iterations", 2)


def test_smoothed_it_is_a_reference():
    game = cf.TabularGame.from_dataset(played())
    found = mafis(game, divergence="total", smoothing=1.0, tolerance=1e-8)
    for (own, _), policy in zip(frequencies(game), found.policies, strict=True):
        np.testing.assert_allclose(policy, (own + 1) / (own + 1).sum(axis=2, keepdims=True), atol=1e-6)
    anchored = [gane(game, kl_weight=1.0, reference=ref, unseen_value=0.0) for ref in (found.policies, "behavior")]
    np.testing.assert_allclose(anchored[0].policies[0], anchored[1].policies[0], atol=1e-5)


def test_bad_arguments_are_refused_with_a_sentence():
    log = {"action": [[0], [1]], "reward": [[0.0], [1.0]]}
    for options, message in (
        ({"divergence": "chi_squared"}, "mafis: divergence must be one of total, hellinger, kl, jensen_shannon"),
        ({"temperature": 0.0}, "mafis: temperature must be a finite number > 0"),
        ({"temperature": 1e9}, "mafis: temperature must be between 1e-6 and 1e6"),
        ({"discount": 1.1}, "mafis: discount must be a finite number >= 0 and <= 1"),
        ({"log": cf.TabularGame([[[[1.0, 2.0]]]])}, "a TabularGame made from a log"),
    ):
        with pytest.raises(InvalidArgumentError, match=message):
            mafis(**{"log": log, **options})
    with pytest.raises(DatasetError):
        mafis({"action": [[0.5]], "reward": [[0.0]]})
