"""Who gets which run when, what becomes of failures, and what the files say."""

from __future__ import annotations

import json
import threading

import pyarrow.parquet as parquet
import pytest

import coffee_fast as cf
from coffee_fast import _files
from coffee_fast._sealed import write_sealed_json
from coffee_fast.sweeps import SweepPlan, run_sweep, states
from coffee_fast.sweeps.worker import execute


def rows(folder) -> list[dict]:
    return parquet.read_table(folder / "results.parquet").to_pylist()


def in_words(summary) -> str:
    return " ".join(state.state for state in summary.states.values())


def test_every_run_is_carried_out_once_and_then_skipped(pipeline, plan, tmp_path):
    told = []
    summary = run_sweep(plan, tmp_path / "s", progress=lambda *call: told.append(call))
    assert summary.is_complete
    assert told[0] == ("sweep", 0, 6, {"failed": 0.0})
    assert told[-1] == ("sweep", 6, 6, {"failed": 0.0})
    assert (f"{plan.runs[0].key}: psro", 0, 1, {}) in told
    before = (tmp_path / "s" / "results.parquet").read_bytes()
    assert run_sweep(plan, tmp_path / "s").is_complete
    assert pipeline.calls == dict.fromkeys(range(6), 1)
    assert (tmp_path / "s" / "results.parquet").read_bytes() == before


def test_a_larger_plan_takes_up_what_is_there(pipeline, plan, tmp_path):
    run_sweep(plan, tmp_path)
    larger = SweepPlan.from_mapping({"name": "larger", "seeds": 8, "grid": {"psro.num_iterations": [40, 41]}})
    assert run_sweep(larger, tmp_path).is_complete
    assert sum(pipeline.calls.values()) == 16


def test_sweeps_in_one_folder_share_the_work(pipeline, plan, tmp_path):
    pipeline.seconds = 0.02
    pipeline.faults = {3: [cf.DatasetError("no such log")]}
    summaries = []
    sweeps = [
        threading.Thread(target=lambda: summaries.append(run_sweep(plan, tmp_path, keep_going=True))) for _ in range(4)
    ]
    for sweep in sweeps:
        sweep.start()
    for sweep in sweeps:
        sweep.join()
    assert pipeline.calls == dict.fromkeys(range(6), 1)  # the failing one too
    assert [in_words(summary) for summary in summaries] == ["done done done failed done done"] * 4
    assert [row["state"] for row in rows(tmp_path)].count("done") == 5 * 12


def test_the_table_does_not_depend_on_the_order_of_ends(pipeline, plan, tmp_path):
    run_sweep(plan, tmp_path / "a", num_workers=1)
    pipeline.faults = {0: [OSError(28, "No space left on device")], 4: [MemoryError()]}
    run_sweep(plan, tmp_path / "b", num_workers=2)
    a, b = ((tmp_path / name / "results.parquet").read_bytes() for name in "ab")
    assert a == b


def test_the_table_has_a_row_for_each_solution(pipeline, tmp_path):
    solvers = [{"kind": "replicator"}, {"kind": "uniform"}]
    grid = {"psro.meta_solver": solvers, "model.hidden_sizes": [[8, 8]], "psro.num_iterations": [40]}
    run_sweep(SweepPlan.from_mapping({"grid": grid, "seeds": [5]}), tmp_path)
    table = rows(tmp_path)
    names = ("meta_solver.kind", "cloning_weight", "fidelity.correlation", "solution.status")
    assert [(*(row[name] for name in names), row["iteration"], row["is_last"], row["sum_regret"]) for row in table] == [
        (kind, weight, weight, "converged" if kind == "nash" else None, iteration, iteration == 10, 5 + iteration)
        for _ in solvers
        for weight in (0.0, 0.5)
        for kind in ("nash", "uniform")
        for iteration in (0, 10, 9)
    ]
    assert {row["config.psro.meta_solver.kind"] for row in table} == {"replicator", "uniform"}
    assert {row["config.psro.meta_solver.step_size"] for row in table} == {1e-3, None}
    assert {row["config.model.hidden_sizes"] for row in table} == {"[8, 8]"}
    assert {type(row["config.psro.num_iterations"]) for row in table} == {int}
    assert not any("seconds" in name for name in table[0])
    assert parquet.read_table(tmp_path / "times.parquet").column_names == ["key", "seconds"]


def test_after_a_failure_no_run_is_started(pipeline, plan, tmp_path):
    pipeline.faults = {1: [cf.DatasetError("no such log")]}
    summary = run_sweep(plan, tmp_path, num_workers=1)
    assert in_words(summary) == "done failed pending pending pending pending"
    assert summary.states[plan.runs[1].key].reason == "no such log"
    assert pipeline.calls == {0: 1, 1: 1}
    assert [(row["state"], row["reason"]) for row in rows(tmp_path)][12] == ("failed", "no such log")
    assert run_sweep(plan, tmp_path, num_workers=1).is_complete  # failed runs are tried anew
    assert pipeline.calls[1] == 2


def test_with_keep_going_the_others_go_on(pipeline, plan, tmp_path):
    pipeline.faults = {1: [cf.DatasetError("no such log")], 2: [RuntimeError("out of order")] * 2}
    summary = run_sweep(plan, tmp_path, keep_going=True)
    assert in_words(summary) == "done failed failed done done done"
    assert summary.states[plan.runs[2].key].reason == "RuntimeError: out of order"
    assert pipeline.calls == {0: 1, 1: 1, 2: 2, 3: 1, 4: 1, 5: 1}  # the first would fail again, the second was retried


