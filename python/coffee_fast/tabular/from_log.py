"""Tables from logs: the arrays of a :class:`coffee_fast.TabularGame`."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

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
from coffee_fast.tabular.private_information import check_observation_labels
from coffee_fast.typing import Float64, Int64

Bools = NDArray[np.bool_]


class Rows:
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


def tabulate_arrays(
    columns: Mapping[str, ArrayLike],
    num_actions: Sequence[int] | int | None,
    num_states: int | None,
    is_fully_observed: bool,
) -> dict[str, Any]:
    """Return the arrays of the game that a log of one row a step shows, all players acting at once."""
    check_known(columns, COLUMNS, "from_dataset")
    action, reward = actions_and_rewards(columns, "from_dataset")
    ends = episode_ends(columns, len(action))
    states = labels(columns["state"], len(action)) if "state" in columns else [0] * len(action)
    log = Rows(states, action, reward, ends, action_sizes(action, num_actions), num_states)
    if "observation" in columns and not is_fully_observed:
        check_observation_labels(columns["observation"], log.step, states, action.shape[1], "from_dataset")
    return log.tables()
