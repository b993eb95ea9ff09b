"""Datasets on disk: whole or not there at all, and never believed."""

from __future__ import annotations

import errno
import json
import os
import shutil

import numpy as np
import pytest
from tests.disk_faults import STEPS, Crash, break_step

import coffee_fast as cf
from coffee_fast import _files
from coffee_fast._sealed import seal_of
from coffee_fast.data import io

FILES = ("data.safetensors", "manifest.json")


@pytest.fixture
def folder(dataset, tmp_path):
    dataset.save(tmp_path / "dataset")
    return tmp_path / "dataset"


def same(one, other):
    about = ("behavior", "seed", "is_mirrored", "num_independent_episodes", "spec", "fingerprint")
    return all(getattr(one, name) == getattr(other, name) for name in about)


def manifest_of(folder):
    return json.loads((folder / "manifest.json").read_bytes())


def sign(folder, **changes):
    """Change the manifest as somebody would who knows its checksums."""
    manifest = manifest_of(folder) | {"sha256": _files.sha256_of(folder / "data.safetensors")} | changes
    manifest["manifest_sha256"] = seal_of(manifest, "manifest_sha256")
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_saving_and_loading_is_the_identity(dataset, folder):
    loaded = cf.TrajectoryDataset.load(folder)
    assert same(loaded, dataset)
    for name, array in dataset.arrays.items():
        np.testing.assert_array_equal(getattr(loaded, name), array, strict=True)


def test_the_same_dataset_is_the_same_bytes(dataset, folder, tmp_path):
    cf.TrajectoryDataset.load(folder).save(tmp_path / "again")
    for file in FILES:
        assert (tmp_path / "again" / file).read_bytes() == (folder / file).read_bytes()


def test_the_manifest_says_what_the_data_are(folder, spec):
    manifest = manifest_of(folder)
    assert manifest["format"] == 1
    assert manifest["game"] == spec.to_json()
    assert manifest["sha256"] == _files.sha256_of(folder / "data.safetensors")
    assert (manifest["num_trajectories"], manifest["num_transitions"]) == (4, 10)
    assert (manifest["behavior"], manifest["seed"], manifest["is_mirrored"]) == ("by hand", 5, True)
    assert manifest["num_independent_episodes"] == 2
    assert manifest["version"] == cf.__version__


def test_a_folder_in_use_is_left_alone(dataset, folder):
    before = {file: (folder / file).read_bytes() for file in FILES}
    with pytest.raises(cf.DatasetError, match="there is something here already"):
        dataset.select([0, 1]).save(folder)
    assert {file: (folder / file).read_bytes() for file in FILES} == before


@pytest.mark.parametrize("file", FILES)
def test_a_missing_file_is_named(folder, file):
    (folder / file).unlink()
    with pytest.raises(cf.DatasetError, match=f"{file}: cannot be read"):
        cf.TrajectoryDataset.load(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": None}, "must describe a trajectory_dataset, got None"),
        ({"kind": "model"}, "must describe a trajectory_dataset, got 'model'"),
        ({"format": 3}, "must be of format 1 or 2, got 3"),
        ({"format": "1"}, "must be of format 1 or 2, got '1'"),
        ({"colour": "red"}, "there is no field 'colour'"),
        ({"seed": "5"}, "seed must be an integer, got '5'"),
        ({"seed": -5}, "seed must lie in"),
        ({"behavior": None}, "behavior must be text, got None"),
        ({"is_mirrored": 1}, "is_mirrored must be true or false, got 1"),
        ({"game": {}}, "malformed specification"),
        ({"game": {"name": "x", "colour": "red"}}, "malformed specification"),
        ({"num_trajectories": 5}, "num_trajectories is 5, the data have 4"),
        ({"num_transitions": 9}, "num_transitions is 9, the data have 10"),
        ({"num_independent_episodes": 3}, "num_independent_episodes must be an integer >= 1 and <= 2"),
        ({"sha256": "0" * 64}, "data.safetensors: was cut off or altered"),
    ],
)
def test_a_wrong_manifest_is_refused(folder, changes, message):
    sign(folder, **changes)
    with pytest.raises(cf.DatasetError, match=message):
        cf.TrajectoryDataset.load(folder)


@pytest.mark.parametrize("field", sorted(io._FORM.keys() - {"kind"}))
def test_a_missing_field_is_named(folder, field):
    manifest = manifest_of(folder)
    del manifest[field]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(cf.DatasetError, match=field):
        cf.TrajectoryDataset.load(folder)


