"""The folder of a run: whose it is, what is refused, and what damage says."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast._sealed import write_sealed_json
from coffee_fast.self_play.checkpoint import load_history


class Interrupt(Exception):
    """Stands for whatever ends a process."""


def stop_after(update):
    def stop(phase, done, *_):
        if (phase, done) == ("self-play", update):
            raise Interrupt

    return stop


@pytest.fixture
def begun(game, tiny, tmp_path):
    """A run that was stopped after its first snapshot."""
    with pytest.raises(Interrupt):
        cf.self_play_snapshots(game, tiny, 0, tmp_path / "run", progress=stop_after(5))
    return tmp_path / "run"


def test_a_folder_continues_only_on_demand_and_only_its_own_run(game, tiny, begun):
    with pytest.raises(cf.CheckpointError, match="holds a run already; pass resume=True"):
        cf.self_play_snapshots(game, tiny, 0, begun)
    with pytest.raises(cf.CheckpointError, match="is another run: seed is 0 there and 1 here"):
        cf.self_play_snapshots(game, tiny, 1, begun, resume=True)
    other = dataclasses.replace(tiny, clip=0.3)
    with pytest.raises(cf.CheckpointError, match="is another run: config.clip is 0.2 there and 0.3 here"):
        cf.self_play_snapshots(game, other, 0, begun, resume=True)
    elsewhere = cf.load_game("generalized_bargaining", discount=0.5)
    with pytest.raises(cf.CheckpointError, match="is another run: model_fingerprint"):
        cf.self_play_snapshots(elsewhere, tiny, 0, begun, resume=True)
    assert cf.self_play_snapshots(game, tiny, 0, begun, resume=True).updates == (5, 6)


def test_another_reference_is_another_run(game, tiny, tmp_path):
    config = dataclasses.replace(tiny, reference="cloned")
    first, second = (
        cf.NetworkPolicy([(np.full((109, 41), value), np.zeros(109))], kind="softmax") for value in (0.0, 0.1)
    )
    cf.self_play_snapshots(game, config, 0, tmp_path / "run", reference=first)
    with pytest.raises(cf.CheckpointError, match="is another run: references"):
        cf.self_play_snapshots(game, config, 0, tmp_path / "run", resume=True, reference=second)


def test_a_run_that_began_at_a_reference_of_other_sizes_goes_on_to_the_same(game, tiny, tmp_path):
    config = dataclasses.replace(tiny, reference="cloned")
    rng = np.random.default_rng(0)
    layers = [(0.1 * rng.standard_normal((5, 41)), np.zeros(5)), (0.1 * rng.standard_normal((109, 5)), np.zeros(109))]
    reference = cf.NetworkPolicy(layers, kind="softmax")
    whole = cf.self_play_snapshots(game, config, 0, reference=reference)
    with pytest.raises(Interrupt):
        cf.self_play_snapshots(game, config, 0, tmp_path / "run", progress=stop_after(5), reference=reference)
    again = cf.self_play_snapshots(game, config, 0, tmp_path / "run", resume=True, reference=reference)
    assert again.updates == whole.updates == (0, 5, 6)
    for (one,), (other,) in zip(again.snapshots, whole.snapshots, strict=True):
        for own, expected in zip(one.layers, other.layers, strict=True):
            np.testing.assert_array_equal(own[0], expected[0])
            np.testing.assert_array_equal(own[1], expected[1])


def test_a_run_without_training_gives_way(game, tiny, tmp_path):
    with pytest.raises(Interrupt):
        cf.self_play_snapshots(game, tiny, 0, tmp_path / "run", progress=stop_after(1))
    assert [file.name for file in (tmp_path / "run").iterdir()] == ["run.json"]
    assert cf.self_play_snapshots(game, tiny, 1, tmp_path / "run").updates == (5, 6)


def test_a_run_of_an_unlike_machine_is_refused_but_on_demand(game, tiny, begun):
    about = json.loads((begun / "run.json").read_text())
    about["machines"][0]["isa"] = "none"
    fields = {name: value for name, value in about.items() if name not in ("kind", "format", "seal")}
    write_sealed_json(begun / "run.json", "self_play", fields)
    with pytest.raises(cf.CheckpointError, match="another machine or build: isa is 'none' there"):
        cf.self_play_snapshots(game, tiny, 0, begun, resume=True)
    cf.self_play_snapshots(game, tiny, 0, begun, resume="anyway")
    assert len(json.loads((begun / "run.json").read_text())["machines"]) == 2


@pytest.mark.parametrize("name", ["run.json", "training.safetensors"])
def test_damage_names_the_file(game, tiny, begun, name):
    data = bytearray((begun / name).read_bytes())
    data[-20] ^= 1
    (begun / name).write_bytes(bytes(data))
    with pytest.raises(cf.CheckpointError, match=name):
        cf.self_play_snapshots(game, tiny, 0, begun, resume=True)


def test_a_folder_of_other_things_is_left_alone(game, tiny, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(cf.CheckpointError, match="is not empty and holds no run.json"):
        cf.self_play_snapshots(game, tiny, 0, tmp_path, resume=True)
    with pytest.raises(cf.CheckpointError, match="is a file, expected a folder"):
        cf.self_play_snapshots(game, tiny, 0, tmp_path / "notes.txt")


def test_the_history_can_be_read_without_the_model(game, tiny, begun):
    found = cf.self_play_snapshots(game, tiny, 0, begun, resume=True)
    history = load_history(begun)
    assert set(history) == set(found.history)
    for name, rows in found.history.items():
        np.testing.assert_array_equal(history[name], rows)
