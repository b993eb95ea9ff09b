"""``coffee-fast sweep``: many runs from one plan."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import coffee_fast as cf
from coffee_fast.cli._endings import FAILURE, make_resumable
from coffee_fast.cli._options import Json, ResumeAnyway
from coffee_fast.cli._report import finish, remark, table
from coffee_fast.typing import ProgressCallback

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from coffee_fast.sweeps import SweepPlan, SweepSummary

STATES = ("done", "failed", "running", "pending")
ENDS = ("done", "failed", "interrupted")


class Engine(StrEnum):
    """Where the runs run."""

    local = "local"
    ray = "ray"


def sweep(
    ctx: typer.Context,
    plan: Annotated[Path, typer.Argument(help="A TOML file, as docs/sweeps.md says.", exists=True, dir_okay=False)],
    sweep_dir: Annotated[
        Path | None, typer.Option("--sweep-dir", help="Folder for runs and table, by default runs/NAME.")
    ] = None,
    num_workers: Annotated[
        int | None, typer.Option("--num-workers", min=1, help="Runs at a time, by default as many as there are cores.")
    ] = None,
    threads_per_run: Annotated[
        int, typer.Option("--threads-per-run", min=1, help="Threads of each; no result depends on it.")
    ] = 1,
    retries: Annotated[
        int, typer.Option("--retries", min=0, help="How often a run is tried again whose process died.")
    ] = 1,
    keep_going: Annotated[bool, typer.Option("--keep-going", help="Go on after a run has failed.")] = False,
    engine: Annotated[Engine, typer.Option(help="Local processes, or tasks of a Ray cluster.")] = Engine.local,
    address: Annotated[
        str | None, typer.Option(help="The Ray cluster's address; its machines share the folder.")
    ] = None,
    resume_anyway: ResumeAnyway = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List the runs and their states, and start nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Carry out every run of a plan.

    Runs that are done are skipped, interrupted ones gone on with: the same command is the way to resume. Results are
    in one table, results.parquet. Exits with 1 if a run has failed.
    """
    planned = cf.sweeps.SweepPlan.read(plan)
    folder = sweep_dir or Path("runs") / planned.name
    if dry_run:
        _list(planned, folder, as_json)
        return
    make_resumable(ctx)
    with _reports() as progress:
        summary = cf.sweeps.run_sweep(
            planned,
            folder,
            num_workers=num_workers,
            threads_per_run=threads_per_run,
            retries=retries,
            keep_going=keep_going,
            engine=engine.value,
            address=address,
            resume_anyway=resume_anyway,
            progress=progress,
        )
    finish(summary.to_json(), _in_words(planned, summary, keep_going), as_json)
    if not summary.is_complete:
        raise typer.Exit(FAILURE)


def _list(plan: SweepPlan, folder: Path, as_json: bool) -> None:
    states = cf.sweeps.states(plan, folder)
    runs = [{"key": run.key, "state": states[run.key].state, "run": str(run)} for run in plan.runs]
    lines = [f"{run['key']}  {run['state']:<7}  {run['run']}" for run in runs]
    finish({"name": plan.name, "runs": runs}, "\n".join([*lines, f"{len(runs)} runs, in {folder}"]), as_json)


def _in_words(plan: SweepPlan, summary: SweepSummary, keep_going: bool) -> str:
    lines = [
        f"{run.key}  {state.state:<7}  {run}" + (f"\n    {state.reason}" if state.reason else "")
        for run in plan.runs
        for state in [summary.states[run.key]]
        if state.state != "done"
    ]
    if not keep_going and summary.count("pending"):
        lines.append("no new run was started after the first failure; --keep-going starts the others too")
    counts = ", ".join(f"{number} {state}" for state in STATES if (number := summary.count(state)))
    return "\n".join([*lines, table([("runs", counts), ("results", summary.table)])])


@contextmanager
def _reports() -> Iterator[ProgressCallback]:
    """Yield a progress callback: a bar for the sweep and each run on a terminal, a line for each run elsewhere."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[stage]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        yield _Bars(bars)


class _Bars:
    """A bar for the sweep and one for each run under way, which says its stage."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._sweep = bars.add_task("sweep", total=None, stage="")
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, phase: str, done: int, total: int, figures: Mapping[str, float]) -> None:
        if phase == "sweep":
            self._bars.update(self._sweep, completed=done, total=total, stage=_failures(figures))
            return
        key, _, stage = phase.partition(": ")
        if stage in ENDS:
            if key in self._tasks:
                self._bars.remove_task(self._tasks.pop(key))
            return
        if key not in self._tasks:
            self._tasks[key] = self._bars.add_task(key, total=total, stage=stage)
        self._bars.update(self._tasks[key], completed=done, total=total, stage=stage)


class _Lines:
    """A line for each run that ends."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._ended = ""

    def __call__(self, phase: str, done: int, total: int, figures: Mapping[str, float]) -> None:
        key, _, stage = phase.partition(": ")
        if stage in ENDS:
            self._ended = f"{key} {stage}"
        elif phase == "sweep":
            seconds = time.monotonic() - self._start
            remark(f"[{seconds:7.1f} s] {done}/{total} runs ended  {self._ended}  {_failures(figures)}".rstrip())


def _failures(figures: Mapping[str, float]) -> str:
    number = int(figures.get("failed", 0))
    return f"{number} failed" if number else ""
