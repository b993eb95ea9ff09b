"""Whether the observations that a model predicts tell a player what it cannot know.

Observations that are predicted from the whole state err by little, but what they err by depends on what others hold,
and a player's network can read it. The probe asks how much of the variance of others' observations is explained by
these errors, beyond what the player's logged observations explain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast.models.limits import STANDARD_ERRORS
from coffee_fast.typing import Float64, Int64

if TYPE_CHECKING:
    from coffee_fast.data import TrajectoryDataset
    from coffee_fast.models.following import Followed

MOST_SITUATIONS = 24  # a player after a number of moves
MOST_ENTRIES = 256  # of an information state; of more, random sums of them
NUM_MAIN = 8  # directions in which errors differ most, and in which a player's knowledge does
LEAST_FREE = 40  # episodes beyond the numbers that are fitted
LEAST_ERROR = 1e-4  # in units of the entry's deviation; below it is rounding
LARGEST = 1e30  # of an error
KNOWN = 0.01  # share of a variance that a player's knowledge leaves, below which it knows


def leaks(followed: Followed, dataset: TrajectoryDataset) -> list[dict[str, float]]:
    """Probe what each player is told before its moves; the largest share found after each number of moves.

    Returns
    -------
    list of dict
        After ``moves_made``, of ``num_episodes``: the ``share`` of the variance of entry ``entry`` of player
        ``of_player``'s observation that what the model tells ``player`` explains beyond what the log told it, less what
        as many random numbers would explain; and ``by_chance``, what that would hardly exceed (four standard errors)
        if the model told nothing. Empty where nothing is hidden, or where episodes are too few to tell.

    Notes
    -----
    Least squares twice, on the main directions of what the player knows with products of a few of them, then on the
    main directions of the errors as well. Cost: up to .1 s a situation.
    """
    known, observations = dataset.information_states(), dataset.observation
    copies = max(1.0, dataset.num_trajectories / dataset.num_independent_episodes / (1 + dataset.is_mirrored))
    found: dict[int, dict[str, float]] = {}
    for made, player, rows in _situations(followed.moves_made, dataset):
        others = np.delete(np.arange(dataset.spec.num_players), player)
        hidden = observations[rows][:, others].reshape(len(rows), -1).astype(np.float64)
        shares, by_chance = probe(known[rows], followed.information_states[rows], hidden, copies)
        if np.isnan(shares).all():
            continue
        largest = int(np.nanargmax(shares))
        if made not in found or shares[largest] > found[made]["share"]:
            other, entry = divmod(largest, dataset.spec.observation_size)
            found[made] = {
                "moves_made": float(made),
                "num_episodes": len(rows) / copies,
                "player": float(player),
                "of_player": float(others[other]),
                "entry": float(entry),
                "share": float(shares[largest]),
                "by_chance": float(by_chance[largest]),
            }
    return list(found.values())


def probe(known: NDArray[Any], told: NDArray[Any], hidden: Float64, copies: float = 1.0) -> tuple[Float64, Float64]:
    """Shares of the variances of hidden entries ``[B, K]`` that the errors of what is told ``[B, I]`` explain.

    NaN for entries that are not hidden, or all alike; all of them where episodes are too few. Also, by entry, the share
    that errors which depend on nothing would explain but once in 30,000 times. ``copies`` rows are one independent.
    """
    knowledge = _knowledge(known)
    free = len(known) / copies - knowledge.shape[1]
    beyond = hidden - knowledge @ (knowledge.T @ hidden)
    left, variance = np.square(beyond).sum(axis=0), hidden.var(axis=0) * len(hidden)
    unit = np.divide(left, variance, out=np.zeros_like(left), where=variance > 0)
    shares = np.where(unit > KNOWN, 0.0, np.nan)
    error = np.clip(np.nan_to_num((told - known).astype(np.float64)), -LARGEST, LARGEST)
    error -= knowledge @ (knowledge.T @ error)
    error = error[:, error.std(axis=0) > LEAST_ERROR * _deviation(known)]
    directions = _main(error, NUM_MAIN)
    count = directions.shape[1]
    if free - count < LEAST_FREE:
        return np.full(len(unit), np.nan), unit
    if not count:
        return shares, np.zeros_like(unit)
    explained = np.square(directions.T @ beyond).sum(axis=0) / np.maximum(left, 1e-30)
    beyond_chance = free / (free - count)
    ninth = 2 / (9 * count)  # Wilson and Hilferty's cube: what the square of random directions hardly exceeds
    most = count * (1 - ninth + STANDARD_ERRORS * ninth**0.5) ** 3 / free
    return shares + unit * (1 - (1 - explained) * beyond_chance), unit * (1 - (1 - most) * beyond_chance)


def _situations(moves_made: Int64, dataset: TrajectoryDataset) -> list[tuple[int, int, Int64]]:
    """Some of the situations that enough episodes reach: moves made, who is on move, and their rows."""
    player = dataset.acting_player
    found = []
    for made in range(1, int(moves_made.max()) + 1):
        for seat in range(dataset.spec.num_players):
            rows = np.flatnonzero((moves_made == made) & (player == seat))
            if len(rows) > LEAST_FREE:
                found.append((made, seat, rows))
    kept = np.unique(np.linspace(0, len(found) - 1, min(len(found), MOST_SITUATIONS)).round().astype(int))
    return [found[index] for index in kept]


def _knowledge(known: NDArray[Any]) -> Float64:
    """Orthonormal columns that span a constant, the main directions of rows and the products of a few of them."""
    constant = np.full((len(known), 1), len(known) ** -0.5)
    centered = known.astype(np.float64) - known.mean(axis=0, dtype=np.float64)
    linear = _main(centered, len(known) // 4)
    first, second = np.triu_indices(min(NUM_MAIN, linear.shape[1]))
    products = linear[:, first] * linear[:, second] * len(known) ** 0.5
    products -= products.mean(axis=0)
    products -= linear @ (linear.T @ products)
    return np.concatenate([constant, linear, _main(products, len(known) // 4)], axis=1)


def _main(columns: Float64, most: int) -> Float64:
    """Orthonormal directions in which centered columns, each in units of its deviation, differ most."""
    columns = columns[:, columns.std(axis=0) > 1e-9]
    columns = columns / columns.std(axis=0)
    if columns.shape[1] > MOST_ENTRIES:
        rng = np.random.Generator(np.random.PCG64(0))
        columns = columns @ rng.normal(size=(columns.shape[1], MOST_ENTRIES))
    if not columns.size:
        return columns
    squares, mix = np.linalg.eigh(columns.T @ columns)
    kept = np.flatnonzero(squares > 1e-10 * squares[-1])[::-1][:most]
    return np.asarray(columns @ (mix[:, kept] / np.sqrt(squares[kept])))


def _deviation(known: NDArray[Any]) -> Float64:
    """Of each entry; of one that is always the same its size, or 1."""
    deviation = known.std(axis=0, dtype=np.float64)
    return np.where(deviation > 0, deviation, np.where(known.any(axis=0), np.abs(known).max(axis=0), 1.0))
