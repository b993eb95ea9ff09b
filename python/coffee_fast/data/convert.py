"""Logs of one's own: a table with one row an action becomes a dataset."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast.data.dataset import TrajectoryDataset
from coffee_fast.errors import DatasetError, InvalidArgumentError
from coffee_fast.games import GameSpec
from coffee_fast.typing import Int64

_REQUIRED = ("state", "observation", "action", "acting_player", "reward")
_OPTIONAL = ("trajectory", "terminal", "next_state", "legal_mask", "behavior_log_prob")


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
            Any label, a new one begins a new trajectory; 1 at the last action of a trajectory, else 0. Each is worked
            out from the other.
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
        trajectory and step.

    >>> spec = GameSpec("guess", 1, 2, [[0], [1]], state_size=1, observation_size=1, history_start=0,
    ...                 max_episode_length=2)
    >>> log = {"trajectory": ["a", "a", "b"], "state": [[0], [1], [0]], "observation": [[[0]], [[1]], [[0]]],
    ...        "action": [0, 1, 1], "acting_player": [0, 0, 0], "reward": [[0], [1], [2]]}
    >>> from_transitions(spec, log).trajectory_offsets.tolist()
    [0, 2, 3]
    """
    if not isinstance(spec, GameSpec):
        raise InvalidArgumentError(f"from_transitions: spec must be a GameSpec, got {type(spec).__name__}")
    table = _Table(transitions)
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
    if "legal_mask" in table:
        masks = table.numbers("legal_mask", np.uint8, spec.num_actions)
    else:
        masks = np.tile(np.isin(np.arange(spec.num_actions), action), (T, 1))
    arrays: dict[str, NDArray[Any]] = {
        "trajectory_offsets": offsets,
        "state": state,
        "observation": table.numbers("observation", np.float32, N, spec.observation_size),
        "action": action,
        "acting_player": table.numbers("acting_player", np.int8),
        "legal_mask": np.packbits(masks != 0, axis=1, bitorder="little"),
        "reward": table.numbers("reward", np.float32, N),
        "next_state": next_state,
        "terminal": table.numbers("terminal", np.uint8) if "terminal" in table else terminal,
    }
    if "behavior_log_prob" in table:
        arrays["behavior_log_prob"] = table.numbers("behavior_log_prob", np.float32)
    return TrajectoryDataset(spec, arrays, **about)


