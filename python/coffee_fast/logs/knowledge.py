"""What the log itself tells of who knows what: whether moves show in observations, how far back states must reach.

All functions here look at the rows they are given; a part of a long log will do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast._like_rows import like_rows
from coffee_fast.logs.play import Play
from coffee_fast.typing import Float32, Float64, Int64

Bools = NDArray[np.bool_]
ALMOST_ALL = 0.99
LEAST_REPEATED = 20  # rows with a like that make a figure of the log
MOST_EVENT_ENTRIES = 4096  # of a state


def shows_moves(play: Play, views: Float64) -> bool | None:
    """Whether what players see before they act tells the last move of another; None if nobody moves after another.

    ``views [T, N, F]``, known where a player acts. Single features are asked, and all together that take few values.
    """
    rows = np.flatnonzero(play.acts)
    others = _others_last_move(play)[rows]
    rows, others = rows[others >= 0], others[others >= 0]
    if len(rows) == 0 or len(np.unique(others)) < 2:
        return None
    seat = play.seat[rows]
    seen = views[rows, seat]
    few = [entry for entry in range(seen.shape[1]) if _takes_few_values(seen[:, entry])]
    asked = [[entry] for entry in few] + ([few] if len(few) > 1 else [])
    return any(_tells(np.column_stack([seat, seen[:, entries]]), others) for entries in asked)


def shows_all_moves(play: Play, views: Float64, only_own: bool = False) -> bool:
    """Whether what players see before they act tells all moves so far (of players), or all of their own."""
    rows = np.flatnonzero(play.acts)
    seat = play.seat[rows]
    seen = views[rows, seat]
    few = [entry for entry in range(seen.shape[1]) if _takes_few_values(seen[:, entry])]
    said = _histories(play, only_own)[rows, seat]
    if len(np.unique(np.column_stack([seat, play.age[rows], said]), axis=0)) == len(
        np.unique(np.column_stack([seat, play.age[rows]]), axis=0)
    ):
        return True  # nothing to tell
    return bool(few) and _tells(np.column_stack([seat, seen[:, few]]), said)


def events_needed(play: Play, least: int, state_of: Callable[[int], Float32], rewards: Float64, has_views: bool) -> int:
    """How many of the last events a state must hold, so that like states have like futures in the log.

    ``state_of(count)`` gives the states. Of rows that come up again, almost all must lead to the
    same: who is on move, whether it ends, what it pays. Where no number does, chance may be at work: then all events
    if nothing else is known, else ``least``.
    """
    longest = int(play.age.max())
    size = max(play.event_vectors(True).shape[1], 1)
    longest = max(least, min(longest, MOST_EVENT_ENTRIES // size))
    counts: list[int] = sorted({least, *(count for count in (2, 4, 8, 16, 32) if least < count < longest), longest})
    follows = _futures(play, rewards)
    shares: list[tuple[float, int]] = []
    for count in counts:
        _, key = like_rows(np.column_stack([state_of(count), play.action[:, None]]))
        share, num_repeated = _alike(key, follows)
        if num_repeated >= LEAST_REPEATED and share >= ALMOST_ALL:
            return count
        shares.append((share, num_repeated))
    first = shares[0]
    for count, (share, num_repeated) in zip(counts[1:], shares[1:], strict=True):
        if num_repeated >= LEAST_REPEATED and 1 - share < (1 - first[0]) / 2:
            return count
    is_telling = first[1] >= LEAST_REPEATED
    return least if has_views or not is_telling else longest


def _others_last_move(play: Play) -> Int64:
    """``int64 [T]``: a number for what others did last, -1 where the last event was not theirs."""
    rows = np.arange(play.num_rows)
    found = np.full(play.num_rows, -1, dtype=np.int64)
    later = rows[play.age > 0]
    end = play.ends[play.num_ends_before[later] - 1]
    if play.moves == "turns":
        is_others = (play.seat[end] >= 0) & (play.seat[end] != play.seat[later])
        found[later[is_others]] = play.action[end[is_others]]
        return found
    N = play.num_players
    is_round = play.seat[end] >= 0
    later, end = later[is_round], end[is_round]
    code = np.zeros(len(later), dtype=np.int64)
    for seat in range(N):
        action = play.action[end - (N - 1) + seat]
        code = code * (len(play.vectors) + 1) + np.where(seat == play.seat[later], 0, action + 1)
    found[later] = np.unique(code, return_inverse=True)[1].reshape(-1) if len(code) else code
    return found


def _histories(play: Play, only_own: bool) -> Int64:
    """``int64 [T, N]``: a number for all that players did before a row, or for what each did itself."""
    rng = np.random.Generator(np.random.PCG64(0))
    A, N = len(play.vectors), play.num_players
    salt = rng.integers(1, 2**62, size=(int(np.diff(play.offsets).max()), N, A), dtype=np.int64)
    own = (play.seat[:, None] == np.arange(N)) & play.acts[:, None]
    order = np.arange(play.num_rows) - play.first
    with np.errstate(over="ignore"):
        mark = np.where(own, salt[order, np.maximum(play.seat, 0), np.minimum(play.action, A - 1)][:, None], 0)
        if not only_own:
            mark = np.repeat(mark.sum(axis=1, keepdims=True), N, axis=1)
        total = np.cumsum(mark, axis=0)
        before = total - mark
        if play.moves == "simultaneous":  # not those of the running round
            begins = np.where(play.seat > 0, np.arange(play.num_rows) - play.seat, np.arange(play.num_rows))
            before = before[begins]
        return np.asarray(before - (total - mark)[play.first])


def _futures(play: Play, rewards: Float64) -> NDArray[Any]:
    """What follows a row: who is on move next (-2: it ends) and what is paid."""
    following = np.append(play.seat[1:], -2)
    following[play.offsets[1:] - 1] = -2
    return np.column_stack([following, rewards])


def _takes_few_values(values: Float64) -> bool:
    return len(np.unique(values)) <= max(10, len(values) // 10)


def _alike(group: Int64, follows: NDArray[Any]) -> tuple[float, int]:
    """The share of rows that have a like whose likes all lead to the same, and how many have a like."""
    size = np.bincount(group)
    pairs = np.unique(np.column_stack([group, like_rows(follows.astype(np.float64))[1]]), axis=0)
    kinds = np.bincount(pairs[:, 0], minlength=len(size))
    repeated = size[group] > 1
    count = int(repeated.sum())
    return (float((kinds[group][repeated] == 1).mean()) if count else 0.0), count


def _tells(seen: NDArray[Any], said: Int64) -> bool:
    """Whether what is seen has one meaning, judged by what is seen again."""
    _, group = like_rows(seen.astype(np.float64))
    share, num_repeated = _alike(group, said[:, None])
    return num_repeated >= max(LEAST_REPEATED, len(said) // 5) and share >= ALMOST_ALL
