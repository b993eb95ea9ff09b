"""``coffee-fast runs``: what runs there are, and in what they differ."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

import coffee_fast as cf
from coffee_fast.cli._options import Json
from coffee_fast.cli._report import finish

Folder = Annotated[
    Path, typer.Argument(help="A folder of runs, a sweep's or a run's own.", exists=True, file_okay=False)
]
WIDEST = 40  # characters of a value


def list_all(folder: Folder = Path(), as_json: Json = False) -> None:
    """List the runs in a folder: state, algorithm, seed, regret and time."""
    records = cf.list_runs(folder)
    rows: list[tuple[str, ...]] = [("run", "state", "algorithm", "seed", "true regret", "model regret", "seconds")]
    for record in records:
        about = [record.config.get(name, "") for name in ("algorithm", "seed")]
        rows.append((record.folder, record.state, *map(str, about), *_figures(record)))
    damaged = [f"{record.folder}: {record.reason}" for record in records if record.reason]
    _finish(records, rows, damaged, as_json)


def compare(folder: Folder = Path(), as_json: Json = False) -> None:
    """Compare the finished runs in a folder: the fields in which they differ, and their regret."""
    done = (record for record in cf.list_runs(folder) if record.state == "done")
    records = sorted(done, key=lambda record: _order(record.summary))
    names = {name for record in records for name in record.config}
    fields = sorted(name for name in names if len({repr(record.config.get(name)) for record in records}) > 1)
    rows: list[tuple[str, ...]] = [("run", *fields, "true regret", "model regret", "seconds")]
    rows += [(record.folder, *(_short(record.config.get(n)) for n in fields), *_figures(record)) for record in records]
    _finish(records, rows, [], as_json)


def _order(summary: Any) -> tuple[bool, float]:
    """Least regret first, then those without a true game."""
    regret = summary.final_sum_regret
    return (regret is None, regret if regret is not None else summary.seconds)


def _figures(record: Any) -> tuple[str, ...]:
    summary = record.summary
    if summary is None:
        return "", "", ""
    true = summary.final_sum_regret
    within = None if summary.model_regret is None else sum(summary.model_regret)
    return (*("" if value is None else f"{value:.4g}" for value in (true, within)), f"{summary.seconds:.0f}")


def _short(value: Any) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 3]}..."


def _finish(records: Any, rows: list[tuple[str, ...]], remarks: list[str], as_json: bool) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    text = "\n".join([*lines, *remarks]) if len(rows) > 1 else "no runs here"
    finish({"runs": [asdict(record) for record in records]}, text, as_json)
