"""Datasets on disk: a folder of ``data.safetensors`` and ``manifest.json``.

Format 2 is format 1 with what that did not know: episodes that broke off, and the newer fields of a specification. A
dataset without is written in format 1, to the same bytes as ever.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from coffee_fast import _core, _files
from coffee_fast._sealed import check_form, may_replace, seal_of
from coffee_fast.data.dataset import ARRAYS, TrajectoryDataset
from coffee_fast.errors import CoffeeError, DatasetError, shown
from coffee_fast.games import GameSpec

FORMATS = (1, 2)
KIND = "trajectory_dataset"
_FILES = ("manifest.json", "data.safetensors")
_SEAL = "manifest_sha256"
_FORM = {
    "behavior": str,
    "format": int,
    "game": dict,
    "is_mirrored": bool,
    "kind": str,
    "manifest_sha256": str,
    "num_independent_episodes": int,
    "num_trajectories": int,
    "num_transitions": int,
    "seed": (int, None),
    "sha256": str,
    "version": str,
}


def save_dataset(dataset: TrajectoryDataset, path: str | Path, overwrite: bool = False) -> None:
    """Publish the folder as a whole; ``DatasetError`` if there is something at ``path`` already.

    With ``overwrite`` that may be a dataset, whose place this one takes.
    """
    replaces = may_replace(path, KIND, *_FILES, DatasetError) if overwrite else ()
    with _files.publish_directory(path, DatasetError, replaces) as folder:
        _files.write_tensors(folder / "data.safetensors", dataset.arrays)
        manifest = {
            "kind": KIND,
            "format": _format_of(dataset),
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
        _files.write_json(folder / "manifest.json", manifest | {_SEAL: seal_of(manifest)})


def load_dataset(path: str | Path) -> TrajectoryDataset:
    """Read a folder, believing nothing in it before it was checked."""
    folder = _files.as_path(path, DatasetError)
    manifest = _read_manifest(folder / "manifest.json")
    data = folder / "data.safetensors"
    arrays = _files.read_tensors(data, DatasetError, manifest["sha256"])
    if unknown := sorted(set(arrays) - {*ARRAYS, "truncated"}):
        raise DatasetError(f"{data}: has an array {unknown[0]!r} that format {manifest['format']} does not know")
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
    if _format_of(dataset) > manifest["format"]:
        raise DatasetError(f"{folder}: holds what format {manifest['format']} does not know; it was altered")
    for name in ("num_trajectories", "num_transitions"):
        if manifest[name] != getattr(dataset, name):
            raise DatasetError(
                f"{folder / 'manifest.json'}: {name} is {manifest[name]}, the data have {getattr(dataset, name)}"
            )
    return dataset


def _format_of(dataset: TrajectoryDataset) -> int:
    return 2 if dataset.truncated.any() or not dataset.spec.is_of_format_1 else 1


def _read_manifest(file: Path) -> dict[str, Any]:
    manifest = _files.read_json(file, DatasetError)
    if manifest.get("kind") != KIND:
        raise DatasetError(f"{file}: must describe a {KIND}, got {shown(manifest.get('kind'))}")
    if type(manifest.get("format")) is not int or manifest["format"] not in FORMATS:
        raise DatasetError(f"{file}: must be of format 1 or 2, got {shown(manifest.get('format'))}")
    check_form(manifest, _FORM, str(file), DatasetError)
    if manifest[_SEAL] != seal_of(manifest, _SEAL):
        raise DatasetError(f"{file}: was altered, its fields do not fit its {_SEAL}")
    return manifest
