"""Sealed files: an alteration shows, a wrong form is named by its place, and nothing but a regular file is read."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest
from tests.disk_faults import Crash, break_step

import coffee_fast as cf
from coffee_fast import _files
from coffee_fast._provenance import machine, same_machine
from coffee_fast._sealed import check_form, read_sealed_json, seal_of, write_sealed_json
from coffee_fast.config import read_toml
from coffee_fast.psro import load_result

FORM = {"name": str, "count": int, "sizes": [float], "parts?": {...: (float, None)}}
GOOD = {"name": "a", "count": 3, "sizes": [1, 2.5], "parts": {"x": None}}


@pytest.fixture
def file(tmp_path):
    write_sealed_json(tmp_path / "thing.json", "thing", GOOD)
    return tmp_path / "thing.json"


def read(file):
    return read_sealed_json(file, "thing", FORM)


def test_what_was_written_is_read(file):
    assert read(file) == GOOD


def test_a_change_of_any_byte_shows_or_means_nothing(file):
    whole = file.read_bytes()
    for place in range(len(whole)):
        for damaged in (whole[place] ^ 1 << place % 8, ord("7")):
            file.write_bytes(bytes([*whole[:place], damaged, *whole[place + 1 :]]))
            try:
                assert read(file) == GOOD
            except cf.CheckpointError as error:
                assert str(file) in str(error)


def test_files_of_before_there_were_seals_are_read(file):
    for about in ({}, {"format": 1}, {"format": 1, "kind": "thing"}):
        _files.write_json(file, GOOD | about)
        assert read(file) == GOOD
    _files.write_json(file, GOOD | {"kind": "thing", "format": 2})
    with pytest.raises(cf.CheckpointError, match="has no seal in format 2"):
        read(file)
    sealed = GOOD | {"kind": "thing", "format": 1}
    _files.write_json(file, sealed | {"seal": seal_of(sealed)})
    with pytest.raises(cf.CheckpointError, match="has a seal in format 1"):
        read(file)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "other"}, "must describe a thing, got 'other'"),
        ({"format": 3}, "must be of format 1 or 2, got 3"),
        ({"format": True}, "must be of format 1 or 2, got True"),
        ({"count": "3"}, "count must be an integer, got '3'"),
        ({"count": 3.0}, "count must be an integer, got 3.0"),
        ({"count": True}, "count must be an integer, got True"),
        ({"sizes": 1}, "sizes must be a list, got 1"),
        ({"sizes": [1, "2"]}, r"sizes\[1\] must be a number, got '2'"),
        ({"parts": {"x": "y"}}, r"parts\.x must be a number, got 'y'"),
        ({"parts": []}, r"parts must be an object, got \[\]"),
        ({"color": 1}, "there is no field 'color'"),
        ({"name": None}, "name must be text, got None"),
    ],
)
def test_a_wrong_form_is_named_by_its_place(file, changes, message):
    content = GOOD | {"kind": "thing", "format": 2} | changes
    _files.write_json(file, content | {"seal": seal_of(content)})
    with pytest.raises(cf.CheckpointError, match=rf"thing\.json: {message}"):
        read(file)


def test_a_missing_field_is_named():
    with pytest.raises(cf.CheckpointError, match=r"here: the field 'a\.b' is missing"):
        check_form({"a": {}}, {"a": {"b": int}}, "here")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1, "a": 1}', "the key 'a' is given twice"),
        ('{"a": NaN}', "the number NaN is not finite"),
        ('{"a": [-Infinity]}', "the number -Infinity is not finite"),
        ('{"a": 1e999}', "the number 1e999 is not finite"),
        ('{"a": ' + "9" * 30 + "}", "the integer 9{30} has more than 64 bits"),
        ('{"a": ' + "[" * 200 + "]" * 200 + "}", "nested more than 100 deep"),
        ('{"a": ' * 100_000, "nested more than 100 deep"),
        ("{", "Expecting"),
    ],
)
def test_json_that_nobody_means_is_refused(tmp_path, text, message):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(cf.CheckpointError, match=rf"a\.json: is not JSON: .*{message}"):
        _files.read_json(tmp_path / "a.json")


def test_a_file_beyond_all_sense_is_not_read(tmp_path):
    with (tmp_path / "a.json").open("wb") as file:
        file.truncate(1 << 40)  # takes no room on the disk
    with pytest.raises(cf.CheckpointError, match="bytes, more than the"):
        _files.read_json(tmp_path / "a.json")
    with pytest.raises(cf.CheckpointError, match="bytes, more than the"):
        _files.read_tensors(tmp_path / "a.json")


READERS = [
    (_files.read_json, cf.CheckpointError),
    (_files.read_tensors, cf.CheckpointError),
    (_files.read_metadata, cf.CheckpointError),
    (_files.sha256_of, cf.CheckpointError),
    (read_toml, cf.ConfigError),
]


@pytest.mark.parametrize(("reader", "error"), READERS)
def test_only_regular_files_are_read_and_nothing_waits(tmp_path, reader, error):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/zero")
    (tmp_path / "folder").mkdir()
    for name, what in (("pipe", "a pipe or a device"), ("link", "a pipe or a device"), ("folder", "a folder")):
        with pytest.raises(error, match=f"{name}: cannot be read: is {what}, expected a regular file"):
            reader(tmp_path / name)


LOADERS = [
    (cf.TrajectoryDataset.load, cf.DatasetError),
    (cf.DynamicsEnsemble.load, cf.CheckpointError),
    (cf.Solution.load, cf.CheckpointError),
    (load_result, cf.CheckpointError),
    (cf.rewrite_report, cf.CheckpointError),
    (cf.load_payoffs, cf.InvalidGameError),
    (read_toml, cf.ConfigError),
]


@pytest.mark.parametrize(("load", "error"), LOADERS)
@pytest.mark.parametrize("path", [None, 5, b"x", "a\0b", ["a"], "nothing here.csv", "/dev/null", os.sep])
def test_what_is_no_path_is_refused(load, error, path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error):
        load(path)


@pytest.fixture
def saved(tmp_path):
    """Each kind of thing that is saved: how, and the name of a file in it."""
    game = cf.load_game("generalized_bargaining")
    table = cf.PayoffTable.symmetric([[1.0]])
    solution = cf.Solution.extract([cf.UniformRandom()], table, cf.meta_solvers.Uniform())
    return [cf.generate_dataset(game, num_trajectories=4, seed=0), solution]


def test_a_save_may_replace_its_like_and_nothing_else(saved, tiny_model, tmp_path):
    for number, thing in enumerate([*saved, tiny_model]):
        folder = tmp_path / str(number) / "thing"
        thing.save(folder)
        before = {entry.name: entry.read_bytes() for entry in folder.iterdir()}
        with pytest.raises(cf.CoffeeError, match="there is something here already"):
            thing.save(folder)
        thing.save(folder, overwrite=True)
        assert {entry.name: entry.read_bytes() for entry in folder.iterdir()} == before
        thing.save(tmp_path / str(number) / "new", overwrite=True)
        assert sorted(entry.name for entry in folder.parent.iterdir()) == ["new", "thing"]
        (folder / "thesis.tex").write_text("...")
        with pytest.raises(cf.CoffeeError, match=r"it holds 'thesis\.tex'"):
            thing.save(folder, overwrite=True)
        other = saved[1] if thing is saved[0] else saved[0]
        with pytest.raises(cf.CoffeeError, match="cannot be read|is not written over"):
            other.save(folder, overwrite=True)
        for place in (tmp_path, tmp_path / "file"):
            (tmp_path / "file").write_text("...")
            with pytest.raises(cf.CoffeeError, match="cannot be read"):
                thing.save(place, overwrite=True)
        with pytest.raises(cf.CoffeeError, match="path"):
            thing.save(None)


@pytest.fixture(params=["swap", "renames"])
def replaced(request, saved, tmp_path, monkeypatch):
    """One of two trajectories, the place of one of four that it is to replace, and how many steps that is."""
    if request.param == "renames":  # as where the system cannot swap
        monkeypatch.setattr(_files, "_swap", lambda *_: False)
    dataset, path = saved[0], tmp_path / "data"
    dataset.save(path)
    with pytest.MonkeyPatch.context() as patch:
        steps = break_step(patch, -1, Crash())
        dataset.save(path, overwrite=True)
    return dataset.select([0, 1]), path, len(steps)


def test_a_replacement_that_fails_leaves_the_old_one(replaced):
    few, path, num_steps = replaced
    for number in range(num_steps - 1):  # after the last but whether it stays is uncertain
        with pytest.MonkeyPatch.context() as patch:
            break_step(patch, number, OSError(28, "No space left on device"))
            with pytest.raises(OSError, match="space left"):
                few.save(path, overwrite=True)
        assert cf.TrajectoryDataset.load(path).num_trajectories == 4
        assert [entry.name for entry in path.parent.iterdir()] == ["data"]
    few.save(path, overwrite=True)
    assert cf.TrajectoryDataset.load(path).num_trajectories == 2
    assert [entry.name for entry in path.parent.iterdir()] == ["data"]


@pytest.mark.parametrize("replaced", ["swap"], indirect=True)  # between two renames nothing is there
def test_a_process_that_ends_in_a_replacement_leaves_the_old_one_or_the_new(replaced):
    few, path, num_steps = replaced
    found = []

    def crash(*_, **__):
        raise Crash

    for number in range(num_steps):
        with pytest.MonkeyPatch.context() as patch:

            def end(_, patch=patch):
                patch.setattr(os, "rename", crash)  # nobody is left to undo anything
                crash()

            break_step(patch, number, end)
            patch.setattr(_files.shutil, "rmtree", lambda *_, **__: None)  # or to tidy up
            with pytest.raises(Crash):
                few.save(path, overwrite=True)
        found.append(cf.TrajectoryDataset.load(path).num_trajectories)
    assert found == [4] * (num_steps - 1) + [2]


def test_a_solution_whose_parts_do_not_fit_is_refused(tmp_path):
    policies = [cf.UniformRandom(), cf.UniformRandom()]
    table = cf.PayoffTable.symmetric([[1.0, 0.0], [0.0, 1.0]])
    cf.Solution.extract(policies, table, cf.meta_solvers.Uniform()).save(tmp_path / "s")
    file, tensors = tmp_path / "s" / "solution.json", tmp_path / "s" / "solution.safetensors"
    whole, arrays = json.loads(file.read_bytes()), _files.read_tensors(tensors)

    def write(changes, **other):
        _files.write_tensors(tensors, arrays | other)
        content = whole | {"sha256": _files.sha256_of(tensors)} | changes
        _files.write_json(file, content | {"seal": seal_of(content)})

    one = [{"policy": "uniform_random"}]
    for changes, other, message in [
        ({"policies": [1]}, {}, r"policies\[0\] must be an object, got 1"),
        ({"policies": one}, {}, "probabilities must have shape"),
        (
            {"policies": one},
            {"probabilities": np.ones(1)},
            r"1 policies, but the payoff table is of \(2, 2\)",
        ),
        ({"model_regret": [0.0]}, {}, "model_regret must hold a number for each of 2 players"),
        ({"model_regret": 0.0}, {}, "model_regret must be a list"),
        ({}, {"probabilities": np.array([0.7, 0.7])}, "probabilities must sum to 1"),
        ({}, {"probabilities": np.array([np.nan, 1.0])}, "probabilities must be nonnegative"),
        ({}, {"payoffs": np.full((1, 2, 2), np.inf)}, "finite"),
        ({}, {"payoffs": np.ones(4, bool)}, "payoffs"),
    ]:
        write(changes, **other)
        with pytest.raises(cf.CheckpointError, match=rf"solution\.json: .*{message}"):
            cf.Solution.load(tmp_path / "s")
    write({})
    assert cf.Solution.load(tmp_path / "s").probabilities.tolist() == [0.5, 0.5]
    earlier = {"regret_upper_bound" if key == "pessimistic_regret" else key: value for key, value in whole.items()}
    del earlier["seal"]
    _files.write_json(file, earlier | {"format": 1, "sha256": _files.sha256_of(tensors)})
    assert cf.Solution.load(tmp_path / "s").pessimistic_regret.shape == (2,)


def test_a_run_of_an_earlier_version_is_not_gone_on_with():
    here = machine()
    versions = {"coffee_fast": "0.1.0", "numpy": here["numpy"], "torch": here["torch"]}
    with pytest.raises(cf.CheckpointError, match=r"coffee_fast is '0\.1\.0' there"):
        same_machine({"versions": versions}, "run_dir: run", True)
    assert same_machine({"versions": versions}, "run_dir: run", "anyway") == [here]
    same_build = versions | {"coffee_fast": cf.__version__}
    assert same_machine({"versions": same_build}, "run_dir: run", True) == [here]
