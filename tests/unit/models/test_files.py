"""Saving and loading a model."""

from __future__ import annotations

import json

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast._sealed import seal_of
from coffee_fast.errors import CheckpointError


@pytest.fixture
def folder(model, tmp_path):
    model.save(tmp_path / "model")
    return tmp_path / "model"


def test_loading_gives_back_every_bit(model, folder):
    loaded = cf.DynamicsEnsemble.load(folder)
    assert loaded.fingerprint == model.fingerprint
    assert (loaded.spec, loaded.config, loaded.seed) == (model.spec, model.config, model.seed)
    assert loaded.fit_report == model.fit_report
    assert loaded.reward_scale == model.reward_scale
    players = ["uniform_random"] * 2
    mine, theirs = (cf.simulate(each, players, num_episodes=100, seed=3) for each in (model, loaded))
    np.testing.assert_array_equal(mine.member_returns, theirs.member_returns)


def test_an_existing_folder_is_never_written_over(model, folder):
    with pytest.raises(CheckpointError, match="something here already"):
        model.save(folder)


@pytest.mark.parametrize("name", ["model.safetensors", "manifest.json"])
def test_damage_is_a_checkpoint_error(folder, name, rng):
    whole = (folder / name).read_bytes()
    for length in [0, 1, 7, *rng.integers(len(whole), size=20)]:
        (folder / name).write_bytes(whole[:length])
        with pytest.raises(CheckpointError, match=name):
            cf.DynamicsEnsemble.load(folder)
    if name == "model.safetensors":
        for place in rng.integers(len(whole), size=60):
            flipped = bytearray(whole)
            flipped[place] ^= 1 << int(rng.integers(8))
            (folder / name).write_bytes(flipped)
            with pytest.raises(CheckpointError, match=name):
                cf.DynamicsEnsemble.load(folder)
    (folder / name).unlink()
    with pytest.raises(CheckpointError, match=name):
        cf.DynamicsEnsemble.load(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"format": 3},
        {"format": 1},
        {"kind": "policy"},
        {"sha256": "0" * 64},
        {"seed": "1"},
        {"config": {"num_members": 3}},
        {"config": {"num_members": 10**12}},
        {"config": None},
        {"spec": {}},
        {"spec": {"num_players": 10**12}},
        {"spec": {"max_episode_length": 10**15}},
        {"fit_report": {"unknown": 1}},
        {"fit_report": 3},
    ],
)
def test_a_manifest_that_does_not_fit_is_a_checkpoint_error(folder, change):
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    for key, value in change.items():
        manifest[key] = manifest[key] | value if isinstance(value, dict) and value else value
    if "config" in change and change["config"] == {"num_members": 3}:
        manifest["config"]["hidden_sizes"] = [16]
    path.write_text(json.dumps(manifest | {"seal": seal_of(manifest)}))
    with pytest.raises(CheckpointError):
        cf.DynamicsEnsemble.load(folder)


def test_arrays_are_read_only(model):
    with pytest.raises(ValueError, match="read-only"):
        model.arrays["delta.0.0.weight"][0, 0] = 1.0
