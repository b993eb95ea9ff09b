"""What the players of a log did, counted."""

from __future__ import annotations

import numpy as np

from coffee_fast._like_rows import like_rows
from coffee_fast.data import TrajectoryDataset
from coffee_fast.models.arguments import check_dataset
from coffee_fast.policy_tables import TablePolicy


def behavior_frequencies(dataset: TrajectoryDataset) -> tuple[TablePolicy, ...]:
    """Return how often each player did what, by what it knew: the players of a log as they are, where much repeats.

    Of players who each draw a strategy an episode it is the behavior policy with the same play against anyone; where
    they agree which, it is not, as what one does tells of the others. Where little repeats, :func:`clone_roles` learns
    from what is alike.

    Parameters
    ----------
    dataset
        The log.

    Returns
    -------
    tuple of TablePolicy
        One a player; uniform play in information states that it never was in.

    Notes
    -----
    Cost: a sort of the log's information states.

    >>> import coffee_fast as cf
    >>> dataset = cf.generate_dataset(cf.load_game("openspiel:kuhn_poker"), num_trajectories=40, seed=0)
    >>> behavior_frequencies(dataset)
    (TablePolicy(6 information states, 2 actions), TablePolicy(6 information states, 2 actions))
    """
    check_dataset("behavior_frequencies", dataset)
    known = dataset.information_states()
    return tuple(_of_player(dataset, known, player) for player in range(dataset.spec.num_players))


def _of_player(dataset: TrajectoryDataset, known: np.ndarray, player: int) -> TablePolicy:
    own = dataset.acting_player == player
    first, number = like_rows(known[own])
    counts = np.zeros((len(first), dataset.spec.num_actions))
    np.add.at(counts, (number, dataset.action[own]), 1.0)
    return TablePolicy(known[own][first], counts / counts.sum(axis=1, keepdims=True))
