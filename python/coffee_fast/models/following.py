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
        offsets, core = dataset.trajectory_offsets, model.core
        first, players = offsets[:-1], dataset.acting_player.astype(np.int32)
        lengths = np.diff(offsets)
        T = dataset.num_transitions
        moves_made = np.arange(T) - np.repeat(first, lengths)
        start, spec = dataset.spec.history_start, dataset.spec
        E = spec.observation_size - start
        states, observations = dataset.state.copy(), dataset.observation.copy()
        information = dataset.information_states() * (moves_made == 0)[:, None]
        for move in range(1, int(lengths.max())):
            now = first[lengths > move] + move
            before = now - 1
            nxt = players[now]
            if spec.moves == "simultaneous":
                within = (players[before] >= 0) & (players[before] < spec.num_players - 1)
            else:
                within = np.zeros(len(now), bool)
            args = (players[before], nxt) if model.draws_ends else ()
            following = core.next_states(states[before], dataset.action[before], *args)
            if within.any():
                following = following.copy()
                w = np.flatnonzero(within)
                following[w] = states[before[w]]
                V = spec.action_vectors.shape[1]
                for seat in range(spec.num_players):
                    s = w[players[before[w]] == seat]
                    at = spec.state_size - spec.num_players * V + seat * V
                    following[s, at : at + V] = spec.action_vectors[dataset.action[before[s]]]
            states[now] = following
            seen = core.observe(following, *((nxt,) if model.draws_ends else ()))[0].reshape(
                len(now), spec.num_players, -1
            )
            w = np.flatnonzero(within)
            seen = seen.copy()
            seen[w] = observations[before[w]]
            observations[now] = seen
            own = observations[now, np.maximum(nxt, 0)]
            information[now] = information[before]
            information[now, :start] = own[:, :start]
            column = start + (move - 1) * E
            information[now, column : column + E] = own[:, start:]
        args = (players,) if model.draws_ends else ()
        rewards, _ = core.rewards(states, dataset.action, *args)
        return cls(moves_made, states, observations, information, rewards.mean(axis=2))