@pytest.mark.parametrize(("retries", "state", "calls"), [(0, "failed", 1), (1, "failed", 2), (2, "done", 3)])
def test_errors_of_the_machine_are_tried_again(pipeline, tmp_path, retries, state, calls):
    pipeline.faults = {0: [OSError(28, "No space left on device")] * 2}
    plan = SweepPlan.from_mapping({})
    assert in_words(run_sweep(plan, tmp_path, retries=retries)) == state
    assert pipeline.calls == {0: calls}


@pytest.mark.parametrize(("deaths", "state"), [(1, "done"), (2, "failed")])
def test_a_lost_worker_is_replaced(pipeline, death, tmp_path, deaths, state):
    pipeline.faults = {0: [death] * deaths}
    plan = SweepPlan.from_mapping({})
    summary = run_sweep(plan, tmp_path)
    assert in_words(summary) == state
    assert summary.states[plan.runs[0].key].reason == ("struck by lightning (2 attempts)" if deaths == 2 else "")
    assert pipeline.calls == {0: 2}


def test_damaged_results_are_named_and_left_alone(pipeline, plan, tmp_path):
    run_sweep(plan, tmp_path)
    file = tmp_path / "runs" / plan.runs[2].key / "results.json"
    file.write_text("{")
    summary = run_sweep(plan, tmp_path, keep_going=True)
    assert in_words(summary) == "done done failed done done done"
    assert str(file) in summary.states[plan.runs[2].key].reason
    assert (file.read_text(), pipeline.calls[2]) == ("{", 1)
    file.unlink()
    assert run_sweep(plan, tmp_path).is_complete


def test_an_altered_figure_is_noticed(pipeline, plan, tmp_path):
    run_sweep(plan, tmp_path)
    key = plan.runs[2].key
    file = tmp_path / "runs" / key / "results.json"
    results = json.loads(file.read_text())
    write_sealed_json(file, "run_results", results)
    assert run_sweep(plan, tmp_path).is_complete
    file.write_text(file.read_text().replace('"sum_regret": 12', '"sum_regret": 11'))
    assert states(plan, tmp_path)[key].is_damaged
    assert f"{file}: was altered" in states(plan, tmp_path)[key].reason
    write_sealed_json(file, "run_results", results)
    outcome = tmp_path / "outcomes" / f"{key}.json"
    outcome.write_text(outcome.read_text().replace('"num_attempts": 1', '"num_attempts": 2'))
    assert states(plan, tmp_path)[key].state == "failed"


def test_a_damaged_outcome_has_the_run_looked_at_again(pipeline, plan, tmp_path):
    run_sweep(plan, tmp_path)
    (tmp_path / "outcomes" / f"{plan.runs[2].key}.json").write_text("{")
    assert states(plan, tmp_path)[plan.runs[2].key].state == "failed"
    assert run_sweep(plan, tmp_path).is_complete


def test_states_come_from_the_files(pipeline, plan, tmp_path):
    assert {state.state for state in states(plan, tmp_path / "s").values()} == {"pending"}
    assert not (tmp_path / "s").exists()
    run_sweep(plan, tmp_path / "s")
    key = plan.runs[0].key
    (tmp_path / "s" / "outcomes" / f"{key}.json").unlink()
    with _files.lock(tmp_path / "s" / "locks" / key):
        assert states(plan, tmp_path / "s")[key].state == "running"
    assert states(plan, tmp_path / "s")[key].state == "pending"


def test_a_folder_of_something_else_is_left_alone(plan, tmp_path):
    (tmp_path / "thesis.tex").write_text("...")
    with pytest.raises(cf.CheckpointError, match="holds no sweep"):
        run_sweep(plan, tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_machine_that_does_not_see_the_folder_says_so(tmp_path):
    answer = execute({"sweep_dir": str(tmp_path / "away"), "key": "a"})
    assert answer["verdict"] == "failed"
    assert "must share the sweep's folder" in answer["reason"]
    assert not (tmp_path / "away").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"num_workers": 10_000}, "at most the .* cores of this machine, got 10000 x 1"),
        ({"num_workers": 1, "threads_per_run": 10_000}, "got 1 x 10000"),
        ({"threads_per_run": 0}, "threads_per_run must be an integer >= 1"),
        ({"num_workers": 0}, "num_workers must be an integer >= 1"),
        ({"retries": -1}, "retries must be an integer >= 0"),
        ({"engine": "slurm"}, "engine must be one of local, ray, got 'slurm'"),
        ({"address": "here"}, "address is for engine='ray'"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_written(plan, tmp_path, arguments, words):
    with pytest.raises(cf.InvalidArgumentError, match=words):
        run_sweep(plan, tmp_path / "s", **arguments)
    assert not (tmp_path / "s").exists()


def test_the_plan_in_the_folder_says_which_run_is_which(pipeline, plan, tmp_path):
    run_sweep(plan, tmp_path)
    there = json.loads((tmp_path / "plan.json").read_text())
    assert [(run["key"], run["seed"]) for run in there["runs"]] == [(run.key, run.seed) for run in plan.runs]