class _Table:
    """The columns of a log by name; those that are numbered put together."""

    def __init__(self, transitions: Any) -> None:
        if not isinstance(transitions, Mapping) and not hasattr(transitions, "columns"):
            raise DatasetError(
                "from_transitions: transitions must be a mapping of columns or a data frame, "
                f"got {type(transitions).__name__}"
            )
        self._columns: dict[str, Any] = {}
        numbered: dict[str, dict[tuple[int, ...], Any]] = {}
        for name in transitions if isinstance(transitions, Mapping) else transitions.columns:
            known, indices = _split(str(name))
            if known not in _REQUIRED + _OPTIONAL:
                raise DatasetError(
                    f"from_transitions: there is no column {name!r}; the columns are {', '.join(_REQUIRED + _OPTIONAL)}"
                )
            if indices:
                numbered.setdefault(known, {})[indices] = transitions[name]
            else:
                self._columns[known] = transitions[name]
        for name, parts in numbered.items():
            if name in self._columns:
                raise DatasetError(f"from_transitions: {name} must be one column or numbered columns, got both")
            self._columns[name] = _joined(name, parts)
        for name in _REQUIRED:
            if name not in self._columns:
                raise DatasetError(f"from_transitions: the column {name!r} is missing")
        self.num_rows = len(self._columns["action"])
        if self.num_rows == 0:
            raise DatasetError("from_transitions: the dataset is empty: it has no transitions")

    def __contains__(self, name: str) -> bool:
        return name in self._columns

    def trajectory_offsets(self) -> Int64:
        """Where trajectories begin, and the number of rows: by their labels, or else by their ends."""
        if "trajectory" in self:
            starts = self._starts_by_label()
        elif "terminal" in self:
            ends = np.flatnonzero(self.numbers("terminal", np.uint8)[:-1]) + 1
            starts = np.concatenate([[0], ends])
        else:
            raise DatasetError("from_transitions: there must be a column 'trajectory' or a column 'terminal'")
        return np.append(starts, self.num_rows).astype(np.int64)

    def _starts_by_label(self) -> NDArray[Any]:
        labels = list(self._columns["trajectory"])
        if len(labels) != self.num_rows:
            raise DatasetError(f"from_transitions: trajectory must have {self.num_rows} rows, got {len(labels)}")
        starts = [0, *(row for row in range(1, len(labels)) if labels[row] != labels[row - 1])]
        seen: set[Any] = set()
        for row in starts:
            if labels[row] in seen:
                raise DatasetError(
                    f"from_transitions: row {row}: trajectory {labels[row]!r} comes up again, "
                    "but the rows of a trajectory must stand together"
                )
            seen.add(labels[row])
        return np.array(starts)

    def numbers(self, name: str, dtype: type, *shape: int) -> NDArray[Any]:
        """The column as numbers of ``dtype``, a row of ``shape`` each; integers must be whole."""
        column = self._columns[name]
        try:
            values = np.asarray(column)
            if values.dtype == object:  # a data frame's cells are lists
                values = np.array([np.asarray(cell, dtype=np.float64) for cell in values])
            values = values.astype(np.float64)
        except (TypeError, ValueError):
            raise DatasetError(f"from_transitions: {name} must hold numbers, {math.prod(shape)} in every row") from None
        expected = (self.num_rows, *shape)
        # Numbered columns may count the entries of a row through.
        if values.ndim == 2 and len(shape) > 1 and values.shape == (self.num_rows, math.prod(shape)):
            values = values.reshape(expected)
        if values.shape != expected:
            raise DatasetError(f"from_transitions: {name} must have shape {list(expected)}, got {list(values.shape)}")
        if np.issubdtype(dtype, np.integer):
            bounds = np.iinfo(dtype)
            whole = (values == np.round(values)) & (values >= bounds.min) & (values <= bounds.max)
            if not whole.all():
                row = int(np.argwhere(~whole)[0, 0])
                raise DatasetError(
                    f"from_transitions: row {row}: {name} must be whole, from {bounds.min} to {bounds.max}, "
                    f"got {values[row]}"
                )
        with np.errstate(over="ignore"):  # becomes infinite, which is reported with its place
            converted: NDArray[Any] = values.astype(dtype)
        return converted


def _split(name: str) -> tuple[str, tuple[int, ...]]:
    """``"observation_1_3"`` into ``("observation", (1, 3))``."""
    parts = name.split("_")
    count = len(list(itertools.takewhile(lambda part: part.isascii() and part.isdigit(), reversed(parts))))
    return "_".join(parts[: len(parts) - count]), tuple(int(part) for part in parts[len(parts) - count :])


def _joined(name: str, parts: Mapping[tuple[int, ...], Any]) -> NDArray[Any]:
    """Numbered columns as one array ``[T, ...]``; no number may be left out."""
    indices = sorted(parts)
    sizes = tuple(1 + max(axis) for axis in itertools.zip_longest(*indices, fillvalue=-1))
    if indices != list(itertools.islice(itertools.product(*map(range, sizes)), len(indices) + 1)):
        raise DatasetError(f"from_transitions: the numbered columns of {name!r} must run from 0 without a gap")
    try:
        columns = np.stack([np.asarray(parts[index], dtype=np.float64) for index in indices], axis=1)
    except (TypeError, ValueError):
        raise DatasetError(f"from_transitions: the numbered columns of {name!r} must hold numbers") from None
    return columns.reshape(len(columns), *sizes)
