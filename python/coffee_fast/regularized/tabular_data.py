"""Tables from logs and from models: the arrays of a :class:`coffee_fast.TabularGame`."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from coffee_fast.data import TrajectoryDataset
from coffee_fast.errors import DatasetError, InvalidArgumentError
from coffee_fast.typing import Float64, Int64

Bools = NDArray[np.bool_]
_MOST_ENTRIES = 2**28  # 2 GiB of probabilities


class _Log:
    """Rows of play: step within the episode, state, actions and rewards of all players, and where episodes end."""

    def __init__(
        self,
        labels: Sequence[Hashable],
        action: Int64,
        reward: Float64,
        ends: Bools,
        num_actions: tuple[int, ...],
        num_states: int | None,
    ) -> None:
        self.action, self.reward, self.ends, self.num_actions = action, reward, ends, num_actions
        first = np.flatnonzero(np.concatenate([[True], ends[:-1]]))
        lengths = np.diff([*first, len(ends)])
        self.step = np.arange(len(ends)) - np.repeat(first, lengths)
        self.state, self.keys = _numbered(labels, num_states)

    def tables(self) -> dict[str, Any]:
        """Return counts, means and variances of rewards, frequencies of next states and of first states."""
        T, N = self.action.shape
        horizon, num_states = int(self.step.max()) + 1, len(self.keys)
        shape = (horizon, num_states, *self.num_actions)
        size = math.prod(shape)
        if size * num_states > _MOST_ENTRIES:
            actions = "x".join(map(str, self.num_actions))
            raise DatasetError(
                f"from_dataset: a table of {horizon} steps, {num_states} states and {actions} actions would hold "
                f"{size * num_states:.2g} probabilities, more than {_MOST_ENTRIES:.2g}; tell fewer states apart"
            )
        cell = np.ravel_multi_index((self.step, self.state, *self.action.T), shape)
        counts = np.bincount(cell, minlength=size)
        with np.errstate(invalid="ignore"):
            means = np.stack([np.bincount(cell, r, minlength=size) / counts for r in self.reward.T])
        errors = (self.reward.T - means[:, cell]) ** 2
        squares = np.stack([np.bincount(cell, e, minlength=size) for e in errors])
        freedom = T - int((counts > 0).sum())
        pooled = squares.sum(axis=1, keepdims=True) / freedom if freedom else np.zeros((N, 1))
        variance = np.where(counts > 1, squares / np.maximum(counts - 1, 1), pooled)
        going = np.flatnonzero(~self.ends)
        moves = np.bincount(cell[going] * num_states + self.state[going + 1], minlength=size * num_states)
        transitions = moves.reshape(size, num_states) / np.maximum(counts, 1)[:, None]
        starts = np.bincount(self.state[self.step == 0], minlength=num_states)
        return {
            "rewards": means.reshape(N, *shape),
            "transitions": transitions.reshape(*shape, num_states),
            "initial": starts / starts.sum(),
            "counts": counts.reshape(shape),
            "reward_variance": variance.reshape(N, *shape),
            "state_keys": self.keys,
        }


def tabulate_dataset(
    dataset: TrajectoryDataset | Mapping[str, ArrayLike],
    state_key: Callable[[NDArray[np.float32]], Hashable] | Sequence[Hashable] | None,
    num_actions: Sequence[int] | int | None,
    num_states: int | None,
) -> dict[str, Any]:
    """Return the arrays of the game that a log shows, see :meth:`coffee_fast.TabularGame.from_dataset`."""
    if isinstance(dataset, TrajectoryDataset):
        return _tabulate_turns(dataset, state_key, num_states)
    if not isinstance(dataset, Mapping):
        raise InvalidArgumentError(
            f"from_dataset: dataset must be a TrajectoryDataset or a mapping of arrays, got {type(dataset).__name__}"
        )
    if state_key is not None:
        raise InvalidArgumentError('from_dataset: state_key is for a TrajectoryDataset; arrays have a "state"')
    known = ("action", "reward", "state", "trajectory", "terminal")
    if unknown := [name for name in dataset if name not in known]:
        raise DatasetError(f"from_dataset: there is no column {unknown[0]!r}; the columns are {', '.join(known)}")
    action, reward = _numbers(dataset, "action"), _numbers(dataset, "reward")
    if action.ndim != 2 or action.size == 0 or reward.shape != action.shape:
        raise DatasetError(
            f"from_dataset: action and reward must have shape [T, N], got {list(action.shape)} and {list(reward.shape)}"
        )
    if (bad := np.argwhere((action < 0) | (action % 1 != 0))).size:
        raise DatasetError(
            f"from_dataset: action must hold integers >= 0, got {action[tuple(bad[0])]:g} in row {bad[0, 0]}"
        )
    ends = _ends(dataset, len(action))
    labels = _labels(dataset["state"], len(action)) if "state" in dataset else [0] * len(action)
    sizes = _sizes(action.astype(np.int64), num_actions)
    return _Log(labels, action.astype(np.int64), reward, ends, sizes, num_states).tables()


def _tabulate_turns(dataset: TrajectoryDataset, state_key: Any, num_states: int | None) -> dict[str, Any]:
    """Return the tables of a game in turns: all but the acting player have action 0 alone."""
    if state_key is None:
        raise InvalidArgumentError(
            "from_dataset: state_key must be given: a function from a state to the label of its cell, or the labels"
        )
    labels = [state_key(row) for row in dataset.state] if callable(state_key) else state_key
    T, N = dataset.num_transitions, dataset.spec.num_players
    mover, masks = dataset.acting_player.astype(np.int64), dataset.legal_masks() != 0
    # Players share a list of actions; each has those up to the last that is ever legal for it.
    sizes = tuple(
        int(np.flatnonzero(masks[mover == i].any(axis=0))[-1]) + 1 if (mover == i).any() else 1 for i in range(N)
    )
    action = np.zeros((T, N), dtype=np.int64)
    action[np.arange(T), mover] = dataset.action
    log = _Log(_labels(labels, T), action, dataset.reward.astype(np.float64), dataset.terminal != 0, sizes, num_states)
    tables = log.tables()
    legal = [np.zeros((*tables["counts"].shape[:2], size), dtype=bool) for size in sizes]
    place, first, row = np.unique(log.step * len(log.keys) + log.state, return_index=True, return_inverse=True)
    for name, mixed in (
        ("whose turn it is", mover != mover[first][row]),
        ("which actions are legal", (masks != masks[first][row]).any(axis=1)),
    ):
        if mixed.any():
            at = int(np.flatnonzero(mixed)[0])
            raise DatasetError(
                f"from_dataset: state_key must tell {name}: cell {log.keys[log.state[at]]!r} at step {log.step[at]} "
                f"holds rows {first[row][at]} and {at}, in which it differs"
            )
    for player, (available, size) in enumerate(zip(legal, sizes, strict=True)):
        available[..., 0] = True
        turns = mover[first] == player
        step, state = np.divmod(place[turns], len(log.keys))
        available[step, state] = masks[first][turns, :size]
    return {**tables, "legal": tuple(legal)}


def tabulate_model(model: Any, horizon: int, num_actions: Sequence[int], initial: ArrayLike) -> dict[str, Any]:
    """Return the arrays of the game that a model tells, see :meth:`coffee_fast.TabularGame.from_model`."""
    start = np.array(initial, dtype=np.float64)
    sizes, num_states = tuple(int(size) for size in num_actions), len(start)
    rewards = np.empty((len(sizes), horizon, num_states, *sizes))
    transitions = np.empty((horizon, num_states, *sizes, num_states))
    for step in range(horizon):
        for state in range(num_states):
            for actions in np.ndindex(sizes):
                reward, following = (np.asarray(x, dtype=np.float64) for x in model(step, state, actions))
                for name, array, size in (("rewards", reward, len(sizes)), ("states", following, num_states)):
                    if array.ndim not in (1, 2) or array.shape[-1] != size:
                        raise InvalidArgumentError(
                            f"from_model: model must return {name} of shape [{size}] or [E, {size}], "
                            f"got {list(array.shape)} at step {step}, state {state}, actions {actions}"
                        )
                place = (step, state, *actions)
                rewards[(slice(None), *place)] = reward if reward.ndim == 1 else reward.mean(axis=0)
                transitions[place] = following if following.ndim == 1 else following.mean(axis=0)
    return {"rewards": rewards, "transitions": transitions, "initial": start}


def _numbers(columns: Mapping[str, ArrayLike], name: str) -> Float64:
    if name not in columns:
        raise DatasetError(f"from_dataset: column {name!r} is missing")
    try:
        array = np.asarray(columns[name], dtype=np.float64)
    except (TypeError, ValueError):
        raise DatasetError(f"from_dataset: column {name!r} must hold numbers") from None
    if (bad := np.argwhere(~np.isfinite(array))).size:
        raise DatasetError(f"from_dataset: {name} must be finite, got {array[tuple(bad[0])]} in row {bad[0, 0]}")
    return array


def _ends(columns: Mapping[str, ArrayLike], num_rows: int) -> Bools:
    """Return ``[T]``: whether the row is the last of its episode."""
    ends = np.zeros(num_rows, dtype=bool)
    if "trajectory" not in columns and "terminal" not in columns:
        return ~ends
    if "trajectory" in columns:
        labels = _labels(columns["trajectory"], num_rows, "trajectory")
        ends[:-1] = [a != b for a, b in itertools.pairwise(labels)]
    if "terminal" in columns:
        terminal = _numbers(columns, "terminal")
        if terminal.shape != (num_rows,):
            raise DatasetError(f"from_dataset: terminal must have shape [{num_rows}], got {list(terminal.shape)}")
        ends |= terminal != 0
    ends[-1] = True
    return ends


def _labels(labels: Any, num_rows: int, name: str = "state") -> list[Hashable]:
    found = labels.tolist() if isinstance(labels, np.ndarray) else list(labels)
    if len(found) != num_rows:
        raise DatasetError(f"from_dataset: {name} must be one label a row, {num_rows} in all, got {len(found)}")
    for row, label in enumerate(found):
        try:
            hash(label)
        except TypeError:
            raise DatasetError(f"from_dataset: {name} must hold hashable labels, got {label!r} in row {row}") from None
    return found


def _numbered(labels: Sequence[Hashable], num_states: int | None) -> tuple[Int64, tuple[Hashable, ...]]:
    """Return each row's number and the labels in order: sorted, if they can be, else as they come."""
    if num_states is not None:
        for row, label in enumerate(labels):
            if not isinstance(label, int) or not 0 <= label < num_states:
                raise DatasetError(
                    f"from_dataset: states must be integers in [0, {num_states}), got {label!r} in row {row}"
                )
        return np.array(labels, dtype=np.int64), tuple(range(num_states))
    keys: list[Any] = list(dict.fromkeys(labels))
    with contextlib.suppress(TypeError):
        keys.sort()
    number = {key: i for i, key in enumerate(keys)}
    return np.array([number[label] for label in labels], dtype=np.int64), tuple(keys)


def _sizes(action: Int64, num_actions: Sequence[int] | int | None) -> tuple[int, ...]:
    seen = action.max(axis=0) + 1
    if num_actions is None:
        return tuple(seen.tolist())
    sizes = np.broadcast_to(np.asarray(num_actions, dtype=np.int64), seen.shape)
    for player, (size, most) in enumerate(zip(sizes.tolist(), seen.tolist(), strict=True)):
        if most > size:
            raise DatasetError(
                f"from_dataset: actions of player {player} must lie below num_actions {size}, got {most - 1}"
            )
    return tuple(sizes.tolist())
