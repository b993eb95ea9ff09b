"""``coffee-fast answer``: policies by robust networks, of a seat against the others of a log or of a log's team."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Annotated, Any

import typer

import coffee_fast as cf
from coffee_fast.checks import did_you_mean
from coffee_fast.cli._options import Json, Seed, named_values
from coffee_fast.cli._report import finish, progress_reports, table
from coffee_fast.errors import shown

_NOT_OPTIONS = ("log", "player", "seed", "progress")


def answer(
    dataset: Annotated[Path, typer.Argument(help="Folder of a dataset.", exists=True, file_okay=False)],
    out: Annotated[Path, typer.Option("-o", "--out", help="New folder for the policies.")],
    player: Annotated[
        list[str] | None,
        typer.Option("--player", help="Whose policy, by number or name; repeatable for seats that share one."),
    ] = None,
    team: Annotated[
        bool, typer.Option("--team", help="All players are one team: a policy for each, by robust_qmix.")
    ] = False,
    options: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="An option of network_rpq, or with --team of robust_qmix, as weight=0.5 or distance=kl; repeatable.",
        ),
    ] = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Answer a log by networks that are wary of transitions unlike those of the log.

    One seat against the others as logged, or with --team all players of a log in which they get the same.
    """
    solver: Any = cf.regularized.robust_qmix if team else cf.regularized.network_rpq
    if team and player:
        raise typer.BadParameter("--player and --team exclude each other")
    chosen = named_values(options, "--set")
    known = [name for name in inspect.signature(solver).parameters if name not in _NOT_OPTIONS]
    if unknown := [name for name in chosen if name not in known]:
        raise cf.ConfigError(
            f"answer: {solver.__name__} has no option {shown(unknown[0])}{did_you_mean(unknown[0], known)}"
        )
    log = cf.TrajectoryDataset.load(dataset)
    if not team:
        chosen["player"] = [int(seat) if seat.isdecimal() else seat for seat in player or ["0"]]
    with progress_reports() as progress:
        found = solver(log, **chosen, seed=seed, progress=progress)
    cf.regularized.save_answer(found, out)
    figures = ("value", "change", "residual", "status", "num_iterations", "num_decisions", "distance", "weight")
    values = {name: getattr(found, name) for name in figures}
    rows = [
        ("answer to", found.about),
        ("worth by its networks, at worst", f"{found.value:.6g} an episode"),
        ("last change of values, what they leave", f"{found.change:.3g}, {found.residual:.3g}"),
        ("the search ended", f"{found.status} after {found.num_iterations} iterations"),
        ("policies", str(out)),
    ]
    finish({"solver": solver.__name__, "out": out, "about": found.about, **values}, table(rows), as_json)
