"""Tables from logs: the arrays of a :class:`coffee_fast.TabularGame`."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from coffee_fast.data import TrajectoryDataset
from coffee_fast.errors import DatasetError, InvalidArgumentError
from coffee_fast.tabular.checks import check_size
from coffee_fast.tabular.log_columns import (
    COLUMNS,
    action_sizes,
    actions_and_rewards,
    check_known,
    episode_ends,
    labels,
    numbered,
)
from coffee_fast.tabular.private_information import check_observation_labels, check_observations
from coffee_fast.typing import Float64, Int64

Bools = NDArray[np.bool_]


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
        self.state, self.keys = numbered(labels, num_states)

    def tables(self) -> dict[str, Any]:
        """Return counts, means and variances of rewards, frequencies of next states and of first states."""
        T, N = self.action.shape
        horizon, num_states = int(self.step.max()) + 1, len(self.keys)
        shape = (horizon, num_states, *self.num_actions)
        size = math.prod(shape)
        check_size("from_dataset", horizon, num_states, self.num_actions)
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
    is_fully_observed: bool = False,
) -> dict[str, Any]:
    """Return the arrays of the game that a log shows, see :meth:`coffee_fast.TabularGame.from_dataset`."""
    if isinstance(dataset, TrajectoryDataset):
        return _tabulate_turns(dataset, state_key, num_states, is_fully_observed)
    if not isinstance(dataset, Mapping):
        raise InvalidArgumentError(
            f"from_dataset: dataset must be a TrajectoryDataset or a mapping of arrays, got {type(dataset).__name__}"
        )
    if state_key is not None:
        raise InvalidArgumentError('from_dataset: state_key is for a TrajectoryDataset; arrays have a "state"')
    check_known(dataset, COLUMNS, "from_dataset")
    action, reward = actions_and_rewards(dataset, "from_dataset")
    ends = episode_ends(dataset, len(action))
    states = labels(dataset["state"], len(action)) if "state" in dataset else [0] * len(action)
    log = _Log(states, action, reward, ends, action_sizes(action, num_actions), num_states)
    if "observation" in dataset and not is_fully_observed:
        check_observation_labels(dataset["observation"], log.step, states, action.shape[1], "from_dataset")
    return log.tables()


def _tabulate_turns(
    dataset: TrajectoryDataset, state_key: Any, num_states: int | None, is_fully_observed: bool
) -> dict[str, Any]:
    """Return the tables of a game in turns: all but the acting player have action 0 alone."""
    if state_key is None:
        raise InvalidArgumentError(
            "from_dataset: state_key must be given: a function from a state to the label of its cell, or the labels"
        )
    _check_turns(dataset)
    cells = [state_key(row) for row in dataset.state] if callable(state_key) else state_key
    T, N = dataset.num_transitions, dataset.spec.num_players
    mover, masks = dataset.acting_player.astype(np.int64), dataset.legal_masks() != 0
    # Players share a list of actions; each has those up to the last that is ever legal for it.
    sizes = tuple(
        int(np.flatnonzero(masks[mover == i].any(axis=0))[-1]) + 1 if (mover == i).any() else 1 for i in range(N)
    )
    action = np.zeros((T, N), dtype=np.int64)
    action[np.arange(T), mover] = dataset.action
    states = labels(cells, T)
    log = _Log(states, action, dataset.reward.astype(np.float64), dataset.terminal != 0, sizes, num_states)
    if not is_fully_observed:
        check_observations(dataset, log.step, log.state, log.keys)
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


def _check_turns(dataset: TrajectoryDataset) -> None:
    """Refuse what the rows of a table cannot say."""
    for is_there, what, remedy in (
        (dataset.spec.num_chance_actions > 0, "moves of chance", "leave their rows out and let the next state tell"),
        (dataset.truncated.any(), "truncated trajectories", "select() the others"),
        (dataset.spec.moves != "turns", "moves at once", "give a mapping of arrays, action and reward [T, N]"),
    ):
        if is_there:
            raise DatasetError(f"from_dataset: the log has {what}, of which no table is made; {remedy}")
