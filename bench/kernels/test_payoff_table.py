"""Deviation payoffs of whole profiles against NumPy's tensordot, both from arrays that are there already."""

from __future__ import annotations

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast._reference import payoff_table as numpy_twin

SHAPES = {"two players, 41 strategies": (41, 41), "two players, 400": (400, 400), "four players, 20": (20,) * 4}


@pytest.mark.parametrize("implementation", ["coffee_fast", "numpy"])
@pytest.mark.parametrize("shape", SHAPES)
def test_regret(benchmark, shape, implementation):
    sizes = SHAPES[shape]
    rng = np.random.default_rng(0)
    payoffs = [rng.normal(size=(1, *sizes)) for _ in sizes]
    mixtures = [rng.dirichlet(np.ones(size)) for size in sizes]
    table = cf.PayoffTable.from_arrays(payoffs)
    np.testing.assert_allclose(table.regret(mixtures), numpy_twin.regret(payoffs, mixtures), atol=1e-12)
    benchmark.group = f"regret of a profile, {shape}"
    if implementation == "coffee_fast":
        benchmark(table.regret, mixtures)
    else:
        benchmark(numpy_twin.regret, payoffs, mixtures)


@pytest.mark.parametrize("implementation", ["coffee_fast", "numpy"])
@pytest.mark.parametrize("num_strategies", [41, 1000])
def test_projection(benchmark, num_strategies, implementation):
    from coffee_fast import _core
    from coffee_fast._reference.simplex import project_to_simplex

    x = np.random.default_rng(0).normal(size=num_strategies)
    np.testing.assert_allclose(_core.project_to_simplex(x, 1e-6), project_to_simplex(x, 1e-6), rtol=0, atol=1e-14)
    benchmark.group = f"projection, {num_strategies} strategies"
    benchmark(_core.project_to_simplex if implementation == "coffee_fast" else project_to_simplex, x, 1e-6)
