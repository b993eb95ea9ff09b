"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import coffee_fast as cf
from coffee_fast.config import toml_value
from coffee_fast.errors import shown

if TYPE_CHECKING:
    from coffee_fast.pipeline import RunConfig


def _remember_json(ctx: typer.Context, wanted: bool) -> bool:
    ctx.meta["json"] = wanted
    return wanted


Json = Annotated[
    bool, typer.Option("--json", callback=_remember_json, help="Print one JSON object on the last line of output.")
]
Threads = Annotated[int, typer.Option("--threads", min=0, help="Threads, 0 for all cores; no result depends on it.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Same seed, same result.")]
Game = Annotated[str, typer.Option("--game", help="Name of the true game.")]
Parameters = Annotated[
    list[str] | None, typer.Option("--parameter", metavar="NAME=VALUE", help="A parameter of the game; repeatable.")
]
Preset = Annotated[str | None, typer.Option("--preset", help="demo, quick or paper.")]
Config = Annotated[
    Path | None, typer.Option("--config", exists=True, dir_okay=False, help="A TOML file with a configuration.")
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", help="Set one field, as psro.num_iterations=5; repeatable."),
]
Resume = Annotated[bool, typer.Option("--resume", help="Continue the run in the run folder.")]

ResumeAnyway = Annotated[
    bool, typer.Option("--resume-anyway", help="As --resume, even if the run was begun on an unlike machine or build.")
]
Track = Annotated[
    list[str] | None,
    typer.Option(
        "--track",
        metavar="TRACKER:PLACE",
        help="Also write figures to tensorboard:FOLDER, wandb:PROJECT or mlflow:EXPERIMENT; repeatable.",
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace one that is in the folder already.")]


def run_config(
    preset: str | None, config: Path | None, overrides: list[str] | None, default: str = "quick"
) -> RunConfig:
    """Return the preset or the file's configuration (over the preset, if both are given), with fields set."""
    start = cf.RunConfig.preset(preset or default) if preset or config is None else cf.RunConfig()
    if config is not None:
        start = start.with_toml(config)
    return start.with_overrides(overrides or [])


def true_game(name: str, parameters: list[str] | None) -> Any:
    """Return the game that the options name; a wrong name is wrong usage, not bad data."""
    try:
        return cf.load_game(name, **named_values(parameters, "--parameter"))
    except cf.InvalidGameError as error:
        raise cf.ConfigError(str(error)) from None


def named_values(texts: list[str] | None, option: str) -> dict[str, Any]:
    """Return ``["discount=0.99"]`` as ``{"discount": 0.99}``; values are read as TOML, words are strings."""
    values: dict[str, Any] = {}
    for text in texts or []:
        name, separator, value = text.partition("=")
        if not separator or not name.strip():
            raise cf.ConfigError(f"{option} must be NAME=VALUE, got {shown(text)}")
        values[name.strip()] = toml_value(value)
    return values


def trackers(wanted: list[str] | None) -> list[cf.trackers.Tracker]:
    """Return the trackers that the options name; a wrong name is wrong usage."""
    kinds = {"tensorboard": cf.trackers.TensorBoard, "wandb": cf.trackers.WandB, "mlflow": cf.trackers.MLflow}
    found = []
    for text in wanted or []:
        kind, _, place = text.partition(":")
        if kind not in kinds or not place:
            raise typer.BadParameter(
                f"expected tensorboard:FOLDER, wandb:PROJECT or mlflow:EXPERIMENT, got {text[:60]!r}"
            )
        found.append(kinds[kind](place))
    return found
