"""A model led through logged episodes: where it believes to be when it follows the moves that were made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from coffee_fast.typing import Float32, Float64, Int64

if TYPE_CHECKING:
    from coffee_fast.data import TrajectoryDataset
    from coffee_fast.models.ensemble import DynamicsEnsemble


@dataclass(frozen=True, eq=False)
class Followed:
    """What a model predicts of the rows of a log, from the first states on and by the logged moves alone.

    Attributes
    ----------
    moves_made
        ``int64 [T]``: of all players and of chance, before the row.
    states, observations, information_states
        ``float32 [T, D]``, ``[T, N, O]``, ``[T, I]`` (of who is on move): before the row's move.
    rewards
        ``float64 [T, N]``: the members' mean for the row's move.
    """

    moves_made: Int64
    states: Float32
    observations: Float32
    information_states: Float32
    rewards: Float64

    @classmethod
    def of(cls, model: DynamicsEnsemble, dataset: TrajectoryDataset) -> Followed:
        """Follow every trajectory of the dataset in the model."""
        offsets = dataset.trajectory_offsets
        first = offsets[:-1]
        found = model.core.follow(
            offsets,
            dataset.state[first],
            dataset.observation[first].reshape(len(first), -1),
            dataset.legal_masks()[first],
            dataset.acting_player.astype(np.int32),
            dataset.action,
        )
        return cls(
            np.arange(dataset.num_transitions) - np.repeat(first, np.diff(offsets)),
            found["states"],
            found["observations"],
            found["information_states"],
            found["member_rewards"].mean(axis=2),
        )
