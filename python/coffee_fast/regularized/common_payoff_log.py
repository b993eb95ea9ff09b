"""Tables of a log whose steps are all alike: states, counts, mean rewards and observed next states."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from coffee_fast.errors import DatasetError, InvalidArgumentError
from coffee_fast.regularized.tabular_game import TabularGame
from coffee_fast.typing import Float64, Int64


@dataclass(frozen=True, eq=False)
class LogRows:
    """Steps that tell what follows: ``state``, ``reward``, ``following [T]`` (-1 at an end) and ``action [T, N]``."""

    state: Int64
    action: Int64
    reward: Float64
    following: Int64


@dataclass(frozen=True, eq=False)
class LogTable:
    """``rewards [N, S, A1, ..., An]``, NaN if unseen; ``counts [S, A1, ..., An]``; sparse ``transitions``."""

    rewards: Float64
    counts: Int64
    transitions: Any
    initial: Float64
    keys: tuple[Hashable, ...]
    rows: LogRows


def tabulate_log(log: Mapping[str, ArrayLike], num_actions: Sequence[int] | int | None) -> LogTable:
    """Return the tables of a log, see :meth:`coffee_fast.regularized.CommonPayoffGame.from_log`."""
    import scipy.sparse

    if not isinstance(log, Mapping):
        raise InvalidArgumentError(f"from_log: log must be a mapping of arrays, got {type(log).__name__}")
    # With one episode a row, the checks and labels of a log of steps are those of a bandit log with contexts.
    contexts = {name: log[name] for name in log if name not in ("next_state", "trajectory", "terminal")}
    flat = TabularGame.from_dataset(contexts, num_actions=num_actions)
    assert flat.state_keys is not None
    number = {key: i for i, key in enumerate(flat.state_keys)}
    rows = len(np.asarray(log["action"]))
    state = np.array([number[label] for label in _labels(log, "state", rows)] if "state" in log else [0] * rows)
    last, terminal = _ends(log, rows)
    if "next_state" in log:
        following = np.array([number.get(label, -1) for label in _labels(log, "next_state", rows)])
    else:
        following = np.where(last, -1, np.append(state[1:], -1))
    action = np.asarray(log["action"]).astype(np.int64)
    reward = np.asarray(log["reward"], dtype=np.float64)
    kept = _leading_on(state, following, terminal, len(number))
    if not kept.any():
        raise DatasetError("from_log: no episode ends and no state is left again, so nothing is known of what follows")
    used = np.unique(state[kept])
    renumber = np.full(len(number) + 1, -1)
    renumber[used] = np.arange(len(used))
    shape = (len(used), *flat.num_actions)
    cell = np.ravel_multi_index((renumber[state[kept]], *action[kept].T), shape)
    size = int(np.prod(shape))
    counts = np.bincount(cell, minlength=size)
    with np.errstate(invalid="ignore"):
        means = np.stack([np.bincount(cell, r[kept], minlength=size) / counts for r in reward.T])
    goes = kept & ~terminal
    source = cell[goes[kept]]
    moves = scipy.sparse.csr_array((1.0 / counts[source], (source, renumber[following[goes]])), shape=(size, len(used)))
    moves.sum_duplicates()
    starts = np.bincount(renumber[state[_firsts(last) & kept]], minlength=len(used)).astype(np.float64)
    if not starts.any():
        raise DatasetError("from_log: no episode begins in a state of which it is known what follows")
    keys = tuple(flat.state_keys[i] for i in used)
    after = np.where(terminal[kept], -1, renumber[following[kept]])
    steps = LogRows(renumber[state[kept]], action[kept], reward[kept, 0], after)
    means, counts = means.reshape(-1, *shape), counts.reshape(shape).astype(np.int64)
    return LogTable(means, counts, moves, starts / starts.sum(), keys, steps)


def _labels(log: Mapping[str, ArrayLike], name: str, rows: int) -> list[Any]:
    found = log[name]
    labels = found.tolist() if isinstance(found, np.ndarray) else list(found)  # type: ignore[arg-type]
    if len(labels) != rows:
        raise DatasetError(f"from_log: {name} must be one label a row, {rows} in all, got {len(labels)}")
    return labels


def _ends(log: Mapping[str, ArrayLike], rows: int) -> tuple[Any, Any]:
    """Return which rows are the last of their trajectory, and after which the episode is over."""
    last, terminal = np.ones(rows, dtype=bool), np.zeros(rows, dtype=bool)
    if "terminal" in log:
        numbers = np.array(_labels(log, "terminal", rows), dtype=np.float64)
        if (bad := np.flatnonzero(~np.isin(numbers, (0.0, 1.0)))).size:
            raise DatasetError(f"from_log: terminal must hold 0 or 1, got {numbers[bad[0]]:g} in row {bad[0]}")
        terminal = numbers != 0.0
    if "trajectory" in log:
        labels = _labels(log, "trajectory", rows)
        last[:-1] = [a != b for a, b in itertools.pairwise(labels)]
    elif "terminal" in log:
        last[:-1] = terminal[:-1]
    last |= terminal
    # Without a word on what follows the last step of a trajectory, it is the end.
    return last, terminal if {"terminal", "next_state"} & set(log) else last


def _firsts(last: Any) -> Any:
    return np.concatenate([[True], last[:-1]])


def _leading_on(state: Int64, following: Int64, terminal: Any, num_states: int) -> Any:
    """Return the rows after which the episode ends or comes to a state that has such a row itself."""
    kept = np.ones(len(state), dtype=bool)
    while True:
        has_rows = np.zeros(num_states + 1, dtype=bool)
        has_rows[state[kept]] = True
        now = kept & (terminal | ((following >= 0) & has_rows[following]))
        if now.sum() == kept.sum():
            return now
        kept = now
