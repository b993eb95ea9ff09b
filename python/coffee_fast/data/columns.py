"""The columns of a log of one's own, as people have them, made into arrays; nothing is guessed that is not there."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast.errors import DatasetError, shown
from coffee_fast.typing import Float64, Int64

REQUIRED = ("state", "observation", "action", "acting_player", "reward")
OPTIONAL = ("trajectory", "terminal", "next_state", "legal_mask", "behavior_log_prob")


def is_canonical(transitions: Any) -> bool:
    """Whether a table has the columns of a dataset, so that nothing needs to be worked out; also if it is no table."""
    if isinstance(transitions, str | os.PathLike):
        return False
    if not isinstance(transitions, Mapping) and not hasattr(transitions, "columns"):
        return not hasattr(transitions, "column_names")
    names = [str(name) for name in (transitions if isinstance(transitions, Mapping) else transitions.columns)]
    known = {_split(name)[0] for name in names}
    return not known & {"episode", "player", "step", "truncated"} and known >= {"state", "observation", "acting_player"}


def has_states(transitions: Any, columns: Any) -> bool:
    """Whether there is a column of states, by its own name or another."""
    if isinstance(columns, Mapping) and "state" in columns:
        return columns["state"] is not None
    if isinstance(transitions, Mapping):
        names: Any = transitions
    else:  # Arrow's columns are not names
        names = getattr(transitions, "column_names", getattr(transitions, "columns", ()))
    return any(_split(str(name))[0] == "state" for name in names)


class Table:
    """The columns of a log by name; those that are numbered put together."""

    def __init__(self, transitions: Any) -> None:
        is_mapping = isinstance(transitions, Mapping)
        if not is_mapping and not hasattr(transitions, "columns"):
            raise DatasetError(
                "from_transitions: transitions must be a mapping of columns or a data frame, "
                f"got {type(transitions).__name__}"
            )
        self._columns: dict[str, Any] = {}
        numbered: dict[str, dict[tuple[int, ...], Any]] = {}
        names = list(transitions if is_mapping else transitions.columns)
        for name in names:
            known, indices = _split(str(name))
            if known not in REQUIRED + OPTIONAL:
                raise DatasetError(
                    f"from_transitions: there is no column {shown(name)}; "
                    f"the columns are {', '.join(REQUIRED + OPTIONAL)}"
                )
            if names.count(name) > 1 or indices in numbered.get(known, {}):
                raise DatasetError(f"from_transitions: the column {shown(name)} comes up twice")
            if indices:
                numbered.setdefault(known, {})[indices] = transitions[name]
            else:
                self._columns[known] = transitions[name]
        for name, parts in numbered.items():
            if name in self._columns:
                raise DatasetError(f"from_transitions: {name} must be one column or numbered columns, got both")
            self._columns[name] = _joined(name, parts)
        for name in REQUIRED:
            if self._columns.get(name) is None:
                raise DatasetError(f"from_transitions: the column {name!r} is missing")
        self.num_rows = len(_floats("action", self._columns["action"]))
        if self.num_rows == 0:
            raise DatasetError("from_transitions: the dataset is empty: it has no transitions")

    def __contains__(self, name: str) -> bool:
        return self._columns.get(name) is not None

    def trajectory_offsets(self) -> Int64:
        """Where trajectories begin, and the number of rows: by their labels, or else by their ends."""
        if "trajectory" in self:
            starts = self._starts_by_label()
        elif "terminal" in self:
            ends = np.flatnonzero(self.flags("terminal")[:-1]) + 1
            starts = np.concatenate([[0], ends])
        else:
            raise DatasetError("from_transitions: there must be a column 'trajectory' or a column 'terminal'")
        return np.append(starts, self.num_rows).astype(np.int64)

    def _starts_by_label(self) -> NDArray[Any]:
        column = self._columns["trajectory"]
        try:
            labels = [] if isinstance(column, str | bytes) else list(column)
        except TypeError:  # a number, say
            labels = []
        if len(labels) != self.num_rows:
            raise DatasetError(f"from_transitions: trajectory must have {self.num_rows} rows, got {len(labels)}")
        for row, label in enumerate(labels):
            if _is_missing(label):
                raise DatasetError(
                    f"from_transitions: row {row}: the label of its trajectory is missing, got {shown(label)}; give "
                    "it one, or leave the row out"
                )
        try:
            starts = [0, *(row for row in range(1, len(labels)) if labels[row] != labels[row - 1])]
            first: dict[Any, int] = {}
            again = next((row for row in starts if first.setdefault(labels[row], row) != row), None)
        except (TypeError, ValueError):  # lists and arrays are no labels
            raise DatasetError(
                "from_transitions: trajectory must hold one label a row, text or a number, "
                f"got {shown(labels[0])} in row 0"
            ) from None
        if again is not None:
            raise DatasetError(
                f"from_transitions: row {again}: trajectory {shown(labels[again])} comes up again, "
                "but the rows of a trajectory must stand together; sort the log by trajectory, then by time"
            )
        return np.array(starts)

    def numbers(self, name: str, dtype: type, *shape: int) -> NDArray[Any]:
        """The column as numbers of ``dtype``, a row of ``shape`` each; integers must be whole."""
        values = _floats(name, self._columns[name], math.prod(shape))
        expected = (self.num_rows, *shape)
        # Numbered columns may count the entries of a row through.
        if values.ndim == 2 and len(shape) > 1 and values.shape == (self.num_rows, math.prod(shape)):
            values = values.reshape(expected)
        if values.shape != expected:
            raise DatasetError(f"from_transitions: {name} must have shape {list(expected)}, got {list(values.shape)}")
        is_missing = np.isnan(values)
        if is_missing.any() and name != "next_state":  # which nobody has at the end; elsewhere it must be finite
            row = int(np.argwhere(is_missing)[0, 0])
            raise DatasetError(f"from_transitions: row {row}: {name} is missing; fill it in, or leave the row out")
        if np.issubdtype(dtype, np.integer):
            bounds = np.iinfo(dtype)
            self._require(
                name,
                values,
                (values == np.round(values)) & (values >= bounds.min) & (values <= bounds.max),
                f"whole, from {bounds.min} to {bounds.max}",
            )
        with np.errstate(over="ignore"):  # becomes infinite, which is reported with its place
            converted: NDArray[Any] = values.astype(dtype)
        return converted

    def flags(self, name: str, *shape: int) -> NDArray[np.uint8]:
        """The column as numbers 0 and 1, and nothing else."""
        values = self.numbers(name, np.float64, *shape)
        self._require(name, values, (values == 0) | (values == 1), "0 or 1")
        return values.astype(np.uint8)

    def _require(self, name: str, values: Float64, is_right: NDArray[np.bool_], wanted: str) -> None:
        if not is_right.all():
            place = tuple(np.argwhere(~is_right)[0])
            raise DatasetError(f"from_transitions: row {place[0]}: {name} must be {wanted}, got {values[place]:g}")


def _is_missing(label: Any) -> bool:
    """Whether a label is None, NaN, NaT, pandas' NA, masked, or blank."""
    if label is None or label is np.ma.masked or (isinstance(label, str) and not label.strip()):
        return True
    if isinstance(label, str | int):
        return False
    try:
        return bool(label != label)
    except TypeError:  # NA is neither equal to itself nor not
        return True
    except ValueError:  # an array, which is no label
        return False


