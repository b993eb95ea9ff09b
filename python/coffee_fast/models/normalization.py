"""Means and deviations that bring the networks' inputs and outputs to one scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from coffee_fast.errors import DatasetError
from coffee_fast.typing import Float32

if TYPE_CHECKING:
    from coffee_fast.data import TrajectoryDataset


@dataclass(frozen=True, eq=False)
class Normalizer:
    """``z(x) = (x - mean) / scale``, entry by entry; both ``float32 [K]``."""

    mean: Float32
    scale: Float32

    @classmethod
    def of(cls, rows: Float32, kind: str) -> Normalizer:
        """The normalizer of ``rows [B, K]``: one mean and deviation for all entries (``"scalar"``), or one for each.

        An entry (or a whole array) that changes by less than a millionth of its size gets the deviation 1.
        """
        axis = None if kind == "scalar" else 0
        values = rows.astype(np.float64)
        deviation = values.std(axis=axis)
        scale = np.where(deviation > 1e-6 * np.abs(values).max(axis=axis), deviation, 1.0)
        shape = rows.shape[1:]
        return cls(*(np.broadcast_to(part, shape).astype(np.float32) for part in (values.mean(axis=axis), scale)))

    def __call__(self, rows: Float32) -> Float32:
        normalized: Float32 = ((rows - self.mean) / self.scale).astype(np.float32)
        return normalized

    def repeated(self, count: int) -> Normalizer:
        """The normalizer of ``count`` such rows side by side."""
        return Normalizer(np.tile(self.mean, count), np.tile(self.scale, count))


@dataclass(frozen=True, eq=False)
class Normalizers:
    """Of states ``[D]``, action vectors ``[V]`` and one player's observation ``[O]``; rewards have a scale alone."""

    state: Normalizer
    action: Normalizer
    observation: Normalizer
    reward_scale: float

    @classmethod
    def of(cls, dataset: TrajectoryDataset, kind: str) -> Normalizers:
        """Those of a dataset: of states and actions as they were taken, and of what the player on move observed.

        The reward scale is the deviation of terminal rewards, all players' together, no-deals included.
        """
        rewards = dataset.reward[dataset.terminal != 0].astype(np.float64)
        if len(rewards) == 0:
            raise DatasetError(
                "DynamicsEnsemble.fit: no trajectory of the dataset ends, so there are no payoffs to learn"
            )
        if not rewards.std() > 0:
            raise DatasetError(
                f"DynamicsEnsemble.fit: every trajectory of the dataset pays the same, {rewards.flat[0]}: "
                "there is nothing to learn"
            )
        own = dataset.observation[np.arange(dataset.num_transitions), dataset.acting_player]
        return cls(
            state=Normalizer.of(dataset.state, kind),
            action=Normalizer.of(dataset.spec.action_vectors[dataset.action], kind),
            observation=Normalizer.of(own, kind),
            reward_scale=float(rewards.std()),
        )
