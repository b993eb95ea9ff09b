"""Runs are listed as they lie there: done, unfinished, damaged; and compared by what differs."""

import json
import shutil

import pytest
from typer.testing import CliRunner

import coffee_fast as cf
from coffee_fast.cli.app import app
from coffee_fast.errors import CheckpointError

SMALL = [
    "algorithm=online_self_play",
    "dataset.game=openspiel:kuhn_poker",
    "self_play.hidden_sizes=[8]",
    "self_play.num_episodes=20",
    "self_play.num_snapshots=1",
    "self_play.num_simulations=20",
    'self_play.judge={kind="ddqn",hidden_sizes=[8],num_steps=200,replay_capacity=200,min_replay=100}',
]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    for name, updates in (("few", 2), ("more", 3)):
        config = cf.RunConfig.preset("demo").with_overrides([*SMALL, f"self_play.num_updates={updates}"])
        cf.run_pipeline(config, folder / name)
    shutil.copytree(folder / "few", folder / "broken")
    (folder / "broken" / "config.json").write_text("{}")
    shutil.copytree(folder / "few", folder / "stopped", ignore=shutil.ignore_patterns("evaluation", "results.json"))
    (folder / "other").mkdir()
    (folder / "other" / "config.json").write_text("{}")  # of something else
    return folder


def test_runs_are_listed_by_what_has_become_of_them(runs):
    found = {record.folder: record for record in cf.list_runs(runs)}
    states = {name: record.state for name, record in found.items()}
    assert states == {"few": "done", "more": "done", "broken": "damaged", "stopped": "unfinished"}
    assert found["few"].config["self_play.num_updates"] == 2
    assert found["few"].summary.is_exact
    assert "config.json" in found["broken"].reason
    assert [record.folder for record in cf.list_runs(runs / "few")] == ["."]
    with pytest.raises(CheckpointError, match="is no folder"):
        cf.list_runs(runs / "none")


def test_the_command_lists_and_compares(runs):
    listed = CliRunner().invoke(app, ["runs", "list", str(runs)], catch_exceptions=False)
    assert listed.stdout.splitlines()[0].split()[:3] == ["run", "state", "algorithm"]
    assert any(line.startswith("stopped") and "unfinished" in line for line in listed.stdout.splitlines())
    compared = CliRunner().invoke(app, ["runs", "compare", str(runs)], catch_exceptions=False)
    head, *rows = compared.stdout.splitlines()
    assert head.split()[:2] == ["run", "self_play.num_updates"]
    assert sorted(row.split()[:2] for row in rows) == [["few", "2"], ["more", "3"]]
    asked = CliRunner().invoke(app, ["runs", "compare", str(runs), "--json"], catch_exceptions=False)
    regrets = [run["summary"]["final_sum_regret"] for run in json.loads(asked.stdout)["runs"]]
    assert regrets == sorted(regrets)
