"""Whether players who explore in a model stay where its log shows whether it is right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from coffee_fast.data.logged_moves import LoggedMoves
from coffee_fast.models.following import Followed
from coffee_fast.seeding import derive_seed

if TYPE_CHECKING:
    from coffee_fast.data import TrajectoryDataset
    from coffee_fast.models.ensemble import DynamicsEnsemble

MOST_LOGGED = 20_000  # unlike moves that others are held to
MOST_HELD = 1000  # moves that are
NEAR = 0.95  # of what the model makes of held-out moves is as near to the log as what counts as near
LEAST_DISTANCE = 0.05  # deviations; what differs by less is the same


def exploring_figures(
    model: DynamicsEnsemble,
    played: Mapping[str, Any],
    training: TrajectoryDataset,
    held_out: TrajectoryDataset,
    seed: int,
) -> dict[str, Any]:
    """Hold uniform play in the model, ``played``, to the log, by what the model makes of held-out moves.

    Both start from logged states and are led on by the model, so that its errors widen what is near.

    Returns
    -------
    dict
        ``exploring_near_log``: share of the moves of uniform play that lie as near to moves of the training part as
        95 % of held-out moves do. None where players are never on move.
    """
    if not (training.acting_player >= 0).any():
        return {}
    logged = LoggedMoves.of(training).thinned(MOST_LOGGED, derive_seed(seed, "exploring"))
    followed = {**held_out.arrays, "state": Followed.of(model, held_out).states}
    usual, exploring = (_distances(logged, play) for play in (followed, played))
    if not len(usual) or not len(exploring):
        return {}
    threshold = max(float(np.quantile(usual, NEAR)), LEAST_DISTANCE)
    return {"exploring_near_log": float((exploring <= threshold).mean())}


def _distances(logged: LoggedMoves, play: Mapping[str, Any]) -> Any:
    rows = np.flatnonzero(play["acting_player"] >= 0)
    rows = rows[np.unique(np.linspace(0, len(rows) - 1, MOST_HELD).astype(np.int64))] if len(rows) else rows
    return logged.distances(play["state"][rows], play["action"][rows])
