"""What the arrays of a dataset must satisfy before anything is learned from them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast.checks import check_count, first_masked
from coffee_fast.data.mirror import mirror_arrays
from coffee_fast.data.rounds import check_rounds
from coffee_fast.errors import DatasetError, InvalidArgumentError, InvalidGameError, shown
from coffee_fast.games import GameSpec
from coffee_fast.seeding import check_seed

Arrays = Mapping[str, NDArray[Any]]

_FLOATS = ("state", "observation", "reward", "next_state", "behavior_log_prob")


def as_arrays(arrays: Any) -> dict[str, NDArray[Any]]:
    """Return the arrays of a mapping, those that are None left out; refuse what NumPy would fill in by itself."""
    if not isinstance(arrays, Mapping):
        raise DatasetError(f"TrajectoryDataset: arrays must be a mapping of names to arrays, got {shown(arrays)}")
    found = {}
    for name, array in arrays.items():
        if not isinstance(name, str):
            raise DatasetError(f"TrajectoryDataset: names of arrays must be text, got {shown(name)}")
        if array is None:
            continue
        if (place := first_masked(array)) is not None:
            row = place[0] if place else 0
            raise DatasetError(f"{shown(name)[1:-1]}: row {row} is masked, a value is missing")
        try:
            found[name] = np.asarray(array)
        except (TypeError, ValueError):
            raise DatasetError(f"{shown(name)[1:-1]} must be an array of numbers, got {shown(array)}") from None
    return found


def as_truncated(arrays: Arrays, num_trajectories: int) -> NDArray[np.bool_]:
    """Return which trajectories broke off, none where nothing is said of it."""
    given = arrays.get("truncated")
    return np.zeros(num_trajectories, dtype=bool) if given is None else np.asarray(given != 0)


def check_memory(what: str, size: int, remedy: str) -> None:
    """Raise ``DatasetError`` for an array of ``size`` bytes that this machine could never hold."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if size > memory:
        raise DatasetError(
            f"{what} would take {size / 1e9:.3g} GB, and this machine has {memory / 1e9:.3g} GB; {remedy}"
        )


def trajectory_numbers(trajectories: Any, num_trajectories: int) -> NDArray[np.int64]:
    """Return numbers of trajectories that are there, one or more."""
    try:
        index = np.asarray(trajectories)
    except ValueError:  # lists of unequal lengths
        index = np.zeros(0)
    if index.ndim != 1 or index.dtype.kind not in "iu" or len(index) == 0:
        raise InvalidArgumentError(
            f"select: trajectories must be one or more trajectory numbers, got {shown(trajectories)}"
        )
    if index.min() < 0 or index.max() >= num_trajectories:
        raise InvalidArgumentError(
            f"select: trajectories must lie in [0, {num_trajectories}), got {index.min()} to {index.max()}"
        )
    return index.astype(np.int64)


def as_python(value: Any) -> Any:
    """Return a NumPy scalar as the Python value that files can hold; anything else as it is."""
    return value.item() if isinstance(value, np.generic) else value


def check_arrays(spec: GameSpec, arrays: Arrays) -> None:
    """Raise ``DatasetError`` at the first thing that is wrong. Costs milliseconds for 20,000 transitions."""
    _check_shapes(spec, arrays)
    offsets = arrays["trajectory_offsets"]
    _check_offsets(offsets, len(arrays["action"]))
    place = _Places(offsets)
    for name in _FLOATS:
        if arrays.get(name) is not None:
            finite = np.asarray(np.isfinite(arrays[name]).reshape(len(arrays[name]), -1).all(axis=1))
            place.require(finite, f"{name} must be finite")
    _check_moves(spec, arrays, place)
    _check_ends(spec, arrays, place)
    if spec.moves == "simultaneous":
        check_rounds(spec, arrays, place.require)


def check_about(
    spec: GameSpec, arrays: Arrays, behavior: str, seed: int | None, is_mirrored: bool, num_independent_episodes: int
) -> None:
    """Raise ``DatasetError`` if what is said about checked arrays cannot be true of them."""
    if not isinstance(behavior, str):
        raise DatasetError(f"behavior must be text, got {shown(behavior)}")
    try:
        check_seed(0 if seed is None else seed)
    except InvalidArgumentError as error:
        raise DatasetError(str(error)) from None
    num_trajectories = len(arrays["trajectory_offsets"]) - 1
    if is_mirrored:
        _check_mirrored(spec, arrays, num_trajectories)
    most = num_trajectories // 2 if is_mirrored else num_trajectories
    check_count("num_independent_episodes", num_independent_episodes, at_least=1, at_most=most, error=DatasetError)


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
    known = ("trajectory_offsets", *_FLOATS, "action", "acting_player", "legal_mask", "terminal", "truncated")
    if unknown := sorted(set(arrays) - set(known)):
        raise DatasetError(f"there is no array {shown(unknown[0])} in a dataset; the arrays are {', '.join(known)}")
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
    truncated, count = arrays.get("truncated"), len(offsets) - 1
    is_right = truncated is None or (truncated.shape == (count,) and truncated.dtype in (np.uint8, np.bool_))
    if not is_right or (truncated is not None and (truncated > 1).any()):
        raise DatasetError(f"truncated must be bool, or uint8 of 0 and 1, of shape [{count}], one a trajectory")


