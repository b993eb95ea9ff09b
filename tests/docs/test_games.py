"""The experiment on games solved from logs runs, goes on where it was stopped, and what it says is lawful."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("pyspiel")

FOLDER = Path(__file__).parents[2] / "reproductions" / "games"
CHEAP = ["frequencies", "tree of the log", "tree of the log, penalty 1", "tree of the log, near its players"]


def run(output, *options):
    command = [sys.executable, str(FOLDER / "solve.py"), "-o", str(output), "--cache", str(output.parent / "cache")]
    found = subprocess.run([*command, *options], capture_output=True, text=True, timeout=120, check=False)
    assert found.returncode == 0, found.stderr
    return [json.loads(line) for line in output.read_text().splitlines()]


def test_cells_run_and_are_lawful(tmp_path):
    output, of_kuhn = tmp_path / "results.jsonl", ("--games", "Kuhn poker", "--sizes", "400", "--methods", *CHEAP)
    first = run(output, *of_kuhn, "--behaviors", "uniform")
    both = run(output, *of_kuhn, "--behaviors", "uniform", "near equilibrium")
    assert both[: len(first)] == first  # nothing is done twice
    top, *lines = both
    assert top["nash_conv"] < 1e-3 * top["uniform_nash_conv"]
    logged = top["logged"]
    order = [logged[name]["nash_conv"] for name in ("near equilibrium", "half trained", "uniform")]
    assert order == sorted(order)
    assert [(line["behavior"], line["method"]) for line in lines] == [
        (behavior, method) for behavior in ("uniform", "near equilibrium") for method in CHEAP
    ]
    for line in lines:
        low, high = line["in_tree"]["bounds"]
        widest = line["in_tree"]["over_members"]
        assert 0.0 <= widest[0] <= low <= line["in_tree"]["nash_conv"] + 1e-9 <= high + 2e-9 <= widest[1] + 3e-9
        assert 0.0 <= line["nash_conv"] < 4.0  # what two players can lose who stake 2 each
        assert (line["in_tree"]["num_unseen"] == 0) == (line["behavior"] == "uniform")
    solved = {(line["behavior"], line["method"]): line["nash_conv"] for line in lines}
    assert solved["uniform", "tree of the log"] < 0.1 * solved["uniform", "frequencies"]
    assert solved["near equilibrium", "frequencies"] < 0.2 * solved["near equilibrium", "tree of the log"]


def test_the_page_is_made_of_the_results(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    spec = importlib.util.spec_from_file_location("page_of_games", FOLDER / "page.py")
    page = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(page)
    lines = [json.loads(line) for line in (FOLDER / "results.jsonl").read_text().splitlines()]
    places = [tuple(line[name] for name in ("game", "behavior", "size", "method", "seed")) for line in lines]
    assert len(set(places)) == len(places)
    tops = {line["game"]: line for line in lines if line["method"] == page.TRUE_GAME}
    cells = page.by_cell(lines)
    assert (FOLDER / "results.md").read_text() == "\n".join(page.results(cells, tops)) + "\n"
    assert (FOLDER / "summary.md").read_text() == "\n".join(page.summary(cells, tops)) + "\n"
