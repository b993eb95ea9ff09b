"""What players see, from whichever columns tell of it: numbers as they are, text one-hot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast.errors import DatasetError, shown
from coffee_fast.logs.columns import ChosenColumns, Parts, Source
from coffee_fast.logs.labels import number_labels
from coffee_fast.logs.rows import Steps
from coffee_fast.logs.tables import as_numbers, is_missing, tell_apart
from coffee_fast.typing import Float64, Int64

MOST_CATEGORIES = 256
Feature = dict[str, Any]  # name, and of text its values


@dataclass(frozen=True, eq=False)
class Views:
    """``values [T, P, F]`` by rows of the table, NaN where they are missing.

    ``P`` is 1 where a row tells of one view: that of ``kind`` ``"mover"`` or ``"everybody"``; else it is ``"each"``
    player's own.
    """

    values: Float64
    features: list[Feature]
    kind: str

    def at(self, source: Int64) -> Float64:
        """``[T, N, F]``: what each player sees, by the rows ``source [T, N]`` that tell of it, NaN where none does."""
        slot = np.arange(source.shape[1]) if self.kind == "each" else np.zeros(source.shape[1], dtype=np.int64)
        found = self.values[np.maximum(source, 0), slot]
        found[source < 0] = np.nan
        return np.asarray(found)


def views_of(
    columns: ChosenColumns, what: str, steps: Steps, features: Sequence[Feature] | None, names: Sequence[str]
) -> Views | None:
    """Read the columns of ``what``; with ``features`` as these say, text in them being known."""
    source = columns.get(what)
    if source is None:
        return None
    is_joint = steps.layout == "one row a joint step"
    slots, kind = _slots(columns, what, source, steps, is_joint, names)
    width = max(map(len, slots))
    if features is not None and _plain_width(slots, features) is None:
        raise DatasetError(
            f"{columns.caller}: {what} was read from {len(features)} features ({_named(features)}), got {width} "
            f"({source.name:.120})"
        )
    parts, found = [], []
    for place in range(width):
        held = [slot[place] if place < len(slot) else None for slot in slots]
        values, feature = _encoded(columns, held, None if features is None else features[place])
        parts.append(values)
        found.append(feature)
    return Views(np.concatenate(parts, axis=2), found, kind)


def _plain_width(slots: list[Parts], features: Sequence[Feature]) -> int | None:
    width = max(map(len, slots))
    return width if width == len(features) else None


def _named(features: Sequence[Feature]) -> str:
    return ", ".join(str(feature["name"]) for feature in features)[:200]


def _slots(
    columns: ChosenColumns, what: str, source: Source, steps: Steps, is_joint: bool, names: Sequence[str]
) -> tuple[list[Parts], str]:
    """The columns of each view in a row, split up to one number or text each."""
    N, everybody = steps.num_players, "everybody" if is_joint else "mover"
    if source.by_player:
        numbers = [str(seat) for seat in range(N)]
        order = numbers if set(source.by_player) == set(numbers) else list(names) or list(source.by_player)
        if len(order) != N or set(order) != set(source.by_player):
            raise DatasetError(
                f"{columns.caller}: {what} must have columns of each player, {', '.join(order)[:200]}, got those of "
                f"{', '.join(source.by_player)[:200]}"
            )
        return [_flat(source.by_player[player]) for player in order], "each"
    column = source.column
    if column is not None and column.ndim == 3:
        if column.shape[1] != N:
            raise DatasetError(
                f"{columns.caller}: {what} must be of shape [T, {N}, O], an entry for each player, got "
                f"{list(column.shape)}"
            )
        return [_flat([(source.name, column[:, seat])]) for seat in range(N)], "each"
    is_each = is_joint and what == "observation" and N > 1
    is_each &= column is not None and column.ndim == 2 and column.shape[1] == N
    numbered = [name for name, _ in source.parts] == [f"{what}_{seat}" for seat in range(N)]
    if is_each and column is not None:
        return [[(source.name, column[:, seat])] for seat in range(N)], "each"
    if is_joint and what == "observation" and N > 1 and numbered:
        return [[part] for part in source.parts], "each"
    return [_flat(source.parts)], everybody


def _flat(parts: Parts) -> Parts:
    """Columns whose cells are lists as columns of their own."""
    found: Parts = []
    for name, column in parts:
        if column.ndim == 1:
            found.append((name, column))
        else:
            flat = column.reshape(len(column), -1)
            found += [(f"{name}[{place}]", flat[:, place]) for place in range(flat.shape[1])]
    return found


def _encoded(
    columns: ChosenColumns, held: list[tuple[str, NDArray[Any]] | None], feature: Feature | None
) -> tuple[Float64, Feature]:
    """One feature of all views: ``[T, P, 1]`` of numbers or ``[T, P, values]`` of text."""
    there = [part for part in held if part is not None]
    name = " / ".join(dict.fromkeys(part for part, _ in there))
    for part, column in there:
        if is_missing(column).all():
            raise DatasetError(f"{columns.caller}: the column {shown(part)} has no value at all; leave it out")
    kinds = [_is_text(column, part, columns.caller) for part, column in there]
    is_text = any(kinds)
    T, P = columns.num_rows, len(held)
    if feature is not None and is_text != ("values" in feature):
        raise DatasetError(
            f"{columns.caller}: the column {shown(name)} must hold {'text' if 'values' in feature else 'numbers'}, as "
            "in the log that the specification is from"
        )
    if not is_text:
        numbers = np.zeros((T, P, 1))
        for place, source in enumerate(held):
            if source is not None:
                numbers[:, place, 0] = as_numbers(*source, columns.caller)
        if np.isinf(numbers).any():
            row = int(np.argwhere(np.isinf(numbers))[0, 0])
            raise DatasetError(f"{columns.caller}: row {row}: the column {shown(name)} must be finite")
        return numbers, feature or {"name": name}
    joined = np.concatenate([column.astype(object) for _, column in there])
    labels = number_labels(name, joined, columns.caller, names=() if feature is None else feature["values"])
    values = labels.names or tuple(map(str, range(labels.count)))
    if len(values) > MOST_CATEGORIES:
        raise DatasetError(
            f"{columns.caller}: the column {shown(name)} holds {len(values)} different texts, more than the "
            f"{MOST_CATEGORIES} of a category; give numbers, or leave it out"
        )
    codes = iter(np.split(labels.codes, len(there)))
    onehot = np.zeros((T, P, len(values)))
    for place, source in enumerate(held):
        if source is not None:
            code = next(codes)
            onehot[np.arange(T), place, code] = 1.0
            onehot[code < 0, place] = np.nan
    return onehot, feature or {"name": name, "values": list(values)}


def _is_text(column: NDArray[Any], name: str, caller: str) -> bool:
    if column.dtype.kind != "O":
        return column.dtype.kind in "US"
    is_text = tell_apart(column, lambda value: isinstance(value, str))
    is_other = ~is_text & ~is_missing(column)
    if is_text.any() and is_other.any():
        odd = is_text if is_text.sum() <= is_other.sum() else is_other
        row = int(np.argmax(odd))
        raise DatasetError(
            f"{caller}: row {row}: the column {shown(name)} mixes text and numbers, here {shown(column[row])}; make it "
            "one or the other"
        )
    return bool(is_text.any())


def entry_names(features: Sequence[Feature]) -> list[str]:
    """A name for every entry: one a number, one a text that there is."""
    return [
        name
        for feature in features
        for name in (
            [f"{feature['name']} = {value}" for value in feature["values"]]
            if "values" in feature
            else [feature["name"]]
        )
    ]


def without_gaps(
    columns: ChosenColumns, views: Views, found: Float64, acts: NDArray[np.bool_], steps_row: Int64
) -> Float64:
    """Refuse what is missing where a player acts; what a player never sees is zero.

    ``found [T, N, F]``, ``acts [T, N]``, ``steps_row [T]`` the rows of the table.
    """
    absent = np.isnan(found)
    if not absent.any():
        return found
    names = entry_names(views.features)
    for seat in range(found.shape[1]):
        rows = np.flatnonzero(acts[:, seat])
        count = absent[rows, seat].sum(axis=0)
        for entry in np.flatnonzero((count > 0) & (count < len(rows))):
            row = rows[np.argmax(absent[rows, seat, entry])]
            raise DatasetError(
                f"{columns.caller}: row {steps_row[row]}: the column {shown(names[entry].partition(' = ')[0])} is "
                "missing where a player acts who sees it elsewhere; fill it in, with a value of its own where there is "
                "nothing to see yet (in a first round, say)"
            )
        never = absent[:, seat].all(axis=0) | ((count == len(rows)) & (len(rows) > 0))
        found[:, seat, never] = 0.0
    return found
