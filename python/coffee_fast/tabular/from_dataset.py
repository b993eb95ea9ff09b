"""Tables from datasets, whose rows lie one behind the other: turns, moves at once, and moves of chance between them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from coffee_fast.data import TrajectoryDataset
from coffee_fast.errors import DatasetError, InvalidArgumentError
from coffee_fast.tabular.from_log import Rows, tabulate_arrays
from coffee_fast.tabular.log_columns import labels
from coffee_fast.tabular.private_information import check_observations
from coffee_fast.typing import Float64, Int64

Bools = NDArray[np.bool_]
StateKey = Callable[[NDArray[np.float32]], Hashable] | Sequence[Hashable] | None


def tabulate_dataset(
    dataset: TrajectoryDataset | Mapping[str, ArrayLike],
    state_key: StateKey,
    num_actions: Sequence[int] | int | None,
    num_states: int | None,
    is_fully_observed: bool = False,
) -> dict[str, Any]:
    """Return the arrays of the game that a log shows, see :meth:`coffee_fast.TabularGame.from_dataset`."""
    if isinstance(dataset, TrajectoryDataset):
        return _tabulate(dataset, state_key, num_states, is_fully_observed)
    if not isinstance(dataset, Mapping):
        raise InvalidArgumentError(
            f"from_dataset: dataset must be a TrajectoryDataset or a mapping of arrays, got {type(dataset).__name__}"
        )
    if state_key is not None:
        raise InvalidArgumentError('from_dataset: state_key is for a TrajectoryDataset; arrays have a "state"')
    return tabulate_arrays(dataset, num_actions, num_states, is_fully_observed)


@dataclass(frozen=True, eq=False)
class _Decisions:
    """The ``K`` times that players choose: a turn, or a round of moves at once.

    ``first [K]`` is the row that each begins with, ``of_row [T]`` which one a row of the dataset belongs to (what
    chance does belongs to the one before; at the start of an episode, to its first), ``ends [K]`` whether the episode
    ends with it. ``action`` and ``reward [K, N]``, ``legal`` one ``bool [K, A_i]`` a player; who is not asked has
    action 0 alone. ``is_asked [K, N]``.
    """

    first: Int64
    of_row: Int64
    ends: Bools
    action: Int64
    reward: Float64
    legal: tuple[Bools, ...]
    is_asked: Bools

    @classmethod
    def of(cls, dataset: TrajectoryDataset) -> _Decisions:
        offsets, mover = dataset.trajectory_offsets, dataset.acting_player.astype(np.int64)
        N, is_at_once = dataset.spec.num_players, dataset.spec.moves == "simultaneous"
        begins = mover == 0 if is_at_once else mover >= 0
        numbers = np.add.reduceat(begins, offsets[:-1])
        if (none := np.flatnonzero(numbers == 0)).size:
            raise DatasetError(f"from_dataset: in trajectory {none[0]} no player ever moves; leave it out")
        last = np.cumsum(numbers) - 1
        episode = np.repeat(np.arange(len(numbers)), np.diff(offsets))
        of_row = np.maximum(np.cumsum(begins) - 1, (last - numbers + 1)[episode])
        first, rows = np.flatnonzero(begins), np.flatnonzero(mover >= 0)
        ends = np.zeros(len(first), dtype=bool)
        ends[last] = True
        reward = np.zeros((len(first), N))
        np.add.at(reward, of_row, dataset.reward.astype(np.float64))
        masks = dataset.legal_masks()[rows] != 0
        chosen, place = dataset.action[rows].astype(np.int64), (of_row[rows], mover[rows])
        if is_at_once:  # a seat that has nothing to do has one legal action, the last
            is_idle = masks[:, -1] & (masks.sum(axis=1) == 1)
            chosen[is_idle], masks[is_idle, -1], masks[is_idle, 0] = 0, False, True
        else:
            is_idle = np.zeros(len(rows), dtype=bool)
        is_asked, action = np.zeros((len(first), N), dtype=bool), np.zeros((len(first), N), dtype=np.int64)
        is_asked[place], action[place] = ~is_idle, chosen
        legal = np.zeros((len(first), N, masks.shape[1]), dtype=bool)
        legal[..., 0] = True
        legal[place] = masks
        # Players share a list of actions; each has those up to the last that is ever legal for it.
        sizes = [int(np.flatnonzero(legal[:, i].any(axis=0))[-1]) + 1 for i in range(N)]
        return cls(first, of_row, ends, action, reward, tuple(legal[:, i, :A] for i, A in enumerate(sizes)), is_asked)


def rows_of_dataset(dataset: TrajectoryDataset, state_key: StateKey) -> dict[str, Any]:
    """Return one row for each time that players choose, as :meth:`coffee_fast.TabularGame.from_dataset` takes arrays.

    For a dataset of which it makes a table; who is not asked has action 0 alone. The columns are ``log``, beside
    ``num_actions``.
    """
    found = _Decisions.of(dataset)
    episode = np.cumsum(np.concatenate([[0], found.ends[:-1]]))
    columns = {"action": found.action, "reward": found.reward, "trajectory": episode}
    sizes = tuple(mask.shape[1] for mask in found.legal)
    return {"log": columns | {"state": _cells(dataset, found, state_key)}, "num_actions": sizes}


def _cells(dataset: TrajectoryDataset, found: _Decisions, state_key: StateKey) -> list[Hashable]:
    """Return the label of each time's state."""
    if callable(state_key):
        return labels([state_key(row) for row in dataset.state[found.first]], len(found.first))
    of_rows = labels(state_key, dataset.num_transitions)
    return [of_rows[row] for row in found.first.tolist()]


def _tabulate(
    dataset: TrajectoryDataset, state_key: StateKey, num_states: int | None, is_fully_observed: bool
) -> dict[str, Any]:
    if state_key is None:
        raise InvalidArgumentError(
            "from_dataset: state_key must be given: a function from a state to the label of its cell, or the labels"
        )
    if (cut := np.flatnonzero(dataset.terminal[dataset.trajectory_offsets[1:] - 1] == 0)).size:
        raise DatasetError(
            f"from_dataset: trajectory {cut[0]} broke off, so what would have followed is not known; select() others"
        )
    found = _Decisions.of(dataset)
    cells = _cells(dataset, found, state_key)
    sizes = tuple(mask.shape[1] for mask in found.legal)
    log = Rows(cells, found.action, found.reward, found.ends, sizes, num_states)
    if not is_fully_observed:
        check_observations(dataset, found.first, found.of_row, found.is_asked, log.step, log.state, log.keys)
    tables = log.tables()
    place, first, row = np.unique(log.step * len(log.keys) + log.state, return_index=True, return_inverse=True)
    for name, told in (("whose turn it is", (found.is_asked,)), ("which actions are legal", found.legal)):
        if (mixed := np.any([(x != x[first][row]).any(axis=1) for x in told], axis=0)).any():
            at = int(np.flatnonzero(mixed)[0])
            raise DatasetError(
                f"from_dataset: state_key must tell {name}: cell {log.keys[log.state[at]]!r} at step {log.step[at]} "
                f"holds rows {found.first[first[row][at]]} and {found.first[at]}, in which it differs"
            )
    step, state = np.divmod(place, len(log.keys))
    legal = [np.zeros((*tables["counts"].shape[:2], size), dtype=bool) for size in sizes]
    for available, mask in zip(legal, found.legal, strict=True):
        available[..., 0] = True
        available[step, state] = mask[first]
    return {**tables, "legal": tuple(legal)}
