"""The checked arrays of a tabular game."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast.checks import first_masked
from coffee_fast.errors import DatasetError, InvalidGameError, shown
from coffee_fast.typing import Float64, Int64

Bools = NDArray[np.bool_]
MOST_ENTRIES = 2**27  # 1 GiB


def length(values: Any) -> int | None:
    """Return how many entries a sequence has; None of what is no sequence."""
    try:
        return None if isinstance(values, str | bytes | Mapping) else len(values)
    except TypeError:
        return None


def checked_counts(given: Any, cells: tuple[int, ...]) -> Int64 | None:
    if given is None:
        return None
    counts = numbers("TabularGame: counts", given, cells)
    if not ((counts >= 0.0) & (counts <= 2.0**53) & (counts % 1.0 == 0.0)).all():
        raise InvalidGameError("TabularGame: counts must be integers >= 0 (and at most 2^53)")
    return counts.astype(np.int64)


def checked_legal(given: Any, cells: tuple[int, ...]) -> tuple[Bools, ...] | None:
    if given is None:
        return None
    if length(given) != len(cells) - 2:
        got = shown(given) if length(given) is None else length(given)
        raise InvalidGameError(f"TabularGame: legal must be one array a player, got {got}")
    masks = []
    for player, (mask, size) in enumerate(zip(given, cells[2:], strict=True)):
        array = numbers("TabularGame: legal", mask, (*cells[:2], size)) != 0.0
        if (none := np.argwhere(~array.any(axis=2))).size:
            raise InvalidGameError(
                f"TabularGame: player {player} has no legal action at step {none[0, 0]}, state {none[0, 1]}"
            )
        masks.append(array)
    return tuple(masks)


def checked_transitions(given: Any, cells: tuple[int, ...]) -> Float64 | None:
    if given is None:
        if cells[0] > 1:
            raise InvalidGameError(f"TabularGame: transitions must be given for {cells[0]} steps")
        return None
    array = numbers("TabularGame: transitions", given, (*cells, cells[1]))
    used = array[:-1]
    if not (np.isfinite(used).all() and (used >= 0.0).all() and (used.sum(axis=-1) <= 1.0 + 1e-6).all()):
        raise InvalidGameError("TabularGame: transitions must be probabilities >= 0 that sum to at most 1")
    return array


def checked_initial(given: Any, num_states: int) -> Float64:
    initial = numbers("TabularGame: initial", given, (num_states,))
    if not ((initial >= 0.0).all() and abs(initial.sum() - 1.0) <= 1e-6):
        raise InvalidGameError(
            f"TabularGame: initial must hold probabilities that sum to 1, got {shown(initial.tolist())}"
        )
    return initial


def numbers(name: str, values: Any, shape: tuple[int, ...] | None = None) -> Float64:
    if (place := first_masked(values)) is not None:
        raise InvalidGameError(f"{name} is masked at {place}; fill it")
    try:
        array = np.array(values, dtype=np.float64, order="C")
    except (TypeError, ValueError, OverflowError):
        raise InvalidGameError(f"{name} must be a rectangular array of numbers") from None
    if shape is not None and array.shape != shape:
        raise InvalidGameError(f"{name} must have shape {list(shape)}, got {list(array.shape)}")
    return array


def in_words(counts: Int64 | None, num_states: int, horizon: int) -> str:
    """Say what game a certificate is about, and what its players know; ``horizon`` is 1 where steps do not count."""
    if num_states > 1:
        known = f"every player sees the {'step and the ' if horizon > 1 else ''}state and nothing else"
    elif horizon > 1:
        known = "every player knows the step and nothing else"
    else:
        known = "nobody knows anything before acting"
    source = "the given game" if counts is None else f"the table of {int(counts.sum())} logged steps"
    return f"{source}, in which {known}"


def check_size(
    caller: str, horizon: int, num_states: int, num_actions: tuple[int, ...], *, is_sparse: bool = False
) -> None:
    """Refuse a table that would not fit into memory; rewards and their spreads count, too."""
    entries = 4 * len(num_actions) + (0 if is_sparse else num_states)  # a cell
    size = horizon * num_states * math.prod(num_actions) * entries
    if size > MOST_ENTRIES:
        actions = "x".join(f"{min(count, 10**300):.6g}" for count in num_actions)
        raise DatasetError(
            f"{caller}: a table of {horizon} steps, {num_states} states and {actions} actions would hold "
            f"{min(size, 10**300):.2g} probabilities and rewards, more than {MOST_ENTRIES:.2g}; tell fewer states "
            "or actions apart"
        )
