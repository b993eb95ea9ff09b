"""What the arrays of a dataset must satisfy before anything is learned from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast.errors import DatasetError
from coffee_fast.games import GameSpec

Arrays = Mapping[str, NDArray[Any]]


def check_arrays(spec: GameSpec, arrays: Arrays) -> None:
    """Raise ``DatasetError`` at the first thing that is wrong. Costs milliseconds for 20,000 transitions."""
    _check_shapes(spec, arrays)
    offsets = arrays["trajectory_offsets"]
    _check_offsets(offsets, len(arrays["action"]))
    place = _Places(offsets)
    for name in ("state", "observation", "reward", "next_state", "behavior_log_prob"):
        if arrays.get(name) is not None:
            finite = np.asarray(np.isfinite(arrays[name]).reshape(len(arrays[name]), -1).all(axis=1))
            place.require(finite, f"{name} must be finite")
    _check_moves(spec, arrays, place)
    _check_ends(spec, arrays, place)


class _Places:
    """Says of a transition in which trajectory and at which step it lies."""

    def __init__(self, offsets: NDArray[Any]) -> None:
        self._offsets = offsets

    def require(self, is_right: NDArray[Any], sentence: str) -> None:
        wrong = np.flatnonzero(~np.asarray(is_right))
        if len(wrong):
            trajectory = int(np.searchsorted(self._offsets, wrong[0], side="right")) - 1
            step = int(wrong[0] - self._offsets[trajectory])
            raise DatasetError(f"trajectory {trajectory}, step {step}: {sentence}")


def _check_shapes(spec: GameSpec, arrays: Arrays) -> None:
    required = ("trajectory_offsets", "state", "observation", "action", "acting_player", "legal_mask", "reward")
    missing = [name for name in (*required, "next_state", "terminal") if arrays.get(name) is None]
    if missing:
        raise DatasetError(f"the array {missing[0]!r} is missing")
    T, N = np.shape(arrays["action"])[:1], spec.num_players
    if T == () or T == (0,):
        raise DatasetError("the dataset is empty: it has no transitions")
    expected: dict[str, tuple[type, tuple[int, ...]]] = {
        "state": (np.float32, (*T, spec.state_size)),
        "next_state": (np.float32, (*T, spec.state_size)),
        "observation": (np.float32, (*T, N, spec.observation_size)),
        "action": (np.int32, T),
        "acting_player": (np.int8, T),
        "legal_mask": (np.uint8, (*T, (spec.num_actions + 7) // 8)),
        "reward": (np.float32, (*T, N)),
        "terminal": (np.uint8, T),
        "behavior_log_prob": (np.float32, T),
    }
    for name, (dtype, shape) in expected.items():
        array = arrays.get(name)
        if array is None:
            continue
        if array.dtype != dtype or array.shape != shape:
            raise DatasetError(
                f"{name} must be {np.dtype(dtype)} of shape {list(shape)}, "
                f"got {array.dtype} of shape {list(array.shape)}"
            )
    offsets = arrays["trajectory_offsets"]
    if offsets.dtype != np.int64 or offsets.ndim != 1 or len(offsets) < 2:
        raise DatasetError(
            f"trajectory_offsets must be int64 of shape [N + 1], got {offsets.dtype} of shape {list(offsets.shape)}"
        )


def _check_offsets(offsets: NDArray[Any], num_transitions: int) -> None:
    if offsets[0] != 0 or offsets[-1] != num_transitions:
        raise DatasetError(
            f"trajectory_offsets must run from 0 to the {num_transitions} transitions, got {offsets[0]} to {offsets[-1]}"
        )
    empty = np.flatnonzero(np.diff(offsets) <= 0)
    if len(empty):
        raise DatasetError(
            f"trajectory {empty[0]}: trajectory_offsets must increase, every trajectory has a transition"
        )


def _check_moves(spec: GameSpec, arrays: Arrays, place: _Places) -> None:
    players, actions = arrays["acting_player"], arrays["action"]
    place.require((players >= 0) & (players < spec.num_players), f"acting_player must lie in [0, {spec.num_players})")
    place.require((actions >= 0) & (actions < spec.num_actions), f"action must lie in [0, {spec.num_actions})")
    legal = (arrays["legal_mask"][np.arange(len(actions)), actions // 8] >> (actions % 8)) & 1
    place.require(legal == 1, "the action is not legal by its own legal_mask")


def _check_ends(spec: GameSpec, arrays: Arrays, place: _Places) -> None:
    offsets, terminal = arrays["trajectory_offsets"], arrays["terminal"]
    place.require(terminal <= 1, "terminal must be 0 or 1")
    if not terminal.any():
        raise DatasetError("the dataset has no terminal transition, so there are no payoffs to learn from")
    is_last = np.zeros(len(terminal), dtype=bool)
    is_last[offsets[1:] - 1] = True
    place.require((terminal == 1) | ~is_last, "the last transition of a trajectory must be terminal")
    place.require((terminal == 0) | is_last, "a transition inside a trajectory must not be terminal")
    is_filled = (arrays["next_state"] == np.float32(spec.terminal_state_value)).all(axis=1)
    place.require(
        is_filled | ~is_last, f"next_state of a terminal transition must be {spec.terminal_state_value} everywhere"
    )
    follows = np.ones(len(terminal), dtype=bool)
    follows[:-1] = (arrays["next_state"][:-1] == arrays["state"][1:]).all(axis=1)
    place.require(follows | is_last, "next_state must be the state of the next transition")
    lengths = np.diff(offsets)
    if lengths.max() > spec.max_episode_length:
        raise DatasetError(
            f"trajectory {lengths.argmax()}: must have at most {spec.max_episode_length} transitions, got {lengths.max()}"
        )
