"""Vaults of OG-MARL: folders in which Flashbax keeps arrays of a buffer, for which tensorstore is needed."""

from __future__ import annotations

import math
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast.errors import DatasetError, shown
from coffee_fast.logs.og_marl import INFOS, NEEDED, read_experience
from coffee_fast.logs.recorded import Recorded

LARGEST = 4 << 30  # bytes of all arrays
_MOST_FILES = 100_000
_PATIENCE_S = 600.0


def read_vault(folder: Path, about: Mapping[str, Any]) -> Recorded:
    """Read the folder that has ``metadata.json``, which says ``about``."""
    try:
        import tensorstore
    except ImportError:
        raise DatasetError(
            f"{folder}: to read a vault needs tensorstore: pip install 'coffee-fast[vaults]'; or save its arrays, "
            "numpy.savez('log.npz', ...), and read that file"
        ) from None
    _require_plain_files(folder)
    structure = about["structure_shape"]
    infos = structure.get("infos")
    names = {name: f"{name}." for name in (*NEEDED, "truncations", *INFOS) if name in structure}
    names |= {name: f"infos.{name}." for name in INFOS if isinstance(infos, Mapping) and name in infos}
    if missing := [name for name in NEEDED if name not in names]:
        raise DatasetError(f"{folder}: is no vault of OG-MARL: there are no {missing[0]}, but {shown(list(structure))}")
    try:
        count = int(_opened(tensorstore, folder, "vault_index").read().result(timeout=_PATIENCE_S)[0])
        stores = {name: _opened(tensorstore, folder, path) for name, path in names.items()}
        _require_size(folder, stores, count)
        arrays = {name: _steps(store, count) for name, store in stores.items()}
    except DatasetError:
        raise
    except Exception as error:  # of files that anybody may have written, a library may raise anything
        raise DatasetError(f"{folder}: is not a whole vault: {shown(str(error))}") from None
    return read_experience(arrays, str(folder), folder.parent.name.removesuffix(".vlt") or "log")


def _opened(tensorstore: Any, folder: Path, name: str) -> Any:
    base = {"driver": "file", "path": f"{folder.resolve()}{os.sep}"}
    kept = {"driver": "ocdbt", "base": base, "path": name}
    return tensorstore.open({"driver": "zarr", "kvstore": kept}, open=True, read=True).result(timeout=_PATIENCE_S)


def _steps(store: Any, count: int) -> NDArray[Any]:
    return np.asarray(store[:, :count].read().result(timeout=_PATIENCE_S))


def _require_size(folder: Path, stores: Mapping[str, Any], count: int) -> None:
    """Of each array as many steps as were written, and no more bytes than are read."""
    size = 0
    for name, store in stores.items():
        if len(store.shape) < 2 or not 0 <= count <= store.shape[1]:
            raise DatasetError(f"{folder}: {name} must have {count} steps, got the shape {shown(list(store.shape))}")
        size += math.prod((store.shape[0], count, *store.shape[2:])) * store.dtype.numpy_dtype.itemsize
    if size > LARGEST:
        raise DatasetError(
            f"{folder}: holds {size} bytes, more than the {LARGEST} that are read; save some of its episodes, "
            "numpy.savez('log.npz', ...), and read that file"
        )


def _require_plain_files(folder: Path) -> None:
    """What the library opens: regular files, and not without end."""
    count = 0
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            mode = os.lstat(path := os.path.join(place, name)).st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                raise DatasetError(f"{path}: cannot be read: a vault holds regular files, and no links")
            if (count := count + 1) > _MOST_FILES:
                raise DatasetError(f"{folder}: holds more than {_MOST_FILES} files, so it is no vault")
