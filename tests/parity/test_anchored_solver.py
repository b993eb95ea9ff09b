import numpy as np
import pytest
from tests.parity.test_anchored import ALL, games

from coffee_fast import _core
from coffee_fast._reference import anchored_solver
from coffee_fast._reference.anchored_solver import METHODS


def solve(payoffs, reference, kl_weight, method, **options):
    number = len(METHODS) if method == "auto" else METHODS.index(method)
    return _core.solve_anchored(payoffs, reference, kl_weight, method=number, **options)


@pytest.mark.parametrize("method", ["auto", *METHODS])
@pytest.mark.parametrize("kind", ALL)
def test_equilibria_agree(kind, method):
    payoffs, reference, kl_weight = ALL[kind]
    found = solve(payoffs, reference, kl_weight, method)
    expected = anchored_solver.solve_anchored(payoffs, reference, kl_weight, method=method)
    np.testing.assert_array_equal(found["converged"], expected.converged)
    np.testing.assert_array_equal(found["zero_sum"], expected.zero_sum)
    np.testing.assert_array_equal(found["method"], expected.method)
    np.testing.assert_allclose(found["contraction"], expected.contraction, rtol=1e-12)
    # Tracing doubles the rounding of a step where a branch turns; what has not converged is no certain point.
    sure = expected.converged
    assert sure.any() or method == "mirror_descent"
    for mixture, other in zip(found["mixtures"], expected.mixtures, strict=True):
        np.testing.assert_allclose(np.exp(mixture[sure]), np.exp(other[sure]), rtol=0, atol=1e-7)
    assert np.mean(found["num_iterations"] == expected.num_iterations) > 0.9


def test_zero_sum_games_take_mirror_descent():
    payoffs, reference, _ = games((12, 12), seed=3)
    kl_weight = np.full((50, 2), 0.8)
    found = solve([payoffs[0], -payoffs[0]], reference, kl_weight, "auto", tolerance=1e-3)
    expected = anchored_solver.solve_anchored([payoffs[0], -payoffs[0]], reference, kl_weight, tolerance=1e-3)
    assert found["zero_sum"].all()
    assert (found["method"] == METHODS.index("mirror_descent")).any()
    np.testing.assert_array_equal(found["method"], expected.method)
    np.testing.assert_array_equal(found["num_iterations"], expected.num_iterations)
    for mixture, other in zip(found["mixtures"], expected.mixtures, strict=True):
        np.testing.assert_allclose(np.exp(mixture), np.exp(other), rtol=0, atol=1e-12)


def test_bits_do_not_depend_on_threads_or_on_the_games_beside():
    payoffs, reference, kl_weight = ALL["two players"]
    whole = solve(payoffs, reference, kl_weight, "auto", num_threads=3)
    for game in (0, 17, 49):
        rows = slice(game, game + 1)
        alone = solve([p[rows] for p in payoffs], [x[rows] for x in reference], kl_weight[rows], "auto")
        for mixture, other in zip(alone["mixtures"], whole["mixtures"], strict=True):
            np.testing.assert_array_equal(mixture[0], other[game])
        np.testing.assert_array_equal(alone["gap"][0], whole["gap"][game])


def test_unavailable_actions_stay_unplayed():
    payoffs, reference, kl_weight = ALL["two players"]
    found = solve(payoffs, reference, kl_weight / 10, "homotopy")
    assert found["converged"].mean() > 0.9
    for mixture in found["mixtures"]:
        assert (np.exp(mixture[::5, 1]) == 0).all()
