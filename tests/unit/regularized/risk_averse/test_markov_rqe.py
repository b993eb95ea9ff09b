"""Risk-averse quantal equilibria of Markov games: stages, limits of the environment's risk, discounting, logs."""

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.errors import InvalidArgumentError, InvalidGameError
from coffee_fast.regularized import gane, rqe

OPTIONS = {"temperature": 0.4, "risk_aversion": 2.0}
ROW, COLUMN = np.array([[2.0, 0.0], [0.5, 1.0]]), np.array([[1.0, 0.0], [0.0, 3.0]])


def markov_game(seed=0, horizon=3, num_states=2, num_actions=(2, 3)):
    rng = np.random.default_rng(seed)
    cells = (horizon, num_states, *num_actions)
    transitions = rng.dirichlet(np.ones(num_states), size=cells)
    initial = np.full(num_states, 1 / num_states)
    return cf.TabularGame(rng.normal(size=(2, *cells)), transitions=transitions, initial=initial)


def test_one_step_is_the_matrix_game():
    stage = rqe(cf.PayoffTable.from_arrays([ROW, COLUMN]), **OPTIONS)
    found = rqe(cf.TabularGame([[[ROW]], [[COLUMN]]]), **OPTIONS)
    assert found.status == "converged"
    assert (found.tractability, found.is_unique) == (stage.tractability, stage.is_unique)
    for policy, mixture in zip(found.policies, stage.mixtures, strict=True):
        np.testing.assert_allclose(policy[0, 0], mixture, atol=1e-15)
    np.testing.assert_allclose(found.value, stage.value)
    np.testing.assert_allclose(found.residual, stage.residual, atol=1e-15)


def test_stages_add_what_follows():
    game = markov_game()
    found = rqe(game, **OPTIONS)
    for step in range(game.horizon):
        following = found.values[:, step + 1] if step + 1 < game.horizon else np.zeros((2, 2))
        for state in range(2):
            payoffs = game.rewards[:, step, state] + np.einsum("abs,ns->nab", game.transitions[step, state], following)
            stage = rqe(cf.PayoffTable.from_arrays(list(payoffs)), **OPTIONS)
            np.testing.assert_allclose(found.policies[1][step, state], stage.mixtures[1], atol=1e-9)
            np.testing.assert_allclose(found.values[:, step, state], stage.value, atol=1e-9)
    np.testing.assert_allclose(found.value, found.values[:, 0] @ game.initial)


def test_without_risk_aversion_it_is_the_anchored_game_but_for_a_constant():
    """The entropy is the KL divergence from uniform play but for the logarithm of the number of actions a step."""
    game = markov_game()
    logit = gane(game, kl_weight=0.7, tolerance=1e-16)
    found = rqe(game, temperature=0.7, risk_aversion=0.0, regularizer="entropy")
    for policy, other in zip(found.policies, logit.policies, strict=True):
        np.testing.assert_allclose(policy, other, atol=1e-6)
    np.testing.assert_allclose(found.value - logit.value, 3 * 0.7 * np.log([2, 3]), atol=1e-6)


def test_limits_of_the_environments_risk():
    game = markov_game()
    expected = rqe(game, **OPTIONS)
    near = rqe(game, environment_risk_aversion=1e-9, **OPTIONS)
    np.testing.assert_allclose(near.values, expected.values, atol=1e-7)
    near = rqe(game, environment_radius=1e-12, **OPTIONS)
    np.testing.assert_allclose(near.values, expected.values, atol=1e-9)
    worst = rqe(game, environment_risk_aversion=1e5, **OPTIONS)
    ball = rqe(game, environment_radius=1.0, **OPTIONS)
    np.testing.assert_allclose(worst.values, ball.values, atol=1e-3)
    assert (worst.values[:, 0] < expected.values[:, 0]).all()


