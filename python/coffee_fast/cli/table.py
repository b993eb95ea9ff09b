"""``coffee-fast table``: a log solved as a table, where all players see the same."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from coffee_fast.cli._endings import make_resumable
from coffee_fast.cli._options import Config, Json, Resume, run_config
from coffee_fast.cli.run import SeedOfRun, seeded, start


def table(
    ctx: typer.Context,
    dataset: Annotated[Path, typer.Argument(help="Folder of a dataset.", exists=True, file_okay=False)],
    run_dir: Annotated[Path, typer.Option("--run-dir", help="New folder for the run, or the one to resume.")],
    solver: Annotated[
        str | None,
        typer.Option(
            "--solver",
            help="gane, gamd, rqe, smoothed_best_response, or of a team inspo, alberdice; by default gane.",
        ),
    ] = None,
    options: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="An option of the solver, as kl_weight=0.5; repeatable."),
    ] = None,
    state_entries: Annotated[
        list[int] | None,
        typer.Option("--state-entry", min=0, help="An entry of the state that tells cells apart; repeatable."),
    ] = None,
    is_fully_observed: Annotated[
        bool, typer.Option("--fully-observed", help="All players see the cell, whatever else the log says they saw.")
    ] = False,
    config: Config = None,
    resume: Resume = False,
    seed: SeedOfRun = None,
    as_json: Json = False,
) -> None:
    """Solve a log as a table of the states it visits, and write a report.

    For logs of few states in which all players see the same; others are refused, with what to do. No model is learned.
    The same as `run --set algorithm=table --set table.solver=...`, and as a plan's `table.solver` sweeps do.
    """
    overrides = ["algorithm=table", *([f"table.solver={solver}"] if solver else [])]
    overrides += [f"table.solver.{option}" for option in options or []]
    if state_entries:
        overrides.append(f"table.state_entries={state_entries}")
    if is_fully_observed:
        overrides.append("table.is_fully_observed=true")
    wanted = run_config(None, config, seeded(overrides, seed))
    make_resumable(ctx, "--resume")
    start(wanted, run_dir, dataset, resume, 1, as_json)
