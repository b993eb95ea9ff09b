"""Datasets of Minari say what the same log says as a table; what does not fit is refused in a sentence."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import warnings

import numpy as np
import pytest
from tests.unit.logs.foreign_folders import (
    FORMS,
    LONE,
    PAIR,
    THREE,
    UNIT,
    damaged,
    dict_of,
    ends,
    lone,
    pair,
    played,
    write_minari,
)
from typer.testing import CliRunner

import coffee_fast as cf
from coffee_fast.cli.app import app
from coffee_fast.logs import minari_files

NEEDS = {"hdf5": "h5py", "arrow": "pyarrow", "parquet": "pyarrow"}
IS_THERE = {form: importlib.util.find_spec(NEEDS[form]) is not None for form in FORMS}
READS = [pytest.param(form, marks=pytest.mark.skipif(not IS_THERE[form], reason="not installed")) for form in FORMS]
read = cf.TrajectoryDataset.from_transitions


def joined(episodes, *path):
    found = []
    for episode in episodes:
        array = episode
        for key in path:
            array = array[key]
        found.append(np.asarray(array)[: len(episode["terminations"])])
    return np.concatenate(found)


def labels(episodes):
    return np.repeat(np.arange(len(episodes)), [len(episode["terminations"]) for episode in episodes])


@pytest.mark.parametrize("form", READS)
def test_one_agent_is_read_as_its_table(tmp_path, form):
    episodes = lone()
    found = read(None, write_minari(tmp_path / "game", form, episodes, LONE, THREE))
    table = {
        "episode": labels(episodes),
        "action": joined(episodes, "actions"),
        "reward": joined(episodes, "rewards")[:, None],
        "direction": np.eye(4)[joined(episodes, "observations", "direction")],
        "mission": joined(episodes, "observations", "mission"),
        "view": joined(episodes, "observations", "view"),
        "legal_mask": joined(episodes, "infos", "action_mask"),
        "truncated": joined(episodes, "truncations"),
    }
    expected = read(
        None,
        table | {"action": table["action"][:, None]},
        columns={name: name for name in ("episode", "action", "reward", "legal_mask", "truncated")}
        | {"observation": ["direction", "mission", "view"]},
        num_players=1,
    )
    assert played(found) == played(expected)
    assert (found.spec.name, found.spec.num_players, found.spec.num_actions) == ("toy/game-v0", 1, 3)
    assert found.truncated.sum() == sum(number % 5 == 0 for number in range(len(episodes)))
    assert found.spec.log_columns["entries"][:5] == [
        *(f"observations/direction[{i}]" for i in range(4)),
        "observations/mission = go",
    ]


@pytest.mark.parametrize("form", READS)
def test_agents_that_act_at_once_are_players(tmp_path, form):
    episodes = pair()
    found = read(None, write_minari(tmp_path, form, episodes, *PAIR), name="pair")
    table = {"episode": labels(episodes)}
    for name in ("north", "south"):
        table |= {f"does_{name}": joined(episodes, "actions", name), f"pay_{name}": joined(episodes, "rewards")}
        table |= {f"sees_{name}_{i}": joined(episodes, "observations", name)[:, i] for i in range(2)}
    seen = {name: [f"sees_{name}_{i}" for i in range(2)] for name in ("north", "south")}
    columns = {"episode": "episode", "action": "does_", "reward": "pay_", "observation": seen}
    expected = read(None, table, columns=columns)
    assert found.spec.player_names == ("north", "south") == expected.spec.player_names
    assert (found.spec.moves, found.spec.name) == ("simultaneous", "pair")
    assert played(found) == played(expected)
    again = read(found.spec, write_minari(tmp_path / "more", form, pair(seed=5), *PAIR))  # of the same layout
    assert again.spec == found.spec


@pytest.mark.parametrize("form", READS)
def test_players_may_differ_in_actions_and_be_told_what_is_legal(tmp_path, form):
    rng = np.random.default_rng(0)
    wide = {**THREE, "n": 4, "start": 5}
    seen = dict_of(observation=UNIT, action_mask={"type": "MultiBinary", "n": 4})

    def view():
        masks = np.eye(4, dtype=np.int8)[[1, 2, 0]]
        return {"observation": rng.random((3, 2)).astype(np.float32), "action_mask": masks}

    episodes = [
        {
            "observations": (view(), rng.random((3, 2)).astype(np.float32)),
            "actions": (np.array([6, 7]), rng.integers(0, 3, 2)),
            "rewards": rng.random(2),
            **ends(2),
        }
        for _ in range(20)
    ]
    spaces = {"type": "Tuple", "subspaces": [seen, UNIT]}, {"type": "Tuple", "subspaces": [wide, THREE]}
    found = read(None, write_minari(tmp_path, form, episodes, *spaces))
    masks = found.legal_masks()
    assert masks[found.acting_player == 0].tolist() == [[0, 1, 0, 0], [0, 0, 1, 0]] * 20
    assert masks[found.acting_player == 1].tolist() == [[1, 1, 1, 0]] * 40
    assert found.spec.log_columns["features"][0]["name"] == "observations/0/observation[0] / observations/1[0]"


def test_rewards_may_be_of_each(tmp_path):
    pytest.importorskip("h5py")
    by = {"column": lambda pay: np.stack([pay, -pay], axis=1), "name": lambda pay: {"north": pay, "south": -pay}}
    for name, halves in by.items():
        write_minari(tmp_path / name, "hdf5", [{**one, "rewards": halves(one["rewards"])} for one in pair()], *PAIR)
    first, second = read(None, tmp_path / "column"), read(None, tmp_path / "name")
    assert first.fingerprint == second.fingerprint
    assert (first.reward[:, 0] == -first.reward[:, 1]).all()
    assert first.reward.any()


def test_labels_may_begin_anywhere(tmp_path):
    episodes = lone()
    for episode in episodes:
        episode["actions"] = episode["actions"] - 1
    found = read(None, write_minari(tmp_path, "arrow", episodes, LONE, {**THREE, "start": -1}))
    assert found.spec.action_names == ("-1", "0", "1")
    assert (
        found.action.tolist() == read(None, write_minari(tmp_path / "b", "arrow", lone(), LONE, THREE)).action.tolist()
    )


def early():
    episodes = lone(3)
    episodes[0]["terminations"] = [True, True]
    return episodes


PICTURE = {**UNIT, "dtype": "uint8", "shape": [64, 64, 3]}
UNFIT = [
    (lone(3), LONE, UNIT, {}, "action_space is of type 'Box', but actions must be Discrete; give what is continuous"),
    (lone(3), LONE, {"type": "MultiDiscrete", "nvec": [2, 2]}, {}, "actions must be Discrete"),
    (pair(3), dict_of(north=UNIT), PAIR[1], {}, r"of \['north', 'south'\], observations of \['north'\]; where several"),
    (pair(3), UNIT, PAIR[1], {}, "both spaces need the same entries"),
    (pair(3), PAIR[0], dict_of(north=UNIT, south=THREE), {}, "action_space/north is of type 'Box'"),
    (lone(3), PICTURE, THREE, {}, "observation_space holds pictures"),
    (lone(3), dict_of(state={**THREE, "n": 5000}), THREE, {}, "state has 5000 labels, more than the 1024"),
    (lone(3), {"type": "Graph"}, THREE, {}, "observation_space is of type 'Graph'; there are Box"),
    (lone(3), {**UNIT, "shape": [-2]}, THREE, {}, "observation_space is malformed: -2 is no size"),
    (lone(3), {**UNIT, "shape": [7]}, THREE, {}, "there are no observations"),
    (lone(3), dict_of(view={**UNIT, "shape": [3]}), THREE, {}, "view must hold 3 numbers in each of 2 steps"),
    (lone(3), dict_of(mission=UNIT), THREE, {}, "observations/mission must hold numbers"),
    (lone(3), dict_of(view={"type": "Text"}), THREE, {}, "observations/view must hold text in each of 2 steps"),
    (lone(3), dict_of(smell=UNIT), THREE, {}, "there are no observations/smell"),
    (lone(3), {"type": "Dict", "subspaces": [1]}, THREE, {}, "observation_space is a malformed Dict"),
    (lone(3), LONE, {**THREE, "n": 1}, {}, r"step \d: actions must be a whole number from 0 to 0"),
    (lone(3), LONE, THREE, {"total_episodes": 9}, "says that there are 9 episodes, found 3"),
    (lone(3), LONE, THREE, {"data_format": "csv"}, "data_format must be hdf5, arrow or parquet, got 'csv'"),
    (lone(3), LONE, THREE, {"action_space": None}, "must be a space as Minari 0.5 writes it, got None"),
    (early(), LONE, THREE, {}, "step 0: terminations is true before the last of 2 steps"),
    ([], LONE, THREE, {}, "there are no episodes"),
]


@pytest.mark.parametrize(("episodes", "seen", "done", "about", "message"), UNFIT, ids=[case[-1][:30] for case in UNFIT])
def test_what_does_not_fit_is_refused_with_its_place(tmp_path, episodes, seen, done, about, message):
    pytest.importorskip("pyarrow")
    write_minari(tmp_path, "arrow", episodes, seen, done, **about)
    with pytest.raises(cf.DatasetError, match=message) as refusal:
        read(None, tmp_path)
    assert len(str(refusal.value).replace(str(tmp_path), "")) < 500


def test_folders_that_are_no_log_say_what_is_there(tmp_path):
    with pytest.raises(cf.DatasetError, match="holds no log: a folder of Minari has data/metadata.json"):
        read(None, tmp_path)
    write_minari(tmp_path / "toys" / "a-v0", "arrow", [], LONE, THREE)
    write_minari(tmp_path / "toys" / "b-v0", "arrow", [], LONE, THREE)
    with pytest.raises(cf.DatasetError, match="holds several logs; choose one of a-v0, b-v0"):
        read(None, tmp_path / "toys")
    (tmp_path / "old" / "data").mkdir(parents=True)
    (tmp_path / "old" / "data" / "main_data.hdf5").touch()
    with pytest.raises(cf.DatasetError, match="is of an older Minari"):
        read(None, tmp_path / "old")
    cf.generate_dataset(cf.load_game("openspiel:kuhn_poker"), num_trajectories=3, seed=0).save(tmp_path / "ours")
    with pytest.raises(cf.DatasetError, match=r"is a dataset already, or a run: TrajectoryDataset.load"):
        read(None, tmp_path / "ours")
    (tmp_path / "metadata.json").write_text("{}")
    with pytest.raises(cf.DatasetError, match="neither of a dataset of Minari 0.5 nor of a vault"):
        read(None, tmp_path)
    (tmp_path / "metadata.json").write_text("{")
    with pytest.raises(cf.DatasetError, match="metadata.json: is not JSON"):
        read(None, tmp_path)
    write_minari(tmp_path / "c", "arrow", lone(3), LONE, THREE)
    with pytest.raises(cf.DatasetError, match="the layout of a folder says what is what; leave columns out"):
        read(None, tmp_path / "c", columns={"action": "actions"})


@pytest.mark.parametrize("form", READS)
def test_damaged_files_are_read_or_named(tmp_path, form):
    folder = write_minari(tmp_path, form, lone(2), LONE, THREE)
    (file,) = folder.glob(f"data/{'main_data.hdf5' if form == 'hdf5' else f'0/*.{form}'}")
    whole, refused = file.read_bytes(), 0
    for data in damaged(whole, 4 if form == "hdf5" else 25):
        file.write_bytes(data)
        try:
            read(None, folder)
        except cf.DatasetError as error:
            refused += 1
            assert len(str(error)) < 400 + len(str(tmp_path))
    assert refused > 2
    file.unlink()
    file.symlink_to("/dev/zero")
    with pytest.raises(cf.DatasetError, match="cannot be read: is a pipe or a device"):
        read(None, folder)


def test_a_library_that_crashes_or_hangs_does_so_elsewhere(tmp_path, monkeypatch):
    pytest.importorskip("h5py")
    folder = write_minari(tmp_path, "hdf5", lone(2), LONE, THREE)
    monkeypatch.setattr(minari_files, "PATIENCE_S", 3.0)
    file = folder / "data" / "main_data.hdf5"
    data = bytearray(file.read_bytes())
    text = data.index(b"GCOL") + 16
    data[text : text + 16] = bytes(16)  # free space of no size, which it goes round in for ever
    file.write_bytes(data)
    with pytest.raises(cf.DatasetError, match="main_data.hdf5: .* reading it does not come to an end"):
        read(None, folder)
    monkeypatch.setattr(minari_files, "_READ_ALL", "import os; os.abort()")
    with pytest.raises(cf.DatasetError, match="main_data.hdf5: .* reading it ends by signal 6"):
        read(None, folder)


def test_files_that_refer_to_others_are_refused(tmp_path):
    h5py = pytest.importorskip("h5py")
    folder = write_minari(tmp_path, "hdf5", lone(3), LONE, THREE)
    file = folder / "data" / "main_data.hdf5"
    secret = tmp_path / "secret.hdf5"
    with h5py.File(secret, "w") as other:
        other["rewards"] = np.zeros(2)

    def refuse(change, message):
        whole = file.read_bytes()
        with h5py.File(file, "a") as opened:
            del opened["episode_0"]["rewards"]
            change(opened["episode_0"])
        with pytest.raises(cf.DatasetError, match=message):
            read(None, folder)
        file.write_bytes(whole)

    def linked(group):
        group["rewards"] = h5py.ExternalLink(str(secret), "rewards")

    def virtual(group):
        layout = h5py.VirtualLayout(shape=(2,), dtype=np.float64)
        layout[:] = h5py.VirtualSource(str(secret), "rewards", shape=(2,))
        group.create_virtual_dataset("rewards", layout)

    def huge(group):
        group.create_dataset("rewards", shape=(10**12,), chunks=(1024,), dtype="f8")

    refuse(linked, "'rewards' refers to another place")
    refuse(virtual, "rewards: refers to another file")
    refuse(huge, "must hold|holds more than the 4294967296 bytes")


def test_without_a_library_the_sentence_says_what_to_install(tmp_path):
    write_vault_metadata = {"version": 1.2, "structure_shape": {"actions": "(1, 2, 3)"}}
    (tmp_path / "vault").mkdir()
    (tmp_path / "vault" / "metadata.json").write_text(json.dumps(write_vault_metadata))
    write_minari(tmp_path / "arrow", "arrow", lone(2), LONE, THREE)
    write_minari(tmp_path / "hdf5", "arrow", lone(2), LONE, THREE, data_format="hdf5")
    (tmp_path / "hdf5" / "data" / "main_data.hdf5").touch()
    program = (
        "import sys; sys.modules |= dict.fromkeys(('h5py', 'tensorstore', 'pyarrow'))\n"
        "import coffee_fast as cf\n"
        "for path in sys.argv[1:]:\n"
        "    try:\n        cf.TrajectoryDataset.from_transitions(None, path)\n"
        "    except cf.DatasetError as error:\n        print(error)"
    )
    command = [sys.executable, "-c", program, *(str(tmp_path / name) for name in ("hdf5", "arrow", "vault"))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    hdf5, arrow, vault = done.stdout.splitlines()
    assert "needs h5py: pip install 'coffee-fast[minari]'; or let Minari write data_format='arrow'" in hdf5
    assert "needs pyarrow: pip install 'coffee-fast[frames]'" in arrow
    assert "needs tensorstore: pip install 'coffee-fast[vaults]'; or save its arrays" in vault


def test_the_command_makes_a_dataset_of_a_folder(tmp_path):
    write_minari(tmp_path / "game", "arrow", lone(40), LONE, THREE)
    done = CliRunner().invoke(app, ["dataset", "import", str(tmp_path / "game"), "-o", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert "toy/game-v0: 1 player" in done.output
    assert cf.TrajectoryDataset.load(tmp_path / "out").fingerprint == read(None, tmp_path / "game").fingerprint
    done = CliRunner().invoke(app, ["dataset", "import", str(tmp_path), "-o", str(tmp_path / "out2")])
    assert done.exit_code == 3
    assert "holds several logs; choose one of game" in done.output


@pytest.mark.parametrize("form", READS)
def test_minari_itself_writes_such_folders(tmp_path, monkeypatch, form):
    minari = pytest.importorskip("minari")
    spaces = pytest.importorskip("gymnasium").spaces
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    seen = spaces.Dict(direction=spaces.Discrete(4), mission=spaces.Text(5), view=spaces.Box(-np.inf, 1.0, (2,)))
    buffers = [
        minari.data_collector.EpisodeBuffer(**{
            **episode,
            "actions": list(episode["actions"]),
            "observations": {name: list(values) for name, values in episode["observations"].items()},
            "infos": {"action_mask": list(episode["infos"]["action_mask"])},
        })
        for episode in lone()
    ]  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        minari.create_dataset_from_buffers(
            "toy/game-v0", buffers, observation_space=seen, action_space=spaces.Discrete(3), data_format=form
        )
    ours = write_minari(tmp_path / "ours", form, lone(), LONE, THREE)
    assert read(None, tmp_path / "toy" / "game-v0").fingerprint == read(None, ours).fingerprint
