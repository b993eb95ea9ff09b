"""The report of runs that took place."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from coffee_fast.pipeline import run_pipeline
from coffee_fast.reports import report_sweep
from coffee_fast.sweeps import SweepPlan
from coffee_fast.sweeps.folder import SweepFolder
from coffee_fast.sweeps.table import Table

DDQN = {"hidden_sizes": [4], "num_steps": 200, "replay_capacity": 200, "min_replay": 100, "epsilon_decay_steps": 100}
SOLVERS = [{"kind": "robust_replicator"}, {"kind": "replicator"}]
PLAN = {
    "name": "tiny",
    "seeds": 2,
    "base": {
        "dataset": {"num_trajectories": 30},
        "model": {"num_members": 2, "hidden_sizes": [4], "num_steps": 20, "num_reward_steps": 20},
        "psro": {"num_iterations": 3, "num_simulations": 10, "response": DDQN},
        "evaluation": {"num_simulations": 20, "num_last_iterations": 3, "meta_solvers": SOLVERS, "response": DDQN},
        "behavior_cloning": {"hidden_sizes": [4], "num_steps": 10},
        "cloning_weights": [0.0, 0.5],
    },
    "grid": {"algorithm": ["coffee_psro", "oef_bc"]},
}


@pytest.mark.slow
def test_real_runs_fill_every_exhibit(tmp_path):
    plan, sweep = SweepPlan.from_mapping(PLAN), SweepFolder(tmp_path / "s")
    sweep.claim(plan)
    for run in plan.runs:
        run_pipeline(run.config, sweep.run_dir(run.key))
        sweep.end(run.key, "done", "", 1)
    Table(plan, sweep).write()
    written = report_sweep(sweep.root, tmp_path / "out", num_last=1)
    assert written.missing == {}
    settings = pd.read_csv(tmp_path / "out" / "settings.csv")
    assert set(settings.algorithm) == {"COffeE", "OEF", "OEF-BC"}
    assert (settings.num_runs == 2).all()
    # Models so small never end an episode: no disagreement, and no correlation with it.
    figures = settings.drop(columns=["uncertainty_penalty", "coverage_weight", "cloning_weight", "correlation"])
    assert figures.notna().all(axis=None)
    of_coffee = [
        json.loads((sweep.run_dir(run.key) / "results.json").read_text())["summary"]["final_sum_regret"]
        for run in plan.runs
        if run.config.algorithm == "coffee_psro"
    ]
    (row,) = settings[(settings.algorithm == "COffeE") & (settings.extraction == "R2D")].to_dict("records")
    assert row["regret_mean"] == pytest.approx(sum(of_coffee) / 2)
