"""A run from logged play to report: what it leaves behind, what it refuses, how it goes on."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re

import pytest

import coffee_fast as cf
from coffee_fast.pipeline import DatasetConfig, RunConfig, run_pipeline
from coffee_fast.psro import load_result
from coffee_fast.seeding import derive_seed


class Interrupt(Exception):
    """Stands for whatever ends a process."""


def contents(run_dir):
    """sha256 of every file that the seed determines."""
    of_the_clock = {"seconds.json", "results.json", "report.md", "report.html"}
    return {
        file.relative_to(run_dir).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(run_dir.rglob("*"))
        if file.is_file() and file.name not in of_the_clock
    }


def test_a_run_leaves_everything_in_its_folder(finished):
    folder, summary = finished
    for name in ("config.json", "results.json", "report.md", "regret.png", "payoffs.png", "disagreement.png"):
        assert (folder / name).stat().st_size > 0
    for name in ("dataset", "model", "psro", "solution", "evaluation"):
        assert (folder / name).is_dir()
    results = json.loads((folder / "results.json").read_text())
    assert results["summary"] == summary.to_json()
    assert summary.evaluation == "done"
    assert summary.initial_sum_regret > 0
    assert summary.seconds > 0


def test_every_stage_has_a_seed_of_its_own(finished, tiny_run):
    folder, _ = finished
    assert cf.TrajectoryDataset.load(folder / "dataset").seed == derive_seed(tiny_run.seed, "dataset")
    assert cf.DynamicsEnsemble.load(folder / "model").seed == derive_seed(tiny_run.seed, "model")
    assert load_result(folder / "psro").seed == derive_seed(tiny_run.seed, "psro")
    evaluation = json.loads((folder / "evaluation" / "evaluation.json").read_text())
    assert {entry["seed"] for entry in evaluation["regret"]} == {derive_seed(tiny_run.seed, "evaluation")}


def test_the_report_says_what_was_found(finished):
    folder, summary = finished
    text = (folder / "report.md").read_text()
    assert f"**{summary.final_sum_regret:.2f} ± " in text
    assert f"**{summary.initial_sum_regret:.2f} ± " in text
    assert "opponent trained against that of iteration 0" in text or "strategy" in text
    for heading in ("## The solution", "## The log it learned from", "## The model", "## Iteration by iteration"):
        assert heading in text
    for line in text.splitlines():
        if line.startswith("!["):
            assert (folder / line.split("(")[1].rstrip(")")).exists()


def test_the_report_can_be_written_anew(finished):
    folder, summary = finished
    before = (folder / "report.md").read_text()
    (folder / "report.md").unlink()
    assert cf.rewrite_report(folder) == summary
    assert (folder / "report.md").read_text() == before


def test_the_solution_in_the_folder_can_be_played(finished):
    folder, _ = finished
    solution = cf.Solution.load(folder / "solution")
    game = cf.load_game("generalized_bargaining")
    assert cf.simulate(game, [solution, "uniform_random"], num_episodes=10, seed=0).returns.shape == (10, 2)


def stop_at(phase, done):
    def progress(now, now_done, total, figures):
        if (now, now_done) == (phase, done):
            raise Interrupt

    return progress


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(("dataset", 60), marks=SLOW),
        ("fit dynamics", 60),
        pytest.param(("psro", 0), marks=SLOW),
        ("psro", 1),
        ("best responses", 1),
        pytest.param(("evaluation", 2), marks=SLOW),
    ],
)
def test_a_run_that_was_stopped_goes_on_to_the_same_files(tiny_run, finished, tmp_path, moment):
    folder, _ = finished
    with pytest.raises(Interrupt):
        run_pipeline(tiny_run, tmp_path / "run", progress=stop_at(*moment))
    with pytest.raises(cf.CheckpointError, match="holds a run already"):
        run_pipeline(tiny_run, tmp_path / "run")
    run_pipeline(tiny_run, tmp_path / "run", resume=True)
    assert contents(tmp_path / "run") == contents(folder)


def test_leftovers_of_cut_off_writes_are_swept_up(tiny_run, finished, tmp_path):
    with pytest.raises(Interrupt):
        run_pipeline(tiny_run, tmp_path / "run", progress=stop_at("psro", 1))
    (tmp_path / "run" / ".model.123.tmp").mkdir()
    (tmp_path / "run" / ".model.123.tmp" / "model.safetensors").write_text("...")
    for folder in (tmp_path / "run", tmp_path / "run" / "evaluation" / "judge"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".seconds.json.123.tmp").write_text("{")
    run_pipeline(tiny_run, tmp_path / "run", resume=True)
    assert contents(tmp_path / "run") == contents(finished[0])


def test_threads_change_no_file(tiny_run, finished, tmp_path):
    run_pipeline(tiny_run, tmp_path / "run", num_threads=2)
    assert contents(tmp_path / "run") == contents(finished[0])


def test_finished_stages_are_not_repeated(tiny_run, finished, tmp_path):
    told = []
    run_pipeline(tiny_run, finished[0], resume=True, progress=lambda *call: told.append(call[0]))
    assert set(told) == {"dataset"}


def test_another_configuration_is_refused_by_its_field(tiny_run, finished):
    other = dataclasses.replace(tiny_run, model=dataclasses.replace(tiny_run.model, num_members=3))
    with pytest.raises(cf.CheckpointError, match=r"config\.model\.num_members is 2 there and 3 here"):
        run_pipeline(other, finished[0], resume=True)
    with pytest.raises(cf.CheckpointError, match=r"config\.seed is 11 there and 12 here"):
        run_pipeline(dataclasses.replace(tiny_run, seed=12), finished[0], resume=True)


def test_a_folder_of_something_else_is_left_alone(tiny_run, tmp_path):
    (tmp_path / "thesis.tex").write_text("...")
    with pytest.raises(cf.CheckpointError, match="holds no run"):
        run_pipeline(tiny_run, tmp_path, resume=True)


def test_a_run_that_is_not_finished_has_no_report(tiny_run, tmp_path):
    with pytest.raises(cf.CheckpointError, match=r"config\.json"):
        cf.rewrite_report(tmp_path)
    with pytest.raises(Interrupt):
        run_pipeline(tiny_run, tmp_path / "run", progress=stop_at("psro", 1))
    with pytest.raises(cf.CheckpointError, match="not finished"):
        cf.rewrite_report(tmp_path / "run")


@pytest.fixture
def own_dataset():
    return cf.generate_dataset(cf.load_game("generalized_bargaining"), num_trajectories=60, seed=9)


def test_a_dataset_of_ones_own_is_learned_from(tiny_run, own_dataset, tmp_path):
    own_dataset.save(tmp_path / "log")
    summary = run_pipeline(tiny_run, tmp_path / "run", tmp_path / "log")
    assert summary.evaluation == "done"
    assert not (tmp_path / "run" / "dataset").exists()
    with pytest.raises(cf.CheckpointError, match="own_dataset"):
        run_pipeline(tiny_run, tmp_path / "run", resume=True)


def test_a_dataset_may_be_named_by_the_configuration_and_move(tiny_run, own_dataset, tmp_path, monkeypatch):
    own_dataset.save(tmp_path / "log")
    monkeypatch.chdir(tmp_path)
    named = dataclasses.replace(tiny_run, dataset=DatasetConfig(path="log"))
    assert RunConfig.from_json(named.to_json()) == named
    expected = run_pipeline(dataclasses.replace(tiny_run, dataset=DatasetConfig()), tmp_path / "given", own_dataset)
    found = run_pipeline(named, tmp_path / "named")
    assert found.final_sum_regret == expected.final_sum_regret

    (tmp_path / "log").rename(tmp_path / "elsewhere")
    # what else is said of data is not used, so it makes no other run
    moved = dataclasses.replace(tiny_run, dataset=DatasetConfig(path="elsewhere", num_trajectories=7))
    assert run_pipeline(moved, tmp_path / "named", resume=True).final_sum_regret == expected.final_sum_regret
    with pytest.raises(cf.CheckpointError, match="own_dataset"):
        run_pipeline(dataclasses.replace(tiny_run, dataset=DatasetConfig()), tmp_path / "named", resume=True)


def test_without_a_true_game_the_evaluation_is_skipped_and_said_so(tiny_run, own_dataset, tmp_path, monkeypatch):
    spec = dataclasses.replace(own_dataset.spec, name="our_auction_house")
    log = cf.TrajectoryDataset(spec, own_dataset.arrays)
    summary = run_pipeline(tiny_run, tmp_path / "run", log)
    assert summary.evaluation.startswith("skipped, since there is no true game to play in")
    assert "our_auction_house" in summary.evaluation
    assert (summary.initial_sum_regret, summary.final_sum_regret) == (None, None)
    text = (tmp_path / "run" / "report.md").read_text()
    assert "How good it is in the true game is not known" in text
    assert "No bounds on regret come from the log without a model: GameTree.from_dataset: of" in text
    assert not (tmp_path / "run" / "disagreement.png").exists()
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert "in 'our_auction_house'" in text
    assert "load_game" not in code
    monkeypatch.chdir(tmp_path / "run")
    played: dict = {}
    exec(code, played)
    assert played["action"] in (0, 1, 2)


def test_two_processes_do_not_work_in_one_folder(tiny_run, tmp_path):
    def second_call(*_):
        with pytest.raises(cf.CheckpointError, match="another process is at work here"):
            run_pipeline(tiny_run, tmp_path / "run", resume=True)
        raise Interrupt

    with pytest.raises(Interrupt):
        run_pipeline(tiny_run, tmp_path / "run", progress=second_call)
    assert not (tmp_path / "run" / ".lock").exists()


@pytest.mark.parametrize("algorithm", ["coffee_psro", "oef", "oef_bc"])
def test_a_log_that_no_model_is_learned_from_is_refused_before_anything_is_learned(
    tiny_run, own_dataset, tmp_path, algorithm
):
    tiny_run = dataclasses.replace(tiny_run, algorithm=algorithm)
    near = dataclasses.replace(tiny_run, model=dataclasses.replace(tiny_run.model, terminal_threshold=50.0))
    with pytest.raises(cf.DatasetError, match="run_pipeline: trajectory 0, step 0: the state is"):
        run_pipeline(near, tmp_path / "run", own_dataset)
    assert not (tmp_path / "run").exists()
