"""``coffee-fast team``, and ``evaluate`` of what it wrote."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

import coffee_fast as cf
from coffee_fast.cli.app import app

GAME = "openspiel:tiny_hanabi"
BRIEF = ["hidden_sizes=[4]", "num_sweeps=1", "num_value_steps=2", "num_policy_steps=2", "num_cloning_steps=5"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("team")
    cf.generate_dataset(cf.load_game(GAME), num_trajectories=30, seed=0).save(path / "log")
    return path


def test_a_team_is_learned_and_judged(folder):
    options = [word for option in [*BRIEF, "num_judging_steps=5"] for word in ("--set", option)]
    words = ["team", str(folder / "log"), str(folder / "team"), "--solver", "alberdice", *options]
    ended = CliRunner().invoke(app, [*words, "--json"])
    assert ended.exit_code == 0, ended.output
    answer = json.loads(ended.stdout.splitlines()[-1])
    assert answer["status"] in ("complete", "off_log", "by_heart")
    assert len(answer["expected_return"]) == 2
    assert "27 logged episodes" in answer["about"]
    judged = CliRunner().invoke(app, ["evaluate", str(folder / "team"), "--game", GAME, "--json"])
    assert judged.exit_code == 0, judged.output
    assert json.loads(judged.stdout.splitlines()[-1])["is_exact"]
    again = CliRunner().invoke(app, words)
    assert again.exit_code == 2
    assert "exists already" in again.output


def test_solvers_lists_both_kinds():
    answer = json.loads(CliRunner().invoke(app, ["solvers", "--json"]).stdout)
    assert set(answer["team_solvers"]) == {"inspo", "alberdice"}
    assert all(entry["meaning"] for entry in answer["team_solvers"]["inspo"]["parameters"].values())
