"""Logs of one's own: a table with one row an action, or one a joint step, becomes a dataset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast.data.columns import Table, has_states, is_canonical
from coffee_fast.data.dataset import TrajectoryDataset
from coffee_fast.data.validation import check_memory
from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.games import GameSpec
from coffee_fast.logs import read_log
from coffee_fast.typing import UInt8

_ABOUT = ("behavior", "seed", "is_mirrored", "num_independent_episodes")
_KNOWN = (
    *("moves", "turn_order", "num_players", "player_names", "num_actions", "action_names", "action_vectors"),
    *("num_chance_actions", "chance_names", "chance_vectors", "max_episode_length", "terminal_state_value", "roles"),
)


def from_transitions(
    spec: GameSpec | None,
    transitions: Any,
    *,
    columns: Mapping[str, Any] | None = None,
    chance: Any = None,
    **about: Any,
) -> TrajectoryDataset:
    """Build a dataset from a table of play, rows of an episode together and in order.

    Parameters
    ----------
    spec
        Sizes and layout of the game that was played; None to work them out (:meth:`GameSpec.from_log`, whose
        ``describe()`` says what was found; what is known of the game may be given along, ``roles=(2,)`` say).
    transitions
        A mapping of names to arrays, a data frame, an Arrow table, or the path of a CSV, Parquet or npz file; the
        folder of a dataset of Minari, a vault of OG-MARL, or its arrays, which say themselves what is what; else in one
        of these layouts: *one row an action*;
        *one row a joint step*, ``action`` being ``[T, players]`` or a column for each player, missing where a player
        does not act; *one row a player and step*, rows of one ``step`` of an episode being moves at once. Arrays may be
        columns whose cells are lists, or numbered columns: ``state_0``, ``state_1``, ...; ``observation_0_0`` is the
        first entry of what player 0 sees.

        ``episode`` (or ``trajectory``), or ``terminal``, or both
            Any label, a new one begins a new episode; 1 at the last action of an episode, else 0.
        ``step``, optional
            By which the rows of an episode are sorted.
        ``player`` (or ``acting_player``), ``action``
            Any labels or numbers. Where chance moves the player is -1, and the action its outcome.
        ``reward``
            After the action: ``[T, players]``, a column for each player or one for the acting one; it may be missing
            but in the last row of each episode.
        ``observation``
            Before the action, numbers or text: of all players, ``[T, players, O]`` or columns of each, or of the
            acting player. What the others see is then what they saw last. Without it all players see all moves.
        ``state``, ``next_state`` ``[T, D]``, optional
            Before and after the action. By default the state is what all players see, with the moves that do not show
            yet.
        ``legal_mask`` ``[T, A]``, optional
            1 where an action was legal; by default every action that players of the role ever took (at the first move
            of an episode, ever took there), or anybody where ``spec`` is given and the columns are those of a dataset.
        ``truncated``, optional
            1 in the last row (or all rows) of an episode that broke off.
        ``behavior_log_prob`` ``[T]``, optional
    columns
        What the columns are called, where not as above: ``{"player": "who", "observation": ["cost", "price"]}``; a list
        of columns, the beginning of their names, or, of each player, ``{"buyer": ..., "seller": ...}``. Columns that
        are then not named are not used.
    chance
        What the player is called where chance moves, ``"nature"`` say.
    about
        ``behavior``, ``seed``, ``is_mirrored``, ``num_independent_episodes`` of :class:`TrajectoryDataset`.

    Raises
    ------
    DatasetError
        For a missing, unknown or malformed column, naming it and the row, or content that breaks the rules of a
        dataset, naming trajectory and step.

    Notes
    -----
    A million rows take seconds. Whether a model can be learned from the dataset is what
    :meth:`TrajectoryDataset.check` says.

    >>> spec = GameSpec("guess", 1, 2, [[0], [1]], state_size=1, observation_size=1, history_start=0,
    ...                 max_episode_length=2)
    >>> log = {"trajectory": ["a", "a", "b"], "state": [[0], [1], [0]], "observation": [[[0]], [[1]], [[0]]],
    ...        "action": [0, 1, 1], "acting_player": [0, 0, 0], "reward": [[0], [1], [2]]}
    >>> from_transitions(spec, log).trajectory_offsets.tolist()
    [0, 2, 3]
    >>> weeks = {"game": [1, 1, 2, 2], "price_a": [3, 2, 2, 3], "price_b": [2, 2, 3, 3],
    ...          "profit_a": [0, 1, 4, 3], "profit_b": [4, 1, 0, 3]}
    >>> log = from_transitions(None, weeks, columns={"episode": "game", "action": "price_", "reward": "profit_"})
    >>> log.spec.moves, log.spec.action_names, log.num_transitions
    ('simultaneous', ('2', '3'), 8)
    """
    if not isinstance(spec, GameSpec | None):
        raise InvalidArgumentError(f"from_transitions: spec must be a GameSpec or None, got {type(spec).__name__}")
    known = {name: value for name, value in about.items() if name not in _ABOUT}
    about = {name: value for name, value in about.items() if name in _ABOUT}
    if spec is not None and known:
        raise InvalidArgumentError(
            f"from_transitions: there is no argument {shown(sorted(known)[0])}; there are {', '.join(_ABOUT)}"
        )
    if spec is not None and columns is None and chance is None and not spec.log_columns and is_canonical(transitions):
        return _as_it_is(spec, transitions, about)
    if spec is not None:
        known = {name: getattr(spec, name) for name in _KNOWN}
    layout = spec.log_columns if spec is not None and spec.log_columns else None
    if layout and layout.get("state_features") is None and has_states(transitions, columns):
        layout = None  # they were worked out before, and are given now
    reading = read_log(
        transitions,
        "from_transitions",
        columns=columns,
        chance=chance,
        known=known,
        layout=layout,
        sizes=None if spec is None or layout else (spec.state_size, spec.observation_size),
    )
    return TrajectoryDataset(GameSpec(**reading.fields) if spec is None else spec, reading.arrays, **about)


def _as_it_is(spec: GameSpec, transitions: Any, about: Mapping[str, Any]) -> TrajectoryDataset:
    """Build a dataset from columns that are those of a dataset."""
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
    action, player = table.numbers("action", np.int32), table.numbers("acting_player", np.int8)
    arrays: dict[str, NDArray[Any]] = {
        "trajectory_offsets": offsets,
        "state": state,
        "observation": table.numbers("observation", np.float32, N, spec.observation_size),
        "action": action,
        "acting_player": player,
        "legal_mask": _packed_masks(table, spec, action, player),
        "reward": table.numbers("reward", np.float32, N),
        "next_state": next_state,
        "terminal": table.flags("terminal") if "terminal" in table else terminal,
    }
    if "behavior_log_prob" in table:
        arrays["behavior_log_prob"] = table.numbers("behavior_log_prob", np.float32)
    return TrajectoryDataset(spec, arrays, **about)


def _packed_masks(table: Table, spec: GameSpec, action: NDArray[Any], player: NDArray[Any]) -> UInt8:
    """Legal actions as they are given, or else every action that anybody ever took."""
    T, A = table.num_rows, spec.num_actions
    wanted = f"from_transitions: the legal actions of {T} rows, num_actions being {A},"
    check_memory(wanted, T * A, "number the actions that occur from 0 on")
    if "legal_mask" in table:
        return np.packbits(table.flags("legal_mask", spec.num_actions), axis=1, bitorder="little")
    taken = np.packbits(np.isin(np.arange(A), action[player >= 0]), bitorder="little")
    return np.where(player[:, None] < 0, np.uint8(0), taken)
