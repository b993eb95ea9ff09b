"""A run's folder: whatever is altered in it is noticed, and it is not gone on with on an unlike machine."""

from __future__ import annotations

import dataclasses
import json
import shutil

import pytest

import coffee_fast as cf
from coffee_fast import _provenance
from coffee_fast.pipeline import run_pipeline
from coffee_fast.psro import load_result


class Interrupt(Exception):
    """Stands for whatever ends a process."""


@pytest.fixture
def folder(finished):
    return finished[0]


READ_BACK = {
    "config.json": cf.rewrite_report,
    "seconds.json": cf.rewrite_report,
    "dataset.json": cf.rewrite_report,
    "evaluation/evaluation.json": cf.rewrite_report,
    "dataset/manifest.json": lambda run: cf.TrajectoryDataset.load(run / "dataset"),
    "model/manifest.json": lambda run: cf.DynamicsEnsemble.load(run / "model"),
    "model/model.safetensors": lambda run: cf.DynamicsEnsemble.load(run / "model"),
    "solution/solution.json": lambda run: cf.Solution.load(run / "solution"),
    "solution/solution.safetensors": lambda run: cf.Solution.load(run / "solution"),
    "psro/run.json": lambda run: load_result(run / "psro"),
    "psro/latest.json": lambda run: load_result(run / "psro"),
    "psro/iterations/0001/record.json": lambda run: load_result(run / "psro"),
    "psro/iterations/0001/seconds.json": lambda run: load_result(run / "psro"),
    "psro/iterations/0002/payoffs.safetensors": lambda run: load_result(run / "psro"),
}


def says(text: bytes) -> object:
    """What a JSON text says; None if it is none."""
    try:
        return json.loads(text)
    except ValueError:
        return None


@pytest.mark.parametrize("name", READ_BACK)
def test_any_altered_digit_is_noticed(folder, name, monkeypatch, rng):
    monkeypatch.setattr("coffee_fast.pipeline.run.write_report", lambda *_, **__: None)  # takes its time
    file, read = folder / name, READ_BACK[name]
    whole, value = file.read_bytes(), json.loads(file.read_bytes()) if name.endswith(".json") else None
    digits = [place for place, byte in enumerate(whole) if chr(byte).isdigit()]
    try:
        for place in [*rng.choice(digits, 12), *rng.integers(len(whole), size=12)]:
            damaged = bytearray(whole)
            damaged[place] = ord("3") if whole[place] != ord("3") else ord("4")
            if value is not None and says(damaged) == value:
                continue  # the last digit of a number may be one too many for a float
            file.write_bytes(damaged)
            with pytest.raises(cf.CoffeeError) as caught:
                read(folder)
            assert str(file) in str(caught.value)
        for text in ("{}", "[]", "", json.dumps({"format": 2, "kind": "?"}), '{"policies": [1]}', '{"a": Infinity}'):
            if text == "{}" and file.name == "seconds.json":
                continue  # so it was before the first stage had ended
            file.write_text(text)
            with pytest.raises(cf.CoffeeError):
                read(folder)
        for key in value or ():
            for wrong in (None, 3, [1], {"a": "b"}, "1"):
                if type(wrong) is not type(value[key]):
                    file.write_text(json.dumps(value | {key: wrong}))
                    with pytest.raises(cf.CoffeeError):
                        read(folder)
    finally:
        file.write_bytes(whole)
    read(folder)


def test_latest_names_files_of_its_own_iterations_only(folder, tmp_path):
    from coffee_fast._sealed import seal_of

    copy = shutil.copytree(folder / "psro", tmp_path / "psro")
    whole = json.loads((copy / "latest.json").read_text())
    del whole["seal"]
    for changes, message in [
        ({"files": whole["files"] | {"../../etc/passwd": "0"}}, r"names '\.\./\.\./etc/passwd', which is no file"),
        ({"files": whole["files"] | {"/dev/zero": "0"}}, "names '/dev/zero', which is no file"),
        ({"iteration": 10**15}, "which are not those of"),
        ({"iteration": -1}, "which are not those of"),
        ({"iteration": 1}, "names 'iterations/0002"),
    ]:
        content = whole | changes
        (copy / "latest.json").write_text(json.dumps(content | {"seal": seal_of(content)}))
        with pytest.raises(cf.CheckpointError, match=message):
            load_result(copy)


