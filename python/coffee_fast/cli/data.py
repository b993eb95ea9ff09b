"""``coffee-fast dataset``: logged play."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import coffee_fast as cf
from coffee_fast.cli._options import Game, Json, Overwrite, Parameters, Seed, Threads, true_game
from coffee_fast.cli._report import finish

Folder = Annotated[Path, typer.Argument(help="Folder of a dataset.", exists=True, file_okay=False)]


def generate(
    folder: Annotated[Path, typer.Argument(help="New folder for the dataset.")],
    game: Game = "generalized_bargaining",
    parameter: Parameters = None,
    behavior: Annotated[str, typer.Option(help="Name of the policy that plays.")] = "uniform_random",
    num_trajectories: Annotated[int, typer.Option(min=1, help="Trajectories stored, mirrored copies included.")] = 1000,
    mirrored: Annotated[bool, typer.Option(help="Store each episode a second time with the players exchanged.")] = True,
    overwrite: Overwrite = False,
    seed: Seed = 0,
    threads: Threads = 0,
    as_json: Json = False,
) -> None:
    """Play a game and write the log."""
    dataset = cf.generate_dataset(
        true_game(game, parameter),
        behavior=behavior,
        num_trajectories=num_trajectories,
        seed=seed,
        mirrored=mirrored,
        num_threads=threads,
    )
    dataset.save(folder, overwrite)
    card = dataset.describe()
    finish(
        {"dataset": folder, "fingerprint": dataset.fingerprint, **card.to_json()},
        f"{card}\nwritten to {folder}",
        as_json,
    )


def describe(folder: Folder, as_json: Json = False) -> None:
    """Print a dataset's sizes, returns, lengths, coverage."""
    card = cf.TrajectoryDataset.load(folder).describe()
    finish({"dataset": folder, **card.to_json()}, str(card), as_json)


def validate(folder: Folder, as_json: Json = False) -> None:
    """Check a dataset completely.

    The first fault is named by trajectory and step.
    """
    dataset = cf.TrajectoryDataset.load(folder)
    dataset.validate()
    counts = {"num_trajectories": dataset.num_trajectories, "num_transitions": dataset.num_transitions}
    text = f"{folder}: valid, {dataset.num_trajectories} trajectories, {dataset.num_transitions} transitions"
    finish({"dataset": folder, "valid": True, **counts}, text, as_json)
