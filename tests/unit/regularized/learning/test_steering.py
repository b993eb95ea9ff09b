"""Steering: payoffs recovered from a learner's moves, commitments by linear programs, and what learners then do."""

import numpy as np
import pytest

from coffee_fast.errors import DatasetError, InvalidArgumentError, InvalidGameError
from coffee_fast.regularized import commit, recover_payoffs

LEADER, LEARNER = np.array([[2.0, 4.0], [1.0, 3.0]]), np.eye(2)


def moves_of(payoffs, leader, rate, noise=0.0, rng=None):
    """Return the mixtures of a learner by multiplicative weights, round by round."""
    mixtures = [np.full(payoffs.shape[1], 1.0 / payoffs.shape[1])]
    for x in leader[:-1]:
        weights = np.log(mixtures[-1]) + rate * x @ payoffs
        if noise:
            weights = weights + rate * noise * rng.standard_normal(len(weights))
        weights = np.exp(weights - weights.max())
        mixtures.append(weights / weights.sum())
    return np.array(mixtures)


def test_exact_moves_give_payoffs_up_to_what_all_actions_gain(rng):
    payoffs, leader = rng.random((3, 4)), rng.dirichlet(np.ones(3), size=20)
    found = recover_payoffs(leader, moves_of(payoffs, leader, 0.1), learning_rate=0.1)
    np.testing.assert_allclose(found.payoffs, payoffs - payoffs.mean(axis=1, keepdims=True), atol=1e-12)
    assert found.residual < 1e-12
    assert found.radius.max() < 1e-11
    assert found.num_moves == 19
    scaled = recover_payoffs(leader, moves_of(payoffs, leader, 0.1))
    np.testing.assert_allclose(scaled.payoffs, 0.1 * found.payoffs, atol=1e-12)


def test_the_confidence_holds_as_often_as_it_says(rng):
    payoffs, held, runs = rng.random((2, 3)), 0, 200
    differences = payoffs[:, :, None] - payoffs[:, None, :]
    for _ in range(runs):
        leader = rng.dirichlet(np.ones(2), size=30)
        found = recover_payoffs(leader, moves_of(payoffs, leader, 0.05, 0.3, rng), learning_rate=0.05, confidence=0.8)
        errors = np.abs(found.payoffs[:, :, None] - found.payoffs[:, None, :] - differences)
        held += bool((errors <= found.radius + 1e-12).all())
    assert 0.75 <= held / runs <= 0.99  # pairs are counted one by one, so that a little more holds


def test_the_best_commitment_of_a_known_game():
    found = commit(LEADER, LEARNER)
    np.testing.assert_allclose(found.mixture, (0.5, 0.5), atol=1e-9)
    assert (found.response, found.status) == (1, "converged")
    assert found.value == pytest.approx(3.5)
    assert found.upper_bound == pytest.approx(3.5)
    assert found.slack == pytest.approx(0.0, abs=1e-9)


def test_a_margin_costs_its_order_and_binds():
    found = commit(LEADER, LEARNER, margin=0.1)
    assert found.value == pytest.approx(3.5 - 0.05)
    assert found.slack == pytest.approx(0.1)
    assert found.upper_bound == pytest.approx(3.5)


def test_in_zero_sum_games_it_is_the_minimax_value(rng):
    own = np.array([[0.0, -1.0, 3.0], [1.0, 0.0, -3.0], [-3.0, 3.0, 0.0]])
    assert commit(own, -own).value == pytest.approx(0.0, abs=1e-9)
    own = rng.standard_normal((3, 4))
    found = commit(own, -own)
    assert found.value == pytest.approx((found.mixture @ own).min())
    assert found.upper_bound == pytest.approx(found.value)


def test_no_mixture_on_a_grid_does_better(rng):
    own, other = rng.random((2, 5)), rng.random((2, 5))
    best = -np.inf
    for share in np.linspace(0.0, 1.0, 2001):
        x = np.array([share, 1.0 - share])
        best = max(best, (x @ own)[(x @ other).argmax()])
    found = commit(own, other)
    assert best <= found.value + 1e-9
    assert best >= found.value - 1e-3


def test_payoffs_that_are_hardly_known_leave_the_safest_mixture():
    found = commit(LEADER, LEARNER, radius=5.0)
    assert found.response == -1
    assert found.value == pytest.approx(2.0)
    assert found.upper_bound == pytest.approx(4.0)
    np.testing.assert_allclose(found.mixture, (1.0, 0.0), atol=1e-9)


def test_what_is_promised_within_the_radius_is_kept_by_every_learner_there(rng):
    own, other, radius = rng.random((3, 3)), rng.random((3, 3)), 0.1
    found = commit(own, other, radius=radius)
    for _ in range(30):
        true = other + rng.uniform(-radius / 2, radius / 2, size=other.shape)
        answers = found.mixture @ true
        response = int(answers.argmax())
        assert (found.mixture @ own)[response] >= found.value - 1e-7
        assert commit(own, true).value <= found.upper_bound + 1e-7


def test_exploring_then_committing_earns_what_is_promised(rng):
    leader = rng.dirichlet(np.ones(2), size=30)
    play = moves_of(LEARNER, leader, 0.1, 0.05, rng)
    plan = commit(LEADER, recover_payoffs(leader, play, learning_rate=0.1), margin=0.1)
    assert plan.response == 1
    committed = moves_of(LEARNER, np.tile(plan.mixture, (4000, 1)), 0.1)
    average = (committed @ LEADER.T @ plan.mixture).mean()
    assert plan.value - 0.05 <= average <= 3.5
    assert average > 2.0 + 1.0  # of the equilibrium


def test_games_of_one_answer_or_one_action():
    assert commit([[1.0], [2.0]], [[0.0], [0.0]]).mixture.tolist() == [0.0, 1.0]
    found = commit([[1.0, 2.0]], [[0.0, 1.0]])
    assert (found.response, found.value, found.status) == (1, 2.0, "converged")


@pytest.mark.parametrize(
    ("leader", "learner", "words"),
    [
        ([[1.0, 0.0]] * 9, [[0.5, 0.5]] * 9, "explore more mixtures"),
        ([[1.0, 0.0], [0.0, 1.0]], [[0.5, 0.5]] * 2, "explore more mixtures"),
        ([[1.0, 0.0], [0.0, 1.0]] * 3, [[1.0, 0.0]] * 6, "play every action with some probability"),
        ([[1.0, 0.5]] * 3, [[0.5, 0.5]] * 3, "must hold probabilities that sum to 1"),
        ([[1.0, 0.0]] * 3, [[0.5, 0.5]] * 4, "as many rounds"),
    ],
)
def test_logs_that_do_not_say_enough_are_refused(leader, learner, words):
    with pytest.raises(DatasetError, match=words):
        recover_payoffs(leader, learner)


def test_impossible_arguments_are_refused():
    with pytest.raises(InvalidGameError, match="must have the shape of payoffs"):
        commit(LEADER, np.eye(3))
    with pytest.raises(InvalidArgumentError, match="radius must be a number >= 0"):
        commit(LEADER, LEARNER, radius=[1.0])
    with pytest.raises(InvalidArgumentError, match="margin"):
        commit(LEADER, LEARNER, margin=-1.0)
