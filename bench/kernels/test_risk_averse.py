"""Risk-averse quantal equilibria: of an empirical game of 41 strategies, and of 1,000 small stage games in one call.

The rival is the NumPy twin, the same algorithm over all games at once.
"""

from __future__ import annotations

import numpy as np
import pytest

from coffee_fast._reference import risk_averse_solver
from coffee_fast.stage_games import kernels

NUM_STRATEGIES, NUM_GAMES, TEMPERATURE, RISK_AVERSION = 41, 1_000, 0.1, 10.0
SOLVERS = {"coffee_fast": kernels.solve_risk_averse, "numpy": risk_averse_solver.solve_risk_averse}


def games(payoffs):
    """Payoffs of uniform draws, risk aversions and legal actions, in units of the temperature, and gaps allowed."""
    count = len(payoffs[0])
    legal = [np.full((count, size), -np.log(size)) for size in payoffs[0].shape[1 : len(payoffs) + 1]]
    tau = np.full((count, len(payoffs)), RISK_AVERSION * TEMPERATURE)
    return [u / TEMPERATURE for u in payoffs], tau, legal, np.full(tau.shape, 1e-10 / TEMPERATURE)


def compare(arguments, options):
    found, other = (solve(*arguments, **options) for solve in SOLVERS.values())
    assert found.converged.all()
    np.testing.assert_array_equal(found.converged, other.converged)
    for x, y in zip(found.mixtures, other.mixtures, strict=True):
        np.testing.assert_allclose(np.exp(x), np.exp(y), rtol=0, atol=1e-8)


@pytest.mark.parametrize("implementation", SOLVERS)
@pytest.mark.parametrize("divergence", ["kl", "reverse_kl"])
def test_solve_symmetric(benchmark, divergence, implementation):
    benchmark.group = f"risk-averse equilibrium, symmetric, {NUM_STRATEGIES} strategies, {divergence}"
    arguments = games([np.random.default_rng(0).uniform(size=(1, NUM_STRATEGIES, NUM_STRATEGIES))])
    options = {"divergence": divergence, "regularizer": "log_barrier"}
    compare(arguments, options)
    benchmark(SOLVERS[implementation], *arguments, **options)


@pytest.mark.parametrize("implementation", SOLVERS)
def test_solve_stage_games(benchmark, implementation):
    benchmark.group = f"risk-averse equilibria of {NUM_GAMES} stage games, 3 x 3"
    rng = np.random.default_rng(0)
    arguments = games([rng.uniform(size=(NUM_GAMES, 3, 3)) for _ in range(2)])
    options = {"divergence": "kl", "regularizer": "log_barrier"}
    compare(arguments, options)
    benchmark.pedantic(SOLVERS[implementation], args=arguments, kwargs=options, rounds=5, warmup_rounds=1)
    if benchmark.stats is not None:
        benchmark.extra_info["microseconds_per_game"] = 1e6 * benchmark.stats.stats.median / NUM_GAMES
