"""Payoff tables from CSV and JSON files."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from coffee_fast.empirical.payoff_table import PayoffTable
from coffee_fast.errors import InvalidGameError
from coffee_fast.typing import Float64

_INDEX_COLUMNS = ("row", "column", "member")
_SYMMETRIC_COLUMNS = ("payoff",)
_GENERAL_COLUMNS = ("row_payoff", "column_payoff")


def load_payoffs(path: str | os.PathLike[str]) -> PayoffTable:
    """Return the payoff table that a CSV or JSON file describes; the name's ending says which.

    A CSV file is either

    - *square*: ``S`` lines of ``S`` numbers, the row player's payoffs in a symmetric game; or
    - *long*: a header with the columns ``row``, ``column``, optionally ``member``, and either ``payoff`` (a symmetric
      game: the row player's) or ``row_payoff`` and ``column_payoff`` (a two-player game). Strategies and members are
      numbered from 0, lines come in any order, and what no line names is not known (NaN).

    A JSON file is an object with one key: ``{"symmetric": [[...]]}`` for ``[S, S]`` or ``[E, S, S]``, or
    ``{"players": [[[...]], ...]}`` with one array a player as :meth:`PayoffTable.from_arrays` takes them.
    ``null`` is an unknown payoff; in CSV an empty field or ``nan`` is.

    Raises
    ------
    InvalidGameError
        The file is not of that form; the message names it and the line.
    OSError
        It cannot be read.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in (".csv", ".json"):
        raise InvalidGameError(f"{path}: a payoff file must end in .csv or .json")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidGameError(f"{path}: the file must be UTF-8 text: {error}") from error
    return _read_json(path, text) if suffix == ".json" else _read_csv(path, text)


def _read_json(path: Path, text: str) -> PayoffTable:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:  # a JSONDecodeError says line and column
        raise InvalidGameError(f"{path}: not valid JSON: {error}") from error
    if not isinstance(content, dict) or list(content) not in (["symmetric"], ["players"]):
        raise InvalidGameError(f'{path}: must be an object with one key, "symmetric" or "players"')
    ((key, value),) = content.items()
    try:
        if key == "symmetric":
            return PayoffTable.symmetric(_without_nulls(value))
        if not isinstance(value, list):
            raise InvalidGameError('"players" must be a list of one array a player')
        return PayoffTable.from_arrays([_without_nulls(array) for array in value])
    except InvalidGameError as error:
        raise InvalidGameError(f"{path}: {error}") from error


def _without_nulls(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return np.nan if value is None else value


def _read_csv(path: Path, text: str) -> PayoffTable:
    reader = csv.reader(text.splitlines(), skipinitialspace=True)
    try:
        lines = [(reader.line_num, [field.strip() for field in row]) for row in reader if any(map(str.strip, row))]
    except csv.Error as error:
        raise InvalidGameError(f"{path}, line {reader.line_num}: {error}") from error
    if not lines:
        raise InvalidGameError(f"{path}: the file is empty")
    if "row" in lines[0][1]:
        return _long_table(path, lines)
    return _square_table(path, lines)


def _square_table(path: Path, lines: Sequence[tuple[int, list[str]]]) -> PayoffTable:
    size = len(lines)
    for line, fields in lines:
        if len(fields) != size:
            raise InvalidGameError(
                f"{path}, line {line}: a square table of {size} lines must have {size} numbers in each, "
                f"got {len(fields)} (a table with a header needs the columns row, column and payoff)"
            )
    return PayoffTable.symmetric([[_number(path, line, field) for field in fields] for line, fields in lines])


def _long_table(path: Path, lines: Sequence[tuple[int, list[str]]]) -> PayoffTable:
    first_line, header = lines[0]
    indices = [name for name in _INDEX_COLUMNS if name in header]
    payoffs = _SYMMETRIC_COLUMNS if "payoff" in header else _GENERAL_COLUMNS
    if sorted(header) != sorted([*indices, *payoffs]) or "column" not in header:
        raise InvalidGameError(
            f"{path}, line {first_line}: columns must be row, column, optionally member, and payoff or row_payoff and "
            f"column_payoff, got {', '.join(header)}"
        )
    entries: dict[tuple[int, ...], list[float]] = {}
    for line, fields in lines[1:]:
        if len(fields) != len(header):
            raise InvalidGameError(f"{path}, line {line}: must have {len(header)} fields, got {len(fields)}")
        named = dict(zip(header, fields, strict=True))
        key = tuple(_index(path, line, name, named[name]) if name in named else 0 for name in _INDEX_COLUMNS)
        if key in entries:
            raise InvalidGameError(f"{path}, line {line}: the entry of row {key[0]}, column {key[1]} came before")
        entries[key] = [_number(path, line, named[name]) for name in payoffs]
    if not entries:
        raise InvalidGameError(f"{path}: there are no payoffs under the header")
    return _from_entries(path, entries, is_symmetric=payoffs == _SYMMETRIC_COLUMNS)


def _from_entries(path: Path, entries: dict[tuple[int, ...], list[float]], is_symmetric: bool) -> PayoffTable:
    keys, values = np.array(list(entries)), np.array(list(entries.values()))
    num_rows, num_columns, num_members = (keys.max(axis=0) + 1).tolist()
    if is_symmetric:
        num_rows = num_columns = max(num_rows, num_columns)
    if num_rows * num_columns * num_members > 100 * len(entries) + 10_000:
        raise InvalidGameError(
            f"{path}: {len(entries)} lines are too few for {num_rows} rows, {num_columns} columns and "
            f"{num_members} members"
        )
    arrays: list[Float64] = []
    for column in values.T:
        array = np.full((num_members, num_rows, num_columns), np.nan)
        array[keys[:, 2], keys[:, 0], keys[:, 1]] = column
        arrays.append(array)
    return PayoffTable.symmetric(arrays[0]) if is_symmetric else PayoffTable.from_arrays(arrays)


def _number(path: Path, line: int, field: str) -> float:
    try:
        value = float(field) if field else np.nan
    except ValueError:
        raise InvalidGameError(f"{path}, line {line}: expected a number, got {field!r}") from None
    if np.isinf(value):
        raise InvalidGameError(f"{path}, line {line}: payoffs must be finite, got {field}")
    return value


def _index(path: Path, line: int, name: str, field: str) -> int:
    if not (field.isascii() and field.isdigit() and len(field) <= 9):
        raise InvalidGameError(f"{path}, line {line}: {name} must be a whole number from 0, got {field!r}")
    return int(field)
