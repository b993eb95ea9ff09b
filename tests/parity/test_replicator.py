import os
import subprocess
import sys

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast import _core
from coffee_fast._reference import replicator as reference
from coffee_fast.meta_solvers import ProjectedReplicator, Replicator, RobustReplicator

SHAPES = [(1, 3), (3, 4), (17, 2), (41, 41), (2, 3, 4), (2, 2, 2, 3)]


@pytest.mark.parametrize("num_strategies", [2, 3, 8, 9, 41])
def test_one_step(num_strategies):
    rng = np.random.default_rng(num_strategies)
    for min_probability in (0.0, 1e-3):
        x = rng.dirichlet(np.full(num_strategies, 0.3))
        u, o = rng.normal(size=(2, num_strategies))
        np.testing.assert_allclose(
            _core.replicator_step(x, u, 0.1, min_probability),
            reference.replicator_step(x, u, 0.1, min_probability),
            rtol=0,
            atol=1e-15,
        )
        np.testing.assert_allclose(
            _core.robust_replicator_step(x, o, u, 0.1, min_probability),
            reference.robust_replicator_step(x, o, u, 0.1, min_probability),
            rtol=0,
            atol=1e-15,
        )


def test_the_best_other_strategy_with_ties():
    x = np.full(4, 0.25)
    for optimistic in ([1.0, 1.0, 0.0, -1.0], [2.0, 2.0, 2.0, 2.0], [-3.0, -1.0, -1.0, -2.0]):
        o, q = np.array(optimistic), np.zeros(4)
        np.testing.assert_allclose(
            _core.robust_replicator_step(x, o, q, 0.1), reference.robust_replicator_step(x, o, q, 0.1, 0.0), atol=1e-16
        )


@pytest.mark.parametrize("is_robust", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_loop(shape, is_robust):
    rng = np.random.default_rng(len(shape))
    payoffs = [rng.normal(size=(3, *shape)) for _ in shape]
    table = cf.PayoffTable.from_arrays(payoffs)
    options = {"step_size": 0.02, "max_iterations": 200}
    solver = (RobustReplicator if is_robust else Replicator)(**options)
    expected, _ = reference.solve(payoffs, robust=is_robust, **options)
    for mixture, twin in zip(solver.solve(table).mixtures, expected, strict=True):
        np.testing.assert_allclose(mixture, twin, rtol=0, atol=1e-12)


@pytest.mark.parametrize("is_robust", [False, True])
def test_the_threshold_stops_both_at_one_step(is_robust):
    payoffs = [np.array([[[3.0, 0.0], [5.0, 1.0]]]), np.array([[[3.0, 5.0], [0.0, 1.0]]])]
    options = {"step_size": 0.01, "regret_threshold": 0.3}
    solution = (RobustReplicator if is_robust else Replicator)(**options).solve(cf.PayoffTable.from_arrays(payoffs))
    _, num_iterations = reference.solve(payoffs, robust=is_robust, **options)
    assert solution.num_iterations == num_iterations


@pytest.mark.parametrize("shape", SHAPES[1:])
def test_open_spiel_projected_replicator_dynamics(shape):
    rival = pytest.importorskip("open_spiel.python.algorithms.projected_replicator_dynamics")
    rng = np.random.default_rng(0)
    payoffs = [rng.normal(size=shape) for _ in shape]
    options = {"prd_iterations": 300, "prd_dt": 0.02, "prd_gamma": 1e-4}
    solver = ProjectedReplicator(step_size=0.02, max_iterations=300, min_probability=1e-4)
    last = Replicator(step_size=0.02, max_iterations=300, min_probability=1e-4)
    table = cf.PayoffTable.from_arrays(payoffs)
    averaged = rival.projected_replicator_dynamics(payoffs, **options)
    final = rival.projected_replicator_dynamics(payoffs, average_over_last_n_strategies=1, **options)
    for player in range(len(shape)):
        np.testing.assert_allclose(solver.solve(table).mixtures[player], averaged[player], rtol=0, atol=1e-12)
        np.testing.assert_allclose(last.solve(table).mixtures[player], final[player], rtol=0, atol=1e-12)


def test_open_spiel_replicator_derivative():
    rival = pytest.importorskip("open_spiel.python.egt.dynamics")
    rng = np.random.default_rng(0)
    x, u = rng.dirichlet(np.ones(9)), rng.normal(size=9)
    step = _core.replicator_step(x, u, 1e-3) - x
    np.testing.assert_allclose(step, 1e-3 * rival.replicator(x, u), rtol=0, atol=1e-15)


PRINT_HASH = """
import hashlib, numpy as np, coffee_fast as cf
rng, digest = np.random.default_rng(0), hashlib.sha256()
for shape in [(3, 4), (41, 41), (9, 2, 70)]:
    table = cf.PayoffTable.from_arrays([rng.normal(size=(2, *shape)) for _ in shape])
    for solver in (cf.meta_solvers.Replicator, cf.meta_solvers.RobustReplicator):
        for mixture in solver(step_size=0.01, max_iterations=300).solve(table).mixtures:
            digest.update(mixture.tobytes())
print(digest.hexdigest())
"""


def test_every_instruction_set_gives_the_same_bits():
    digests = {}
    for isa in ("portable", "avx2", "avx512"):
        environment = {**os.environ, "COFFEE_FAST_ISA": isa}
        run = subprocess.run([sys.executable, "-c", PRINT_HASH], env=environment, capture_output=True, text=True)
        if "has only" not in run.stderr:  # the processor lacks it
            assert run.returncode == 0, run.stderr
            digests[isa] = run.stdout
    assert len(set(digests.values())) == 1, digests