def _floats(name: str, column: Any, num_entries: int = 1) -> Float64:
    """A column as float64; NaN where an entry is masked, None or NaN."""
    try:
        if np.ma.is_masked(column):
            column = np.ma.filled(np.ma.asarray(column).astype(np.float64), np.nan)
        values = np.asarray(column)
        if values.dtype == object:  # a data frame's cells are lists
            values = np.array([_cell(cell) for cell in values])
        if values.dtype.kind not in "biufUS" or values.ndim == 0:
            raise TypeError
        return values.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        raise DatasetError(f"from_transitions: {name} must hold numbers, {num_entries} in every row") from None


def _cell(cell: Any) -> Float64:
    """One cell of a column: a number, or a list of them."""
    if cell is None or type(cell).__name__ in ("NAType", "NaTType"):
        return np.array(np.nan)
    if np.ma.is_masked(cell):
        return np.ma.filled(np.ma.asarray(cell).astype(np.float64), np.nan)
    return np.asarray(cell, dtype=np.float64)


def _split(name: str) -> tuple[str, tuple[int, ...]]:
    """``"observation_1_3"`` into ``("observation", (1, 3))``."""
    parts = name.split("_")
    is_index = (part.isascii() and part.isdigit() and len(part) < 10 for part in reversed(parts))
    count = len(list(itertools.takewhile(bool, is_index)))
    return "_".join(parts[: len(parts) - count]), tuple(int(part) for part in parts[len(parts) - count :])


def _joined(name: str, parts: Mapping[tuple[int, ...], Any]) -> NDArray[Any]:
    """Numbered columns as one array ``[T, ...]``; no number may be left out."""
    indices = sorted(parts)
    sizes = tuple(1 + max(axis) for axis in itertools.zip_longest(*indices, fillvalue=-1))
    is_whole = math.prod(sizes) == len(indices) and indices == list(itertools.product(*map(range, sizes)))
    if not is_whole:
        raise DatasetError(f"from_transitions: the numbered columns of {name!r} must run from 0 without a gap")
    columns = [_floats(f"{name}_{'_'.join(map(str, index))}", parts[index]) for index in indices]
    if len({column.shape for column in columns}) > 1 or columns[0].ndim != 1:
        raise DatasetError(f"from_transitions: the numbered columns of {name!r} must hold a number a row, equally many")
    return np.stack(columns, axis=1).reshape(-1, *sizes)
