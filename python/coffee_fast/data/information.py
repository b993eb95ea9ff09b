"""What players knew when they acted, as policies take it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from coffee_fast.data.findings import Finding, Log
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
    seat = np.maximum(dataset.acting_player, 0).astype(np.int64)
    known = np.zeros((num_rows, dataset.spec.information_state_size), dtype=np.float32)
    known[:, :start] = dataset.observation[np.arange(num_rows), seat, :start]
    event_size = dataset.spec.observation_size - start
    lengths = np.diff(dataset.trajectory_offsets)
    first = np.repeat(dataset.trajectory_offsets[:-1], lengths)
    step = np.arange(num_rows) - first
    for move in range(1, int(lengths.max()) if event_size else 0):
        later = np.flatnonzero(step >= move)
        column = start + (move - 1) * event_size
        known[later, column : column + event_size] = dataset.observation[first[later] + move, seat[later], start:]
    return known


def what_moves_show(log: Log) -> Iterator[Finding]:
    """What a move showed, it showed to all: in a model players remember it as who was next to move was told."""
    start = log.spec.history_start
    later = np.flatnonzero(log.step > 0)
    shown = log.dataset.observation[later, :, start:]
    unlike = np.flatnonzero((shown != shown[:, :1]).any(axis=(1, 2)))
    if len(unlike):
        yield Finding(
            "what moves show",
            "warning",
            log.place(later[unlike[0]]),
            f"players are told unlike things of the last move (entries of observations from history_start {start} on), "
            f"as in {len(unlike)} rows of {log.dataset.num_transitions}",
            "in a model of this log players remember of each move what was told to who was next to move, so that "
            "policies found there go astray in the game, where they remember what they were told themselves",
            "Put what only some see, or see from their own side, before history_start; history_start=observation_size "
            "if that is everything.",
        )
