"""Policies from ranks of returns: the regression they solve, their normalizer, and what logs must show."""

import numpy as np
import pytest
from scipy.optimize import minimize

from coffee_fast.errors import DatasetError, InvalidArgumentError
from coffee_fast.regularized import qrpo


def bandit(rng, num_rows=200, num_actions=4):
    action = rng.integers(num_actions, size=(num_rows, 1))
    return {"action": action, "reward": action * 0.3 + rng.standard_normal((num_rows, 1))}


@pytest.mark.parametrize(("beta", "limit"), [(0.5, 3.194528), (1.0, 1.718282), (0.1, 2202.5466)])
def test_the_normalizer_of_different_rewards_is_a_sum_and_then_an_integral(beta, limit):
    for count in (5, 50_000):
        log = {"action": np.arange(count)[:, None], "reward": np.arange(count)[:, None] ** 3.0}
        found = qrpo(log, kl_weight=beta, reference="uniform")
        exact = np.exp(np.arange(1, count + 1) / (count * beta)).mean()
        assert np.exp(found.log_normalizer[0, 0, 0]) == pytest.approx(exact, rel=1e-9)
    assert exact == pytest.approx(limit, rel=2e-4)


def test_the_policy_minimizes_the_regression(rng):
    beta, log = 0.3, bandit(rng)
    found = qrpo(log, kl_weight=beta)
    action, reward = log["action"][:, 0], log["reward"][:, 0]
    ranks = (reward[None] <= reward[:, None]).mean(axis=1)
    reference = np.bincount(action) / len(action)

    def loss(logits):
        log_policy = logits - np.logaddexp.reduce(logits)
        log_z = found.log_normalizer[0, 0, 0]
        return ((ranks - beta * log_z - beta * (log_policy - np.log(reference))[action]) ** 2).mean()

    best = minimize(loss, np.zeros(4), tol=1e-14).x
    policy = np.exp(best - np.logaddexp.reduce(best))
    np.testing.assert_allclose(found.policies[0][0, 0], policy, atol=1e-5)
    assert found.residual[0, 0, 0] == pytest.approx(np.sqrt(loss(best)), abs=1e-8)
    assert (found.status, found.gap.max() < 1e-12) == ("converged", True)


def test_an_increasing_transformation_of_returns_changes_nothing(rng):
    log = bandit(rng)
    found, other = qrpo(log), qrpo({**log, "reward": np.exp(log["reward"])})
    np.testing.assert_array_equal(found.policies[0], other.policies[0])


def test_ranks_are_among_returns_of_the_reference(rng):
    """Of another reference, returns count as often as it would bring them about."""
    log, reference = bandit(rng, 4000, 2), np.array([0.9, 0.1])
    found = qrpo(log, reference=[reference])
    action, reward = log["action"][:, 0], log["reward"][:, 0]
    for a in range(2):
        rank = [sum(reference[b] * (reward[action == b] <= y).mean() for b in range(2)) for y in reward[action == a]]
        assert found.quantiles[0][0, 0, a] == pytest.approx(np.mean(rank), abs=1e-12)


def test_the_expected_gap_is_that_of_many_logs(rng):
    """Against the ranks of a long log the policies of short ones lose what was expected."""
    beta, reference = 0.3, [[0.25] * 4]
    truth = qrpo(bandit(rng, 100_000), kl_weight=beta, reference=reference).quantiles[0][0, 0]
    best = 0.25 * np.exp(truth / beta)
    lost, expected = [], []
    for _ in range(150):
        found = qrpo(bandit(rng, 200), kl_weight=beta, reference=reference)
        policy = found.policies[0][0, 0]
        lost.append(beta * (policy * np.log(policy / (best / best.sum()))).sum())
        expected.append(found.expected_gap[0, 0, 0])
    assert 0.5 <= np.mean(lost) / np.mean(expected) <= 1.5


def test_returns_are_what_follows_in_the_episode():
    log = {
        "action": [[0, 0], [0, 1], [1, 0], [0, 0]],
        "reward": [[0.0, 0.0], [1.0, -1.0], [0.5, 0.0], [0.0, 0.0]],
        "trajectory": [0, 0, 1, 1],
    }
    first, second = (qrpo(log, discount=discount) for discount in (1.0, 0.0))
    np.testing.assert_allclose(first.quantiles[0][0, 0], (1.0, 0.5))
    np.testing.assert_allclose(second.quantiles[0][0, 0], (0.5, 1.0))
    assert first.policies[0].shape == (2, 1, 2)
    assert first.policies[0][1, 0].tolist() == [1.0, 0.0]  # nothing is put on what was never done
    assert np.isnan(first.standard_error[0]).sum() > 0


def test_what_logs_do_not_show_is_refused():
    log = {"action": [[0], [1]], "reward": [[0.0], [1.0]], "state": ["a", "b"]}
    with pytest.raises(DatasetError, match="plays action 1 at step 0, state 0, which the log never shows"):
        qrpo(log, reference="uniform")
    with pytest.raises(InvalidArgumentError, match=r"must have shape \[1, 2, 2\]"):
        qrpo(log, reference=[[1.0]])
    with pytest.raises(InvalidArgumentError, match="kl_weight must be a finite number > 0"):
        qrpo(log, kl_weight=0.0)
    with pytest.raises(DatasetError, match="there is no column"):
        qrpo({**log, "rewards": [1, 2]})
