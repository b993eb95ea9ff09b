"""NumPy twin of cpp/src/replay_buffer.cpp."""

from __future__ import annotations

from typing import Any

import numpy as np

from coffee_fast._core import Purpose, Stream

FIELDS = ("information_states", "actions", "rewards", "next_information_states", "is_final", "next_legal_masks")


class ReplayBuffer:
    """The last ``capacity`` transitions, as a plain list in the order of the ring."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.rows: list[tuple[Any, ...]] = []
        self.num_pushed = 0

    def __len__(self) -> int:
        return len(self.rows)

    def push(self, *transition: Any) -> None:
        """Add a transition, its parts in the order of `FIELDS`; a full buffer overwrites its oldest one."""
        row = self.num_pushed % self.capacity
        self.rows[row : row + 1] = [transition]
        self.num_pushed += 1

    def sample(self, batch_size: int, seed: int, draw_index: int) -> dict[str, np.ndarray[Any, Any]]:
        """Draw distinct transitions by Floyd's algorithm (Bentley and Floyd 1987)."""
        stream = Stream(seed, Purpose.replay, 0, draw_index)
        drawn: list[int] = []
        for last in range(len(self) - batch_size, len(self)):
            index = stream.next_below(last + 1)
            drawn.append(last if index in drawn else index)
        return stack([self.rows[index] for index in drawn])


def stack(rows: list[tuple[Any, ...]]) -> dict[str, np.ndarray[Any, Any]]:
    """Turn transitions into arrays, a row each."""
    dtypes = (np.float32, np.int32, np.float32, np.float32, np.uint8, np.uint8)
    columns = zip(*rows, strict=True)
    return {name: np.array(column, dtype) for name, column, dtype in zip(FIELDS, columns, dtypes, strict=True)}
