"""``coffee-fast team``: policies of teammates, learned from their log with networks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import coffee_fast as cf
from coffee_fast.cli._options import Json, Overwrite, Seed, Track, named_values, trackers
from coffee_fast.cli._report import finish, progress_reports, remark, table


def team(
    dataset: Annotated[Path, typer.Argument(help="Folder of a dataset.", exists=True, file_okay=False)],
    folder: Annotated[Path, typer.Argument(help="New folder for the policies.")],
    solver: Annotated[str, typer.Option("--solver", help="inspo or alberdice.")] = "inspo",
    options: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="An option of the solver, as kl_weight=0.5; repeatable."),
    ] = None,
    seed: Seed = 0,
    track: Track = None,
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Learn what teammates should do, each by itself, from a log in which all get the same.

    For logs whose states never repeat; where they are few, `table --solver inspo` solves them exactly. No model is
    learned. `evaluate` judges the policies in the game itself, where there is one.
    """
    config = cf.teams.from_config({"kind": solver, **named_values(options, "--set")})
    log = cf.TrajectoryDataset.load(dataset)
    if folder.exists() and not overwrite:
        raise cf.ConfigError(f"{folder} exists already; choose a new folder, or pass --overwrite")
    with progress_reports(trackers(track)) as progress:
        found = cf.learn_team(log, config, seed, progress=progress)
    found.save(folder, overwrite)
    if found.status == "off_log":
        remark(
            f"warning: {found.off_log_probability:.1%} of the decisions are ones that the log does not show there, so "
            "that the figures are a guess; raise kl_weight, or num_sweeps"
        )
    if found.status == "by_heart":
        remark(
            "warning: values of episodes that were kept out are off by more than twice as much as of those learned "
            "from, so the return said is too high; more episodes help, or fewer num_value_steps and num_judging_steps"
        )
    values = {
        "team": folder,
        "expected_return": found.expected_return,
        "logged_return": found.logged_return,
        "gap": found.gap,
        "divergence": found.divergence,
        "off_log_probability": found.off_log_probability,
        "training_error": found.training_error,
        "held_out_error": found.held_out_error,
        "effective_sample_size": found.effective_sample_size,
        "status": found.status,
        "about": found.about,
    }
    rows = [
        ("expected return, by each player's values", ", ".join(f"{value:.4g}" for value in found.expected_return)),
        ("what the log's players got", f"{found.logged_return:.4g}"),
        ("gap of each player at a decision", ", ".join(f"{gap:.3g}" for gap in found.gap)),
        ("error of values, learned from", ", ".join(f"{error:.3g}" for error in found.training_error)),
        ("error of values, kept out", ", ".join(f"{error:.3g}" for error in found.held_out_error)),
        ("decisions that the log does not show", f"{found.off_log_probability:.2%}"),
        ("these are about", found.about),
        ("policies", str(folder)),
    ]
    finish(values, table(rows), as_json)
