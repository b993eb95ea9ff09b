"""How much of a solution's play lies where the log that it was learned from has data."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from coffee_fast.data import TrajectoryDataset
from coffee_fast.data.logged_moves import LoggedMoves
from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.policies import as_profile
from coffee_fast.seeding import derive_seed
from coffee_fast.simulation import check_dynamics, simulate

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
    played = simulate(
        game,
        as_profile(solution, game.spec.num_players),
        num_episodes=num_episodes,
        seed=derive_seed(seed, "coverage"),  # the name of before, which the bits depend on
        num_threads=num_threads,
        record=True,
    )
    assert played.trajectories is not None
    logged = LoggedMoves.of(dataset)
    usual = logged.distances_within(MAX_LOGGED, derive_seed(seed, "coverage/logged"))
    threshold = float(np.quantile(usual, 0.95))
    rows = np.flatnonzero(played.trajectories["acting_player"] >= 0)
    distances = logged.distances(played.trajectories["state"][rows], played.trajectories["action"][rows])
    is_far = distances > threshold
    episode = np.searchsorted(played.trajectories["trajectory_offsets"], rows, side="right") - 1
    far_in_episode = np.bincount(episode, weights=is_far, minlength=num_episodes)
    return NearLogReport(
        share_of_actions=float(1.0 - is_far.mean()),
        share_of_episodes=float((far_in_episode == 0).mean()),
        mean_distance=float(distances.mean()),
        logged_distance=float(usual.mean()),
        threshold=threshold,
        num_episodes=num_episodes,
    )
