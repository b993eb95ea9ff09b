"""Run folders: whole at every moment, verified before use, never mixed up."""

from __future__ import annotations

import dataclasses
import errno
import json
import shutil

import pytest

import coffee_fast as cf
from coffee_fast import _files
from coffee_fast._sealed import seal_of
from coffee_fast.psro import load_result


class Interrupt(Exception):
    """Stands for whatever ends a process."""


def run(model, config, folder, **options):
    return cf.coffee_psro(model, config, 3, folder, **options)


@pytest.fixture
def uninterrupted(model, config):
    return cf.coffee_psro(model, config, seed=3).fingerprint


@pytest.fixture
def finished(model, config, tmp_path):
    run(model, config, tmp_path / "run")
    return tmp_path / "run"


def stop_after(iteration):
    def progress(phase, done, total, figures):
        if phase == "psro" and done == iteration:
            raise Interrupt

    return progress


@pytest.mark.parametrize("iteration", [0, 1, 2])
def test_a_stopped_run_resumes_to_the_same_bits(model, config, tmp_path, uninterrupted, iteration):
    with pytest.raises(Interrupt):
        run(model, config, tmp_path, progress=stop_after(iteration))
    assert load_result(tmp_path).status == "incomplete"
    assert run(model, config, tmp_path, resume=True).fingerprint == uninterrupted


def test_resuming_does_not_repeat_finished_iterations(model, config, tmp_path):
    with pytest.raises(Interrupt):
        run(model, config, tmp_path, progress=stop_after(2))
    config.response.asked.clear()
    run(model, config, tmp_path, resume=True)
    assert len(config.response.asked) == 1


def test_resuming_a_finished_run_reads_it(model, config, finished, uninterrupted):
    config.response.asked.clear()
    assert run(model, config, finished, resume=True).fingerprint == uninterrupted
    assert config.response.asked == []


def test_a_folder_that_holds_a_run_is_not_overwritten(model, config, finished):
    with pytest.raises(cf.CheckpointError, match="holds a run already"):
        run(model, config, finished)


def test_a_folder_that_holds_something_else_is_left_alone(model, config, tmp_path):
    (tmp_path / "thesis.tex").write_text("...")
    for resume in (False, True):
        with pytest.raises(cf.CheckpointError, match=r"not empty and holds no run\.json"):
            run(model, config, tmp_path, resume=resume)
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"num_iterations": 4}, "config.num_iterations is 3 there and 4 here"),
        ({"num_simulations": 21}, "config.num_simulations is 20 there and 21 here"),
        (
            {"meta_solver": cf.meta_solvers.RobustReplicator(step_size=0.5)},
            "config.meta_solver.step_size is 0.001",
        ),
        ({"meta_solver": cf.meta_solvers.Uniform()}, "config.meta_solver.kind"),
        ({"objective": cf.ConservativeObjective(uncertainty_penalty=5)}, "config.objective.uncertainty_penalty is 2.0"),
    ],
)
def test_another_configuration_is_refused_by_its_field(model, config, finished, changes, field):
    with pytest.raises(cf.CheckpointError, match=field):
        run(model, dataclasses.replace(config, **changes), finished, resume=True)


def test_another_oracle_seed_or_model_is_refused(model, config, finished):
    other = dataclasses.replace(config, response=dataclasses.replace(config.response, width=9))
    with pytest.raises(cf.CheckpointError, match=r"config.response.width is 3 there and 9 here"):
        run(model, other, finished, resume=True)
    with pytest.raises(cf.CheckpointError, match="seed is 3 there and 4 here"):
        cf.coffee_psro(model, config, 4, finished, resume=True)
    model.fingerprint = "another"
    with pytest.raises(cf.CheckpointError, match="model_fingerprint is 'model' there and 'another' here"):
        run(model, config, finished, resume=True)


def all_files(folder):
    return sorted(f for f in folder.rglob("*") if f.is_file() and f.name != "seconds.json")


def test_any_damage_to_any_file_is_found_and_the_file_named(model, config, finished, tmp_path):
    assert len(all_files(finished)) == 2 + 3 * 4
    for file in all_files(finished):
        name, data = file.relative_to(finished), file.read_bytes()
        flipped = bytes([*data[: len(data) // 2], data[len(data) // 2] ^ 1, *data[len(data) // 2 + 1 :]])
        for number, damaged in enumerate((b"", data[: len(data) // 2], data[:-2], data + b"x", flipped, None)):
            copy = tmp_path / f"{number}" / name.as_posix().replace("/", "-")
            shutil.copytree(finished, copy)
            (copy / name).unlink()
            if damaged is not None:
                (copy / name).write_bytes(damaged)
            if name.name == "latest.json" and damaged is None:
                continue  # nothing was switched to yet: the run starts over
            with pytest.raises(cf.CheckpointError) as caught:
                run(model, config, copy, resume=True)
            assert file.name in str(caught.value) or name.name in ("run.json", "latest.json"), (name, number)


def test_a_file_that_latest_does_not_vouch_for_is_refused(model, config, finished):
    latest = json.loads((finished / "latest.json").read_text())
    del latest["files"]["iterations/0001/record.json"]
    _files.write_json(finished / "latest.json", latest | {"seal": seal_of(latest)})
    with pytest.raises(cf.CheckpointError, match=r"does not name record\.json of iteration 1"):
        run(model, config, finished, resume=True)


@pytest.mark.parametrize("hook", ["_write", "_fsync", "_rename"])
def test_a_disk_that_is_full_at_any_step_leaves_a_resumable_run(model, config, tmp_path, monkeypatch, hook):
    config = dataclasses.replace(config, num_iterations=1, meta_solver=cf.meta_solvers.Uniform())
    uninterrupted = cf.coffee_psro(model, config, seed=3).fingerprint
    original, calls, full_at = getattr(_files, hook), 0, 0

    def full_once(*arguments):
        nonlocal calls
        calls += 1
        if calls == full_at:
            raise OSError(errno.ENOSPC, "No space left on device")
        return original(*arguments)

    monkeypatch.setattr(_files, hook, full_once)
    run(model, config, tmp_path / "counted")
    num_steps = calls
    assert num_steps > 8
    for step in range(1, num_steps + 1):
        calls, full_at = 0, step
        with pytest.raises(OSError, match="space left"):
            run(model, config, tmp_path / f"{step}")
        assert run(model, config, tmp_path / f"{step}", resume=True).fingerprint == uninterrupted


def test_leftovers_of_a_cut_off_write_are_swept_up(model, config, tmp_path, uninterrupted):
    with pytest.raises(Interrupt):
        run(model, config, tmp_path, progress=stop_after(1))
    shutil.copytree(tmp_path / "iterations" / "0001", tmp_path / "iterations" / ".0002.abc.tmp")
    shutil.copytree(tmp_path / "iterations" / "0001", tmp_path / "iterations" / "0002")
    (tmp_path / ".latest.json.abc.tmp").write_text("{")
    assert run(model, config, tmp_path, resume=True).fingerprint == uninterrupted
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_folder_without_a_complete_iteration_has_no_result(model, config, tmp_path):
    with pytest.raises(cf.CheckpointError, match=r"run\.json"):
        load_result(tmp_path)
    run(model, config, tmp_path)
    (tmp_path / "latest.json").unlink()
    with pytest.raises(cf.CheckpointError, match="no complete iteration"):
        load_result(tmp_path)
