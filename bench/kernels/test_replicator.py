"""Replicator dynamics at the size of a paper-scale empirical game (41 strategies), against NumPy and OpenSpiel.

Every rival is first checked to end at the same mixture. A solve is 20,000 steps; rivals are timed over fewer, and the
figure to compare is ``microseconds_per_step`` in the extra information.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import coffee_fast as cf

sys.path.insert(0, str(Path(__file__).parents[1] / "compare"))
import numpy_replicator as rival

NUM_STRATEGIES, NUM_MEMBERS, NUM_STEPS, RIVAL_STEPS = 41, 4, 20_000, 500


@pytest.fixture(scope="module")
def payoffs():
    return np.random.default_rng(0).normal(scale=5.0, size=(NUM_MEMBERS, NUM_STRATEGIES, NUM_STRATEGIES))


def solver(kind, num_steps):
    make = {"plain": cf.meta_solvers.Replicator, "robust": cf.meta_solvers.RobustReplicator}[kind]
    return make(max_iterations=num_steps)


def numpy_loop(kind, payoffs, loop):
    """What ``loop`` needs for dynamics of this kind, as a function of the number of steps."""
    if kind == "plain":
        mean = payoffs.mean(axis=0)
        return lambda num_steps: loop(mean, mean, rival.plain_increments, num_steps=num_steps)
    lower, upper = payoffs.min(axis=0), payoffs.max(axis=0)
    return lambda num_steps: loop(lower, upper, rival.robust_increments, num_steps=num_steps)


def record_step_time(benchmark, num_steps):
    if benchmark.stats is not None:  # None with --benchmark-disable
        benchmark.extra_info["microseconds_per_step"] = 1e6 * benchmark.stats.stats.median / num_steps


@pytest.mark.parametrize("implementation", ["coffee_fast", "numpy_symmetric", "numpy_two_players"])
@pytest.mark.parametrize("kind", ["plain", "robust"])
def test_solve_symmetric(benchmark, payoffs, kind, implementation):
    benchmark.group = f"{kind} dynamics, symmetric, {NUM_STRATEGIES} strategies"
    table = cf.PayoffTable.symmetric(payoffs)
    if implementation == "coffee_fast":
        benchmark(solver(kind, NUM_STEPS).solve, table)
        return record_step_time(benchmark, NUM_STEPS)
    loop = rival.symmetric_loop if implementation == "numpy_symmetric" else rival.two_player_loop
    run = numpy_loop(kind, payoffs, loop)
    expected = solver(kind, RIVAL_STEPS).solve(table).mixtures[0]
    np.testing.assert_allclose(run(RIVAL_STEPS), expected, rtol=0, atol=1e-11)
    benchmark.pedantic(run, args=(RIVAL_STEPS,), rounds=5, warmup_rounds=1)
    return record_step_time(benchmark, RIVAL_STEPS)


@pytest.mark.parametrize("implementation", ["coffee_fast", "open_spiel"])
def test_solve_general(benchmark, payoffs, implementation):
    benchmark.group = f"plain dynamics, two players, {NUM_STRATEGIES} strategies, averaged"
    arrays = [payoffs[0], payoffs[1]]
    table = cf.PayoffTable.from_arrays(arrays)
    if implementation == "coffee_fast":
        benchmark(cf.meta_solvers.ProjectedReplicator(max_iterations=NUM_STEPS).solve, table)
        return record_step_time(benchmark, NUM_STEPS)
    open_spiel = pytest.importorskip("open_spiel.python.algorithms.projected_replicator_dynamics")
    run = open_spiel.projected_replicator_dynamics
    expected = cf.meta_solvers.ProjectedReplicator(max_iterations=RIVAL_STEPS).solve(table).mixtures
    for mixture, other in zip(expected, run(arrays, prd_iterations=RIVAL_STEPS), strict=True):
        np.testing.assert_allclose(other, mixture, rtol=0, atol=1e-11)
    benchmark.pedantic(run, args=(arrays,), kwargs={"prd_iterations": RIVAL_STEPS}, rounds=5, warmup_rounds=1)
    return record_step_time(benchmark, RIVAL_STEPS)
