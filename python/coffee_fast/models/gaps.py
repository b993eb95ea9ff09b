"""What a log does not show of its game, or not to the networks that learn from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from coffee_fast.data import TrajectoryDataset


def gaps(
    dataset: TrajectoryDataset, training: TrajectoryDataset | None, held_out: TrajectoryDataset | None
) -> dict[str, Any]:
    """Count outcomes of chance that never came; name entries of the state that only differ where nobody learns.

    Returns
    -------
    dict
        ``num_unseen_outcomes``, in all of the log. ``new_entries``: entries of the state that are always the same in
        the training part, and something else in the held-out one.
    """
    outcomes = np.unique(dataset.action[dataset.acting_player < 0])
    figures: dict[str, Any] = {"num_unseen_outcomes": dataset.spec.num_chance_actions - len(outcomes)}
    if training is not None and held_out is not None:
        first = training.state[0]
        is_new = (training.state == first).all(axis=0) & (held_out.state != first).any(axis=0)
        figures["new_entries"] = np.flatnonzero(is_new).tolist()
    return figures