def _check_offsets(offsets: NDArray[Any], num_transitions: int) -> None:
    if offsets[0] != 0 or offsets[-1] != num_transitions:
        raise DatasetError(
            f"trajectory_offsets must run from 0 to the {num_transitions} transitions, "
            f"got {offsets[0]} to {offsets[-1]}"
        )
    empty = np.flatnonzero(np.diff(offsets) <= 0)
    if len(empty):
        raise DatasetError(
            f"trajectory {empty[0]}: trajectory_offsets must increase, every trajectory has a transition"
        )


def _check_moves(spec: GameSpec, arrays: Arrays, place: _Places) -> None:
    players, actions, masks = arrays["acting_player"], arrays["action"], arrays["legal_mask"]
    C = spec.num_chance_actions
    is_chance = players == -1
    if not C:
        place.require(
            ~is_chance,
            f"acting_player must lie in [0, {spec.num_players}); -1 is chance, and the specification has no chance "
            "moves: say num_chance_actions, and turn_order='predicted'",
        )
    place.require(
        is_chance | ((players >= 0) & (players < spec.num_players)),
        f"acting_player must lie in [0, {spec.num_players})",
    )
    place.require(
        is_chance | ((actions >= 0) & (actions < spec.num_actions)), f"action must lie in [0, {spec.num_actions})"
    )
    place.require(
        ~is_chance | ((actions >= 0) & (actions < C)), f"action of chance (acting_player -1) must lie in [0, {C})"
    )
    place.require(~is_chance | (masks == 0).all(axis=1), "legal_mask of chance (acting_player -1) must be zero")
    own = np.where(is_chance, 0, actions)
    legal = (masks[np.arange(len(actions)), own // 8] >> (own % 8)) & 1
    place.require(is_chance | (legal == 1), "the action is not legal by its own legal_mask")
    if spare := -spec.num_actions % 8:
        place.require(masks[:, -1] >> (8 - spare) == 0, "legal_mask has bits set beyond the last action")
    if arrays.get("behavior_log_prob") is not None:
        place.require(arrays["behavior_log_prob"] <= 1e-6, "behavior_log_prob must be 0 or less")


def _check_ends(spec: GameSpec, arrays: Arrays, place: _Places) -> None:
    offsets, terminal = arrays["trajectory_offsets"], arrays["terminal"]
    truncated = as_truncated(arrays, len(offsets) - 1)
    place.require(terminal <= 1, "terminal must be 0 or 1")
    if not terminal.any() and not truncated.all():
        raise DatasetError("the dataset has no terminal transition, so there are no payoffs to learn from")
    is_last = np.zeros(len(terminal), dtype=bool)
    is_last[offsets[1:] - 1] = True
    is_cut = np.zeros(len(terminal), dtype=bool)
    is_cut[offsets[1:][truncated] - 1] = True
    place.require(
        (terminal == 1) | ~is_last | is_cut,
        "the last transition of a trajectory must be terminal, unless truncated says that it broke off",
    )
    place.require((terminal == 0) | ~is_cut, "a trajectory that is truncated has no terminal transition")
    place.require((terminal == 0) | is_last, "a transition inside a trajectory must not be terminal")
    is_filled = (arrays["next_state"] == np.float32(spec.terminal_state_value)).all(axis=1)
    place.require(
        is_filled | (terminal == 0),
        f"next_state of a terminal transition must be {spec.terminal_state_value} everywhere",
    )
    follows = np.ones(len(terminal), dtype=bool)
    follows[:-1] = (arrays["next_state"][:-1] == arrays["state"][1:]).all(axis=1)
    place.require(follows | is_last, "next_state must be the state of the next transition")
    lengths = np.diff(offsets)
    if lengths.max() > spec.max_episode_length:
        raise DatasetError(
            f"trajectory {lengths.argmax()}: must have at most {spec.max_episode_length} transitions, "
            f"got {lengths.max()}"
        )


def _check_mirrored(spec: GameSpec, arrays: Arrays, num_trajectories: int) -> None:
    offsets = arrays["trajectory_offsets"]
    lengths = np.diff(offsets)
    if num_trajectories % 2:
        raise DatasetError(f"a mirrored dataset must have an even number of trajectories, got {num_trajectories}")
    if (unequal := np.flatnonzero(lengths[::2] != lengths[1::2])).size:
        raise DatasetError(f"trajectory {2 * unequal[0] + 1}: must be as long as the one before it, its mirror image")
    truncated = as_truncated(arrays, num_trajectories)
    if (unequal := np.flatnonzero(truncated[::2] != truncated[1::2])).size:
        raise DatasetError(f"trajectory {2 * unequal[0] + 1}: must be truncated like the one before it")
    is_image = np.repeat(np.arange(num_trajectories) % 2 == 1, lengths)
    by_row = {name: array for name, array in arrays.items() if name not in ("trajectory_offsets", "truncated")}
    try:
        images = mirror_arrays(spec, by_row)
    except InvalidGameError as error:
        raise DatasetError(str(error)) from None
    for name, image in images.items():
        agrees = np.ones(len(is_image), dtype=bool)
        same = image[~is_image] == arrays[name][is_image]
        agrees[is_image] = same.reshape(len(same), -1).all(axis=1)
        _Places(offsets).require(agrees, f"{name} must mirror that of the trajectory before")
