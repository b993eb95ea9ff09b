"""Tables of a log whose steps are all alike: states, counts, mean rewards and observed next states."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from coffee_fast.errors import DatasetError, InvalidArgumentError, shown
from coffee_fast.tabular.checks import check_size
from coffee_fast.tabular.log_columns import (
    COLUMNS,
    Bools,
    action_sizes,
    actions_and_rewards,
    check_known,
    labels,
    lasts,
    listed,
    numbered,
)
from coffee_fast.tabular.private_information import check_observation_labels
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
    check_known(log, (*COLUMNS, "next_state"), "from_log")
    action, reward = actions_and_rewards(log, "from_log")
    rows, num_players = action.shape
    sizes = action_sizes(action, num_actions, "from_log")
    names: list[Hashable] = labels(log["state"], rows, caller="from_log") if "state" in log else [0] * rows
    state, states = numbered(names, None, "from_log")
    check_size("from_log", 1, len(states), sizes, is_sparse=True)
    last, over = lasts(log, rows, "from_log")
    # Without a word on what follows the last step of a trajectory, it is the end.
    terminal = over if over is not None else np.zeros(rows, dtype=bool) if "next_state" in log else last
    if "observation" in log:
        check_observation_labels(log["observation"], np.zeros(rows, dtype=np.int64), names, num_players, "from_log")
    if "next_state" in log:
        following = _next_states(log, names, last, terminal, {key: i for i, key in enumerate(states)})
    else:
        following = np.where(last, -1, np.append(state[1:], -1))
    kept = _leading_on(state, following, terminal, len(states))
    if not kept.any():
        raise DatasetError("from_log: no episode ends and no state is left again, so nothing is known of what follows")
    used = np.unique(state[kept])
    renumber = np.full(len(states) + 1, -1)
    renumber[used] = np.arange(len(used))
    shape = (len(used), *sizes)
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
    keys = tuple(states[i] for i in used)
    after = np.where(terminal[kept], -1, renumber[following[kept]])
    steps = LogRows(renumber[state[kept]], action[kept], reward[kept, 0], after)
    means, counts = means.reshape(-1, *shape), counts.reshape(shape).astype(np.int64)
    return LogTable(means, counts, moves, starts / starts.sum(), keys, steps)


def _next_states(
    log: Mapping[str, ArrayLike],
    states: list[Hashable],
    last: Bools,
    terminal: Bools,
    number: Mapping[Hashable, int],
) -> Int64:
    """Return the number of each row's next state, -1 at an end and where it is nowhere left again."""
    if "state" not in log:
        raise DatasetError("from_log: next_state is given, so there must be a column 'state'")
    after = listed(log["next_state"], len(states), "next_state", "from_log")
    for row, (label, is_last, is_over) in enumerate(zip(after, last, terminal, strict=True)):
        if label is None and not is_over:
            raise DatasetError(f"from_log: next_state is missing in row {row}, after which the episode goes on")
        if not is_last and label != states[row + 1]:
            raise DatasetError(
                f"from_log: next_state {shown(label)} of row {row} is not the state "
                f"{shown(states[row + 1])} of row {row + 1}, the next of the same episode; where an episode was "
                "cut off, begin a new trajectory"
            )
    return np.array([-1 if is_over else number.get(x, -1) for x, is_over in zip(after, terminal, strict=True)])


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
