"""Whole runs from the command line: from a dataset to a report, interrupted and gone on with, part by part."""

from __future__ import annotations

import dataclasses
import json
import shlex
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest

import coffee_fast as cf

TINY = """
seed = 3
[dataset]
num_trajectories = 60
[model]
num_steps = 40
num_reward_steps = 40
hidden_sizes = [16, 16]
[psro]
num_iterations = 3
num_simulations = 40
[psro.response]
num_steps = 1500
min_replay = 200
replay_capacity = 1500
hidden_sizes = [16, 16]
[psro.meta_solver]
kind = "replicator"
max_iterations = 500
[evaluation]
num_simulations = 40
[evaluation.response]
num_steps = 300
min_replay = 200
replay_capacity = 300
hidden_sizes = [16, 16]
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    file = tmp_path_factory.mktemp("config") / "tiny.toml"
    file.write_text(TINY)
    return file


@pytest.fixture(scope="module")
def finished(invoke_json, config, tmp_path_factory):
    """An uninterrupted run."""
    run_dir = tmp_path_factory.mktemp("runs") / "finished"
    assert invoke_json("run", "--config", config, "--run-dir", run_dir)["run_dir"] == str(run_dir)
    return run_dir


def figures(run_dir) -> dict:
    """All results of a run but where it lies and how long it took."""
    results = json.loads((run_dir / "results.json").read_text())
    del results["summary"], results["seal"]
    return results


def test_run_says_what_the_report_says(invoke, invoke_json, finished):
    result = invoke("report", finished)
    assert result.exit_code == 0
    assert "What this run found" in result.stdout
    assert str(finished / "report.md") in result.stdout
    summary = invoke_json("report", finished)
    assert {"initial_sum_regret", "final_sum_regret", "run_dir", "seconds"} <= set(summary)


def test_a_model_that_is_not_to_be_trusted_is_told_everywhere(invoke, finished, config, tmp_path):
    """Forty steps teach nothing: report, results, standard error and the lines beside a regret say so."""
    report = (finished / "report.md").read_text()
    assert "**The model is not to be trusted: " in report.partition("## The solution")[0]
    assert "(pessimistic): " in report.partition("(the model is not to be trusted")[0]
    assert "verdict: do not trust" in report
    results = json.loads((finished / "results.json").read_text())
    assert results["model"]["verdict"]["level"] == "do not trust"
    fitted = invoke("model", "fit", finished / "dataset", tmp_path / "model", "--config", config)
    assert fitted.stdout.startswith("verdict: do not trust\n- ")
    assert "warning: DynamicsEnsemble.fit: do not trust this model: " in fitted.stderr
    assert "loss nan" not in fitted.stderr
    searched = invoke("psro", tmp_path / "model", "--run-dir", tmp_path / "run", "--config", config)
    assert "warning: The model is not to be trusted: " in searched.stderr
    assert "(the model is not to be trusted)" in searched.stdout
    assert "what these are worth" in searched.stdout
    assert "loss nan" not in searched.stderr


def test_progress_goes_to_standard_error(invoke, config, tmp_path):
    result = invoke(
        "run", "--config", config, "--run-dir", tmp_path / "run", "--json", "--set", "psro.num_iterations=1"
    )
    assert len(result.stdout.splitlines()) == 1
    assert "psro 1/1" in result.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_says_how_to_go_on_and_ends_the_same(invoke, config, finished, tmp_path, number):
    run_dir = tmp_path / "run"
    command = [sys.executable, "-m", "coffee_fast", "run", "--config", str(config), "--run-dir", str(run_dir), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "fit rewards" in line:
                break
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 75, err
    assert "Traceback" not in err
    said = json.loads(out.splitlines()[-1])
    assert said["exit_code"] == 75
    again = shlex.split(said["resume"])
    assert again[0] == "coffee-fast"
    assert again[-1] == "--resume"
    assert not (run_dir / "report.md").exists()
    assert invoke(*again[1:]).exit_code == 0
    assert figures(run_dir) == figures(finished)


def test_a_run_folder_is_taken_up_only_on_demand_and_only_by_the_same_run(invoke, config, finished):
    result = invoke("run", "--config", config, "--run-dir", finished)
    assert (result.exit_code, "resume" in result.stderr) == (4, True)
    result = invoke("run", "--config", config, "--run-dir", finished, "--resume", "--seed", 4)
    assert (result.exit_code, "config.seed is 3 there and 4 here" in result.stderr) == (4, True)


def test_parts_one_by_one(invoke, invoke_json, config, tmp_path):
    data, model, run_dir = tmp_path / "data", tmp_path / "model", tmp_path / "run"
    assert invoke_json("dataset", "generate", data, "--num-trajectories", 60)["num_trajectories"] == 60
    assert invoke_json("dataset", "validate", data)["valid"]
    assert "60 (30 independent" in invoke("dataset", "describe", data).stdout
    assert invoke_json("model", "fit", data, model, "--config", config)["num_members"] == 4
    found = invoke_json("psro", model, "--run-dir", run_dir, "--config", config)
    assert sum(found["probabilities"]) == pytest.approx(1)
    assert invoke("psro", model, "--run-dir", run_dir, "--config", config).exit_code == 4
    assert invoke_json("psro", model, "--run-dir", run_dir, "--config", config, "--resume") == found
    judged = invoke_json("evaluate", found["solution"], "--config", config)
    assert judged["sum_regret"] == pytest.approx(2 * judged["regret"][0])


def test_own_dataset_of_an_unknown_game_has_no_evaluation(invoke_json, config, tmp_path):
    data, run_dir = tmp_path / "data", tmp_path / "run"
    known = cf.generate_dataset(cf.load_game("generalized_bargaining"), num_trajectories=60)
    spec = dataclasses.replace(known.spec, name="my game", parameters={})
    cf.TrajectoryDataset(spec, known.arrays, is_mirrored=True, num_independent_episodes=30).save(data)
    summary = invoke_json("run", "--config", config, "--dataset", data, "--run-dir", run_dir)
    assert summary["final_sum_regret"] is None
    assert "not known" in (run_dir / "report.md").read_text()


def test_a_solution_is_judged_by_a_log(invoke, invoke_json, config, tmp_path):
    pytest.importorskip("pyspiel")
    data, run_dir = tmp_path / "data", tmp_path / "run"
    invoke_json("dataset", "generate", data, "--game", "openspiel:kuhn_poker", "--num-trajectories", 200)
    invoke_json("run", "--config", config, "--dataset", data, "--run-dir", run_dir)
    found = invoke_json("evaluate", run_dir / "solution", "--log", data)
    bounds = cf.regret_from_log(cf.TrajectoryDataset.load(data), cf.Solution.load(run_dir / "solution"), 0)
    assert (found["lowest_sum_regret"], found["highest_sum_regret"]) == bounds.nash_conv_bounds
    assert invoke("evaluate", run_dir / "solution", "--log", data).stdout == bounds.describe() + "\n"
    both = invoke("evaluate", run_dir / "solution", "--log", data, "--game", "openspiel:kuhn_poker")
    assert (both.exit_code, "got both --game and --log" in both.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--preset", "papr"], 2, "demo, quick, paper"),
        (["--set", "psro.num_iteratons=3"], 2, "did you mean 'psro.num_iterations'"),
        (["--set", "psro.num_iterations=0"], 2, "num_iterations"),
        (["--set", "model.hidden_sizes=3"], 2, "a list, each an integer"),
        (["--set", "psro.meta_solver.kind=nas"], 2, "did you mean 'nash'"),
        (["--config", "absent.toml"], 2, "absent.toml"),
    ],
)
def test_wrong_configurations_are_refused_before_anything_is_written(invoke, tmp_path, arguments, code, words):
    result = invoke("run", "--run-dir", tmp_path / "run", *arguments)
    assert result.exit_code == code
    assert words in result.stderr
    assert not (tmp_path / "run").exists()


def test_damaged_dataset_is_bad_data(invoke, tmp_path):
    invoke("dataset", "generate", tmp_path / "data", "--num-trajectories", 10)
    file = tmp_path / "data" / "data.safetensors"
    file.write_bytes(file.read_bytes()[:-1])
    result = invoke("dataset", "validate", tmp_path / "data")
    assert (result.exit_code, str(file) in result.stderr) == (3, True)


def test_damaged_checkpoint_is_named(invoke, config, finished, tmp_path):
    run_dir = shutil.copytree(finished, tmp_path / "run")
    file = run_dir / "psro" / "iterations" / "0001" / "strategy.safetensors"
    file.write_bytes(bytes([file.read_bytes()[0] ^ 1]) + file.read_bytes()[1:])
    result = invoke("run", "--config", config, "--run-dir", run_dir, "--resume")
    assert (result.exit_code, str(file) in result.stderr) == (4, True)


def test_a_log_is_checked_by_itself_and_before_a_run(invoke, invoke_json, config, tmp_path):
    good = cf.generate_dataset(cf.load_game("generalized_bargaining"), num_trajectories=60, seed=1, mirrored=False)
    good.save(tmp_path / "good")
    assert invoke_json("dataset", "check", tmp_path / "good")["findings"] == []
    reward = np.array(good.reward)
    reward[0, 1] = 1
    cf.TrajectoryDataset(good.spec, good.arrays | {"reward": reward}).save(tmp_path / "bad")

    result = invoke("dataset", "check", tmp_path / "bad")
    assert result.exit_code == 3
    assert "refused: rewards before the end, trajectory 0, step 0" in result.stdout
    result = invoke("dataset", "check", tmp_path / "bad", "--json")
    assert (result.exit_code, json.loads(result.stdout)["is_learnable"]) == (3, False)
    assert invoke("dataset", "check", tmp_path / "good", "--terminal-threshold", 50).exit_code == 3
    assert invoke("dataset", "validate", tmp_path / "bad").exit_code == 0  # the files are whole

    result = invoke("run", "--config", config, "--dataset", tmp_path / "bad", "--run-dir", tmp_path / "run")
    assert result.exit_code == 3
    assert "run_pipeline: trajectory 0, step 0: there is a reward before the end" in result.stderr
    assert not (tmp_path / "run").exists()
    result = invoke("model", "fit", tmp_path / "bad", tmp_path / "model", "--config", config)
    assert (result.exit_code, (tmp_path / "model").exists()) == (3, False)


SELF_PLAY = """
[self_play]
hidden_sizes = [8]
num_updates = 4
num_episodes = 20
num_snapshots = 2
num_simulations = 40
[self_play.judge]
kind = "ddqn"
num_steps = 400
min_replay = 100
replay_capacity = 400
hidden_sizes = [16, 16]
[behavior_cloning]
num_steps = 50
hidden_sizes = [8]
"""


def test_self_play_by_itself_and_as_a_run(invoke, invoke_json, finished, tmp_path):
    config, run_dir, model = tmp_path / "tiny.toml", tmp_path / "run", finished / "model"
    config.write_text(TINY + SELF_PLAY)
    command = ("self-play", model, "--run-dir", run_dir, "--config", config)
    found = invoke_json(*command)
    assert (found["num_updates"], found["status"]) == (4, "complete")
    assert found["chosen_update"] in (3, 4)
    solution = cf.Solution.load(found["solution"])
    assert solution.pessimistic_regret.tolist() == found["pessimistic_regret"]
    assert invoke(*command).exit_code == 4
    again = invoke(*command, "--resume")
    assert "(the model is not to be trusted)" in again.stdout
    assert f"update {found['chosen_update']} of 4" in again.stdout
    ran = invoke_json("run", "--config", config, "--run-dir", tmp_path / "whole", "--set", "algorithm=self_play")
    assert ran["evaluation"] == "done"


def test_self_play_near_the_play_of_a_log(invoke, invoke_json, finished, tmp_path):
    config = tmp_path / "tiny.toml"
    config.write_text(TINY + SELF_PLAY)
    command = ("self-play", finished / "model", "--run-dir", tmp_path / "run", "--config", config)
    cloned = ("--set", "self_play.reference=cloned")
    result = invoke(*command, *cloned)
    assert (result.exit_code, "--dataset is to be given where" in result.stderr) == (2, True)
    assert invoke(*command, "--dataset", finished / "dataset").exit_code == 2
    assert invoke_json(*command, *cloned, "--dataset", finished / "dataset")["num_updates"] == 4
