"""The actor-critic of risk-averse equilibria: it ends where backward induction says, from every start."""

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.errors import InvalidArgumentError
from coffee_fast.regularized import rqe, rqe_actor_critic

OPTIONS = {"temperature": 0.5, "risk_aversion": 2.0}


def markov_game(horizon=3, seed=0):
    rng = np.random.default_rng(seed)
    cells = (horizon, 2, 2, 3)
    transitions = 0.9 * rng.dirichlet(np.ones(2), size=cells)  # a tenth of episodes ends early
    return cf.TabularGame(rng.normal(size=(2, *cells)), transitions=transitions, initial=[0.5, 0.5])


def compare(found, exact, atol):
    for policy, other in zip(found.policies, exact.policies, strict=True):
        np.testing.assert_allclose(policy, other, atol=atol)
    np.testing.assert_allclose(found.values, exact.values, atol=atol)


@pytest.mark.parametrize("regularizer", ["log_barrier", "entropy"])
def test_matrix_games_end_in_the_fixed_point_from_every_start(regularizer):
    rng = np.random.default_rng(2)
    table = cf.PayoffTable.from_arrays(list(rng.normal(size=(2, 3, 4))))
    exact = rqe(table, regularizer=regularizer, **OPTIONS)
    for _ in range(2):
        initial = [rng.dirichlet(np.ones(size)) for size in (3, 4)]
        found = rqe_actor_critic(table, regularizer=regularizer, initial=initial, **OPTIONS)
        assert found.status == "converged"
        for policy, x in zip(found.policies, exact.mixtures, strict=True):
            np.testing.assert_allclose(policy[0, 0], x, atol=1e-3)
        np.testing.assert_allclose(found.value, exact.value, atol=1e-3)


def test_a_published_game():
    table = cf.PayoffTable.from_arrays([[[200, 160], [370, 10]], [[160, 10], [200, 370]]])
    found = rqe_actor_critic(table, temperature=(170, 110), risk_aversion=(0.001, 0.06))
    assert found.is_unique
    np.testing.assert_allclose([p[0, 0, 0] for p in found.policies], [0.46802, 0.65420], atol=1e-3)


def test_three_players_guard_against_joint_play():
    table = cf.PayoffTable.from_arrays(list(np.random.default_rng(3).normal(size=(3, 2, 3, 2))))
    found = rqe_actor_critic(table, temperature=1.0, risk_aversion=1.1)
    exact = rqe(table, temperature=1.0, risk_aversion=1.1)
    for policy, x in zip(found.policies, exact.mixtures, strict=True):
        np.testing.assert_allclose(policy[0, 0], x, atol=1e-3)


def test_markov_games_end_where_backward_induction_does():
    game = markov_game()
    found = rqe_actor_critic(game, **OPTIONS)
    assert found.status == "converged"
    compare(found, rqe(game, **OPTIONS), 1e-3)


def test_without_risk_aversion_the_others_play_as_they_are_seen():
    game = markov_game(horizon=2)
    neutral = {"temperature": 1.0, "risk_aversion": 0.0, "regularizer": "entropy"}
    compare(rqe_actor_critic(game, **neutral), rqe(game, **neutral), 1e-3)


def test_discounted_games_have_a_critic_that_contracts():
    game = markov_game(horizon=1)
    found = rqe_actor_critic(game, discount=0.6, **OPTIONS)
    assert found.status == "converged"
    compare(found, rqe(game, discount=0.6, **OPTIONS), 1e-3)
    stage = cf.PayoffTable.from_arrays([[[2.0, 0.0], [0.5, 1.0]], [[1.0, 0.0], [0.0, 3.0]]])
    game = cf.TabularGame([[[stage.payoffs(i)[0]]] for i in range(2)], transitions=np.ones((1, 1, 2, 2, 1)))
    found = rqe_actor_critic(game, discount=0.5, **OPTIONS)
    np.testing.assert_allclose(found.value, rqe(stage, **OPTIONS).value / 0.5, atol=1e-3)


def test_drawn_next_states_are_enough():
    game = markov_game(horizon=2)
    found = rqe_actor_critic(game, is_sampled=True, max_iterations=1000, **OPTIONS)
    exact = rqe(game, **OPTIONS)
    for policy, other in zip(found.policies, exact.policies, strict=True):
        np.testing.assert_allclose(policy, other, atol=0.01)
    again = rqe_actor_critic(game, is_sampled=True, max_iterations=40, **OPTIONS)
    once = rqe_actor_critic(game, is_sampled=True, max_iterations=40, **OPTIONS)
    other = rqe_actor_critic(game, is_sampled=True, max_iterations=40, seed=1, **OPTIONS)
    np.testing.assert_array_equal(again.values, once.values)
    assert (again.policies[0] != other.policies[0]).any()


def test_too_few_iterations_are_no_equilibrium_and_actions_that_are_not_legal_stay_unplayed():
    legal = (np.ones((1, 2, 2), dtype=bool), np.array([[[True, False, True], [True, True, True]]]))
    payoffs = np.random.default_rng(0).normal(size=(2, 1, 2, 2, 3))
    for regularizer in ("log_barrier", "entropy"):
        game = cf.TabularGame(payoffs, legal=legal, initial=[0.5, 0.5])
        found = rqe_actor_critic(game, regularizer=regularizer, **OPTIONS)
        assert found.policies[1][0, 0, 1] == 0.0
        compare(found, rqe(game, regularizer=regularizer, **OPTIONS), 1e-3)
        short = rqe_actor_critic(game, regularizer=regularizer, max_iterations=2, **OPTIONS)
        assert short.status == "max_iterations"
        assert short.gap.max() > 1e-4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"actor_step": 0.0}, "rqe_actor_critic: actor_step must be a finite number > 0"),
        ({"critic_step": 2.0}, "rqe_actor_critic: critic_step must be a finite number > 0 and <= 1"),
        ({"regularizer": "l2"}, "rqe_actor_critic: regularizer must be one of log_barrier, entropy"),
        ({"is_sampled": 1}, "rqe_actor_critic: is_sampled must be True or False"),
        ({"discount": 1.0}, r"rqe_actor_critic: discount must be a number in \[0, 1\)"),
    ],
)
def test_bad_arguments_are_refused_with_a_sentence(options, message):
    with pytest.raises(InvalidArgumentError, match=message):
        rqe_actor_critic(markov_game(horizon=1), **options)
