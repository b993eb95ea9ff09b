"""Logs in files: CSV as people write it, arrays of NumPy, and Parquet, for which pyarrow is needed; and in folders."""

from __future__ import annotations

import io
import os
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast import _files
from coffee_fast._csv import is_number, split_lines
from coffee_fast.errors import DatasetError, shown
from coffee_fast.logs.folders import read_folder

LARGEST = 4 << 30  # bytes
_CODE = re.compile(r"[+-]?0\d+")  # 007 is a label, not seven
_NEED = "needs pyarrow: pip install 'coffee-fast[frames]'"
NAMES = (".csv", ".tsv", ".txt", ".parquet", ".npz")


def read_table(path: str | os.PathLike[str]) -> Any:
    """Return the columns of a CSV, Parquet or npz file by name, or the log that is in a folder.

    The first line of a CSV file has the names. Blank fields are missing; a column is of numbers if all its fields are
    numbers, none of them a code such as 007.
    """
    path = _files.as_path(path, DatasetError)
    if os.path.isdir(path):
        return read_folder(path)
    suffix = path.suffix.lower()
    if suffix not in NAMES:
        raise DatasetError(
            f"{path}: a log must be a file that ends in {', '.join(NAMES)}, or a folder of Minari or OG-MARL"
        )
    if suffix == ".parquet":
        return _read_parquet(path)
    if suffix == ".npz":
        return _read_npz(path)
    lines = list(split_lines(path, _files.read_text(path, DatasetError, LARGEST), DatasetError))
    if not lines:
        raise DatasetError(f"{path}: the file is empty")
    _, header = lines[0]
    if len(lines) == 1:
        raise DatasetError(f"{path}: there are no rows under the names of the columns")
    if twice := [name for place, name in enumerate(header) if name and name in header[:place]]:
        raise DatasetError(f"{path}: the column {shown(twice[0])} comes up twice")
    for line, fields in lines[1:]:
        if len(fields) != len(header):
            raise DatasetError(f"{path}, line {line}: must have {len(header)} fields, got {len(fields)}")
    columns = zip(*(fields for _, fields in lines[1:]), strict=True)
    # A data frame's index has no name.
    return {name: _typed(column) for name, column in zip(header, columns, strict=True) if name}


def _typed(fields: tuple[str, ...]) -> NDArray[Any]:
    """Numbers where a field is one and none is a code; else text; None where it is blank."""
    distinct = set(fields)
    blank = {field for field in distinct if not field}
    numbers = {field: float(field) for field in distinct - blank if is_number(field)}
    if len(numbers) == len(distinct - blank) and not any(map(_CODE.fullmatch, numbers)):
        numbers |= dict.fromkeys(blank, float("nan"))
        found = np.array([numbers[field] for field in fields])
        whole = not blank and np.isfinite(found).all() and bool((found == np.round(found)).all())
        return found.astype(np.int64) if whole and bool((np.abs(found) < 2**53).all()) else found
    # A few words among numbers are a fault or names; which of them the column tells.
    is_mixed = len(numbers) > len(distinct - blank) / 2 and not any(map(_CODE.fullmatch, numbers))
    held = np.empty(len(fields), dtype=object)
    held[:] = [None if not field else numbers.get(field, field) if is_mixed else field for field in fields]
    return held


def _read_parquet(path: Path) -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise DatasetError(f"{path}: to read Parquet {_NEED}; or write the log as CSV") from None
    data = _files.read_bytes(path, DatasetError, LARGEST)
    try:
        return pyarrow.parquet.read_table(pyarrow.BufferReader(data))
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise DatasetError(f"{path}: is not a whole Parquet file: {shown(str(error))}") from None


def _read_npz(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a file of NumPy; nothing in it is unpickled."""
    data = io.BytesIO(_files.read_bytes(path, DatasetError, LARGEST))
    try:
        with zipfile.ZipFile(data) as inside:
            size = sum(item.file_size for item in inside.infolist())
        if size > LARGEST:
            raise DatasetError(f"{path}: holds {size} bytes, more than the {LARGEST} that are read")
        with np.load(data, allow_pickle=False) as arrays:
            return {str(name): arrays[name] for name in arrays.files}
    except DatasetError:
        raise
    except Exception as error:  # of a file that anybody may have written, the library may raise anything
        if "allow_pickle" in str(error):
            reason = "an array of objects is in it; save each array of numbers or text under a name of its own"
            raise DatasetError(f"{path}: {reason}") from None
        raise DatasetError(f"{path}: is not a whole npz file: {shown(str(error))}") from None
