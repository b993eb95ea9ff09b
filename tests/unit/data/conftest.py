"""A game of four moves at most, small enough to damage its log byte by byte."""

from __future__ import annotations

import numpy as np
import pytest

import coffee_fast as cf

SPEC = cf.GameSpec(
    name="tiny",
    num_players=2,
    num_actions=3,
    action_vectors=[[0.0], [1.0], [-1.0]],
    state_size=3,  # moves made, last action, player on move
    observation_size=2,
    history_start=1,
    max_episode_length=4,
    is_symmetric=True,
    state_swap=(0, 1, 2),
    state_flip=(2,),
)


def tiny_arrays() -> dict[str, np.ndarray]:
    """Two episodes, each followed by its mirror image: of 2, 2, 3 and 3 transitions."""
    lengths, first_movers = (2, 2, 3, 3), (0, 1, 1, 0)
    steps = [(step, (mover + step) % 2) for n, mover in zip(lengths, first_movers, strict=True) for step in range(n)]
    offsets = np.array([0, 2, 4, 7, 10])
    state = np.array([[step, step % 3, mover] for step, mover in steps], dtype=np.float32)
    next_state = np.roll(state, -1, axis=0)
    next_state[offsets[1:] - 1] = -1
    terminal = np.zeros(10, dtype=np.uint8)
    terminal[offsets[1:] - 1] = 1
    reward = np.zeros((10, 2), dtype=np.float32)
    reward[offsets[1:] - 1] = [[1, 0.3], [0.3, 1], [0.1, 0.7], [0.7, 0.1]]
    observation = np.repeat(state[:, None, :2], 2, axis=1)
    action = np.array([step % 3 for step, _ in steps], dtype=np.int32)
    return {
        "trajectory_offsets": offsets,
        "state": state,
        "observation": observation,
        "action": action,
        "acting_player": np.array([mover for _, mover in steps], dtype=np.int8),
        "legal_mask": np.full((10, 1), 0b111, dtype=np.uint8),
        "reward": reward,
        "next_state": next_state,
        "terminal": terminal,
        "behavior_log_prob": np.full(10, np.log(1 / 3), dtype=np.float32),
    }


@pytest.fixture
def spec() -> cf.GameSpec:
    return SPEC


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    return tiny_arrays()


@pytest.fixture
def dataset(spec, arrays) -> cf.TrajectoryDataset:
    return cf.TrajectoryDataset(spec, arrays, behavior="by hand", seed=5, is_mirrored=True)
