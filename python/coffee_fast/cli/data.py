"""``coffee-fast dataset``: logged play."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

import coffee_fast as cf
from coffee_fast.cli._endings import BAD_DATA
from coffee_fast.cli._options import Game, Json, Overwrite, Parameters, Seed, Threads, true_game
from coffee_fast.cli._report import finish
from coffee_fast.errors import shown

Folder = Annotated[Path, typer.Argument(help="Folder of a dataset.", exists=True, file_okay=False)]


def generate(
    folder: Annotated[Path, typer.Argument(help="New folder for the dataset.")],
    game: Game = "generalized_bargaining",
    parameter: Parameters = None,
    behavior: Annotated[str, typer.Option(help="Name of the policy that plays.")] = "uniform_random",
    num_trajectories: Annotated[int, typer.Option(min=1, help="Trajectories stored, mirrored copies included.")] = 1000,
    mirrored: Annotated[
        bool | None,
        typer.Option(help="Store each episode a second time with players exchanged, where that can be."),
    ] = None,
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


def _column(what: str) -> Any:
    return typer.Option(metavar="COLUMN", help=f"{what}; repeatable, the beginning of names, or PLAYER=COLUMN of each.")


def import_log(
    log: Annotated[
        Path, typer.Argument(help="A .csv, .tsv, .parquet or .npz file, a folder of Minari or OG-MARL.", exists=True)
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="New folder for the dataset.")],
    episode: Annotated[str | None, typer.Option(help="Column of the episodes' labels.")] = None,
    step: Annotated[str | None, typer.Option(help="Column by which an episode's rows are sorted.")] = None,
    player: Annotated[str | None, typer.Option(help="Column of who acts.")] = None,
    action: Annotated[list[str] | None, _column("Column of what is done")] = None,
    reward: Annotated[list[str] | None, _column("Column of what is paid")] = None,
    observation: Annotated[list[str] | None, _column("Column of what players see")] = None,
    state: Annotated[list[str] | None, _column("Column of the state")] = None,
    legal_mask: Annotated[list[str] | None, _column("Column of 0 and 1, an action each")] = None,
    terminal: Annotated[str | None, typer.Option(help="Column that is 1 in the last row of an episode.")] = None,
    truncated: Annotated[str | None, typer.Option(help="Column that is 1 where an episode broke off.")] = None,
    chance: Annotated[str | None, typer.Option(help="What the player is called where chance moves, beside -1.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the game.")] = None,
    symmetric: Annotated[bool, typer.Option(help="Whether all players are alike.")] = False,
    roles: Annotated[str | None, typer.Option(metavar="SIZES", help="Seats of each role, as 1,3.")] = None,
    public_moves: Annotated[
        bool | None, typer.Option(help="Whether players see each other's moves, where the log does not show it.")
    ] = None,
    behavior: Annotated[str, typer.Option(help="Who played, in words.")] = "",
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Make a dataset of a log in a file, whatever its columns are called, or in a folder of Minari or OG-MARL.

    What was found and how is printed, and what a model could learn from it. Columns that are named as in the
    documentation of from_transitions need not be given, and those of a folder are known.
    """
    singles = {"episode": episode, "step": step, "player": player, "terminal": terminal, "truncated": truncated}
    several = {"action": action, "reward": reward, "observation": observation}
    several |= {"state": state, "legal_mask": legal_mask}
    columns: dict[str, Any] = {what: given for what, given in singles.items() if given is not None}
    columns |= {what: _several(f"--{what.replace('_', '-')}", given) for what, given in several.items() if given}
    known: dict[str, Any] = {"name": name, "is_symmetric": symmetric or None, "public_moves": public_moves}
    if roles is not None:
        known["roles"] = _sizes(roles)
    dataset = cf.TrajectoryDataset.from_transitions(
        None, log, columns=columns or None, chance=chance, behavior=behavior, **known
    )
    dataset.save(out, overwrite)
    found = dataset.check()
    finish(
        {
            **{"dataset": out, "fingerprint": dataset.fingerprint, **dataset.describe().to_json()},
            **{"description": dataset.spec.describe(), "check": found.to_json()},
        },
        f"{dataset.spec.describe()}\n{found}\nwritten to {out}",
        as_json,
    )


def _several(option: str, given: list[str]) -> Any:
    """One column, a list of them, or those of each player."""
    if not any("=" in item for item in given):
        return given[0] if len(given) == 1 else given
    by_player: dict[str, list[str]] = {}
    for item in given:
        player, is_there, column = item.partition("=")
        if not (is_there and player and column):
            raise typer.BadParameter(f"{shown(item)} must be PLAYER=COLUMN, as the others are", param_hint=option)
        by_player.setdefault(player, []).append(column)
    return by_player


def _sizes(text: str) -> list[int]:
    parts = text.split(",")
    if not all(part.strip().isascii() and part.strip().isdigit() and len(part) < 5 for part in parts):
        raise typer.BadParameter(f"must be seats of each role, as 1,3, got {shown(text)}", param_hint="--roles")
    return [int(part) for part in parts]


def export(
    folder: Folder,
    file: Annotated[Path, typer.Argument(help="New .csv or .parquet file.", dir_okay=False)],
    features: Annotated[bool, typer.Option(help="Also states, observations and legal actions.")] = False,
    as_json: Json = False,
) -> None:
    """Write a dataset as a table with one row a move, to look at it elsewhere."""
    dataset = cf.TrajectoryDataset.load(folder)
    cf.data.export_table(dataset, file, features)
    text = f"{file}: {dataset.num_transitions} rows"
    finish({"dataset": folder, "file": file, "num_rows": dataset.num_transitions}, text, as_json)


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
