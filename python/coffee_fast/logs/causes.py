"""Whether what a player sees first in an episode was there from its beginning, or came of the moves before.

A value that nobody's moves bring about is independent of them, given what those who moved knew: a hidden value can
guide nobody who does not see it. So what depends on them beyond that came of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from coffee_fast.logs.play import Play
from coffee_fast.typing import Float64, Int64

Bools = NDArray[np.bool_]
MOST_ROWS = 5_000  # that are looked at
MOST_BACK = 3  # moves before a first look
DEPENDENT = 1e-4  # probability of so much dependence by chance
LEAST_ROWS = 8  # of a situation that can show dependence
MOST_BINS = 6


def comes_of_moves(play: Play, found: Float64, entries: Bools) -> Bools:
    """``bool [F]``: which of the ``entries`` of ``found [T, N, F]`` depend on moves made before they are first seen."""
    play = play.head(MOST_ROWS)
    found = found[: play.num_rows]
    by_chance = play.seat < 0
    deals: Int64 = np.cumsum(by_chance) - by_chance
    comes = np.zeros(found.shape[2], dtype=bool)
    for seat in range(play.num_players):
        known = np.flatnonzero(~np.isnan(found[:, seat]).any(axis=1))
        _, place = np.unique(play.episode[known], return_index=True)
        look = known[place]  # the first one of each episode
        for back in range(1, MOST_BACK + 1):
            move = look - back
            there = move >= play.first[look]
            rows, moves = look[there], move[there]
            same = (deals[rows] == deals[moves]) & (play.seat[moves] >= 0)
            rows, moves = rows[same], moves[same]
            if len(rows) < LEAST_ROWS:
                continue
            knew = _situations(np.nan_to_num(found[moves, play.seat[moves]]), play.seat[moves])
            for entry in np.flatnonzero(entries & ~comes):
                comes[entry] = _depends(found[rows, seat, entry], play.action[moves], knew)
    return comes


def _situations(views: Float64, seat: Int64) -> Int64:
    """A number for what a mover knew, values that are many put into bins."""
    columns = [seat, *(_binned(column) for column in views.T)]
    return np.asarray(np.unique(np.column_stack(columns), axis=0, return_inverse=True)[1].reshape(-1), dtype=np.int64)


def _binned(values: NDArray[Any]) -> Int64:
    _, codes = np.unique(values, return_inverse=True)
    codes = codes.reshape(-1)
    if codes.max(initial=0) < MOST_BINS:
        return np.asarray(codes, dtype=np.int64)
    order = np.searchsorted(np.sort(codes), codes)  # equal values share a bin
    return np.asarray(order * MOST_BINS // len(codes), dtype=np.int64)


def _depends(value: NDArray[Any], action: Int64, knew: Int64) -> bool:
    """Whether a value depends on an action, given what the mover knew."""
    if len(np.unique(value)) < 2 or len(np.unique(action)) < 2:
        return False
    pairs = np.unique(np.column_stack([action, value]), axis=0)
    if len(pairs) == len(np.unique(action)) < len(value) // 2:
        return True  # the action tells the value
    code, total, freedom = _binned(value), 0.0, 0
    for situation in np.flatnonzero(np.bincount(knew) >= LEAST_ROWS):
        rows = knew == situation
        _, first = np.unique(code[rows], return_inverse=True)
        _, second = np.unique(action[rows], return_inverse=True)
        table = np.zeros((first.max() + 1, second.max() + 1))
        np.add.at(table, (first.reshape(-1), second.reshape(-1)), 1.0)
        expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
        total += float(((table - expected) ** 2 / expected).sum())
        freedom += (table.shape[0] - 1) * (table.shape[1] - 1)
    return freedom > 0 and bool(chdtrc(freedom, total) < DEPENDENT)
