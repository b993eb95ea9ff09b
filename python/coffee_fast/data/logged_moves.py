"""How near the moves of some play, states and actions, lie to those of a log."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from coffee_fast._like_rows import like_rows
from coffee_fast.typing import Float32, Float64, Int64

if TYPE_CHECKING:
    from coffee_fast.data.dataset import TrajectoryDataset

SEVERAL = -1  # trajectories


@dataclass(frozen=True, eq=False)
class LoggedMoves:
    """The moves of a log's players, chance left out, to which those of other play are held.

    Distances are Euclidean, between states and action vectors whose every entry is divided by its deviation in the log.

    Attributes
    ----------
    action_vectors
        ``float32 [A, V]``: of the game.
    scale
        ``float64 [S + V]``: deviations of the entries in the log, 1 for those that never change.
    moves
        ``float64 [U, S + V]``: unlike moves, divided by them.
    trajectory
        ``int64 [U]``: where each was made, -1 for what was made in several trajectories.
    number, owner
        ``int64 [M]``: which of the unlike moves each move of the log is, and its trajectory.
    """

    action_vectors: Float32
    scale: Float64
    moves: Float64
    trajectory: Int64
    number: Int64
    owner: Int64

    @classmethod
    def of(cls, dataset: TrajectoryDataset) -> LoggedMoves:
        """Take the moves of a dataset; one sort of its states."""
        vectors, offsets = dataset.spec.action_vectors, dataset.trajectory_offsets
        rows = np.flatnonzero(dataset.acting_player >= 0)
        moves = _moves(dataset.state[rows], vectors[dataset.action[rows]])
        owner = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))[rows]
        scale = moves.std(axis=0)
        scale[scale == 0.0] = 1.0
        first, number = like_rows(moves)
        trajectory = owner[first]
        trajectory[number[owner != trajectory[number]]] = SEVERAL
        return cls(vectors, scale, moves[first] / scale, trajectory, number, owner)

    def thinned(self, most: int, seed: int) -> LoggedMoves:
        """Return the same with ``most`` unlike moves at most, drawn at random."""
        if len(self.moves) <= most:
            return self
        kept = np.sort(np.random.default_rng(seed).choice(len(self.moves), size=most, replace=False))
        place = np.full(len(self.moves), -1, dtype=np.int64)
        place[kept] = np.arange(most)
        stays = place[self.number] >= 0
        number, owner = place[self.number][stays], self.owner[stays]
        return LoggedMoves(self.action_vectors, self.scale, self.moves[kept], self.trajectory[kept], number, owner)

    def distances(self, states: Float32, actions: Int64) -> Float64:
        """Return how far moves, states ``[M, S]`` and actions ``[M]``, lie from the nearest logged one."""
        moves = _moves(states, self.action_vectors[actions])
        first, number = like_rows(moves)
        nearest = np.full(len(first), np.inf)
        is_finite = np.isfinite(moves[first]).all(axis=1)
        nearest[is_finite], _ = self._tree.query(moves[first[is_finite]] / self.scale)
        return nearest[number]

    def distances_within(self, most: int, seed: int) -> Float64:
        """Return distances from ``most`` logged moves, drawn at random, to the nearest one of another trajectory."""
        chosen = np.random.default_rng(seed).choice(len(self.owner), size=min(most, len(self.owner)), replace=False)
        # One more neighbor than the longest trajectory has moves: one of them is of another trajectory.
        count = min(int(np.bincount(self.owner).max()) + 1, len(self.moves))
        place, owner = self.number[chosen], self.owner[chosen]
        distances, neighbors = self._tree.query(self.moves[place], k=np.arange(1, count + 1))
        distances = np.where(self.trajectory[neighbors] == owner[:, None], np.inf, distances).min(axis=1)
        return np.asarray(distances[np.isfinite(distances)], dtype=np.float64)

    @cached_property
    def _tree(self) -> Any:
        from scipy.spatial import cKDTree

        return cKDTree(self.moves)


def _moves(states: Float32, action_vectors: Float32) -> Float64:
    return np.concatenate([states, action_vectors], axis=1).astype(np.float64)
