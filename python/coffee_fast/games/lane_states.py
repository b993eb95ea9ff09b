"""The state of a simulator, kept by lane: arrays with a row an episode, in the container that the simulator uses."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast.errors import InvalidGameError, shown
from coffee_fast.typing import Int32


class LaneStates:
    """Rows of states for ``capacity`` lanes.

    A state is a dict, dataclass or tuple of arrays, or one array, each with a row an episode.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._example: Any = None
        self._arrays: dict[str, NDArray[Any]] = {}

    def get(self, lanes: Int32) -> Any:
        """Copies of the rows of ``lanes``, as the simulator had them."""
        return _together(self._example, {name: array[lanes] for name, array in self._arrays.items()})

    def put(self, method: str, lanes: Int32, state: Any) -> None:
        """Take the rows of ``lanes``; ``InvalidGameError`` unless they are like those before."""
        found = {name: self._rows(method, name, value, len(lanes)) for name, value in _apart(method, state).items()}
        if not self._arrays:
            self._example = state
            self._arrays = {
                name: np.empty((self._capacity, *rows.shape[1:]), rows.dtype) for name, rows in found.items()
            }
        if found.keys() != self._arrays.keys() or type(state) is not type(self._example):
            raise InvalidGameError(
                f"{method}: the state must be the same container as reset made, {_described(self._example)}, "
                f"got {_described(state)}"
            )
        for name, rows in found.items():
            kept = self._arrays[name]
            if rows.shape[1:] != kept.shape[1:] or not np.can_cast(rows.dtype, kept.dtype):
                raise InvalidGameError(
                    f"{method}: {_called(name)} must stay {kept.dtype} of shape {['L', *kept.shape[1:]]} as reset "
                    f"made it, got {rows.dtype} of shape {list(rows.shape)}"
                )
            kept[lanes] = rows

    def _rows(self, method: str, name: str, value: Any, count: int) -> NDArray[Any]:
        if not isinstance(value, np.ndarray) or value.ndim < 1 or len(value) != count:
            raise InvalidGameError(
                f"{method}: {_called(name)} must be an array with a row an episode, {count} now, got {shown(value)}"
            )
        return value


def _apart(method: str, state: Any) -> dict[str, Any]:
    if isinstance(state, np.ndarray):
        return {"": state}
    if isinstance(state, Mapping):
        parts = {str(name): value for name, value in state.items()}
    elif dataclasses.is_dataclass(state) and not isinstance(state, type):
        parts = {field.name: getattr(state, field.name) for field in dataclasses.fields(state)}
    elif isinstance(state, tuple | list):
        parts = {str(index): value for index, value in enumerate(state)}
    else:
        parts = {}
    if not parts:
        raise InvalidGameError(
            f"{method}: the state must be a dict, dataclass or tuple of arrays, or an array, got {shown(state)}"
        )
    return parts


def _together(example: Any, arrays: dict[str, NDArray[Any]]) -> Any:
    if isinstance(example, np.ndarray):
        return arrays[""]
    if isinstance(example, Mapping):
        return dict(zip(example, arrays.values(), strict=True))
    if dataclasses.is_dataclass(example) and not isinstance(example, type):
        return dataclasses.replace(example, **arrays)
    if hasattr(example, "_fields"):  # a named tuple
        return type(example)(*arrays.values())
    return type(example)(arrays.values())


def _called(name: str) -> str:
    return f"the state's {name!r}"[:80] if name else "the state"


def _described(state: Any) -> str:
    names = list(_apart("", state)) if not isinstance(state, np.ndarray) else []
    return f"a {type(state).__name__}{' of ' + ', '.join(names)[:60] if names else ''}"
