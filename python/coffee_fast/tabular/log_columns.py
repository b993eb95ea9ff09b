"""The columns of a log that is a mapping of arrays: numbers, labels and where episodes end."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from coffee_fast.checks import check_count, first_masked
from coffee_fast.errors import DatasetError, InvalidArgumentError, shown
from coffee_fast.tabular.checks import length
from coffee_fast.typing import Float64, Int64

Bools = NDArray[np.bool_]
_MOST_ACTIONS, _MOST_STATES = 2**31, 2**24

COLUMNS = ("action", "reward", "state", "observation", "trajectory", "terminal")


def check_known(columns: Mapping[str, ArrayLike], known: Sequence[str], caller: str) -> None:
    """Refuse columns that would be passed over."""
    if unknown := [name for name in columns if name not in known]:
        raise DatasetError(f"{caller}: there is no column {shown(unknown[0])}; the columns are {', '.join(known)}")


def numbers(columns: Mapping[str, ArrayLike], name: str, caller: str = "from_dataset") -> Float64:
    """Return the column as finite numbers; text that looks like numbers is text."""
    if name not in columns:
        raise DatasetError(f"{caller}: column {name!r} is missing")
    column: Any = columns[name]
    _refuse_masked(column, name, caller)
    try:
        raw = np.asarray(column)
        texts = [] if raw.dtype.kind in "biuf" else [x for x in raw.ravel() if not isinstance(x, _NUMBERS)]
        array = np.asarray(column if texts else raw, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise DatasetError(f"{caller}: column {name!r} must hold numbers, as many in every row") from None
    if texts:
        raise DatasetError(f"{caller}: column {name!r} must hold numbers, got {shown(texts[0])}")
    if (bad := np.argwhere(~np.isfinite(array))).size:
        row = f" in row {bad[0, 0]}" if array.ndim else ""
        raise DatasetError(f"{caller}: {name} must be finite, got {array[tuple(bad[0])]}{row}")
    return array


_NUMBERS = (bool, int, float, np.bool_, np.integer, np.floating)


def actions_and_rewards(columns: Mapping[str, ArrayLike], caller: str) -> tuple[Int64, Float64]:
    """Return what all players did and got, ``[T, N]`` each."""
    action, reward = numbers(columns, "action", caller), numbers(columns, "reward", caller)
    if action.ndim and len(action) == 0:
        raise DatasetError(f"{caller}: the log is empty: it has no rows")
    if action.ndim != 2 or action.size == 0 or reward.shape != action.shape:
        raise DatasetError(
            f"{caller}: action and reward must have shape [T, N], got {list(action.shape)} and {list(reward.shape)}"
        )
    if (bad := np.argwhere((action < 0) | (action % 1 != 0))).size:
        raise DatasetError(
            f"{caller}: action must hold integers >= 0, got {action[tuple(bad[0])]:g} in row {bad[0, 0]}"
        )
    if (bad := np.argwhere(action >= _MOST_ACTIONS)).size:
        raise DatasetError(
            f"{caller}: action must lie below {_MOST_ACTIONS}, got {action[tuple(bad[0])]:g} in row {bad[0, 0]}; "
            "number the actions from 0"
        )
    return action.astype(np.int64), reward


def labels(found: Any, num_rows: int, name: str = "state", caller: str = "from_dataset") -> list[Hashable]:
    """Return one label a row, none of them missing."""
    return [_present(label, row, name, caller) for row, label in enumerate(listed(found, num_rows, name, caller))]


def listed(found: Any, num_rows: int, name: str, caller: str) -> list[Any]:
    """Return one hashable label a row; a missing one is None."""
    _refuse_masked(found, name, caller)
    try:
        is_time = isinstance(found, np.ndarray) and found.dtype.kind in "mM"
        column = list(found) if is_time or not isinstance(found, np.ndarray) else found.tolist()
        size = len(column)
    except TypeError:
        raise DatasetError(f"{caller}: {name} must be one label a row, got {type(found).__name__}") from None
    if isinstance(found, str | bytes | Mapping) or size != num_rows:
        got = type(found).__name__ if isinstance(found, str | bytes | Mapping) else str(size)
        raise DatasetError(f"{caller}: {name} must be one label a row, {num_rows} in all, got {got}")
    for row, label in enumerate(column):
        try:
            hash(label)
        except TypeError:
            raise DatasetError(f"{caller}: {name} must hold hashable labels, got {shown(label)} in row {row}") from None
    return [None if _is_missing(label) else label for label in column]


def _present(label: Hashable, row: int, name: str, caller: str) -> Hashable:
    if label is None:
        raise DatasetError(f"{caller}: {name} is missing in row {row}; give it a label, or leave the row out")
    return label


def _is_missing(label: Any) -> bool:
    """Whether a label is None or one that is not equal to itself: NaN, NaT, pandas' NA."""
    if isinstance(label, tuple):
        return any(map(_is_missing, label))
    try:
        return label is None or label is np.ma.masked or bool(label != label)
    except (TypeError, ValueError):  # the truth of a comparison with NA is not known
        return True


def _refuse_masked(column: Any, name: str, caller: str) -> None:
    if (place := first_masked(column)) is not None:
        raise DatasetError(f"{caller}: column {name!r} is masked in row {place[0]}; fill it, or leave the row out")


def lasts(columns: Mapping[str, ArrayLike], num_rows: int, caller: str = "from_dataset") -> tuple[Bools, Bools | None]:
    """Return which rows are the last of their trajectory, and after which the episode is over (None if not said)."""
    last, terminal = np.ones(num_rows, dtype=bool), None
    if "terminal" in columns:
        given = numbers(columns, "terminal", caller)
        if given.shape != (num_rows,):
            raise DatasetError(f"{caller}: terminal must have shape [{num_rows}], got {list(given.shape)}")
        if (bad := np.flatnonzero(~np.isin(given, (0.0, 1.0)))).size:
            raise DatasetError(f"{caller}: terminal must hold 0 or 1, got {given[bad[0]]:g} in row {bad[0]}")
        terminal = given != 0.0
    if "trajectory" in columns:
        episode = labels(columns["trajectory"], num_rows, "trajectory", caller)
        last[:-1] = [a != b for a, b in itertools.pairwise(episode)]
        _refuse_scattered(episode, last, caller)
        if terminal is not None and (inside := np.flatnonzero(terminal & ~last)).size:
            row = int(inside[0])
            raise DatasetError(
                f"{caller}: terminal is 1 in row {row}, but row {row + 1} has the same trajectory "
                f"{shown(episode[row])}; give each episode a label of its own"
            )
    elif terminal is not None:
        last[:-1] = terminal[:-1]
    return last, terminal


def _refuse_scattered(episode: Sequence[Hashable], last: Bools, caller: str) -> None:
    """Raise if a label comes again after another one: its rows would be taken for several episodes."""
    seen: set[Hashable] = set()
    for row in (np.flatnonzero(last[:-1]) + 1).tolist():
        seen.add(episode[row - 1])
        if episode[row] in seen:
            raise DatasetError(
                f"{caller}: trajectory {shown(episode[row])} comes again in row {row}, but the rows of an "
                "episode must stand together; sort the rows by trajectory, then by time"
            )


def episode_ends(columns: Mapping[str, ArrayLike], num_rows: int, caller: str = "from_dataset") -> Bools:
    """Return ``[T]``: whether the row is the last of its episode, none of which may be cut off early."""
    last, terminal = lasts(columns, num_rows, caller)
    if terminal is not None:
        length = np.diff(np.flatnonzero(last), prepend=-1)
        cut = np.flatnonzero(~terminal[last] & (length < length.max()))
        if cut.size:
            raise DatasetError(
                f"{caller}: the episode that ends in row {np.flatnonzero(last)[cut[0]]} is cut off (terminal is 0) "
                f"after {length[cut[0]]} of {length.max()} steps, so what would have followed is not known; "
                "leave such episodes out"
            )
    return last


def numbered(
    found: Sequence[Hashable], num_states: int | None, caller: str = "from_dataset"
) -> tuple[Int64, tuple[Hashable, ...]]:
    """Return each row's number and the labels in order: sorted, if they can be, else as they come."""
    if num_states is not None:
        check_count(f"{caller}: num_states", num_states, at_least=1)
        if num_states > _MOST_STATES:
            raise InvalidArgumentError(f"{caller}: num_states must be at most {_MOST_STATES}, got {num_states:.3g}")
        for row, label in enumerate(found):
            whole = isinstance(label, int | np.integer) and not isinstance(label, bool)
            if not whole or not 0 <= label < num_states:  # type: ignore[operator]
                raise DatasetError(
                    f"{caller}: states must be integers in [0, {num_states}), got {shown(label)} in row {row}"
                )
        return np.array(found, dtype=np.int64), tuple(range(num_states))
    keys: list[Any] = list(dict.fromkeys(found))
    with contextlib.suppress(TypeError):
        keys.sort()
    number = {key: i for i, key in enumerate(keys)}
    return np.array([number[label] for label in found], dtype=np.int64), tuple(keys)


def action_sizes(
    action: Int64, num_actions: Sequence[int] | int | None, caller: str = "from_dataset"
) -> tuple[int, ...]:
    """Return how many actions each player has: as given, else one more than the largest one seen."""
    seen = [int(most) + 1 for most in action.max(axis=0)]
    if num_actions is None:
        return tuple(seen)
    sizes = counts(f"{caller}: num_actions", num_actions, len(seen))
    for player, (size, most) in enumerate(zip(sizes, seen, strict=True)):
        if most > size:
            raise DatasetError(
                f"{caller}: actions of player {player} must lie below num_actions {size}, got {most - 1}"
            )
    return sizes


def counts(name: str, given: Any, num_players: int | None) -> tuple[int, ...]:
    """Return integers >= 1, one a player; a single one is that of every player."""
    if isinstance(given, int | np.integer) and not isinstance(given, bool) and num_players is not None:
        check_count(name, int(given), at_least=1)
        return (int(given),) * num_players
    if length(given) is None:
        raise InvalidArgumentError(f"{name} must be an integer >= 1, or one a player, got {shown(given)}")
    sizes = list(given)
    if not sizes or len(sizes) != (num_players or len(sizes)):
        raise InvalidArgumentError(f"{name} must be one integer a player, {num_players or 1} in all, got {len(sizes)}")
    for size in sizes:
        check_count(name, size, at_least=1)
    return tuple(int(size) for size in sizes)
