"""Logs in files: CSV as people write it, and Parquet, for which pyarrow is needed."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast import _files
from coffee_fast._csv import is_number, split_lines
from coffee_fast.errors import DatasetError, shown

LARGEST = 4 << 30  # bytes
_CODE = re.compile(r"[+-]?0\d+")  # 007 is a label, not seven
_NEED = "needs pyarrow: pip install 'coffee-fast[frames]'"
NAMES = (".csv", ".tsv", ".txt", ".parquet")


def read_table(path: str | os.PathLike[str]) -> Any:
    """Return the columns of a CSV or Parquet file by name.

    The first line of a CSV file has the names. Blank fields are missing; a column is of numbers if all its fields are
    numbers, none of them a code such as 007.
    """
    path = _files.as_path(path, DatasetError)
    suffix = path.suffix.lower()
    if suffix not in NAMES:
        raise DatasetError(f"{path}: a log must be a file that ends in {', '.join(NAMES)}")
    if suffix == ".parquet":
        return _read_parquet(path)
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