def test_an_edited_manifest_is_noticed(folder):
    text = (folder / "manifest.json").read_text()
    (folder / "manifest.json").write_text(text.replace('"seed": 5', '"seed": 6'))
    with pytest.raises(cf.DatasetError, match=r"manifest.json: was altered"):
        cf.TrajectoryDataset.load(folder)


@pytest.mark.parametrize(
    "text", ["", "[]", "3", "{", '{"format": ', "\x00", "[" * 100_000, '"' + "9" * 5000, "9" * 5000]
)
def test_a_manifest_that_is_no_object_is_refused(folder, text):
    (folder / "manifest.json").write_text(text)
    with pytest.raises(cf.DatasetError, match=r"manifest.json: (is not JSON|must hold a JSON object)"):
        cf.TrajectoryDataset.load(folder)


def test_an_unknown_array_is_refused(folder, dataset):
    _files.write_tensors(folder / "data.safetensors", dataset.arrays | {"colour": np.zeros(3)})
    sign(folder)
    with pytest.raises(cf.DatasetError, match="an array 'colour'"):
        cf.TrajectoryDataset.load(folder)


@pytest.mark.parametrize("file", FILES)
def test_a_truncated_file_is_refused_at_every_length(folder, file):
    whole = (folder / file).read_bytes()
    for length in range(len(whole)):
        (folder / file).write_bytes(whole[:length])
        if file == "manifest.json" and whole[length:] == b"\n":
            continue  # still the whole object
        with pytest.raises(cf.DatasetError, match=file):
            cf.TrajectoryDataset.load(folder)


@pytest.mark.parametrize("file", FILES)
def test_a_flipped_bit_in_any_byte_is_noticed_or_changes_nothing(folder, file, dataset):
    whole = bytearray((folder / file).read_bytes())
    num_noticed = 0
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        (folder / file).write_bytes(damaged)
        try:
            loaded = cf.TrajectoryDataset.load(folder)
        except cf.DatasetError:
            num_noticed += 1
        else:
            assert same(loaded, dataset), f"bit {place % 8} of byte {place}"
    assert num_noticed > 0.8 * len(whole)  # the rest is white space of the manifest


def test_damage_that_the_checksums_vouch_for_still_never_crashes(folder):
    whole = (folder / "data.safetensors").read_bytes()
    for place in range(0, len(whole), 3):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        (folder / "data.safetensors").write_bytes(damaged)
        sign(folder)
        try:
            cf.TrajectoryDataset.load(folder).validate()
        except cf.DatasetError as error:
            assert str(folder) in str(error)


def count_steps(dataset, path):
    with pytest.MonkeyPatch.context() as patch:
        taken = break_step(patch, -1, Crash())
        dataset.save(path)
    shutil.rmtree(path)
    return taken


def test_a_save_that_fails_at_any_step_leaves_all_or_nothing(dataset, tmp_path):
    path = tmp_path / "dataset"
    steps = count_steps(dataset, path)
    assert set(steps) == set(STEPS) - {"_swap"}
    for number, name in enumerate(steps):
        for code in (errno.ENOSPC, errno.EIO):
            with pytest.MonkeyPatch.context() as patch:
                break_step(patch, number, OSError(code, os.strerror(code)))
                with pytest.raises(OSError, match=os.strerror(code)):
                    dataset.save(path)
            is_last = number == len(steps) - 1  # the folder was there already; only that it stays is uncertain
            assert [entry.name for entry in tmp_path.iterdir()] == (["dataset"] if is_last else []), (number, name)
            if is_last:
                assert same(cf.TrajectoryDataset.load(path), dataset)
                shutil.rmtree(path)


def test_a_process_that_ends_at_any_step_leaves_all_or_nothing(dataset, tmp_path):
    steps = count_steps(dataset, tmp_path / "dataset")
    for number in range(len(steps)):
        path = tmp_path / str(number) / "dataset"
        path.parent.mkdir()
        with pytest.MonkeyPatch.context() as patch:
            break_step(patch, number, Crash())
            patch.setattr(_files.shutil, "rmtree", lambda *_, **__: None)  # nobody is left to tidy up
            with pytest.raises(Crash):
                dataset.save(path)
        if path.exists():
            assert same(cf.TrajectoryDataset.load(path), dataset)
        else:
            dataset.save(path)  # what was left behind is in nobody's way
            assert same(cf.TrajectoryDataset.load(path), dataset)


def test_a_disk_that_takes_little_at_a_time_gets_everything(dataset, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(_files, "_write", lambda descriptor, data: os.write(descriptor, data[:7]))
    dataset.save(tmp_path / "slow")
    for file in FILES:
        assert (tmp_path / "slow" / file).read_bytes() == (folder / file).read_bytes()
