"""Folders that other libraries keep logs in: which one it is, its files tell."""

from __future__ import annotations

import os
from pathlib import Path

from coffee_fast import _files
from coffee_fast.errors import DatasetError
from coffee_fast.logs.minari import read_minari
from coffee_fast.logs.minari_files import HDF5
from coffee_fast.logs.recorded import Recorded
from coffee_fast.logs.vaults import read_vault

METADATA = "metadata.json"
_FEW = 20


def read_folder(path: Path) -> Recorded:
    """Read a dataset of Minari (its folder, or ``data`` in it) or a vault of OG-MARL."""
    folder = path / "data" if os.path.exists(path / "data" / METADATA) else path
    if not os.path.exists(folder / METADATA):
        raise DatasetError(_what_is_there(path))
    about = _files.read_json(folder / METADATA, DatasetError)
    if isinstance(about.get("structure_shape"), dict):
        return read_vault(folder, about)
    if "observation_space" in about or "data_format" in about:
        return read_minari(folder, about)
    raise DatasetError(f"{folder / METADATA}: is neither of a dataset of Minari 0.5 nor of a vault of OG-MARL")


def _what_is_there(path: Path) -> str:
    """What to read in place of a folder that is no log."""
    if os.path.exists(path / "manifest.json"):
        return f"{path}: is a dataset already, or a run: TrajectoryDataset.load(path) reads a dataset"
    if os.path.exists(path / HDF5) or os.path.exists(path / "data" / HDF5):
        return f"{path}: there is no {METADATA}, so it is of an older Minari; let Minari 0.5 write it again"
    inside = sorted(entry.parent.name for entry in path.glob(f"*/{METADATA}"))
    inside += sorted(entry.parents[1].name for entry in path.glob(f"*/data/{METADATA}"))
    if inside:
        return f"{path}: holds several logs; choose one of {', '.join(inside[:_FEW])[:200]}"
    return (
        f"{path}: holds no log: a folder of Minari has data/{METADATA} and a file of data, a vault of OG-MARL "
        f"has {METADATA}; other logs are files, .csv or .parquet or .npz"
    )