def stop_at(phase, done):
    def progress(now, now_done, total, figures):
        if (now, now_done) == (phase, done):
            raise Interrupt

    return progress


@pytest.fixture
def on_another_machine(monkeypatch):
    here = _provenance.machine()

    def switch(isa="portable"):
        for module in ("_provenance", "pipeline.run", "psro.checkpoint", "psro.equilibria", "responses.request"):
            monkeypatch.setattr(f"coffee_fast.{module}.machine", lambda: {**here, "isa": isa})

    return switch


def test_a_run_is_not_finished_on_an_unlike_machine_without_a_word(tiny_run, tmp_path, on_another_machine):
    on_another_machine("avx1024")
    with pytest.raises(Interrupt):
        run_pipeline(tiny_run, tmp_path / "run", progress=stop_at("psro", 1))
    on_another_machine("portable")
    begun = "begun on another machine or build: isa is 'avx1024' there and 'portable' here.*resume=\"anyway\""
    with pytest.raises(cf.CheckpointError, match=begun):
        run_pipeline(tiny_run, tmp_path / "run", resume=True)
    model = cf.DynamicsEnsemble.load(tmp_path / "run" / "model")
    seed = load_result(tmp_path / "run" / "psro").seed
    with pytest.raises(cf.CheckpointError, match=begun):
        cf.coffee_psro(model, tiny_run.psro, seed, tmp_path / "run" / "psro", resume=True)
    run_pipeline(tiny_run, tmp_path / "run", resume="anyway")
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert [machine["isa"] for machine in results["machines"]] == ["avx1024", "portable"]
    # What is finished is only read, wherever that is.
    on_another_machine("neon")
    cf.coffee_psro(model, tiny_run.psro, seed, tmp_path / "run" / "psro", resume=True)
    run_pipeline(tiny_run, tmp_path / "run", resume=True)


def test_a_run_that_has_found_nothing_gives_way_to_a_corrected_one(tiny_run, tmp_path, monkeypatch):
    run, other = tmp_path / "run", dataclasses.replace(tiny_run, seed=12)

    def refuse(*_, **__):
        raise cf.DatasetError("this log cannot be learned from")

    with monkeypatch.context() as patch:
        patch.setattr("coffee_fast.pipeline.stages.generate_dataset", refuse)
        with pytest.raises(cf.DatasetError):
            run_pipeline(tiny_run, run)
    with pytest.raises(Interrupt):
        run_pipeline(other, run, progress=stop_at("fit dynamics", 60))
    assert json.loads((run / "config.json").read_text())["config"]["seed"] == 12
    # The dataset is there now; parts that it does not depend on may still be others.
    with pytest.raises(cf.CheckpointError, match=r"config\.seed is 12 there and 11 here"):
        run_pipeline(tiny_run, run, resume=True)
    corrected = dataclasses.replace(other, model=dataclasses.replace(other.model, hidden_sizes=(4, 4)))
    with pytest.raises(Interrupt):
        run_pipeline(corrected, run, resume=True, progress=stop_at("psro", 0))
    with pytest.raises(cf.CheckpointError, match=r"config\.model\.hidden_sizes"):
        run_pipeline(other, run, resume=True)
    with pytest.raises(cf.CheckpointError, match="holds a run already"):
        run_pipeline(corrected, run)
    last = dataclasses.replace(corrected, psro=dataclasses.replace(corrected.psro, num_simulations=31))
    with pytest.raises(Interrupt):
        run_pipeline(last, run, resume=True, progress=stop_at("psro", 1))
    with pytest.raises(cf.CheckpointError, match=r"config\.psro\.num_simulations is 31 there and 30 here"):
        run_pipeline(corrected, run, resume=True)


def test_what_is_no_folder_of_a_run_is_refused(tiny_run, tmp_path):
    (tmp_path / "file").write_text("...")
    for path in (tmp_path / "file", None, 3, "a\0b"):
        with pytest.raises(cf.CheckpointError):
            run_pipeline(tiny_run, path)
