"""Tables of any make as columns of arrays: mappings, data frames, Arrow tables; none of their libraries is imported."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast.errors import DatasetError, shown

Columns = dict[str, NDArray[Any]]
_NUMBERS = (bool, int, float, np.bool_, np.integer, np.floating)


def is_table(value: Any) -> bool:
    """Whether a value has columns by name."""
    return isinstance(value, Mapping) or hasattr(value, "column_names") or hasattr(value, "columns")


def columns_of(table: Any, caller: str) -> Columns:
    """Return the columns of a table by name, each ``[T]``, or ``[T, ...]`` where its cells are lists."""
    if not is_table(table):
        raise DatasetError(f"{caller}: must be given a mapping of columns or a data frame, got {type(table).__name__}")
    found: Columns = {}
    for name, values in _items(table, caller):
        if not isinstance(name, str | int | np.integer) or str(name) in found:
            why = "comes up twice" if str(name) in found else "must have a name that is text"
            raise DatasetError(f"{caller}: the column {shown(name)} {why}")
        found[str(name)] = as_column(str(name), values, caller)
    if not found:
        raise DatasetError(f"{caller}: the log has no columns")
    sizes = {name: len(column) for name, column in found.items()}
    first = next(iter(sizes))
    for name, size in sizes.items():
        if size != sizes[first]:
            raise DatasetError(
                f"{caller}: columns must have equally many rows, got {sizes[first]} in {shown(first)} and {size} in "
                f"{shown(name)}"
            )
    if sizes[first] == 0:
        raise DatasetError(f"{caller}: the log is empty: it has no rows")
    return found


def _items(table: Any, caller: str) -> Iterable[tuple[Any, Any]]:
    try:
        if isinstance(table, Mapping):
            return list(table.items())
        if hasattr(table, "column_names"):  # Arrow
            return [(name, table.column(place)) for place, name in enumerate(table.column_names)]
        names = list(table.columns)
        if twice := [name for place, name in enumerate(names) if name in names[:place]]:
            raise DatasetError(f"{caller}: the column {shown(twice[0])} comes up twice")
        return [(name, table[name]) for name in names]
    except DatasetError:
        raise
    except Exception as error:  # whatever is no table after all
        raise DatasetError(f"{caller}: the log cannot be read as a table: {shown(str(error))}") from None


def as_column(name: str, values: Any, caller: str) -> NDArray[Any]:
    """Return a column as an array; entries that are missing are NaN, None or NaT in it."""
    try:
        array = _array(values)
    except Exception:  # lists of unequal lengths, objects with a will of their own
        raise DatasetError(f"{caller}: the column {shown(name)} must hold one entry a row, all alike") from None
    if array.ndim == 0 or array.dtype.kind not in "biufUSOMm":
        raise DatasetError(f"{caller}: the column {shown(name)} must hold one entry a row, got {shown(values)}")
    return array


def _array(values: Any) -> NDArray[Any]:
    if isinstance(values, str | bytes | Mapping | set):
        raise TypeError
    if isinstance(values, np.ma.MaskedArray):
        is_number = values.dtype.kind in "biuf"
        blank = np.nan if is_number else None
        return np.asarray(np.ma.filled(values.astype(np.float64 if is_number else object), blank))
    if hasattr(values, "to_pylist"):  # Arrow: its own arrays make timestamps and lists of what they hold
        kind = str(values.type)
        is_plain = kind in ("bool", "float", "double", "halffloat") or kind.removeprefix("u").startswith("int")
        values = values.to_numpy() if is_plain else values.to_pylist()
    array = values if isinstance(values, np.ndarray) else _of_list(values)
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        array = array.astype(np.float64)
    if array.dtype == object and array.ndim == 1 and len(array) and _is_list(array[0]):
        array = np.array([_cell(cell) for cell in array])
    return array


def _of_list(values: Any) -> NDArray[Any]:
    if isinstance(values, list | tuple | range):
        first = values[0] if len(values) else None
        if _is_list(first):
            return np.array([_cell(cell) for cell in values])
        if all(isinstance(value, _NUMBERS) for value in values):
            return np.asarray(values)
        held = np.empty(len(values), dtype=object)
        held[:] = values
        return held
    return np.asarray(values)


def _is_list(cell: Any) -> bool:
    return isinstance(cell, list | tuple) or (isinstance(cell, np.ndarray) and cell.ndim > 0)


def _cell(cell: Any) -> NDArray[Any]:
    """One cell that holds a list: of numbers, None being NaN, or of anything."""
    array = np.asarray(cell)
    if array.dtype != object:
        return array
    flat = array.ravel()
    if all(isinstance(value, (*_NUMBERS, type(None))) for value in flat):
        return np.array([np.nan if value is None else value for value in flat], dtype=np.float64).reshape(array.shape)
    return array


def is_missing(column: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether an entry is NaN, None, NaT, pandas' NA, or blank."""
    if column.dtype.kind == "f":
        return np.asarray(np.isnan(column))
    if column.dtype.kind in "mM":
        return np.asarray(np.isnat(column))
    if column.dtype.kind in "US":
        return np.asarray(np.char.strip(column) == column.dtype.type())
    if column.dtype.kind == "O":
        return tell_apart(column, _is_absent)
    return np.zeros(column.shape, dtype=bool)


def tell_apart(column: NDArray[Any], test: Callable[[Any], bool]) -> NDArray[np.bool_]:
    """Whether each entry of a column of objects passes a test; equal ones, which there are many of, are asked once."""
    values = column.ravel().tolist()
    try:
        number: dict[Any, int] = {}
        codes = np.fromiter((number.setdefault(value, len(number)) for value in values), np.int64, len(values))
        kinds = np.fromiter(map(test, number), bool, len(number))
        return np.asarray(kinds[codes].reshape(column.shape))
    except TypeError:  # lists, which have no hash
        return np.array(list(map(test, values)), dtype=bool).reshape(column.shape)


def _is_absent(value: Any) -> bool:
    if value is None or value is np.ma.masked:
        return True
    if isinstance(value, str):
        return not value or value.isspace()
    if isinstance(value, int):
        return False
    try:
        return bool(value != value)
    except TypeError:  # NA is neither equal to itself nor not
        return True
    except ValueError:  # an array, which is no entry of its own
        return False


def as_numbers(name: str, column: NDArray[Any], caller: str) -> NDArray[np.float64]:
    """Return a column as ``float64``, NaN where it is missing; what is no number is named with its row."""
    if column.dtype.kind in "biuf":
        return column.astype(np.float64)
    absent = is_missing(column)
    numbers = np.full(column.shape, np.nan)
    try:
        if column.dtype.kind in "mM" or any(isinstance(value, str) for value in column[~absent].ravel()):
            raise TypeError  # dates and text, also such that looks like numbers
        numbers[~absent] = column[~absent].astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        place = next(
            (place for place in np.argwhere(~absent) if not isinstance(column[tuple(place)], _NUMBERS)),
            np.zeros(column.ndim, dtype=int),
        )
        raise DatasetError(
            f"{caller}: row {place[0]}: the column {shown(name)} must hold numbers, got {shown(column[tuple(place)])}"
        ) from None
    return numbers
