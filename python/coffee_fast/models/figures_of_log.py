"""What a log shows of itself: whether it is random where a model cannot be, and what it shows too little of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast._like_rows import like_rows
from coffee_fast.models.inputs import Rows, broke_off

if TYPE_CHECKING:
    from coffee_fast.data import TrajectoryDataset

TOLERANCE = 0.05  # deviations of an entry; what differs by less is measured imprecisely, not random


def repeats(dataset: TrajectoryDataset, *, draws: bool = False) -> dict[str, Any]:
    """Count the transitions whose state and action occur again in the log, and those of them that went another way.

    The paper's model is a function of state and action, so it can follow at most one of several unlike outcomes. They
    are proof that chance moves within an episode, or that the state leaves out something that matters. A log of a
    deterministic game has none, however short it is.

    Where ends are drawn (``draws``), the model is a function of the mover, too, and next states are one of who moves
    next; an outcome of chance is an action like any other. Who moves next and whether the episode ends it draws.

    Returns
    -------
    dict
        ``num_repeated``: transitions with a state and action that others have too. ``num_unlike_states``,
        ``num_unlike_ends``, ``num_unlike_rewards``: those among them for which the next states (where the episode
        goes on), whether the episode ends, or the rewards are not the same, within a twentieth of the deviation in the
        log. ``num_unlike_views``: transitions whose state occurs again with other observations or legal actions.
        ``num_unlike_movers``: where ends are drawn, those of the repeated ones that go on after which others are on
        move.

    Notes
    -----
    Cost: one sort of the states.
    """
    state, rows = dataset.state + np.float32(0), Rows.of(dataset)  # one zero, not two
    ends = dataset.terminal != 0
    mover = rows.player[:, None] if draws else np.zeros((len(state), 0), dtype=np.int32)
    where = np.concatenate([state.view(np.int32), mover], axis=1)
    _, group = like_rows(np.concatenate([where, dataset.action[:, None]], axis=1))
    goes_on = np.flatnonzero(rows.goes_on if draws else ~ends & ~broke_off(dataset))
    following = np.stack([group, rows.next_player], axis=1)[goes_on].astype(np.int32)
    unlike_states = _unlike(
        like_rows(following)[1] if draws else group[goes_on], dataset.next_state[goes_on], _tolerance(state)
    )
    pays = np.flatnonzero(ends) if draws and dataset.spec.rewards == "at_end" else np.arange(len(state))
    paid = dataset.reward[ends] if dataset.spec.rewards == "at_end" else dataset.reward
    _, same_state = like_rows(where)
    observation = dataset.observation.reshape(len(state), -1)
    unlike_views = _unlike(same_state, observation, _tolerance(observation))
    unlike_views |= _unlike(same_state, dataset.legal_mask.astype(np.float32))
    counts = {
        "num_repeated": int((np.bincount(group)[group] > 1).sum()),
        "num_unlike_states": int(unlike_states.sum()),
        "num_unlike_ends": int(_unlike(group, ends[:, None].astype(np.float32)).sum()),
        "num_unlike_rewards": int(_unlike(group[pays], dataset.reward[pays], _tolerance(paid)).sum()),
        "num_unlike_views": int(unlike_views.sum()),
    }
    if draws:
        movers = rows.next_player[goes_on, None].astype(np.float32)
        counts["num_unlike_movers"] = int(_unlike(group[goes_on], movers).sum())
    return counts


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


def _tolerance(rows: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.asarray(TOLERANCE * rows.std(axis=0, dtype=np.float64) + 1e-6 * np.abs(rows).max(axis=0))


def _unlike(group: NDArray[np.int64], rows: NDArray[np.float32], tolerance: object = 0.0) -> NDArray[np.bool_]:
    """Whether a row's group holds rows that differ by more than the tolerance."""
    if not len(rows):
        return np.zeros(0, dtype=bool)
    _, first, group = np.unique(group, return_index=True, return_inverse=True)
    differs = (np.abs(rows - rows[first[group]]) > tolerance).any(axis=1)
    return np.bincount(group, weights=differs, minlength=len(first))[group] > 0
