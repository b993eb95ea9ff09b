"""Payoff tables from CSV and JSON files."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import numpy as np

from coffee_fast._csv import SEPARATORS, Lines, is_number, split_lines
from coffee_fast._files import as_path, read_text
from coffee_fast._strict_json import parse_json
from coffee_fast.empirical.payoff_table import PayoffTable
from coffee_fast.errors import InvalidGameError, shown
from coffee_fast.typing import Float64

_INDEX_COLUMNS = ("row", "column", "member")
_SYMMETRIC_COLUMNS = ("payoff",)
_GENERAL_COLUMNS = ("row_payoff", "column_payoff")
_LARGEST = 64 << 20


def load_payoffs(path: str | os.PathLike[str]) -> PayoffTable:
    """Return the payoff table that a CSV or JSON file describes; the name's ending says which.

    A CSV file is either

    - *square*: ``S`` lines of ``S`` numbers, the row player's payoffs in a symmetric game, under the names of the
      columns and beside those of the rows if there are any, as a data frame is written; or
    - *long*: a header with the columns ``row``, ``column``, optionally ``member``, and either ``payoff`` (a symmetric
      game: the row player's) or ``row_payoff`` and ``column_payoff`` (a two-player game). Strategies and members are
      numbered from 0, lines come in any order, and what no line names is not known (NaN).

    Semicolons, tabs or blanks may stand for the commas that separate numbers, and then a comma for the decimal point.

    A JSON file is an object with one key: ``{"symmetric": [[...]]}`` for ``[S, S]`` or ``[E, S, S]``, or
    ``{"players": [[[...]], ...]}`` with one array a player as :meth:`PayoffTable.from_arrays` takes them.
    ``null`` is an unknown payoff; in CSV an empty field or ``nan`` is.

    Raises
    ------
    InvalidGameError
        The file cannot be read or is not of that form; the message names it, the line and the column.
    """
    path = as_path(path, InvalidGameError)
    suffix = path.suffix.lower()
    if suffix not in (".csv", ".json"):
        raise InvalidGameError(f"{path}: a payoff file must end in .csv or .json")
    text = read_text(path, InvalidGameError, _LARGEST)
    return _read_json(path, text) if suffix == ".json" else _read_csv(path, text)


def _read_json(path: Path, text: str) -> PayoffTable:
    try:
        content = parse_json(text)
    except ValueError as error:  # a JSONDecodeError says line and column
        raise InvalidGameError(f"{path}: not valid JSON: {error}") from None
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
    lines = split_lines(path, text, InvalidGameError)
    if not lines:
        raise InvalidGameError(f"{path}: the file is empty")
    if "row" in lines[0][1]:
        return _long_table(path, lines)
    return _square_table(path, lines)


def _square_table(path: Path, lines: Lines) -> PayoffTable:
    lines = _without_labels(path, lines)
    size = len(lines)
    for line, fields in lines:
        if len(fields) != size:
            raise InvalidGameError(
                f"{path}, line {line}: a square table of {size} lines must have {size} numbers in each, "
                f"got {len(fields)} ({SEPARATORS}; any other table needs a header of row, column and payoff, or "
                "row_payoff and column_payoff)"
            )
    return PayoffTable.symmetric(
        [[_number(path, line, field, column) for column, field in enumerate(fields, 1)] for line, fields in lines]
    )


def _without_labels(path: Path, lines: Lines) -> Lines:
    """Leave out the column names and row labels with which data frames are written; refuse what may be such or not."""
    (first, header), *rest = lines
    counted = [str(number) for number in range(len(header))]
    if len(rest) == len(header) and (header == counted or not any(map(is_number, header))):
        return rest
    if len(lines) != len(header):
        return lines
    if header == counted and len(header) > 2:
        raise InvalidGameError(
            f"{path}, line {first}: {', '.join(header)} may be names of columns or payoffs; leave out the names (of a "
            f"table that is not square, write lines of row, column and payoff), or write payoffs as {header[0]}.0"
        )
    names, labels = header[1:], [fields[0] for _, fields in rest]
    has_names = bool(names) and not any(map(is_number, names))
    if not is_number(header[0]) and (names == labels or (has_names and labels == counted[:-1])) and names:
        return [(line, fields[1:]) for line, fields in rest]
    if has_names and any(names):
        raise InvalidGameError(
            f"{path}, line {first}: rows and columns must have the same names in the same order, got columns "
            f"{', '.join(names):.80} and rows {', '.join(labels):.80}"
        )
    return lines


def _long_table(path: Path, lines: Lines) -> PayoffTable:
    first_line, header = lines[0]
    indices = [name for name in _INDEX_COLUMNS if name in header]
    payoffs = _SYMMETRIC_COLUMNS if "payoff" in header else _GENERAL_COLUMNS
    if sorted(header) != sorted([*indices, *payoffs]) or "column" not in header:
        raise InvalidGameError(
            f"{path}, line {first_line}: columns must be row, column, optionally member, and payoff or row_payoff and "
            f"column_payoff, got {', '.join(header):.200}"
        )
    entries: dict[tuple[int, ...], list[float]] = {}
    for line, fields in lines[1:]:
        if len(fields) != len(header):
            raise InvalidGameError(f"{path}, line {line}: must have {len(header)} fields, got {len(fields)}")
        named = dict(zip(header, fields, strict=True))
        key = tuple(_index(path, line, name, named[name]) if name in named else 0 for name in _INDEX_COLUMNS)
        if key in entries:
            raise InvalidGameError(f"{path}, line {line}: the entry of row {key[0]}, column {key[1]} came before")
        entries[key] = [_number(path, line, named[name], name) for name in payoffs]
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


def _number(path: Path, line: int, field: str, column: int | str) -> float:
    if field and not is_number(field):
        hint = f" ({SEPARATORS})" if re.fullmatch(r"[\d.,;:|\s+-]+", field) else ""
        raise InvalidGameError(f"{path}, line {line}, column {column}: expected a number, got {shown(field)}{hint}")
    value = float(field) if field else np.nan
    if np.isinf(value):
        raise InvalidGameError(f"{path}, line {line}, column {column}: payoffs must be finite, got {field:.80}")
    return value


def _index(path: Path, line: int, name: str, field: str) -> int:
    if not (field.isascii() and field.isdigit() and len(field) <= 9):
        raise InvalidGameError(f"{path}, line {line}: {name} must be a whole number from 0, got {shown(field)}")
    return int(field)
