"""The report of a sweep: tables and figures as CSV and PNG, and one page with all of them."""

from __future__ import annotations

import html
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coffee_fast import _files
from coffee_fast.checks import check_count, check_text
from coffee_fast.errors import InvalidArgumentError
from coffee_fast.reports.exhibit import Exhibit
from coffee_fast.reports.exhibits import all_exhibits
from coffee_fast.reports.page import page
from coffee_fast.reports.results import SETTING, SweepResults, read_results
from coffee_fast.reports.scale import scale_in_words, seeds_in_words
from coffee_fast.reports.tables import settings_table

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class SweepReport:
    """What was written.

    Attributes
    ----------
    page
        The HTML page.
    files
        All files by name, the page among them.
    missing
        Exhibits that have no data, with the reason.
    """

    page: str
    files: tuple[str, ...]
    missing: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        return {"page": self.page, "files": list(self.files), "missing": dict(self.missing)}


def report_sweep(
    sweep_dir: str | Path, out: str | Path, *, num_last: int = 5, command: str | None = None
) -> SweepReport:
    """Write the tables and figures of a sweep, whatever part of it is done.

    Parameters
    ----------
    sweep_dir
        A sweep's folder; of it ``plan.json`` and ``results.parquet`` are read.
    out
        Folder for the report; files of an earlier one are replaced.
    num_last
        A run counts with its mean regret over the judged ones of this many last iterations.
    command
        What the captions name as the command that made them.

    Raises
    ------
    CheckpointError
        If the folder holds no sweep, or a damaged one.
    InvalidArgumentError
        If no run is done, or pandas or pyarrow is not installed.
    """
    num_last = check_count("report_sweep: num_last", num_last, at_least=1)
    if command is not None:
        check_text("report_sweep: command", command)
    folder = _files.as_path(out, InvalidArgumentError)
    results = read_results(sweep_dir)
    if results.table.empty:
        raise InvalidArgumentError(
            f"report_sweep: no run of {sweep_dir} has been judged in a true game; what the models say of the solutions "
            "is in its results.parquet"
        )
    folder.mkdir(parents=True, exist_ok=True)
    command = command or shlex.join(["coffee-fast", "report", str(sweep_dir), "-o", str(out)])
    runs = results.by_run(num_last)
    settings = settings_table(runs)
    exhibits = all_exhibits(results, runs, settings)
    about = _about(results, settings, num_last, command)
    contents: dict[str, bytes] = {"settings.csv": _csv(settings), "results.csv": _csv(results.table)}
    images: dict[str, bytes] = {}
    for exhibit in exhibits:
        if exhibit.data is not None and exhibit.draw is not None:
            images[exhibit.name] = _png(exhibit.draw())
            contents[f"{exhibit.name}.csv"] = _csv(exhibit.data)
            contents[f"{exhibit.name}.png"] = images[exhibit.name]
    title = f"Results of the sweep {results.name}"
    contents["index.html"] = page(title, _opening(results, exhibits), exhibits, about, images).encode()
    for name, content in contents.items():
        _files.write_atomically(folder / name, content)
    for exhibit in exhibits:  # of an earlier report
        for ending in ("csv", "png"):
            if f"{exhibit.name}.{ending}" not in contents:
                (folder / f"{exhibit.name}.{ending}").unlink(missing_ok=True)
    missing = {exhibit.name: exhibit.missing for exhibit in exhibits if exhibit.missing}
    return SweepReport(str(folder / "index.html"), tuple(sorted(contents)), missing)


def _opening(results: SweepResults, exhibits: list[Exhibit]) -> list[str]:
    counts = ", ".join(f"{number} {state}" for state, number in results.states.items())
    paragraphs = [
        f"Runs: {html.escape(counts)}. <b>Regret</b> is what players could gain by leaving a solution, summed over the "
        "players, in payoff units of the game: zero is an equilibrium, lower is better. It is found by training an "
        "opponent against the solution in the true game, so it is a lower bound. Tables with every figure: "
        '<a href="settings.csv">settings.csv</a>, a row for each setting; <a href="results.csv">results.csv</a>, a row '
        "for each run and judged solution."
    ]
    if len(results.machines) > 1 or any("; then " in machine for machine in results.machines):
        machines = "<br>".join(map(html.escape, results.machines))
        paragraphs.append(f"The runs are of unlike machines or builds, whose bits need not be the same:<br>{machines}")
    if missing := [exhibit.name.replace("-", " ") for exhibit in exhibits if exhibit.missing]:
        paragraphs.append(f"Not all has data: {', '.join(missing)} cannot be shown, the reason is given in its place.")
    return paragraphs


def _about(results: SweepResults, settings: pd.DataFrame, num_last: int, command: str) -> str:
    scale = scale_in_words(results.configs)
    seeds = seeds_in_words(settings.num_runs.tolist())
    judged = f"a run's regret is the mean over what was judged of its last {num_last} iterations"
    return (
        f"Scale: {html.escape(scale)}; {html.escape(seeds)}; {judged}. Sweep: {html.escape(results.name)}. Made by "
        f"<code>{html.escape(command)}</code>."
    )


def _csv(table: pd.DataFrame) -> bytes:
    by = [name for name in (*SETTING, "seed", "iteration") if name in table]
    text: str = table.sort_values(by, kind="stable").to_csv(index=False, lineterminator="\n")
    return text.encode()


def _png(figure: Any) -> bytes:
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=160, metadata={"Software": None})
    return buffer.getvalue()
