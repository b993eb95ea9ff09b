"""Best response flow: it ends where the other methods end, and gaps fall on the way as they must."""

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.regularized import gane
from coffee_fast.regularized.anchored.best_response_flow import flow
from coffee_fast.stage_games.kernels import regularized_gap


def test_gaps_of_a_zero_sum_game_fall_like_the_exponential_of_time(rng):
    row = rng.random((1, 4, 5)) * 2 - 1
    payoffs, weight, time = [row, -row], np.full((1, 2), 0.2), 1e-2
    reference = [np.log(rng.dirichlet(np.ones(size)))[None] for size in (4, 5)]
    mixtures = [np.log(rng.dirichlet(np.ones(size)))[None] for size in (4, 5)]
    gaps = []
    for _ in range(401):
        gaps.append(regularized_gap(payoffs, reference, weight, mixtures).sum())
        mixtures = flow(payoffs, reference, weight, mixtures, np.full(1, time))
    for passed in (1.0, 2.0, 4.0):
        assert gaps[round(passed / time)] <= 1.05 * gaps[0] * np.exp(-passed)


@pytest.mark.parametrize("weight", [1.0, 0.2, 0.1])
def test_a_zero_sum_game_ends_where_the_other_methods_end(rng, weight):
    row = rng.random((4, 5)) * 2 - 1
    table = cf.PayoffTable.from_arrays([row, -row])
    reference = [rng.dirichlet(np.ones(4)), rng.dirichlet(np.ones(5))]
    options = {"kl_weight": weight, "reference": reference, "tolerance": 1e-12, "max_iterations": 20_000}
    found, other = gane(table, method="best_response_flow", **options), gane(table, **options)
    assert (found.status, found.method) == ("converged", "best_response_flow")
    for x, y in zip(found.mixtures, other.mixtures, strict=True):
        np.testing.assert_allclose(x, y, atol=1e-5)
    np.testing.assert_allclose(found.value, other.value, atol=1e-5)


def test_it_settles_where_whole_best_responses_circle():
    pennies = [[1, -1], [-1, 1]], [[-1, 1], [1, -1]]
    table = cf.PayoffTable.from_arrays(pennies)
    options = {"kl_weight": 0.1, "reference": [[0.9, 0.1], [0.5, 0.5]], "max_iterations": 4000, "tolerance": 1e-6}
    assert gane(table, method="fixed_point", **options).status == "max_iterations"
    found = gane(table, method="best_response_flow", **options)
    assert found.status == "converged"
    assert (found.gap <= 1e-6).all()


def test_its_fixed_point_is_the_logit_equilibrium_of_gambit():
    table = cf.PayoffTable.from_arrays([[[9, 0], [0, 1]], [[0, 1], [1, 0]]])
    found = gane(table, kl_weight=1.0, method="best_response_flow", tolerance=1e-16, max_iterations=5000)
    np.testing.assert_allclose([x[0] for x in found.mixtures], (0.89357633, 0.31278037), atol=2e-8)


def test_constant_and_symmetric_games_and_single_steps():
    constant = gane([[[2, 2], [2, 2]], [[1, 1], [1, 1]]], method="best_response_flow")
    assert (constant.status, constant.num_iterations) == ("converged", 0)
    dilemma = cf.PayoffTable.symmetric([[3.0, 0.0], [5.0, 1.0]])
    found = gane(dilemma, kl_weight=1.0, method="best_response_flow")
    np.testing.assert_allclose(found.mixtures, gane(dilemma, kl_weight=1.0).mixtures, atol=1e-5)
    # Payoffs that the other's play does not move: one whole step is the Gibbs distribution.
    alone = gane([[[1, 1], [0, 0]], [[0, 3], [0, 3]]], kl_weight=0.5, method="best_response_flow")
    assert alone.num_iterations == 1
    np.testing.assert_allclose(alone.mixtures[0], np.exp([2, 0]) / np.exp([2, 0]).sum(), atol=1e-12)


def test_one_iteration_short_of_convergence_is_said():
    table = cf.PayoffTable.from_arrays([[[1, -1], [-1, 1]], [[-2, 1], [1, -1]]])
    found = gane(table, kl_weight=0.1, method="best_response_flow", max_iterations=1)
    assert found.status == "max_iterations"
    assert found.gap.max() > 1e-10


def test_games_of_many_states_agree_with_backward_induction_by_other_methods(rng):
    rewards = rng.random((2, 2, 2, 3, 2))
    rewards[1] = -rewards[0]
    game = cf.TabularGame(rewards, rng.dirichlet(np.ones(2), size=(2, 2, 3, 2)), np.array([0.5, 0.5]))
    found = gane(game, kl_weight=0.1, method="best_response_flow", max_iterations=5000)
    other = gane(game, kl_weight=0.1)
    assert found.status == other.status == "converged"
    for x, y in zip(found.policies, other.policies, strict=True):
        np.testing.assert_allclose(x, y, atol=1e-4)
