"""``coffee-fast evaluate``: a solution in the true game."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

import coffee_fast as cf
from coffee_fast.cli._endings import make_resumable
from coffee_fast.cli._options import (
    Config,
    Game,
    Json,
    Overrides,
    Parameters,
    Preset,
    Seed,
    Threads,
    run_config,
    true_game,
)
from coffee_fast.cli._report import finish, plus_minus, progress_reports, table


def evaluate(
    ctx: typer.Context,
    solution: Annotated[
        Path,
        typer.Argument(
            help="Folder of a solution, as `run`, `psro` and `team` write it.", exists=True, file_okay=False
        ),
    ],
    game: Game = "generalized_bargaining",
    log: Annotated[
        Path | None,
        typer.Option(
            help="Folder of a dataset: bounds on regret by its tree instead, where histories repeat in it.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    parameter: Parameters = None,
    cache_dir: Annotated[
        Path | None, typer.Option(help="Keep trained best responses here, so that the work is not lost.")
    ] = None,
    preset: Preset = None,
    config: Config = None,
    overrides: Overrides = None,
    seed: Seed = 0,
    threads: Threads = 0,
    as_json: Json = False,
) -> None:
    """Measure a solution's regret in the true game, or bound it by a log.

    The section `evaluation` of a configuration says how the game is played.
    """
    judged: Any = (cf.TeamPolicies if (solution / "team.json").exists() else cf.Solution).load(solution)
    if log is not None:
        if ctx.get_parameter_source("game").name != "DEFAULT":  # type: ignore[union-attr]
            raise typer.BadParameter("either the game or a log of it judges, got both --game and --log")
        _by_the_log(solution, judged, log, seed, as_json)
        return
    wanted = run_config(preset, config, overrides).evaluation
    if cache_dir is not None:
        make_resumable(ctx)
    with progress_reports() as progress:
        report = cf.true_regret(
            true_game(game, parameter),
            judged,
            seed,
            response=wanted.response,
            num_simulations=wanted.num_simulations,
            num_threads=threads,
            cache_dir=cache_dir,
            progress=progress,
        )
    rows = [("regret, summed over players", plus_minus(report.sum_regret, report.sum_regret_standard_error))]
    if report.is_exact:
        rows.append(("how it was found", "over the whole tree of the game: exact"))
    else:
        fresh = plus_minus(report.debiased_sum_regret, report.debiased_sum_standard_error)
        rows.append(("measured on fresh episodes", fresh))
    rows += [
        ("regret of each player", ", ".join(f"{regret:.4g}" for regret in report.regret)),
        ("payoff of each player", ", ".join(f"{payoff:.4g}" for payoff in report.payoff)),
        ("best deviation", report.deviation),
    ]
    finish({"solution": solution, **report.to_json()}, table(rows), as_json)


def _by_the_log(solution: Path, judged: Any, log: Path, seed: int, as_json: bool) -> None:
    with progress_reports():
        found = cf.regret_from_log(cf.TrajectoryDataset.load(log), judged, seed)
    lowest, highest = found.nash_conv_bounds
    bounds = {"lowest_sum_regret": lowest, "highest_sum_regret": highest, "num_unseen": found.in_tree.num_unseen}
    finish({"solution": solution, "log": log, **bounds}, found.describe(), as_json)
