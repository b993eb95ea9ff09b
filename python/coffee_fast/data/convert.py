"""Logs of one's own: a table with one row an action becomes a dataset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast.data.dataset import TrajectoryDataset
from coffee_fast.errors import DatasetError
from coffee_fast.games import GameSpec

_REQUIRED = ("trajectory", "state", "observation", "action", "acting_player", "reward")
_OPTIONAL = ("legal_mask", "behavior_log_prob")


def from_transitions(spec: GameSpec, transitions: Any, **about: Any) -> TrajectoryDataset:
    """Build a dataset from columns with one row an action, rows of a trajectory together and in order.

    Parameters
    ----------
    spec
        Sizes and layout of the game that was played.
    transitions
        A mapping of names to arrays, or a pandas data frame whose cells may hold lists:

        ``trajectory``
            Any label; a new one begins a new trajectory.
        ``state`` ``[T, D]``, ``observation`` ``[T, players, O]``
            Before the action.
        ``action``, ``acting_player`` ``[T]``
        ``reward`` ``[T, players]``
            After the action.
        ``legal_mask`` ``[T, A]``, optional
            1 where an action was legal; by default every action that anybody ever took.
        ``behavior_log_prob`` ``[T]``, optional
    about
        ``behavior``, ``seed``, ``is_mirrored``, ``num_independent_episodes`` of :class:`TrajectoryDataset`.

    Notes
    -----
    The last row of a trajectory is its end; the state after it is ``spec.terminal_state_value``. The state after any
    other row is that of the next row.

    Raises
    ------
    DatasetError
        For a missing, unknown or malformed column, naming it, or content that breaks the rules of a dataset, naming
        trajectory and step.
    """
    columns = _columns(transitions)
    labels = columns["trajectory"]
    T, N, D = len(labels), spec.num_players, spec.state_size
    if T == 0:
        raise DatasetError("the dataset is empty: it has no transitions")
    starts = np.flatnonzero(np.concatenate([[True], labels[1:] != labels[:-1]]))
    if len(np.unique(labels)) != len(starts):
        raise DatasetError(
            "from_transitions: the rows of a trajectory must stand together, but one comes up again later"
        )
    offsets = np.append(starts, T).astype(np.int64)
    state = _numbers(columns, "state", np.float32, (T, D))
    next_state = np.full((T, D), spec.terminal_state_value, dtype=np.float32)
    next_state[:-1] = state[1:]
    last = offsets[1:] - 1
    next_state[last] = spec.terminal_state_value
    terminal = np.zeros(T, dtype=np.uint8)
    terminal[last] = 1
    action = _numbers(columns, "action", np.int32, (T,))
    if ((action < 0) | (action >= spec.num_actions)).any():
        raise DatasetError(f"from_transitions: action must lie in [0, {spec.num_actions})")
    if "legal_mask" in columns:
        masks = _numbers(columns, "legal_mask", np.uint8, (T, spec.num_actions))
    else:
        masks = np.tile(np.isin(np.arange(spec.num_actions), action).astype(np.uint8), (T, 1))
    arrays: dict[str, NDArray[Any]] = {
        "trajectory_offsets": offsets,
        "state": state,
        "observation": _numbers(columns, "observation", np.float32, (T, N, spec.observation_size)),
        "action": action,
        "acting_player": _numbers(columns, "acting_player", np.int8, (T,)),
        "legal_mask": np.packbits(masks != 0, axis=1, bitorder="little"),
        "reward": _numbers(columns, "reward", np.float32, (T, N)),
        "next_state": next_state,
        "terminal": terminal,
    }
    if "behavior_log_prob" in columns:
        arrays["behavior_log_prob"] = _numbers(columns, "behavior_log_prob", np.float32, (T,))
    return TrajectoryDataset(spec, arrays, **about)


def _columns(transitions: Any) -> dict[str, NDArray[Any]]:
    if not isinstance(transitions, Mapping) and not hasattr(transitions, "columns"):
        raise DatasetError(
            "from_transitions: transitions must be a mapping of columns or a data frame, "
            f"got {type(transitions).__name__}"
        )
    names = list(transitions if isinstance(transitions, Mapping) else transitions.columns)
    for name in _REQUIRED:
        if name not in names:
            raise DatasetError(f"from_transitions: the column {name!r} is missing")
    for name in names:
        if name not in _REQUIRED + _OPTIONAL:
            raise DatasetError(
                f"from_transitions: there is no column {name!r}; the columns are {', '.join(_REQUIRED + _OPTIONAL)}"
            )
    return {name: np.asarray(transitions[name]) for name in names}


def _numbers(columns: Mapping[str, NDArray[Any]], name: str, dtype: type, shape: tuple[int, ...]) -> NDArray[Any]:
    """The column as numbers of ``dtype``; integers must be whole."""
    column = columns[name]
    try:
        if column.dtype == object:  # a data frame's cells are lists
            column = np.array([np.asarray(cell, dtype=np.float64) for cell in column])
        values = np.asarray(column, dtype=np.float64)
    except (TypeError, ValueError):
        raise DatasetError(f"from_transitions: {name} must hold numbers of one shape in every row") from None
    if values.shape != shape:
        raise DatasetError(f"from_transitions: {name} must have shape {list(shape)}, got {list(values.shape)}")
    if np.issubdtype(dtype, np.integer):
        bounds = np.iinfo(dtype)
        if not ((values == np.round(values)) & (values >= bounds.min) & (values <= bounds.max)).all():
            raise DatasetError(f"from_transitions: {name} must hold whole numbers")
    with np.errstate(over="ignore"):
        converted: NDArray[Any] = values.astype(dtype)
    return converted
