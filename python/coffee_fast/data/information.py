"""What players knew when they acted, as policies take it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coffee_fast.data.validation import check_memory
from coffee_fast.typing import Float32

if TYPE_CHECKING:
    from coffee_fast.data.dataset import TrajectoryDataset


def information_states(dataset: TrajectoryDataset) -> Float32:
    """Return ``float32 [T, I]``: the information state of the acting player before each action."""
    start, num_rows = dataset.spec.history_start, dataset.num_transitions
    size = 4 * num_rows * dataset.spec.information_state_size
    wanted = f"information_states: {num_rows} rows of {dataset.spec.information_state_size} entries"
    check_memory(wanted, size, "lower max_episode_length of the game to what its episodes need")
    seat = np.maximum(dataset.acting_player, 0).astype(np.int64)  # what a move showed, it showed to all
    mover = np.take_along_axis(dataset.observation, seat[:, None, None], axis=1)[:, 0]
    event_size = dataset.spec.observation_size - start
    known = np.zeros((num_rows, dataset.spec.information_state_size), dtype=np.float32)
    known[:, :start] = mover[:, :start]
    lengths = np.diff(dataset.trajectory_offsets)
    first = np.repeat(dataset.trajectory_offsets[:-1], lengths)
    step = np.arange(num_rows) - first
    for move in range(1, int(lengths.max())):
        later = np.flatnonzero(step >= move)
        column = start + (move - 1) * event_size
        known[later, column : column + event_size] = mover[first[later] + move, start:]
    return known
