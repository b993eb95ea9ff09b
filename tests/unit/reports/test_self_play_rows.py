"""Self-play in the tables of a sweep."""

from __future__ import annotations

import numpy as np
import pytest

from coffee_fast import _files
from coffee_fast.reports import read_results, tables
from coffee_fast.sweeps import SweepPlan
from coffee_fast.sweeps.folder import SweepFolder
from coffee_fast.sweeps.table import Table

R2D = {"kind": "robust_replicator"}
ALGORITHMS = ("coffee_psro", "oef", "self_play", "self_play_psro")


def results_of(run):
    rng, regret = np.random.default_rng(run.seed), []
    config, is_alone = run.config, run.config.algorithm == "self_play"
    about = {"algorithm": config.algorithm, "cloning_weight": None}
    about["meta_solver"] = {"kind": "self_play"} if is_alone else config.psro.meta_solver.to_config()
    last = config.self_play.num_updates if is_alone else config.psro.num_iterations
    for iteration in (0, last):
        value = (9.0 if iteration == 0 else 4.0 - ALGORITHMS.index(config.algorithm)) + 0.1 * rng.normal()
        figures = dict.fromkeys(("sum_regret", "debiased_sum_regret"), value)
        errors = dict.fromkeys(("sum_regret_standard_error", "debiased_sum_standard_error"), 0.1)
        regret.append({**about, "iteration": iteration, **figures, **errors})
    evaluation = {"status": "done", "regret": regret, "fidelity": [], "coverage": [], "solutions": [about]}
    return {"evaluation": evaluation, "summary": {"seconds": 1.0}}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    grid = [{"algorithm": [name]} for name in ALGORITHMS]
    grid[2]["self_play.uncertainty_penalty"] = [0.0, 1.0]
    base = {"psro": {"num_iterations": 12, "meta_solver": R2D}, "self_play": {"num_updates": 30}}
    plan = SweepPlan.from_mapping({"name": "played", "seeds": 3, "base": base, "grid": grid})
    folder = tmp_path_factory.mktemp("sweep") / "s"
    sweep = SweepFolder(folder)
    sweep.claim(plan)
    for run in plan.runs:
        sweep.run_dir(run.key).mkdir(parents=True)
        _files.write_json(sweep.run_dir(run.key) / "results.json", results_of(run))
        sweep.end(run.key, "done", "", 1)
    Table(plan, sweep).write()
    return read_results(folder)


def test_self_play_stands_under_the_same_conditions_as_the_others(results):
    assert set(results.table.condition) == {"(1000, uniform)"}
    alone = results.table[results.table.algorithm == "self-play"]
    assert set(alone.exploration) == set(alone.extraction) == {"none"}
    assert set(alone.uncertainty_penalty) == {0.0, 1.0}
    assert set(results.table.algorithm) == {"COffeE", "OEF", "self-play", "COffeE after self-play"}


def test_its_regret_is_that_of_its_last_update(results):
    runs = results.by_run()
    found = runs[runs.algorithm == "self-play"]
    assert len(found) == 6
    assert found.regret.to_numpy() == pytest.approx(2.0, abs=0.5)


def test_it_is_tested_against_coffee_by_its_own_solver(results):
    runs = results.by_run()
    found = tables.tests_table(runs, tables.settings_table(runs))
    rows = found[(found.algorithm == "self-play") & (found.measure == "regret")]
    assert len(rows) == 1
    assert rows.welch.item() > 0.99  # that COffeE has the lower regret
    assert rows.reference_runs.item() == 3
