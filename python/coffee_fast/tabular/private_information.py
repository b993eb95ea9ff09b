"""Whether the players of a log know what a table takes them to know: the cell, and nothing that differs by player."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast.data import TrajectoryDataset
from coffee_fast.errors import DatasetError, shown
from coffee_fast.tabular.log_columns import labels
from coffee_fast.typing import Int64

# What a table cannot say, and who can: policies of information states, as DynamicsEnsemble and coffee_psro learn them.
_REMEDY = (
    "a table has no private information; learn such a game with DynamicsEnsemble.fit and coffee_psro, whose policies "
    "take what each player saw, or {} if this difference tells a player nothing that matters"
)
_OF_COLUMN = _REMEDY.format("leave the column 'observation' out")
_OF_DATASET = _REMEDY.format("pass is_fully_observed=True")


def check_observation_labels(
    observation: Any, step: Int64, states: Sequence[Hashable], num_players: int, caller: str
) -> None:
    """Raise unless each player's observation, at each step, is the state by another name.

    ``observation`` holds a label, or a vector, a row and player.
    """
    seen = _by_player(observation, len(states), num_players, caller)
    for player in range(num_players):
        of_state: dict[Hashable, tuple[Hashable, int]] = {}
        of_label: dict[Hashable, tuple[Hashable, int]] = {}
        for row, (at, state, label) in enumerate(zip(step.tolist(), states, seen[player], strict=True)):
            other, before = of_state.setdefault((at, state), (label, row))
            if other != label:
                raise DatasetError(
                    f"{caller}: player {player} knows more than the table's state {shown(state)} at step {at}: "
                    f"it saw {shown(other)} in row {before} and {shown(label)} in row {row}. If all "
                    f"players see that, make it part of the state; else {_OF_COLUMN}"
                )
            other, before = of_label.setdefault((at, label), (state, row))
            if other != state:
                raise DatasetError(
                    f"{caller}: player {player} does not know the table's state: it saw {shown(label)} at step "
                    f"{at} in row {before}, state {shown(other)}, and in row {row}, state "
                    f"{shown(state)}; {_OF_COLUMN}"
                )


def _by_player(observation: Any, num_rows: int, num_players: int, caller: str) -> list[list[Hashable]]:
    rows = observation.tolist() if isinstance(observation, np.ndarray) else observation
    name = "observation"
    if not hasattr(rows, "__len__") or isinstance(rows, str) or len(rows) != num_rows:
        raise DatasetError(f"{caller}: {name} must hold one row for each of {num_rows} steps, a label a player")
    cells = list(rows)
    for row, cell in enumerate(cells):
        if not isinstance(cell, list | tuple | np.ndarray) or len(cell) != num_players:
            raise DatasetError(
                f"{caller}: {name} must hold a label for each of {num_players} players in every row, "
                f"got {shown(cell)} in row {row}"
            )
    return [
        labels([_frozen(cell[player]) for cell in cells], num_rows, f"{name} of player {player}", caller)
        for player in range(num_players)
    ]


def _frozen(label: Any) -> Any:
    """Return a label that may be a vector as one that hashes."""
    if isinstance(label, np.ndarray):
        label = label.tolist()
    return tuple(map(_frozen, label)) if isinstance(label, list) else label


def check_observations(
    dataset: TrajectoryDataset,
    first: Int64,
    of_row: Int64,
    is_asked: NDArray[np.bool_],
    step: Int64,
    state: Int64,
    keys: Sequence[Hashable],
) -> None:
    """Raise if players see different things within a cell, or those who are to move do not know the cell.

    That a cell holds what all see alike is a choice of what to tell apart; that it mixes what one player sees and
    another does not is a game with private information. ``step`` and ``state`` are those of the times that players
    choose, ``first`` the rows with which these begin, ``of_row`` the one that each row of the dataset belongs to,
    ``is_asked [K, N]`` who chooses.
    """
    cell = step * len(keys) + state
    _, other, number = np.unique(cell, return_index=True, return_inverse=True)
    seen = dataset.observation[first]
    change = seen - seen[other[number]]
    differs = (change != change[:, :1]).any(axis=2)
    if (bad := np.argwhere(differs)).size:
        time, player = bad[0].tolist()
        raise DatasetError(
            f"from_dataset: players know different things in cell {shown(keys[state[time]])} at step "
            f"{step[time]}: from row {first[other[number[time]]]} to row {first[time]} of it the observation of player "
            f"{player} changes otherwise than that of player 0; {_OF_DATASET}"
        )
    known = dataset.information_states() + np.float32(0.0)  # one zero
    seen_before: dict[Hashable, int] = {}
    for row, (player, information) in enumerate(zip(dataset.acting_player.tolist(), known, strict=True)):
        time = int(of_row[row])
        if player < 0 or not is_asked[time, player]:
            continue
        before = seen_before.setdefault((int(step[time]), player, information.tobytes()), time)
        if cell[before] != cell[time]:
            raise DatasetError(
                f"from_dataset: player {player} cannot tell cell {shown(keys[state[before]])} (row {first[before]}) "
                f"from {shown(keys[state[time]])} (row {first[time]}) by what it saw until step {step[time]}; "
                f"{_OF_DATASET}"
            )
