"""A sweep whose runs never took place: figures by formula, but files and table as sweeps write them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from coffee_fast import _files
from coffee_fast.sweeps import SweepPlan
from coffee_fast.sweeps.folder import SweepFolder
from coffee_fast.sweeps.table import Table

SOLVERS = [{"kind": "robust_replicator"}, {"kind": "replicator", "regret_threshold": 1e-5}]
BASE = {"psro": {"num_iterations": 12}, "evaluation": {"meta_solvers": SOLVERS}}
DATA = {"dataset.num_trajectories": [500], "dataset.behavior": ["uniform_random", "equilibrium_mixture"]}
GRID = [
    {
        **DATA,
        "algorithm": ["coffee_psro"],
        "psro.meta_solver": SOLVERS,
        "psro.objective.uncertainty_penalty": [2.0, 4.0],
        "psro.objective.coverage_weight": [0.1, 0.2],
    },
    {**DATA, "algorithm": ["oef_bc"], "psro.meta_solver": SOLVERS},
]


def results_of(run) -> dict:
    """Regret falls over iterations; COffeE's, R2D's and that of more data is lower, too strong a penalty harms."""
    config, rng = run.config, np.random.default_rng([run.seed, int(run.setting, 16) % 2**32])
    is_robust = config.psro.meta_solver.kind == "robust_replicator"
    penalty = config.psro.objective.uncertainty_penalty if config.algorithm == "coffee_psro" else 0.0
    base = 4.0 - 0.2 * penalty + 0.02 * penalty**2 - 0.3 * is_robust - 0.0005 * config.dataset.num_trajectories
    base += 0.3 * rng.normal()
    weights = (0.0, 0.2, 0.4) if config.algorithm == "oef_bc" else (None,)
    solvers = config.evaluation.meta_solvers or (config.psro.meta_solver,)
    regret, fidelity, coverage = [], [], []
    for weight, solver in itertools.product(weights, solvers):
        about = {"algorithm": config.algorithm, "cloning_weight": weight}
        solver_regret = base + 2.0 * (weight or 0.0) ** 2 - 0.4 * (solver.kind == "robust_replicator")
        for iteration in (0, 3, 6, 9, 12):
            value = solver_regret + 6.0 * np.exp(-iteration / 3) + 0.05 * rng.normal()
            entry = {"meta_solver": solver.to_config(), "iteration": iteration, "sum_regret": value}
            entry |= {"sum_regret_standard_error": 0.1, "debiased_sum_regret": value - 0.1}
            regret.append({**about, **entry, "debiased_sum_standard_error": 0.1})
        coverage.append({**about, "meta_solver": solver.to_config(), "share_of_actions": rng.uniform()})
        if solver is solvers[0]:
            error = 1.5 - 0.1 * penalty + 0.1 * rng.normal()
            figures = {"mean_utility_error": error, "mean_disagreement": 0.5 * error + 0.1 * rng.normal()}
            fidelity.append({**about, **figures, "correlation": 0.4, "utility_error": [error]})
    evaluation = {"status": "done", "regret": regret, "fidelity": fidelity, "coverage": coverage, "solutions": []}
    return {"evaluation": evaluation, "summary": {"seconds": 1.0}}


def write_sweep(folder, plan, failed=()):
    sweep = SweepFolder(folder)
    sweep.claim(plan)
    for place, run in enumerate(plan.runs):
        if place in failed:
            sweep.end(run.key, "failed", "it was not to be", 1)
            continue
        sweep.run_dir(run.key).mkdir(parents=True)
        _files.write_json(sweep.run_dir(run.key) / "results.json", results_of(run))
        sweep.end(run.key, "done", "", 1)
    Table(plan, sweep).write()
    return folder


@pytest.fixture(scope="session")
def plan() -> SweepPlan:
    return SweepPlan.from_mapping({"name": "synthetic", "seeds": 3, "base": BASE, "grid": GRID})


@pytest.fixture(scope="session")
def sweep_dir(tmp_path_factory, plan):
    return write_sweep(tmp_path_factory.mktemp("sweep") / "s", plan)
