"""``coffee-fast model``: the dynamics ensemble."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import coffee_fast as cf
from coffee_fast.cli._options import Config, Json, Overrides, Overwrite, Preset, Seed, Threads, run_config
from coffee_fast.cli._report import finish, progress_reports, table


def fit(
    dataset: Annotated[Path, typer.Argument(help="Folder of a dataset.", exists=True, file_okay=False)],
    folder: Annotated[Path, typer.Argument(help="New folder for the model.")],
    preset: Preset = None,
    config: Config = None,
    overrides: Overrides = None,
    overwrite: Overwrite = False,
    seed: Seed = 0,
    threads: Threads = 0,
    as_json: Json = False,
) -> None:
    """Learn a game's dynamics from logged play.

    The section `model` of a configuration says how.
    """
    wanted = run_config(preset, config, overrides).model
    logged = cf.TrajectoryDataset.load(dataset)
    if folder.exists() and not overwrite:
        raise cf.ConfigError(f"{folder} exists already; choose a new folder, or pass --overwrite")
    with progress_reports() as progress:
        model = cf.DynamicsEnsemble.fit(logged, wanted, seed, num_threads=threads, progress=progress)
    model.save(folder, overwrite)
    figures = model.fit_report.to_json()
    result = {"model": folder, "fingerprint": model.fingerprint, "num_members": model.num_members, "fit": figures}
    rows = [("model", str(folder)), ("members", str(model.num_members))]
    finish(result, f"{model.fit_report}\n\n{table(rows)}", as_json)
