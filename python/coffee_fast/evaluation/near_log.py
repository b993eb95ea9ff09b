"""How much of a solution's play lies where the log that it was learned from has data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from coffee_fast.data import TrajectoryDataset
from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.policies import as_profile
from coffee_fast.seeding import derive_seed
from coffee_fast.simulation import check_dynamics, simulate
from coffee_fast.typing import Float32, Float64, Int64

if TYPE_CHECKING:
    from coffee_fast.dynamics import Dynamics

MAX_LOGGED = 2000  # logged transitions that the usual distance is measured at


@dataclass(frozen=True)
class NearLogReport:
    """The play of one solution in the true game beside the log.

    Attributes
    ----------
    share_of_actions
        Share of its states and actions that lie as near to some logged ones as 95 % of the log's own lie to those of
        its other trajectories: about 0.95 for play like that of the log, near 0 for play that it has nothing of.
    share_of_episodes
        Share of episodes all of whose states and actions do.
    mean_distance, logged_distance
        Mean distance to the nearest logged state and action, of the solution's play and of the log's own.
    threshold
        The distance that counts as near.
    num_episodes
        Episodes of the solution against itself.
    """

    share_of_actions: float
    share_of_episodes: float
    mean_distance: float
    logged_distance: float
    threshold: float
    num_episodes: int

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        return asdict(self)


def play_near_log(
    game: Dynamics,
    dataset: TrajectoryDataset,
    solution: Any,
    seed: int,
    *,
    num_episodes: int = 1000,
    num_threads: int = 1,
) -> NearLogReport:
    """Measure how much of a solution's play in the true game lies on states and actions like those logged.

    Distances are Euclidean, between states and action vectors whose every entry is divided by its deviation in the log.

    Parameters
    ----------
    game
        The true game.
    dataset
        The log, of two trajectories or more.
    solution
        Who plays: a solution, a list of one strategy a player, or a strategy that all players follow.
    seed
        In ``[0, 2**63)``.
    num_episodes
        Episodes played.
    num_threads
        Threads for simulation, 0 for all cores; the report does not depend on it.
    """
    check_dynamics("play_near_log", "game", game)
    if not isinstance(dataset, TrajectoryDataset):
        raise InvalidArgumentError(f"play_near_log: dataset must be a TrajectoryDataset, got {shown(dataset)}")
    if dataset.num_trajectories < 2:
        raise InvalidArgumentError("play_near_log: dataset must have two trajectories or more, got 1")
    from scipy.spatial import cKDTree

    played = simulate(
        game,
        as_profile(solution, game.spec.num_players),
        num_episodes=num_episodes,
        seed=derive_seed(seed, "coverage"),  # the name of before, which the bits depend on
        num_threads=num_threads,
        record=True,
    )
    assert played.trajectories is not None
    logged, owner = _moves(dataset.spec.action_vectors, dataset.arrays)
    scale = logged.std(axis=0)
    scale[scale == 0.0] = 1.0
    tree = cKDTree(logged / scale)
    usual = _distances_within(tree, owner, seed)
    threshold = float(np.quantile(usual, 0.95))
    met, episode = _moves(dataset.spec.action_vectors, played.trajectories)
    distances, _ = tree.query(met / scale)
    is_far = distances > threshold
    far_in_episode = np.bincount(episode, weights=is_far, minlength=num_episodes)
    return NearLogReport(
        share_of_actions=float(1.0 - is_far.mean()),
        share_of_episodes=float((far_in_episode == 0).mean()),
        mean_distance=float(distances.mean()),
        logged_distance=float(usual.mean()),
        threshold=threshold,
        num_episodes=num_episodes,
    )


def _moves(action_vectors: Float32, log: Mapping[str, Any]) -> tuple[Float64, Int64]:
    """States and actions of all moves of players, chance left out, and the trajectory that each belongs to."""
    offsets = log["trajectory_offsets"]
    rows = np.flatnonzero(log["acting_player"] >= 0)
    features = np.concatenate([log["state"][rows], action_vectors[log["action"][rows]]], axis=1)
    return features.astype(np.float64), np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))[rows]


def _distances_within(tree: Any, owner: Int64, seed: int) -> Float64:
    """Distances from some logged transitions to the nearest one of another trajectory."""
    rng = np.random.default_rng(derive_seed(seed, "coverage/logged"))
    chosen = rng.choice(len(owner), size=min(MAX_LOGGED, len(owner)), replace=False)
    # One more neighbor than the longest trajectory has transitions: one of them is of another trajectory.
    distances, neighbors = tree.query(tree.data[chosen], k=min(int(np.bincount(owner).max()) + 1, len(owner)))
    distances = np.where(owner[neighbors] == owner[chosen, None], np.inf, distances).min(axis=1)
    return np.asarray(distances[np.isfinite(distances)], dtype=np.float64)
