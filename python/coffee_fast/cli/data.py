"""``coffee-fast dataset``: logged play."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import coffee_fast as cf
from coffee_fast.cli._endings import BAD_DATA
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
    """Print a dataset's card: its sizes, returns, lengths, how varied play is."""
    card = cf.TrajectoryDataset.load(folder).describe()
    finish({"dataset": folder, **card.to_json()}, str(card), as_json)


def check(
    folder: Folder,
    terminal_threshold: Annotated[
        float, typer.Option(help="Of the model to be learned: how near to the terminal state an episode ends.")
    ] = 0.5,
    as_json: Json = False,
) -> None:
    """Ask whether a model can be learned from a dataset.

    Each finding says where it shows, what follows and what to do. It runs by itself before every fit; the exit code is
    3 if anything is refused. Whether the files are whole and well formed is what `validate` asks.
    """
    found = cf.TrajectoryDataset.load(folder).check(terminal_threshold)
    finish({"dataset": folder, **found.to_json()}, f"{folder}: {found}", as_json)
    if not found.is_learnable:
        raise typer.Exit(BAD_DATA)


def validate(folder: Folder, as_json: Json = False) -> None:
    """Check that the files of a dataset are whole and well formed.

    The first fault is named by trajectory and step. Whether a model can be learned from it is what `check` asks.
    """
    dataset = cf.TrajectoryDataset.load(folder)
    dataset.validate()
    counts = {"num_trajectories": dataset.num_trajectories, "num_transitions": dataset.num_transitions}
    text = f"{folder}: valid, {dataset.num_trajectories} trajectories, {dataset.num_transitions} transitions"
    finish({"dataset": folder, "valid": True, **counts}, text, as_json)
