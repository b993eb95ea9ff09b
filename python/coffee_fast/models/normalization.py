"""Means and deviations that bring the networks' inputs and outputs to one scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from coffee_fast.errors import DatasetError
from coffee_fast.models.inputs import pays
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
        if not rows.size:
            return cls(np.zeros(rows.shape[1], dtype=np.float32), np.ones(rows.shape[1], dtype=np.float32))
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
    """Of states ``[D]``, vectors of actions ``[V]`` and outcomes ``[W]`` and one player's observation ``[O]``.

    Rewards have a scale alone, and so have returns where every step may pay.
    """

    state: Normalizer
    action: Normalizer
    observation: Normalizer
    chance: Normalizer
    reward_scale: float
    return_scale: float

    @classmethod
    def of(cls, dataset: TrajectoryDataset, kind: str, *, pays_apart: bool = False) -> Normalizers:
        """Those of a dataset: of states and actions as they were taken, and of what the player on move observed.

        The reward scale is the deviation of the rewards that networks learn, all players' together: of the terminal
        ones, no-deals included, or of all where every step may pay; with ``pays_apart`` of those of them that pay
        anybody anything. The return scale is the deviation of what players get in an episode, no-deals included.
        """
        if not dataset.terminal.any():
            raise DatasetError(
                "DynamicsEnsemble.fit: no trajectory of the dataset ends, so there are no payoffs to learn"
            )
        rows, does_pay = pays(dataset)
        rewards = dataset.reward[rows].astype(np.float64)
        returns = rewards
        if dataset.spec.rewards == "every_step":
            whole = dataset.terminal[dataset.trajectory_offsets[1:] - 1] != 0
            returns = np.add.reduceat(dataset.reward.astype(np.float64), dataset.trajectory_offsets[:-1], axis=0)[whole]
        if not (returns.std() > 0 and rewards.std() > 0):
            raise DatasetError(
                f"DynamicsEnsemble.fit: every trajectory of the dataset pays the same, {returns.flat[0]}: "
                "there is nothing to learn"
            )
        scale = rewards.std()
        if pays_apart:  # where all that pays is the same, its size will do
            scale = rewards[does_pay].std() or np.abs(rewards).max()
        spec, acts = dataset.spec, np.flatnonzero(dataset.acting_player >= 0)
        own = dataset.observation[acts, dataset.acting_player[acts]]
        outcomes = dataset.action[dataset.acting_player < 0]
        return cls(
            state=Normalizer.of(dataset.state, kind),
            action=Normalizer.of(spec.action_vectors[dataset.action[acts]], kind),
            observation=Normalizer.of(own, kind),
            chance=Normalizer.of(spec.chance_vectors[outcomes] if len(outcomes) else spec.chance_vectors, kind),
            reward_scale=float(scale),
            return_scale=float(returns.std()),
        )
