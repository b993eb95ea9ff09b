"""Anchored equilibria: of an empirical game of 41 strategies, and of 10,000 small stage games in one call.

The rival is SciPy's ``root`` on the same fixed-point equation, game by game; zero-sum games have one equilibrium each,
so that both sides must find the same. SciPy solves fewer stage games, and the figure to compare is
``microseconds_per_game`` in the extra information.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import root

import coffee_fast as cf
from coffee_fast.regularized import gane
from coffee_fast.stage_games.kernels import solve_anchored

NUM_STRATEGIES, NUM_GAMES, RIVAL_GAMES, KL_WEIGHT = 41, 10_000, 200, 0.1


def softmax(values):
    scores = np.exp(values - values.max())
    return scores / scores.sum()


def scipy_equilibrium(row):
    """The mixtures of a zero-sum game around uniform play, as a root in the deviation payoffs of both players."""
    num_rows = len(row)

    def error(values):
        x, y = softmax(values[:num_rows] / KL_WEIGHT), softmax(values[num_rows:] / KL_WEIGHT)
        return values - np.r_[row @ y, -x @ row]

    found = root(error, np.zeros(sum(row.shape)))
    return softmax(found.x[:num_rows] / KL_WEIGHT), softmax(found.x[num_rows:] / KL_WEIGHT)


@pytest.mark.parametrize("implementation", ["coffee_fast", "scipy"])
def test_solve_symmetric(benchmark, implementation):
    benchmark.group = f"anchored equilibrium, symmetric, {NUM_STRATEGIES} strategies"
    values = np.random.default_rng(0).uniform(size=(NUM_STRATEGIES, NUM_STRATEGIES))
    row = 0.5 * (values - values.T)
    table = cf.PayoffTable.symmetric(row)
    found = gane(table, kl_weight=KL_WEIGHT)
    assert found.status == "converged"
    np.testing.assert_allclose(scipy_equilibrium(row)[0], found.mixtures[0], atol=1e-4)
    if implementation == "coffee_fast":
        benchmark(gane, table, kl_weight=KL_WEIGHT)
    else:
        benchmark(scipy_equilibrium, row)


@pytest.mark.parametrize("implementation", ["coffee_fast", "scipy"])
def test_solve_stage_games(benchmark, implementation):
    benchmark.group = f"anchored equilibria of {NUM_GAMES} stage games, 3 x 3"
    row = np.random.default_rng(0).uniform(size=(NUM_GAMES, 3, 3))
    reference, weights = [np.full((NUM_GAMES, 3), -np.log(3.0))] * 2, np.full((NUM_GAMES, 2), KL_WEIGHT)
    found = solve_anchored([row, -row], reference, weights)
    assert found.converged.all()
    for game in range(RIVAL_GAMES):
        for x, y in zip(found.mixtures, scipy_equilibrium(row[game]), strict=True):
            np.testing.assert_allclose(np.exp(x[game]), y, atol=1e-4)
    num_games = NUM_GAMES if implementation == "coffee_fast" else RIVAL_GAMES
    if implementation == "coffee_fast":
        benchmark.pedantic(solve_anchored, args=([row, -row], reference, weights), rounds=5, warmup_rounds=1)
    else:
        benchmark.pedantic(lambda: [scipy_equilibrium(game) for game in row[:RIVAL_GAMES]], rounds=5, warmup_rounds=1)
    if benchmark.stats is not None:
        benchmark.extra_info["microseconds_per_game"] = 1e6 * benchmark.stats.stats.median / num_games
