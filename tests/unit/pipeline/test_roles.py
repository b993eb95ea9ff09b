"""Whole runs in games of unlike players: each role has its strategies, its regret and its place in the report."""

from __future__ import annotations

import dataclasses
import json
import re

import pytest

import coffee_fast as cf
from coffee_fast.pipeline import DatasetConfig, run_pipeline
from coffee_fast.psro import load_result

KUHN = "openspiel:kuhn_poker(players=3)"


@pytest.fixture(scope="module")
def small_run(tiny_run, tiny_ddqn):
    oracle = dataclasses.replace(tiny_ddqn, num_steps=200)
    psro = cf.PSROConfig(num_iterations=1, num_simulations=20, response=oracle)
    evaluation = dataclasses.replace(tiny_run.evaluation, num_simulations=20, response=oracle)
    return dataclasses.replace(tiny_run, psro=psro, evaluation=evaluation)


@pytest.fixture(scope="module")
def two_roles():
    """Bargaining as if its players were unlike."""
    log = cf.generate_dataset(cf.load_game("generalized_bargaining"), num_trajectories=40, seed=3)
    names = {"player_names": ("buyer", "sel|ler")}
    spec = dataclasses.replace(log.spec, is_symmetric=False, roles=(1, 1), state_swap=(), state_flip=(), **names)
    return cf.TrajectoryDataset(spec, log.arrays)


def test_a_run_in_a_tree_of_three_players_is_judged_exactly(small_run, tmp_path):
    pytest.importorskip("pyspiel")
    config = dataclasses.replace(small_run, algorithm="online_psro", dataset=DatasetConfig(game=KUHN))
    summary = run_pipeline(config, tmp_path / "run")
    exact = cf.exact_regret(cf.load_game(KUHN), cf.Solution.load(tmp_path / "run" / "solution"))
    assert summary.final_regret == tuple(exact.regret.tolist())
    assert summary.is_exact
    assert len(summary.model_regret) == 3
    assert summary.initial_sum_regret == pytest.approx(2.0625)
    report = (tmp_path / "run" / "report.md").read_text()
    assert f"its regret is exactly **{exact.nash_conv:.4f}**" in report
    assert f"| player 2 | {exact.regret[2]:.4f} | {exact.values[2]:.4f} |" in report
    assert "measured anew" not in report.lower()
    assert {file.name for file in (tmp_path / "run").glob("*.png")} == {"regret.png", "mixtures.png"}


def test_a_log_of_chance_becomes_a_solution_and_its_exact_regret(small_run, tmp_path):
    pytest.importorskip("pyspiel")
    tree = cf.load_game("openspiel:kuhn_poker")
    log = cf.generate_dataset(tree, num_trajectories=60, seed=1)
    summary = run_pipeline(small_run, tmp_path / "run", log)
    assert summary.evaluation == "done"
    assert summary.is_exact
    found = json.loads((tmp_path / "run" / "results.json").read_text())["evaluation"]
    assert found["regret"][0]["sum_regret"] == pytest.approx(0.916667, abs=1e-6)
    assert sorted(found["fidelity"][0]["profiles"]) == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert 0 < found["coverage"][0]["share_of_actions"] <= 1


def test_a_log_that_repeats_bounds_regret_without_a_game_too(small_run, tmp_path):
    pytest.importorskip("pyspiel")
    known = cf.generate_dataset(cf.load_game("openspiel:kuhn_poker"), num_trajectories=1000, seed=1)
    log = cf.TrajectoryDataset(dataclasses.replace(known.spec, name="poker at home", parameters={}), known.arrays)
    run_pipeline(small_run, tmp_path / "run", log)
    evaluation = json.loads((tmp_path / "run" / "evaluation" / "evaluation.json").read_text())
    found, sizes = evaluation["by_the_log"], {"num_nodes": 58, "num_unseen": 0, "num_episodes": 1000}
    assert (evaluation["regret"], found["status"], found["sizes"]) == ([], "done", sizes)
    solution = cf.Solution.load(tmp_path / "run" / "solution")
    for play, profile in ((found["solutions"][0], list(solution.by_role)), (found["uniform"], "uniform_random")):
        true = cf.exact_regret("openspiel:kuhn_poker", profile).nash_conv
        assert play["lowest"] <= true <= play["highest"]
        assert play["highest"] - play["lowest"] < 0.3
    report = (tmp_path / "run" / "report.md").read_text()
    assert f"between **{found['solutions'][0]['lowest']:.4g}** and **{found['solutions'][0]['highest']:.4g}**" in report
    assert "## By the log alone" in report


@pytest.mark.parametrize("algorithm", ["coffee_psro", "oef_bc"])
def test_a_run_of_two_roles_that_no_true_game_is_known_of(small_run, two_roles, tmp_path, algorithm, monkeypatch):
    cloning = cf.BehaviorCloningConfig(hidden_sizes=(4,), num_steps=20)
    config = dataclasses.replace(small_run, algorithm=algorithm, behavior_cloning=cloning, cloning_weights=(0.5,))
    summary = run_pipeline(config, tmp_path / "run", two_roles)
    assert summary.final_regret is None
    assert "is another one than that of the log: " in summary.evaluation  # the game of that name is symmetric
    assert len(summary.model_regret) == 2
    report = (tmp_path / "run" / "report.md").read_text()
    assert "the evaluation was skipped" in report
    assert "buyer:\n" in report
    assert "sel\\|ler:\n" in report
    assert {"payoffs.png", "payoffs-1.png", "mixtures.png"} <= {file.name for file in (tmp_path / "run").iterdir()}
    if algorithm == "oef_bc":
        result = load_result(tmp_path / "run" / "mixed" / "0.5")
        assert result.strategies[0][1].components[0] is not result.strategies[1][1].components[0]
        assert {file.name for file in (tmp_path / "run" / "cloned_policy").iterdir()} == {"role-0", "role-1"}
    (code,) = re.findall(r"```python\n(.*?)```", report, re.DOTALL)
    monkeypatch.chdir(tmp_path / "run")
    played: dict = {}
    exec(code, played)
    assert played["player"].seat == 0
    again = run_pipeline(config, tmp_path / "run", two_roles, resume=True)
    assert dataclasses.replace(again, seconds=summary.seconds) == summary
