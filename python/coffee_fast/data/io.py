"""Datasets on disk, format 1: a folder of ``data.safetensors`` and ``manifest.json``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from coffee_fast import _core, _files
from coffee_fast.data.dataset import ARRAYS, TrajectoryDataset
from coffee_fast.errors import CoffeeError, DatasetError
from coffee_fast.games import GameSpec

FORMAT = 1
_FIELDS = frozenset(
    {
        "behavior",
        "format",
        "game",
        "is_mirrored",
        "kind",
        "manifest_sha256",
        "num_independent_episodes",
        "num_trajectories",
        "num_transitions",
        "seed",
        "sha256",
        "version",
    }
)


def save_dataset(dataset: TrajectoryDataset, path: str | Path) -> None:
    """Publish the folder as a whole; ``DatasetError`` if there is something at ``path`` already."""
    try:
        with _files.publish_directory(path) as folder:
            _files.write_tensors(folder / "data.safetensors", dataset.arrays)
            manifest = {
                "kind": "trajectory_dataset",
                "format": FORMAT,
                "game": dataset.spec.to_json(),
                "num_trajectories": dataset.num_trajectories,
                "num_transitions": dataset.num_transitions,
                "behavior": dataset.behavior,
                "seed": dataset.seed,
                "is_mirrored": dataset.is_mirrored,
                "num_independent_episodes": dataset.num_independent_episodes,
                "version": str(_core.build_info()["version"]),
                "sha256": _files.sha256_of(folder / "data.safetensors"),
            }
            _files.write_json(folder / "manifest.json", manifest | {"manifest_sha256": manifest_sha256(manifest)})
    except FileExistsError:
        raise DatasetError(f"{path}: there is something here already; choose a new folder") from None


def manifest_sha256(manifest: Mapping[str, Any]) -> str:
    """SHA-256 of a manifest's fields, this checksum itself left out."""
    fields = {name: value for name, value in manifest.items() if name != "manifest_sha256"}
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


def load_dataset(path: str | Path) -> TrajectoryDataset:
    """Read a folder, believing nothing in it before it was checked."""
    folder = Path(path)
    manifest = _read_manifest(folder / "manifest.json")
    data = folder / "data.safetensors"
    arrays = _files.read_tensors(data, DatasetError, manifest["sha256"])
    if unknown := sorted(set(arrays) - set(ARRAYS)):
        raise DatasetError(f"{data}: has an array {unknown[0]!r} that format {FORMAT} does not know")
    try:
        dataset = TrajectoryDataset(
            GameSpec.from_json(manifest["game"]),
            arrays,
            behavior=manifest["behavior"],
            seed=manifest["seed"],
            is_mirrored=manifest["is_mirrored"],
            num_independent_episodes=manifest["num_independent_episodes"],
        )
    except CoffeeError as error:
        raise DatasetError(f"{folder}: {error}") from None
    for name in ("num_trajectories", "num_transitions"):
        if manifest[name] != getattr(dataset, name):
            raise DatasetError(
                f"{folder / 'manifest.json'}: {name} is {manifest[name]}, the data have {getattr(dataset, name)}"
            )
    return dataset


def _read_manifest(file: Path) -> dict[str, Any]:
    manifest = _files.read_json(file, DatasetError)
    if manifest.get("kind") != "trajectory_dataset":
        raise DatasetError(f"{file}: must describe a trajectory_dataset, got {manifest.get('kind')!r}")
    if manifest.get("format") != FORMAT:
        raise DatasetError(f"{file}: must be of format {FORMAT}, got {manifest.get('format')!r}")
    if missing := sorted(_FIELDS - set(manifest)):
        raise DatasetError(f"{file}: the field {missing[0]!r} is missing")
    if unknown := sorted(set(manifest) - _FIELDS):
        raise DatasetError(f"{file}: there is no field {unknown[0]!r} in format {FORMAT}")
    kinds: dict[str, tuple[type, ...]] = {
        "behavior": (str,),
        "game": (dict,),
        "is_mirrored": (bool,),
        "manifest_sha256": (str,),
        "num_independent_episodes": (int,),
        "num_trajectories": (int,),
        "num_transitions": (int,),
        "seed": (int, type(None)),
        "sha256": (str,),
        "version": (str,),
    }
    for name, types in kinds.items():
        if not isinstance(manifest[name], types):
            raise DatasetError(f"{file}: {name} must be {types[0].__name__}, got {manifest[name]!r}")
    if manifest["manifest_sha256"] != manifest_sha256(manifest):
        raise DatasetError(f"{file}: was altered, its fields do not fit its manifest_sha256")
    return manifest
