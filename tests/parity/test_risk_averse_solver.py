import numpy as np
import pytest
from tests.parity.test_risk_averse import ALL, KINDS, numbers

from coffee_fast import _core
from coffee_fast._reference.anchored import log_sum_exp
from coffee_fast._reference.risk_averse_solver import solve_risk_averse


def both(kind, divergence, regularizer, rows=slice(None), **options):
    payoffs, tau, legal = ALL[kind]
    allowed = np.full(tau.shape, options.pop("allowed", 1e-12))
    arrays = [u[rows] for u in payoffs], tau[rows], [x[rows] for x in legal], allowed[rows]
    found = _core.solve_risk_averse(*arrays, **numbers(divergence, regularizer), **options)
    options.pop("num_threads", None)
    return found, solve_risk_averse(*arrays, divergence=divergence, regularizer=regularizer, **options)


def check(found, expected):
    np.testing.assert_array_equal(found["converged"], expected.converged)
    sure = expected.converged
    assert sure.mean() > 0.8
    # Both stop where Newton steps gain no digit; what they leave to rounding grows with how steep the game is.
    for name in ("mixtures", "adversaries"):
        for x, y in zip(found[name], getattr(expected, name), strict=True):
            x, y = (np.exp(x), np.exp(y)) if name == "mixtures" else (x, y)
            np.testing.assert_allclose(x[sure], y[sure], rtol=0, atol=1e-8)
    scale = 1.0 + np.abs(expected.value[sure])
    np.testing.assert_allclose(found["value"][sure] / scale, expected.value[sure] / scale, rtol=0, atol=1e-9)
    for name in ("gap", "residual"):
        np.testing.assert_allclose(found[name][sure], getattr(expected, name)[sure], rtol=0, atol=1e-10)


@pytest.mark.parametrize(("divergence", "regularizer"), KINDS)
@pytest.mark.parametrize("kind", ALL)
def test_equilibria_agree(kind, divergence, regularizer):
    found, expected = both(kind, divergence, regularizer)
    check(found, expected)
    # The last Newton steps end where rounding decides whether they still gain.
    assert np.mean(np.abs(found["num_iterations"] - expected.num_iterations) <= 8) > 0.8


@pytest.mark.parametrize(("divergence", "regularizer"), KINDS)
def test_equilibria_from_another_start_agree(divergence, regularizer):
    rng = np.random.default_rng(2)
    start = [x + rng.normal(size=x.shape) for x in ALL["two players"][2]]
    start = [x - log_sum_exp(x) for x in start]
    check(*both("two players", divergence, regularizer, initial=start, max_iterations=300))


def test_games_stopped_early_keep_their_best_profile():
    found, expected = both("large payoffs", "kl", "entropy", max_iterations=6)
    np.testing.assert_array_equal(found["converged"], expected.converged)
    left = ~expected.converged
    assert left.any()
    np.testing.assert_allclose(found["gap"][left], expected.gap[left], rtol=1e-6, atol=1e-12)
    for x, y in zip(found["mixtures"], expected.mixtures, strict=True):
        np.testing.assert_allclose(np.exp(x[left]), np.exp(y[left]), rtol=0, atol=1e-8)


def test_bits_do_not_depend_on_threads_or_on_the_games_beside():
    whole, _ = both("two players", "reverse_kl", "entropy", num_threads=3)
    for game in (0, 7, 23):
        alone, _ = both("two players", "reverse_kl", "entropy", rows=slice(game, game + 1))
        for mixture, other in zip(alone["mixtures"], whole["mixtures"], strict=True):
            np.testing.assert_array_equal(mixture[0], other[game])
        np.testing.assert_array_equal(alone["gap"][0], whole["gap"][game])


def test_illegal_actions_stay_unplayed():
    found, _ = both("two players", "kl", "log_barrier")
    for mixture in found["mixtures"]:
        assert (np.exp(mixture[::5, 1]) == 0).all()
