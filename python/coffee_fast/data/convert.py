"""Logs of one's own: a table with one row an action becomes a dataset."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast.data.columns import Table
from coffee_fast.data.dataset import TrajectoryDataset
from coffee_fast.data.validation import check_memory
from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.games import GameSpec
from coffee_fast.typing import UInt8

_ABOUT = ("behavior", "seed", "is_mirrored", "num_independent_episodes")


def from_transitions(spec: GameSpec, transitions: Any, **about: Any) -> TrajectoryDataset:
    """Build a dataset from columns with one row an action, rows of a trajectory together and in order.

    Parameters
    ----------
    spec
        Sizes and layout of the game that was played.
    transitions
        A mapping of names to arrays, or a pandas data frame. A data frame holds an array as one column whose cells are
        lists, or as numbered columns: ``state_0``, ``state_1``, ...; ``observation_0_0`` is the first entry of what
        player 0 sees.

        ``state`` ``[T, D]``, ``observation`` ``[T, players, O]``
            Before the action.
        ``action``, ``acting_player`` ``[T]``
        ``reward`` ``[T, players]``
            After the action.
        ``trajectory`` ``[T]``, or ``terminal`` ``[T]``, or both
            Any label, a new one begins a new trajectory, none may be missing; 1 at the last action of a trajectory,
            else 0. Each is worked out from the other.
        ``next_state`` ``[T, D]``, optional
            After the action; ignored where the trajectory ends. By default the state of the next row.
        ``legal_mask`` ``[T, A]``, optional
            1 where an action was legal; by default every action that anybody ever took.
        ``behavior_log_prob`` ``[T]``, optional
    about
        ``behavior``, ``seed``, ``is_mirrored``, ``num_independent_episodes`` of :class:`TrajectoryDataset`.

    Raises
    ------
    DatasetError
        For a missing, unknown or malformed column, naming it, or content that breaks the rules of a dataset, naming
        trajectory and step; for entries that are missing: None, NaN, masked.

    Notes
    -----
    Not supported yet are logs of simultaneous moves and other turn orders than one after the other, rows of chance
    moves (give their outcome in the next state), and rewards at every step. They make a dataset, which
    :meth:`TabularGame.from_dataset` and :func:`clone_behavior` may take, but no dynamics ensemble is fitted to them:
    :meth:`TrajectoryDataset.check` says what is refused, and why.

    >>> spec = GameSpec("guess", 1, 2, [[0], [1]], state_size=1, observation_size=1, history_start=0,
    ...                 max_episode_length=2)
    >>> log = {"trajectory": ["a", "a", "b"], "state": [[0], [1], [0]], "observation": [[[0]], [[1]], [[0]]],
    ...        "action": [0, 1, 1], "acting_player": [0, 0, 0], "reward": [[0], [1], [2]]}
    >>> from_transitions(spec, log).trajectory_offsets.tolist()
    [0, 2, 3]
    """
    if not isinstance(spec, GameSpec):
        raise InvalidArgumentError(f"from_transitions: spec must be a GameSpec, got {type(spec).__name__}")
    if unknown := sorted(set(about) - set(_ABOUT)):
        raise InvalidArgumentError(
            f"from_transitions: there is no argument {shown(unknown[0])}; there are {', '.join(_ABOUT)}"
        )
    table = Table(transitions)
    T, N, D = table.num_rows, spec.num_players, spec.state_size
    offsets = table.trajectory_offsets()
    last = offsets[1:] - 1
    terminal = np.zeros(T, dtype=np.uint8)
    terminal[last] = 1
    state = table.numbers("state", np.float32, D)
    next_state = np.roll(state, -1, axis=0)
    if "next_state" in table:
        next_state = table.numbers("next_state", np.float32, D)
    next_state[last] = spec.terminal_state_value
    action = table.numbers("action", np.int32)
    arrays: dict[str, NDArray[Any]] = {
        "trajectory_offsets": offsets,
        "state": state,
        "observation": table.numbers("observation", np.float32, N, spec.observation_size),
        "action": action,
        "acting_player": table.numbers("acting_player", np.int8),
        "legal_mask": _packed_masks(table, spec, action),
        "reward": table.numbers("reward", np.float32, N),
        "next_state": next_state,
        "terminal": table.flags("terminal") if "terminal" in table else terminal,
    }
    if "behavior_log_prob" in table:
        arrays["behavior_log_prob"] = table.numbers("behavior_log_prob", np.float32)
    return TrajectoryDataset(spec, arrays, **about)


def _packed_masks(table: Table, spec: GameSpec, action: NDArray[Any]) -> UInt8:
    """Legal actions as they are given, or else every action that anybody ever took."""
    T, A = table.num_rows, spec.num_actions
    wanted = f"from_transitions: the legal actions of {T} rows, num_actions being {A},"
    check_memory(wanted, T * A, "number the actions that occur from 0 on")
    if "legal_mask" in table:
        return np.packbits(table.flags("legal_mask", spec.num_actions), axis=1, bitorder="little")
    taken = np.packbits(np.isin(np.arange(spec.num_actions), action), bitorder="little")
    return np.tile(taken, (T, 1))
