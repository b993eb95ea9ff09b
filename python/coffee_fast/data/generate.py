"""Generate logged play in a true game."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from coffee_fast.checks import check_flag, check_text
from coffee_fast.data.dataset import TrajectoryDataset
from coffee_fast.data.mirror import interleave_mirrored
from coffee_fast.dynamics import Dynamics
from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.policies import as_profile
from coffee_fast.seeding import check_seed, derive_seed
from coffee_fast.simulation import check_dynamics, simulate

MOST_TRAJECTORIES = 2**31 - 1


def generate_dataset(
    game: Dynamics,
    behavior: Any = "uniform_random",
    num_trajectories: int = 1000,
    seed: int = 0,
    *,
    mirrored: bool | None = None,
    description: str = "",
    num_threads: int = 1,
) -> TrajectoryDataset:
    """Play episodes and log them.

    Parameters
    ----------
    game
        From :func:`coffee_fast.load_game` or :func:`coffee_fast.games.from_simulator`.
    behavior
        Who plays: one strategy for all players (a known name, a policy, a mixture, a solution), or a list of
        profiles, one of which is drawn uniformly for each episode. A profile is a strategy that all players follow, or
        a tuple of strategies, one a player.
    num_trajectories
        Trajectories stored. With ``mirrored`` half of them are episodes, the other half their mirror images.
    mirrored
        Follow each episode by the same one with the players exchanged. By default in symmetric two-player games whose
        specification says how (``state_swap``).
    description
        Who played, in words, for the dataset's card; by default worked out from ``behavior``.

    Raises
    ------
    InvalidArgumentError
        For an odd or impossible number of trajectories, or a behavior that does not fit the game.

    Source: Nguyen and Wellman (2026), Section 5.2 and Appendix C.

    >>> import coffee_fast as cf
    >>> dataset = cf.generate_dataset(cf.load_game("generalized_bargaining"), num_trajectories=10, seed=1)
    >>> dataset.num_trajectories, dataset.num_independent_episodes
    (10, 5)
    """
    check_dynamics("generate_dataset", "game", game)
    if mirrored is None:
        mirrored = game.spec.is_symmetric and bool(game.spec.state_swap)
    mirrored = check_flag("generate_dataset: mirrored", mirrored)
    check_text("generate_dataset: description", description)
    step = 2 if mirrored else 1
    is_count = isinstance(num_trajectories, int | np.integer) and not isinstance(num_trajectories, bool)
    if not is_count or not step <= num_trajectories <= MOST_TRAJECTORIES or num_trajectories % step:
        wanted = (
            "an even number, 2 or more, since each episode is stored with its mirror image" if mirrored else "1 or more"
        )
        most = f" and at most {MOST_TRAJECTORIES}" if is_count and num_trajectories > MOST_TRAJECTORIES else ""
        raise InvalidArgumentError(
            f"generate_dataset: num_trajectories must be {wanted}{most}, got {shown(num_trajectories)}"
        )
    spec, episodes = game.spec, int(num_trajectories) // step
    check_seed(seed)
    try:
        arrays = _play(game, behavior, episodes, derive_seed(seed, "dataset"), num_threads)
        if mirrored:
            arrays = interleave_mirrored(spec, arrays)
    except MemoryError:
        raise InvalidArgumentError(
            f"generate_dataset: num_trajectories is {num_trajectories}, more than this machine's memory holds"
        ) from None
    return TrajectoryDataset(
        spec,
        arrays,
        behavior=description or _describe(behavior),
        seed=seed,
        is_mirrored=mirrored,
        num_independent_episodes=episodes,
    )


def _play(game: Dynamics, behavior: Any, episodes: int, seed: int, num_threads: int) -> dict[str, Any]:
    profiles = behavior if isinstance(behavior, Sequence) and not isinstance(behavior, str) else [behavior]
    if not profiles:
        raise InvalidArgumentError("generate_dataset: behavior must name a strategy or more, got an empty list")
    drawn = np.random.Generator(np.random.PCG64(derive_seed(seed, "profile"))).integers(len(profiles), size=episodes)
    parts = []
    for index, profile in enumerate(profiles):
        players = as_profile(profile, game.spec.num_players)
        count = int((drawn == index).sum())
        if count:
            key = derive_seed(seed, "episodes", index)
            played = simulate(game, players, num_episodes=count, seed=key, num_threads=num_threads, record=True)
            parts.append(dict(played.trajectories or {}))
    return parts[0] if len(parts) == 1 else _in_order(parts, drawn)


def _in_order(parts: list[dict[str, Any]], drawn: Any) -> dict[str, Any]:
    """Put the episodes of the profiles in the order in which the profiles were drawn."""
    names = [name for name in parts[0] if name != "trajectory_offsets"]
    lengths = np.concatenate([np.diff(part["trajectory_offsets"]) for part in parts])
    starts = np.concatenate([[0], np.cumsum(lengths)])[:-1]
    # Episodes lie grouped by profile; the stable sort of `drawn` is that grouping, its inverse undoes it.
    position = np.empty(len(drawn), dtype=np.int64)
    position[np.argsort(drawn, kind="stable")] = np.arange(len(drawn))
    offsets = np.concatenate([[0], np.cumsum(lengths[position])]).astype(np.int64)
    rows = np.repeat(starts[position] - offsets[:-1], lengths[position]) + np.arange(offsets[-1])
    return {name: np.concatenate([part[name] for part in parts])[rows] for name in names} | {
        "trajectory_offsets": offsets
    }


def _describe(behavior: Any) -> str:
    if isinstance(behavior, str):
        return behavior
    if isinstance(behavior, Sequence):
        return f"uniform over {len(behavior)} profiles, drawn each episode"
    return type(behavior).__name__
