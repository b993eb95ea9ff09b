"""The episodes in a folder of Minari, part by part: HDF5, for which h5py is needed, Arrow and Parquet."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from coffee_fast import _files
from coffee_fast.errors import DatasetError, shown

LARGEST = 4 << 30  # bytes that are read of a folder
HDF5 = "main_data.hdf5"
PATIENCE_S, _SLOWEST = 60.0, 1e5  # and bytes a second
_READ_ALL = """
import sys, h5py
def read(name, node):
    if isinstance(node, h5py.Dataset) and not node.is_virtual and not node.external:
        if node.size * node.dtype.itemsize <= int(sys.argv[2]):
            node[()]
with h5py.File(sys.argv[1], "r") as file:
    file.visititems(read)
"""


class Episode(Protocol):
    """``num_steps``, and the arrays by their paths: of each step, and perhaps of what followed the last."""

    place: str
    num_steps: int

    def entry(self, *path: str) -> NDArray[Any] | None:
        """The array at a path, None if there is nothing."""


class Budget:
    """How many bytes may still be read."""

    def __init__(self) -> None:
        self._left = LARGEST

    def take(self, size: int, place: str) -> None:
        """Count what is about to be read."""
        self._left -= size
        if self._left < 0:
            raise DatasetError(f"{place}: holds more than the {LARGEST} bytes that are read; log fewer episodes")


def episodes_in(folder: Path, form: Any) -> Iterator[Episode]:
    """Read the episodes in their order; ``DatasetError`` names file and episode of any damage."""
    if form == "hdf5":
        return _hdf5_episodes(folder / HDF5)
    if form in ("arrow", "parquet"):
        return _arrow_episodes(folder, form)
    raise DatasetError(f"{folder / 'metadata.json'}: data_format must be hdf5, arrow or parquet, got {shown(form)}")


@contextlib.contextmanager
def _whole(place: str, kind: str) -> Iterator[None]:
    """What a library says of a damaged file as an error that names it."""
    try:
        yield
    except DatasetError:
        raise
    except Exception as error:  # of a file that anybody may have written, a library may raise anything
        raise DatasetError(f"{place}: is not a whole {kind} file: {shown(str(error))}") from None


def _in_order(names: list[str], folder: str) -> list[str]:
    """Names that end in the numbers 0, 1, ... of episodes."""
    numbers = [name.rpartition("_")[2] for name in names]
    if sorted(numbers) != sorted(map(str, range(len(names)))):
        raise DatasetError(f"{folder}: episodes must be numbered from 0 without a gap, got {shown(sorted(names))}")
    return sorted(names, key=lambda name: int(name.rpartition("_")[2]))


class _Hdf5Episode:
    def __init__(self, group: Any, place: str, budget: Budget) -> None:
        self._group, self._budget, self.place = group, budget, place
        with _whole(place, "HDF5"):
            rewards = self._node("rewards")
            shape = getattr(rewards, "shape", None)
            if rewards is not None and shape is None:  # a group: each player's
                shape = next((rewards[name].shape for name in rewards), None)
        if not shape:
            raise DatasetError(f"{place}: there are no rewards")
        self.num_steps = int(shape[0])

    def entry(self, *path: str) -> NDArray[Any] | None:
        with _whole(self.place, "HDF5"):
            return self._read(*path)

    def _read(self, *path: str) -> NDArray[Any] | None:
        node = self._node(*path)
        if node is None or not hasattr(node, "shape"):
            return None
        name = "/".join((self.place, *path))
        if node.is_virtual or node.external:
            raise DatasetError(f"{name}: refers to another file; log it into this one")
        self._budget.take(node.size * max(node.dtype.itemsize, 1), name)
        array = node[()]
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "biufOSU":
            raise DatasetError(f"{name}: must hold one entry a step, got {shown(array)}")
        if array.dtype.kind in "biuf":
            return array
        if array.ndim != 1 or not all(isinstance(item, bytes | str) for item in array):
            raise DatasetError(f"{name}: must hold numbers or text, all of one shape, got {shown(array)}")
        return np.array([item.decode() if isinstance(item, bytes) else str(item) for item in array], dtype=object)

    def _node(self, *path: str) -> Any:
        import h5py

        node = self._group
        for key in path:
            if not isinstance(node, h5py.Group):
                return None
            link = node.get(key, getlink=True)
            if link is None and key.isdigit():
                key = f"_index_{key}"
                link = node.get(key, getlink=True)
            if link is None:
                return None
            if not isinstance(link, h5py.HardLink):
                raise DatasetError(f"{self.place}: {shown(key)} refers to another place; log it into this one")
            node = node[key]
        return node


def _hdf5_episodes(file: Path) -> Iterator[Episode]:
    data = _files.read_bytes(file, DatasetError, LARGEST)
    try:
        import h5py
    except ImportError:
        need = "needs h5py: pip install 'coffee-fast[minari]'"
        raise DatasetError(f"{file}: to read HDF5 {need}; or let Minari write data_format='arrow'") from None
    _require_readable(file, len(data))
    budget = Budget()
    with _whole(str(file), "HDF5"), h5py.File(io.BytesIO(data), "r") as opened:
        for name in _in_order(list(opened), str(file)):
            is_own = isinstance(opened.get(name, getlink=True), h5py.HardLink)
            yield _Hdf5Episode(opened[name] if is_own else None, f"{file}: {name}", budget)


def _require_readable(file: Path, size: int) -> None:
    """Read all once in another process: of some damaged files the library crashes, or never comes to an end."""
    if not sys.executable:
        return
    command = [sys.executable, "-c", _READ_ALL, str(file), str(LARGEST)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, timeout=PATIENCE_S + size / _SLOWEST)
    except subprocess.TimeoutExpired:
        raise DatasetError(f"{file}: is not a whole HDF5 file: reading it does not come to an end") from None
    if done.returncode < 0:
        raise DatasetError(f"{file}: is not a whole HDF5 file: reading it ends by signal {-done.returncode}")


class _ArrowEpisode:
    def __init__(self, table: Any, place: str) -> None:
        with _whole(place, "Arrow"):
            self._columns = {name: table.column(name) for name in table.column_names}
        self.place, self.num_steps = place, max(table.num_rows - 1, 0)

    def entry(self, *path: str) -> NDArray[Any] | None:
        with _whole(self.place, "Arrow"):
            return self._read(*path)

    def _read(self, *path: str) -> NDArray[Any] | None:
        import pyarrow

        if path[0] not in self._columns:
            return None
        array = self._columns[path[0]].combine_chunks()
        for key in path[1:]:
            if not pyarrow.types.is_struct(array.type) or array.type.get_field_index(key) < 0:
                return None
            array = array.field(key)
        if pyarrow.types.is_struct(array.type):
            return None
        array = array.slice(0, self.num_steps)  # nothing was done after the last of them
        if array.null_count:
            raise DatasetError(f"{'/'.join((self.place, *path))}: an entry is missing")
        if pyarrow.types.is_fixed_size_list(array.type):
            flat = array.flatten().to_numpy(zero_copy_only=False)
            return np.asarray(flat).reshape(len(array), array.type.list_size)
        if pyarrow.types.is_string(array.type):
            return np.array(array.to_pylist(), dtype=object)
        return np.asarray(array.to_numpy(zero_copy_only=False))


def _arrow_episodes(folder: Path, form: str) -> Iterator[Episode]:
    try:
        import pyarrow
        import pyarrow.ipc
        import pyarrow.parquet
    except ImportError:
        raise DatasetError(f"{folder}: to read it needs pyarrow: pip install 'coffee-fast[frames]'") from None
    budget = Budget()
    with _whole(str(folder), form.capitalize()):
        names = _in_order([entry.name for entry in os.scandir(folder) if entry.is_dir()], str(folder))
    for name in names:
        files = sorted((folder / name).glob(f"*.{form}"))
        if len(files) != 1:
            raise DatasetError(f"{folder / name}: must hold one file that ends in .{form}, got {len(files)}")
        data = _files.read_bytes(files[0], DatasetError, LARGEST)
        budget.take(len(data), str(folder))
        with _whole(str(files[0]), form.capitalize()):
            held = pyarrow.BufferReader(data)
            table = pyarrow.parquet.read_table(held) if form == "parquet" else pyarrow.ipc.open_file(held).read_all()
            table.validate(full=True)
        budget.take(table.nbytes, str(folder))
        yield _ArrowEpisode(table, str(files[0]))
