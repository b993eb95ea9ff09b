"""Labels as numbers: players, actions, outcomes and categories, by whatever names people call them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast.checks import did_you_mean
from coffee_fast.errors import DatasetError, shown
from coffee_fast.logs.tables import is_missing
from coffee_fast.typing import Int64


@dataclass(frozen=True, eq=False)
class Labels:
    """A number for each entry of a column, -1 where it is missing, and the names of the numbers.

    ``names`` is empty where the entries were the numbers ``0 .. count - 1`` already.
    """

    codes: Int64
    count: int
    names: tuple[str, ...]


def number_labels(
    name: str,
    column: NDArray[Any],
    caller: str,
    *,
    names: Sequence[str] = (),
    count: int | None = None,
    by_appearance: bool = False,
) -> Labels:
    """Number the entries of a column of any shape.

    With ``names`` they are looked up; with ``count`` whole numbers below it are taken as they are. Else what is
    ``0 .. k - 1`` already stays, and anything else is numbered in order, or as it first appears.
    """
    absent = is_missing(column)
    codes = np.full(column.shape, -1, dtype=np.int64)
    values, inverse = _distinct(name, column[~absent], caller)
    if not values:
        raise DatasetError(f"{caller}: the column {shown(name)} has no entry at all; leave it out, or choose another")
    texts = [text_of(value) for value in values]
    whole = _whole(values)
    if names and not (whole is not None and not set(texts) & set(names)):
        numbers = _looked_up(name, column, absent, inverse, texts, names, caller)
        found = Labels(codes, len(names), tuple(names))
    elif whole is not None and (names or count is not None or set(whole) == set(range(len(whole)))):
        most = len(names) or (count if count is not None else len(whole))
        numbers = np.array(whole)
        _require_range(name, column, absent, inverse, numbers, most, caller)
        found = Labels(codes, most, tuple(names))
    else:
        _refuse_look_alikes(name, values, texts, caller)
        order = list(range(len(values))) if by_appearance else sorted(range(len(values)), key=_order(values))
        numbers = np.empty(len(values), dtype=np.int64)
        numbers[order] = np.arange(len(values))
        found = Labels(codes, len(values), tuple(texts[place] for place in order))
    codes[~absent] = numbers[inverse]
    return found


def text_of(value: Any) -> str:
    """Return a label as it is written; a whole number without a decimal point.

    >>> text_of(3.0), text_of("buy"), text_of(2.5)
    ('3', 'buy', '2.5')
    """
    if isinstance(value, float | np.floating) and float(value).is_integer() and abs(float(value)) < 2**53:
        return str(int(value))
    return str(value)


def _distinct(name: str, values: NDArray[Any], caller: str) -> tuple[list[Any], Int64]:
    """The distinct values as they first appear, and which of them each entry is."""
    if values.dtype.kind in "biufmMUS":
        found, first, inverse = np.unique(values, return_index=True, return_inverse=True)
        order = np.argsort(first, kind="stable")
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.arange(len(order))
        if values.dtype.kind in "mM":
            return [str(value) for value in found[order]], rank[inverse.reshape(-1)]
        return found[order].tolist(), rank[inverse.reshape(-1)]
    number: dict[Any, int] = {}
    try:
        listed = values.tolist()
        inverse = np.fromiter((number.setdefault(value, len(number)) for value in listed), np.int64, len(listed))
    except TypeError:  # lists are no labels
        raise DatasetError(
            f"{caller}: the column {shown(name)} must hold one label a row, text or a number, got {shown(values[0])}"
        ) from None
    return list(number), inverse


def _whole(values: list[Any]) -> list[int] | None:
    """The values as whole numbers of 0 or more, or None if they are anything else."""
    is_number = all(isinstance(value, int | float | np.integer | np.floating | np.bool_) for value in values)
    is_whole = is_number and all(float(value).is_integer() and 0 <= value < 2**31 for value in values)
    return [int(value) for value in values] if is_whole else None


def _looked_up(
    name: str,
    column: NDArray[Any],
    absent: NDArray[np.bool_],
    inverse: Int64,
    texts: list[str],
    names: Sequence[str],
    caller: str,
) -> Int64:
    number = {text: place for place, text in enumerate(names)}
    for place, text in enumerate(texts):
        if text not in number:
            row = np.argwhere(~absent)[np.flatnonzero(inverse == place)[0]][0]
            known = f"{', '.join(names[:12])}{', ...' if len(names) > 12 else ''}"
            raise DatasetError(
                f"{caller}: row {row}: the column {shown(name)} holds {shown(text)}, which is none of {known:.200}"
                f"{did_you_mean(text, names)}"
            )
    return np.array([number[text] for text in texts], dtype=np.int64)


def _require_range(
    name: str, column: NDArray[Any], absent: NDArray[np.bool_], inverse: Int64, numbers: Int64, most: int, caller: str
) -> None:
    if (numbers >= most).any():
        place = int(np.argmax(numbers >= most))
        row = np.argwhere(~absent)[np.flatnonzero(inverse == place)[0]][0]
        raise DatasetError(
            f"{caller}: row {row}: the column {shown(name)} must lie in [0, {most}), got {numbers[place]}"
        )


def _refuse_look_alikes(name: str, values: list[Any], texts: list[str], caller: str) -> None:
    """Text and numbers that are written alike may be one label or two."""
    first: dict[str, Any] = {}
    for value, text in zip(values, texts, strict=True):
        other = first.setdefault(text, value)
        if other is not value:
            raise DatasetError(
                f"{caller}: the column {shown(name)} mixes {shown(other)} and {shown(value)}; make them one type"
            )


def _order(values: list[Any]) -> Any:
    def key(place: int) -> tuple[bool, Any]:
        value = values[place]
        is_number = isinstance(value, int | float | np.integer | np.floating | np.bool_)
        return (not is_number, value if is_number else str(value))

    return key
