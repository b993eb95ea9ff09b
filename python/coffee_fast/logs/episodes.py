"""Where the episodes of a table lie, how they end, and in which order their rows were played."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast.errors import DatasetError, shown
from coffee_fast.logs.columns import ChosenColumns
from coffee_fast.logs.labels import number_labels
from coffee_fast.logs.tables import as_numbers, is_missing
from coffee_fast.typing import Int64

Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Episodes:
    """The rows of a table in the order of play.

    ``row [T]``: which row of the table; ``episode [T]``, from 0; ``group [T]``: rows of one number stand for one step;
    ``truncated [n]``.
    """

    row: Int64
    episode: Int64
    group: Int64
    truncated: Bools
    is_sorted: bool


def episodes_of(columns: ChosenColumns) -> Episodes:
    """Find the episodes by their labels, else by their ends; rows are sorted by ``step`` if there is such a column."""
    caller, T = columns.caller, columns.num_rows
    row = np.arange(T)
    label = columns.single("episode")
    ends = [name for name in ("terminal", "truncated") if name in columns]
    step = _steps(columns)
    if label is not None:
        _refuse_missing(columns, "episode", label)
        episode = _by_appearance(number_labels("episode", label, caller, by_appearance=True).codes)
        if step is not None:
            row = np.lexsort((step, episode))
        elif (again := np.flatnonzero(np.diff(episode) < 0)).size:
            raise DatasetError(
                f"{caller}: row {again[0] + 1}: episode {shown(label[again[0] + 1])} comes up again, but the rows of "
                "an episode must stand together; sort the log by episode, then by time, or say which column is its "
                "'step'"
            )
        episode = episode[row]
    elif ends:
        is_end = np.any([_flags(columns, name) for name in ends], axis=0)
        episode = np.cumsum(is_end) - is_end
    else:
        columns.require("episode", " (or a column 'terminal' that is 1 in the last row of each)")
    group = np.arange(T)
    if step is not None:
        begins = np.ones(T, dtype=bool)
        begins[1:] = (np.diff(episode) != 0) | (step[row][1:] != step[row][:-1])
        group = np.cumsum(begins) - 1
    truncated = _truncated(columns, row, episode, group)
    return Episodes(row, episode, group, truncated, bool((np.diff(row) > 0).all()))


def _by_appearance(codes: Int64) -> Int64:
    """Whole numbers from 0 in the order in which they first come up."""
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(len(first))
    return np.asarray(rank[inverse.reshape(-1)], dtype=np.int64)


def _steps(columns: ChosenColumns) -> NDArray[Any] | None:
    column = columns.single("step")
    if column is None:
        return None
    _refuse_missing(columns, "step", column)
    if column.dtype.kind in "mM":
        return column.astype(np.int64)
    return as_numbers("step", column, columns.caller)


def _refuse_missing(columns: ChosenColumns, name: str, column: NDArray[Any]) -> None:
    if (absent := np.flatnonzero(is_missing(column))).size:
        raise DatasetError(
            f"{columns.caller}: row {absent[0]}: the {name} ({columns.sources[name].name}) is missing; fill it in, or "
            "leave the row out"
        )


def _flags(columns: ChosenColumns, name: str) -> Bools:
    """A column of 0 and 1, or of false and true."""
    column = columns.single(name)
    assert column is not None
    values = as_numbers(columns.sources[name].name, column, columns.caller)
    if (bad := np.flatnonzero(~np.isin(values, (0.0, 1.0)))).size:
        raise DatasetError(f"{columns.caller}: row {bad[0]}: {name} must be 0 or 1, got {values[bad[0]]:g}")
    return np.asarray(values == 1.0)


def _truncated(columns: ChosenColumns, row: Int64, episode: Int64, group: Int64) -> Bools:
    """Which episodes broke off: flagged in each row, or in the rows of the last step alone."""
    caller, num_episodes = columns.caller, int(episode[-1]) + 1
    last_group = group[np.searchsorted(episode, np.arange(num_episodes), side="right") - 1]
    is_last = group == last_group[episode]
    truncated = np.zeros(num_episodes, dtype=bool)
    if "truncated" in columns:
        flagged = _flags(columns, "truncated")[row]
        truncated[episode[flagged]] = True
        counts = np.bincount(episode, weights=flagged, minlength=num_episodes)
        is_all = counts == np.bincount(episode, minlength=num_episodes)
        if (bad := np.flatnonzero(flagged & ~is_last & ~is_all[episode])).size:
            raise DatasetError(
                f"{caller}: row {row[bad[0]]}: truncated is 1 inside an episode; it is 1 in the last row of an episode "
                "that broke off, or in all of its rows"
            )
    if "terminal" in columns:
        terminal = _flags(columns, "terminal")[row]
        for is_wrong, words in (
            (terminal & ~is_last, "terminal is 1 inside an episode"),
            (terminal & truncated[episode], "terminal is 1, but the episode is said to be truncated"),
            (~terminal & is_last & ~truncated[episode], "terminal is 0 in the last row of an episode; if it broke off"),
        ):
            if (bad := np.flatnonzero(is_wrong)).size:
                remedy = ", say so in a column 'truncated'" if words.endswith("off") else ""
                raise DatasetError(f"{caller}: row {row[bad[0]]}: {words}{remedy}")
    return truncated
