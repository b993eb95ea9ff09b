"""Errors of a model that follows logged moves, by how many moves were made: what grows towards the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast.models.inputs import Rows

if TYPE_CHECKING:
    from coffee_fast.data import TrajectoryDataset
    from coffee_fast.models.following import Followed

MOST_NUMBERS = 40  # of moves that are told apart; of longer episodes some in between are left out
LARGEST = 1e30  # of an error; what is no number is as wrong


def figures_by_moves(followed: Followed, dataset: TrajectoryDataset) -> list[dict[str, float]]:
    """Mean absolute errors of states, observations and payoffs, and mean errors of payoffs, by moves made.

    Payoffs are of moves that pay: the last ones of episodes that pay anybody anything, or all where every step may.
    Their mean errors (too much: above 0) are of the player on move and of the others: of who accepts an offer and of
    who made it, say. Standard errors count independent episodes; of fewer than two there are no figures.
    """
    copies = dataset.num_trajectories / dataset.num_independent_episodes
    state = np.abs(followed.states - dataset.state).mean(axis=1, dtype=np.float64)
    seen = np.abs(followed.observations - dataset.observation).mean(axis=(1, 2), dtype=np.float64)
    payoff = followed.rewards - dataset.reward
    pays = (dataset.terminal != 0) & (dataset.reward != 0).any(axis=1)
    if dataset.spec.rewards == "every_step":
        pays = Rows.of(dataset).acts
    moves = dataset.acting_player[:, None] == np.arange(dataset.spec.num_players)
    if dataset.spec.moves == "simultaneous":  # all have moved, nobody more than another
        moves = np.zeros_like(moves)
    figures = []
    longest = int(followed.moves_made.max())
    for made in np.unique(np.linspace(0, longest, min(longest + 1, MOST_NUMBERS)).round()):
        at = np.flatnonzero(followed.moves_made == made)
        paid = at[pays[at]]
        row = _mean("state_error", state[at], copies) | _mean("observation_error", seen[at], copies)
        if row:
            row |= _mean("payoff_error", np.abs(payoff[paid]).mean(axis=1), copies)
            for whose, theirs in (("mover", moves[paid]), ("others", ~moves[paid])):
                row |= _mean(f"{whose}_bias", _mean_of(payoff[paid], theirs), copies)
            counts = {"moves_made": float(made), "num_episodes": len(at) / copies, "num_paying": len(paid) / copies}
            figures.append(counts | row)
    return figures


def _mean_of(values: NDArray[Any], is_meant: NDArray[np.bool_]) -> NDArray[Any]:
    """Each row's mean of the entries meant, of the rows that have any."""
    count = is_meant.sum(axis=1)
    return np.asarray((values * is_meant).sum(axis=1)[count > 0] / count[count > 0])


def _mean(name: str, values: NDArray[Any], copies: float) -> dict[str, float]:
    """A mean and its standard error, of two independent values or more; ``copies`` of each are there."""
    num_independent = len(values) / copies
    if num_independent < 2:
        return {}
    values = np.clip(np.nan_to_num(values, nan=LARGEST), -LARGEST, LARGEST)
    deviation = float(values.std()) * (num_independent / (num_independent - 1)) ** 0.5
    return {name: float(values.mean()), f"{name}_standard_error": deviation / num_independent**0.5}
