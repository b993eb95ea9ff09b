"""Logs in files become datasets, and datasets files, at the command line."""

from __future__ import annotations

import pytest

import coffee_fast as cf

LOG = "game,who,move,seen,pay_a,pay_b\n" + "".join(
    f"{game},a,{('up', 'down')[game % 2]},{game % 3},0,0\n{game},b,{('left', 'up')[game % 2]},{game % 5},{game % 4},1\n"
    for game in range(12)
)
OPTIONS = ("--episode", "game", "--player", "who", "--action", "move", "--observation", "seen", "--reward", "pay_")


@pytest.fixture
def log(tmp_path):
    (tmp_path / "log.csv").write_text(LOG)
    return tmp_path / "log.csv"


def test_a_log_is_imported_described_and_checked(invoke, invoke_json, log, tmp_path):
    done = invoke(
        "dataset", "import", log, "-o", tmp_path / "data", *OPTIONS, "--name", "moves", "--behavior", "people"
    )
    assert done.exit_code == 0
    assert "moves: 2 players" in done.stdout
    assert "actions            3: down, left, up" in done.stdout
    assert f"written to {tmp_path / 'data'}" in done.stdout
    dataset = cf.TrajectoryDataset.load(tmp_path / "data")
    assert (dataset.num_trajectories, dataset.behavior, dataset.spec.name) == (12, "people", "moves")
    found = invoke_json("dataset", "import", log, "-o", tmp_path / "data", *OPTIONS, "--overwrite")
    assert found["num_transitions"] == 24
    assert found["check"]["game"] == "log"
    roles = ("--roles", "2", "--public-moves")
    assert "they are alike" in invoke("dataset", "import", log, "-o", tmp_path / "b", *OPTIONS, *roles).stdout


def test_columns_of_each_player(invoke, log, tmp_path):
    by_player = ("--reward", "b=pay_b", "--reward", "a=pay_a")
    done = invoke("dataset", "import", log, "-o", tmp_path / "data", *OPTIONS[:-2], *by_player)
    assert done.exit_code == 0
    assert cf.TrajectoryDataset.load(tmp_path / "data").reward[:, 0].max() == 3


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--player", "whom"), 3, "there is no column 'whom' for player"),
        ((*OPTIONS, "--chance", "nature"), 3, "chance is said to be 'nature'"),
        ((*OPTIONS, "--roles", "2,x"), 2, "must be seats of each role"),
        ((*OPTIONS, "--roles", "3"), 3, "roles must be the number of seats"),
        ((*OPTIONS, "--reward", "a=pay_a"), 2, "must be PLAYER=COLUMN"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(invoke, log, tmp_path, options, code, words):
    done = invoke("dataset", "import", log, "-o", tmp_path / "data", *options)
    assert done.exit_code == code
    assert words in " ".join(done.stderr.replace("│", " ").split())
    assert not (tmp_path / "data").exists()


def test_a_dataset_is_exported(invoke, invoke_json, log, tmp_path):
    pytest.importorskip("pandas")
    invoke("dataset", "import", log, "-o", tmp_path / "data", *OPTIONS)
    assert invoke_json("dataset", "export", tmp_path / "data", tmp_path / "out.csv")["num_rows"] == 24
    assert (tmp_path / "out.csv").read_text().splitlines()[1] == "0,0,a,up,0.0,0.0,0"
    assert invoke("dataset", "export", tmp_path / "data", tmp_path / "out.xls").exit_code == 3