@pytest.mark.parametrize("risk", [{"environment_risk_aversion": 3.0}, {"environment_risk_aversion": 1e3}])
def test_risk_of_the_environment_needs_chance(risk):
    game = markov_game()
    certain = np.zeros(game.transitions.shape)
    certain[..., 1] = 1.0
    game = cf.TabularGame(game.rewards, transitions=certain, initial=game.initial)
    np.testing.assert_allclose(rqe(game, **risk, **OPTIONS).values, rqe(game, **OPTIONS).values, atol=1e-12)


def test_a_discounted_game_of_one_state_repeats_its_stage():
    stage = rqe(cf.PayoffTable.from_arrays([ROW, COLUMN]), **OPTIONS)
    game = cf.TabularGame([[[ROW]], [[COLUMN]]], transitions=np.ones((1, 1, 2, 2, 1)))
    found = rqe(game, discount=0.75, **OPTIONS)
    assert found.status == "converged"
    np.testing.assert_allclose(found.value, stage.value / 0.25, rtol=1e-8)
    np.testing.assert_allclose(found.policies[0][0, 0], stage.mixtures[0], atol=1e-9)
    assert rqe(game, discount=0.75, max_iterations=3, **OPTIONS).status == "max_iterations"


def test_discounted_values_are_a_fixed_point():
    game = markov_game(horizon=1)
    found = rqe(game, discount=0.6, **OPTIONS)
    assert found.status == "converged"
    assert found.value_change < 1e-9
    following = found.values[:, 0]
    payoffs = game.rewards[:, 0, 1] + 0.6 * np.einsum("abs,ns->nab", game.transitions[0, 1], following)
    stage = rqe(cf.PayoffTable.from_arrays(list(payoffs)), **OPTIONS)
    np.testing.assert_allclose(following[:, 1], stage.value, atol=1e-8)


def test_an_action_that_is_not_legal_is_not_played():
    legal = (np.ones((1, 2, 2), dtype=bool), np.array([[[True, False, True], [True, True, True]]]))
    payoffs = np.random.default_rng(0).normal(size=(2, 1, 2, 2, 3))
    payoffs[:, 0, 0, :, 1] = 1e30
    kept = [p[0, 0][:, [0, 2]] for p in payoffs]
    for divergence, regularizer in [("kl", "log_barrier"), ("reverse_kl", "entropy")]:
        pair = {"divergence": divergence, "regularizer": regularizer}
        found = rqe(cf.TabularGame(payoffs, legal=legal, initial=[0.5, 0.5]), **pair, **OPTIONS)
        stage = rqe(cf.PayoffTable.from_arrays(kept), **pair, **OPTIONS)
        np.testing.assert_allclose(found.policies[1][0, 0, [0, 2]], stage.mixtures[1], atol=1e-9)
        assert found.policies[1][0, 0, 1] == 0.0


def test_a_log_is_a_game_and_says_what_it_lacks():
    log = {"action": [[0, 0], [0, 1], [1, 0]], "reward": [[2, 1], [0, 0], [0.5, 0]]}
    with pytest.raises(InvalidGameError, match=r"rqe: 1 cells are empty, the first for actions \(1, 1\)"):
        rqe(log, **OPTIONS)
    found = rqe(log, unseen_value=(1.0, 3.0), **OPTIONS)
    stage = rqe(cf.PayoffTable.from_arrays([ROW, COLUMN]), **OPTIONS)
    np.testing.assert_allclose(found.policies[0][0, 0], stage.mixtures[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"discount": 1.0}, r"discount must be a number in \[0, 1\)"),
        ({"discount": 0.5}, "discount needs a game of one step with transitions, got 3 steps"),
        ({"environment_radius": 2.0}, "environment_radius must be at most 1"),
        ({"environment_radius": 0.1, "environment_risk_aversion": 1.0}, "must be 0, got both"),
        ({"initial": [[0.5, 0.5], [0.5, 0.5]]}, "initial is for payoff tables"),
        ({"temperature": -1.0}, "rqe: temperature"),
    ],
)
def test_bad_arguments_are_refused_with_a_sentence(options, message):
    with pytest.raises(InvalidArgumentError, match=message):
        rqe(markov_game(), **options)
