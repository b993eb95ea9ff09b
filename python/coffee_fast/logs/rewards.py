"""What each step paid each player, from however a table tells of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast.errors import DatasetError
from coffee_fast.logs.columns import ChosenColumns
from coffee_fast.logs.rows import Steps, columns_of_players
from coffee_fast.logs.tables import as_numbers
from coffee_fast.typing import Float64

Bools = NDArray[np.bool_]


def rewards_of(columns: ChosenColumns, steps: Steps, truncated: Bools, known: Mapping[str, Any]) -> tuple[Float64, str]:
    """Return ``float64 [S, N]`` and, in words, how the table gave it."""
    source = columns.require("reward")
    column, caller = source.column, columns.caller
    is_last = np.append(np.diff(steps.episode) != 0, True)
    if column is not None and column.ndim == 1:
        rewards = as_numbers(source.name, column, caller)
        if steps.layout == "one row a joint step" and steps.num_players > 1:
            raise DatasetError(
                f"{caller}: reward must have a column for each of {steps.num_players} players, got {source.name} "
                "alone; if all are paid the same, name it as often"
            )
        return _of_the_acting(columns, steps, rewards, is_last, truncated), "a column for the acting player"
    count = {"player_names": known["player_names"] or steps.player_names, "num_players": steps.num_players}
    _, parts = columns_of_players(columns, source, "reward", count)
    paid = np.stack([as_numbers(source.name, part, caller) for part in parts], axis=1)
    for seat in range(steps.num_players):
        own = np.where(steps.source[:, seat] >= 0, steps.source[:, seat], steps.source.max(axis=1))
        if (bad := np.flatnonzero(~_same(paid[own], paid[steps.source.max(axis=1)]))).size:
            raise DatasetError(
                f"{caller}: {steps.place(bad[0])}: the rows of one step tell of unlike rewards of all players"
            )
    rewards = paid[steps.source.max(axis=1)]
    missing = np.isnan(rewards)
    is_open = missing.all(axis=1) & ((steps.outcome >= 0) | (is_last & truncated[steps.episode]))
    inner = missing[~is_last & (steps.outcome < 0)]
    is_at_end_alone = len(inner) > 0 and inner.all()
    if is_at_end_alone:
        is_open |= ~is_last
    _refuse(columns, steps, np.asarray(missing.any(axis=1) & ~is_open))
    words = "a column for each player" + (", in the last row of an episode alone" if is_at_end_alone else "")
    return np.where(missing, 0.0, rewards), words


def _same(first: Float64, second: Float64) -> Bools:
    return np.asarray(((first == second) | (np.isnan(first) & np.isnan(second))).all(axis=1))


def _of_the_acting(columns: ChosenColumns, steps: Steps, rewards: Float64, is_last: Bools, truncated: Bools) -> Float64:
    """Each row pays the player who acts in it."""
    caller, name = columns.caller, columns.sources["reward"].name
    paid = np.where(steps.source >= 0, rewards[steps.source], 0.0)
    by_chance = steps.outcome >= 0
    told = by_chance & (np.nan_to_num(paid) != 0).any(axis=1)
    if told.any():
        raise DatasetError(
            f"{caller}: {steps.place(np.argmax(told))}: {name} pays at a move of chance, and does not say whom; give "
            "a column for each player"
        )
    paid[by_chance] = 0.0
    missing = np.isnan(paid)
    if missing.any():
        # A player may be paid in its last row of an episode alone, if all are.
        is_own_last = np.zeros(paid.shape, dtype=bool)
        for seat in range(steps.num_players):
            rows = np.flatnonzero((steps.source[:, seat] >= 0) & ~by_chance)
            is_own_last[rows, seat] = np.append(np.diff(steps.episode[rows]) != 0, True)
        acts = (steps.source >= 0) & ~by_chance[:, None]
        is_pattern = missing[acts & ~is_own_last].all() if (acts & ~is_own_last).any() else False
        only_ends = missing[acts & ~is_last[:, None]].all() and steps.num_players > 1 and is_own_last[~is_last].any()
        if only_ends and not missing[is_last & ~truncated[steps.episode]].all():
            raise DatasetError(
                f"{caller}: {name} is one number in the last row of an episode, for whoever acts there, and what the "
                "others are paid is not known; give a column for each player"
            )
        is_open = is_own_last & truncated[steps.episode][:, None]
        is_open |= ~is_own_last if is_pattern else False
        _refuse(columns, steps, np.asarray((missing & ~is_open).any(axis=1)))
    return np.where(missing, 0.0, paid)


def _refuse(columns: ChosenColumns, steps: Steps, is_wrong: Bools) -> None:
    if is_wrong.any():
        step = int(np.argmax(is_wrong))
        is_last = step + 1 == len(steps.episode) or steps.episode[step + 1] != steps.episode[step]
        otherwise = (
            "say in a column 'truncated' that the episode broke off there"
            if is_last
            else "give it in the last row of each episode alone"
        )
        raise DatasetError(
            f"{columns.caller}: {steps.place(step)}: the reward ({columns.sources['reward'].name:.120}) is missing; "
            f"fill it in (0 where nothing is paid), or {otherwise}"
        )
