"""``coffee-fast demo``, ``run`` and ``report``: from a dataset to a report."""

from __future__ import annotations

import itertools
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

import coffee_fast as cf
from coffee_fast.cli._endings import make_resumable
from coffee_fast.cli._options import (
    Config,
    Json,
    Overrides,
    Preset,
    Resume,
    ResumeAnyway,
    Threads,
    Track,
    run_config,
    trackers,
)
from coffee_fast.cli._report import finish, progress_reports, remark, rendered, table

if TYPE_CHECKING:
    from coffee_fast.pipeline import RunConfig, RunSummary

RunDir = Annotated[Path | None, typer.Option("--run-dir", help="New folder for the run.")]
SeedOfRun = Annotated[int | None, typer.Option("--seed", min=0, help="Same seed, same result.")]


def demo(
    ctx: typer.Context,
    run_dir: RunDir = None,
    resume: Resume = False,
    seed: SeedOfRun = None,
    threads: Threads = 0,
    as_json: Json = False,
) -> None:
    """Solve a bargaining game from logged play, start to end.

    Takes two or three minutes: generates 1000 logged random games, fits a model of them, lets all players learn at once
    inside it by anchored self-play, judges the solution in the true game and tells what came out.
    """
    remark(
        "Generalized bargaining: two players divide items that each values differently, by offers in turn.\n"
        "From logged games of random players alone: learn the game, find strategies, judge them in the real game.\n"
    )
    folder = run_dir or _free_folder("coffee-fast-demo")
    make_resumable(ctx, *([] if run_dir else ["--run-dir", str(folder)]), "--resume")
    start(run_config("demo", None, seeded(["algorithm=self_play"], seed)), folder, None, resume, threads, as_json)


def run(
    ctx: typer.Context,
    run_dir: Annotated[Path, typer.Option("--run-dir", help="New folder for the run, or the one to resume.")],
    preset: Preset = None,
    config: Config = None,
    overrides: Overrides = None,
    dataset: Annotated[
        Path | None,
        typer.Option(help="Folder of a dataset of your own; else one is generated.", exists=True, file_okay=False),
    ] = None,
    resume: Resume = False,
    resume_anyway: ResumeAnyway = False,
    cache_dir: Annotated[
        Path | None,
        typer.Option(
            envvar="COFFEE_FAST_CACHE_DIR",
            help="Folder that runs share for equilibrium profiles of the game; by default `cache` beside the run.",
        ),
    ] = None,
    seed: SeedOfRun = None,
    track: Track = None,
    threads: Threads = 0,
    as_json: Json = False,
) -> None:
    """From a dataset to a report.

    Fits a model to the dataset, finds strategies in it, judges them in the true game and writes report and plots. The
    configuration is a preset (default quick), a TOML file, or the file over the preset; --set comes last.
    """
    wanted = run_config(preset, config, seeded(overrides, seed))
    make_resumable(ctx, "--resume")
    start(wanted, run_dir, dataset, "anyway" if resume_anyway else resume, threads, as_json, cache_dir, track)


def report(
    ctx: typer.Context,
    folder: Annotated[
        Path, typer.Argument(help="Folder of a finished run, or of a sweep.", exists=True, file_okay=False)
    ],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for a sweep's report, by default report inside it.")
    ] = None,
    num_last: Annotated[
        int, typer.Option("--last", min=1, help="Of a sweep: how many last iterations a run's regret is the mean of.")
    ] = 5,
    as_json: Json = False,
) -> None:
    """Write the report of a run or a sweep anew.

    Of a run, report.md, its plots and report.html with all of it, inside its folder. Of a sweep, whatever part of it is
    done: tables and figures as CSV and PNG, and all of them in one page, index.html.
    """
    if not (folder / "plan.json").exists():
        if out:
            raise typer.BadParameter("only the report of a sweep goes elsewhere, and there is no plan.json here")
        _tell(cf.rewrite_report(folder), as_json)
        return
    command = shlex.join(["coffee-fast", *ctx.meta["arguments"]])
    written = cf.report_sweep(folder, out or folder / "report", num_last=num_last, command=command)
    missing = [(f"no {name.replace('-', ' ')}", reason) for name, reason in written.missing.items()]
    rows = [("page", written.page), ("files", ", ".join(written.files)), *missing]
    finish(written.to_json(), table(rows), as_json)


def start(
    config: RunConfig,
    run_dir: Path,
    dataset: Path | None,
    resume: bool | Literal["anyway"],
    threads: int,
    as_json: bool,
    cache_dir: Path | None = None,
    track: list[str] | None = None,
) -> None:
    """Carry out a run and tell what came out."""
    with progress_reports(trackers(track)) as progress:
        summary = cf.run_pipeline(
            config, run_dir, dataset, resume=resume, cache_dir=cache_dir, num_threads=threads, progress=progress
        )
    _tell(summary, as_json)


def _tell(summary: RunSummary, as_json: bool) -> None:
    folder = Path(summary.run_dir)
    report = (folder / "report.md").read_text(encoding="utf-8")
    plots = ", ".join(sorted(plot.name for plot in folder.glob("*.png")))
    rows = [
        ("report", f"{folder / 'report.md'}, {folder / 'report.html'}"),
        *([("plots", plots)] if plots else []),
        ("solution", str(folder / "solution")),
        ("took", f"{summary.seconds:.0f} s"),
    ]
    opening = report.partition("\n![")[0]  # the rest is for reading at leisure
    finish(summary.to_json(), f"{rendered(opening)}\n{table(rows)}", as_json)


def seeded(overrides: list[str] | None, seed: int | None) -> list[str]:
    """Return what sets fields, the seed among them if there is one."""
    return [*(overrides or []), *([] if seed is None else [f"seed={seed}"])]


def _free_folder(name: str) -> Path:
    """Return the first of ``name``, ``name-2``, ``name-3``, ... that does not exist."""
    names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
    return next(folder for folder in map(Path, names) if not folder.exists())
