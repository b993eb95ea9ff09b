"""What the fields of a game's specification may be: each checked, as plain values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from coffee_fast.checks import check_count
from coffee_fast.errors import InvalidGameError, shown
from coffee_fast.typing import Float32

MOST = 2**31 - 1
LARGEST = float(np.finfo(np.float32).max)
COUNTS = {
    "num_players": 1,
    "num_actions": 1,
    "state_size": 1,
    "observation_size": 1,
    "history_start": 0,
    "max_episode_length": 1,
    "num_chance_actions": 0,
}


def count(name: str, value: Any, least: int) -> int:
    """A whole number of at least ``least``."""
    most = 127 if name == "num_players" else MOST
    return check_count(f"GameSpec: {name}", value, at_least=least, at_most=most, error=InvalidGameError)


def sizes(name: str, value: Any, total: int) -> tuple[int, ...]:
    """Whole numbers of at least 1 that sum to ``total``."""
    found = _tuple(name, value)
    if not all(_is_integer(size) and size >= 1 for size in found) or sum(found) != total:
        raise InvalidGameError(
            f"GameSpec: {name} must be the number of seats of each role, {total} in all, got {shown(value)}"
        )
    return tuple(int(size) for size in found)


def entries(name: str, value: Any, state_size: int) -> tuple[int, ...]:
    """Entries of a state, by number."""
    found = _tuple(name, value)
    if len(found) > state_size or not all(_is_integer(entry) and 0 <= entry < state_size for entry in found):
        raise InvalidGameError(
            f"GameSpec: {name} must hold entries of the state, 0 to {state_size - 1}, got {shown(value)}"
        )
    return tuple(int(entry) for entry in found)


def check_names(name: str, value: Any, number: int) -> tuple[str, ...]:
    """``number`` different names, or none at all."""
    found = () if isinstance(value, str) else _tuple(name, value, "texts")
    if not all(isinstance(text, str) and text for text in found) or len(found) not in (0, number):
        raise InvalidGameError(f"GameSpec: {name} must be {number} texts, or none, got {shown(value)}")
    if len(set(found)) < len(found):
        raise InvalidGameError(f"GameSpec: {name} must differ from each other, got {shown(value)}")
    return tuple(str(text) for text in found)


def plain_mapping(name: str, value: Any) -> dict[str, Any]:
    """What JSON can hold, as plain numbers, lists and strings; NumPy's scalars and arrays become such."""
    if not isinstance(value, Mapping):
        raise InvalidGameError(f"GameSpec: {name} must be a mapping, got {shown(value)}")
    try:
        found: dict[str, Any] = json.loads(json.dumps(dict(value), allow_nan=False, default=_plain))
    except (TypeError, ValueError, RecursionError):
        raise InvalidGameError(
            f"GameSpec: {name} must hold finite numbers, text, lists and mappings, got {shown(value)}"
        ) from None
    return found


def vectors(name: str, value: Any, rows: int) -> Float32:
    """Finite numbers, a row for each action, read-only."""
    try:
        if np.ma.is_masked(value) or np.iscomplexobj(value):
            raise TypeError
        with np.errstate(over="ignore"):
            array = np.array(value, dtype=np.float32)
    except (TypeError, ValueError, OverflowError):
        raise InvalidGameError(f"GameSpec: {name} must be numbers, as many for every action") from None
    if array.ndim != 2 or len(array) != rows or not np.isfinite(array).all():
        raise InvalidGameError(f"GameSpec: {name} must be finite of shape [{rows}, V], got shape {list(array.shape)}")
    array.flags.writeable = False
    return array


def _tuple(name: str, value: Any, what: str = "integers") -> tuple[Any, ...]:
    try:
        return tuple(value)
    except TypeError:
        raise InvalidGameError(f"GameSpec: {name} must be a list of {what}, got {shown(value)}") from None


def _is_integer(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError
