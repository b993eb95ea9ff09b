"""Some of the trajectories of a dataset."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast.data.dataset import TrajectoryDataset
from coffee_fast.data.validation import trajectory_numbers
from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.seeding import check_seed


def select(dataset: TrajectoryDataset, trajectories: NDArray[Any]) -> TrajectoryDataset:
    """See :meth:`TrajectoryDataset.select`."""
    index = trajectory_numbers(trajectories, dataset.num_trajectories)
    lengths = np.diff(dataset.trajectory_offsets)[index]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    rows = np.repeat(dataset.trajectory_offsets[:-1][index] - offsets[:-1], lengths) + np.arange(offsets[-1])
    chosen = {
        name: array[index if name == "truncated" else rows]
        for name, array in dataset.arrays.items()
        if name != "trajectory_offsets"
    }
    episodes = index // 2 if dataset.is_mirrored else index
    first = index[::2]
    return TrajectoryDataset(
        dataset.spec,
        chosen | {"trajectory_offsets": offsets},
        behavior=dataset.behavior,
        seed=dataset.seed,
        is_mirrored=bool(
            dataset.is_mirrored
            and len(index) % 2 == 0
            and (first % 2 == 0).all()
            and (index[1::2] == first + 1).all()
            and len(np.unique(episodes)) == len(first)
        ),
        num_independent_episodes=len(np.unique(episodes)),
    )


def split(dataset: TrajectoryDataset, fraction: float, seed: int) -> tuple[TrajectoryDataset, TrajectoryDataset]:
    """See :meth:`TrajectoryDataset.split`."""
    group = 2 if dataset.is_mirrored else 1
    num_groups = dataset.num_trajectories // group
    is_number = isinstance(fraction, int | float | np.integer | np.floating)
    if not is_number or not 0 < fraction < 1 or num_groups < 2:
        raise InvalidArgumentError(
            f"split: fraction must lie in (0, 1) and there must be two episodes or more, "
            f"got {shown(fraction)} of {num_groups}"
        )
    count = min(max(round(fraction * num_groups), 1), num_groups - 1)
    order = np.random.Generator(np.random.PCG64(check_seed(seed))).permutation(num_groups)
    kept_out, others = np.sort(order[:count]), np.sort(order[count:])
    members = np.arange(group)
    training, held_out = ((group * index[:, None] + members).ravel() for index in (others, kept_out))
    return dataset.select(training), dataset.select(held_out)
