"""Steps of play as rows of a dataset, one a move, and what can be told of each row by the moves alone."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast.logs.rows import Steps
from coffee_fast.typing import Float32, Float64, Int64

Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Play:
    """Rows of moves: ``step``, ``seat`` (-1 of chance), ``action`` (or outcome) and ``acts`` are ``[T]``.

    ``vectors [A, V]`` and ``outcomes [C, W]`` are what moves look like.
    """

    steps: Steps
    moves: str
    num_players: int
    step: Int64
    seat: Int64
    action: Int64
    acts: Bools
    offsets: Int64
    vectors: Float32
    outcomes: Float32
    tells_seat: bool

    @classmethod
    def of(cls, steps: Steps, moves: str, vectors: Float32, outcomes: Float32, tells_seat: bool) -> Play:
        """Lay out the steps; a seat that does not act in a round takes the last action, which says so."""
        N, is_chance = steps.num_players, steps.outcome >= 0
        if moves == "turns":
            step = np.arange(len(is_chance))
            seat = np.where(is_chance, -1, steps.action.argmax(axis=1))
        else:
            count = np.where(is_chance, 1, N)
            step = np.repeat(np.arange(len(is_chance)), count)
            seat = np.arange(len(step)) - np.repeat(np.cumsum(count) - count, count)
            seat = np.where(is_chance[step], -1, seat)
        action = np.where(seat < 0, steps.outcome[step], steps.action[step, np.maximum(seat, 0)])
        acts = (action >= 0) & (seat >= 0)
        action = np.where(action < 0, len(vectors) - 1, action)
        begins = np.flatnonzero(np.diff(steps.episode[step], prepend=-1))
        offsets = np.append(begins, len(step)).astype(np.int64)
        return cls(steps, moves, N, step, seat, action, acts, offsets, vectors, outcomes, tells_seat)

    def head(self, num_rows: int) -> Play:
        """The first episodes, of so many rows or few more."""
        count = max(1, int(np.searchsorted(self.offsets, num_rows, side="right")) - 1)
        rows = slice(0, int(self.offsets[count]))
        parts = {name: getattr(self, name)[rows] for name in ("step", "seat", "action", "acts")}
        return dataclasses.replace(self, offsets=self.offsets[: count + 1], **parts)

    @property
    def num_rows(self) -> int:
        return len(self.step)

    @cached_property
    def episode(self) -> Int64:
        """``int64 [T]``: the episode of each row."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))

    @cached_property
    def first(self) -> Int64:
        """``int64 [T]``: the first row of each row's episode."""
        return self.offsets[self.episode]

    @cached_property
    def ends(self) -> Int64:
        """Rows after which something is to be seen: each move, of moves at once the last of a round."""
        if self.moves == "turns":
            return np.arange(self.num_rows)
        return np.flatnonzero((self.seat < 0) | (self.seat == self.num_players - 1))

    @cached_property
    def num_ends_before(self) -> Int64:
        """``int64 [T]``: how many rows of ``ends``, of any episode, lie before a row."""
        is_end = np.zeros(self.num_rows, dtype=np.int64)
        is_end[self.ends] = 1
        return np.asarray(np.cumsum(is_end) - is_end, dtype=np.int64)

    @cached_property
    def age(self) -> Int64:
        """``int64 [T]``: how many events lie before a row in its episode."""
        return np.asarray(self.num_ends_before - self.num_ends_before[self.first], dtype=np.int64)

    def event_vectors(self, with_chance: bool) -> Float32:
        """``float32 [events, E]``: what was done in each of ``ends``: who acted if that is not clear, and how."""
        N, V = self.num_players, self.vectors.shape[1]
        is_player = self.seat[self.ends] >= 0
        own = self.ends[is_player]
        parts: list[NDArray[Any]] = []
        if self.moves == "simultaneous":
            done = np.zeros((len(self.ends), N * V), dtype=np.float32)
            rows = own[:, None] - (N - 1) + np.arange(N)
            done[is_player] = self.vectors[self.action[rows]].reshape(len(own), N * V)
        else:
            if self.tells_seat:
                who = np.zeros((len(self.ends), N), dtype=np.float32)
                who[is_player, self.seat[own]] = 1.0
                parts.append(who)
            done = np.zeros((len(self.ends), V), dtype=np.float32)
            done[is_player] = self.vectors[self.action[own]]
        parts.append(done)
        if with_chance:
            by_chance = np.zeros((len(self.ends), self.outcomes.shape[1]), dtype=np.float32)
            by_chance[~is_player] = self.outcomes[self.action[self.ends[~is_player]]]
            parts.append(by_chance)
        return np.concatenate(parts, axis=1)

    def events(self, count: int, with_chance: bool) -> Float32:
        """``float32 [T, count * E]``: the last events before a row, the latest one first; zeros before the first."""
        vectors = self.event_vectors(with_chance)
        E = vectors.shape[1]
        found = np.zeros((self.num_rows, count, E), dtype=np.float32)
        for back in range(1, count + 1):
            rows = np.flatnonzero(self.age >= back)
            found[rows, back - 1] = vectors[self.num_ends_before[rows] - back]
        return found.reshape(self.num_rows, count * E)

    @cached_property
    def num_moves_before(self) -> Int64:
        """``int64 [T]``: how many moves of players (rounds, of moves at once) lie before a row in its episode."""
        is_move = np.zeros(self.num_rows, dtype=np.int64)
        is_move[self.ends] = self.seat[self.ends] >= 0
        before = np.cumsum(is_move) - is_move
        return np.asarray(before - before[self.first], dtype=np.int64)

    @cached_property
    def num_own_moves(self) -> Int64:
        """``int64 [T, N]``: how many moves of its own each player made before a row, rounds not acted in left out."""
        own = (self.seat[:, None] == np.arange(self.num_players)) & self.acts[:, None]
        before = np.cumsum(own, axis=0) - own
        return np.asarray(before - before[self.first], dtype=np.int64)

    def own_moves(self, count: int) -> Float32:
        """``float32 [T, N, count * V]``: the moves of its own that each player made, the first one first."""
        V = self.vectors.shape[1]
        found = np.zeros((self.num_rows, self.num_players, count, V), dtype=np.float32)
        for seat in range(self.num_players):
            rows = np.flatnonzero((self.seat == seat) & self.acts)
            number = self.num_own_moves[rows, seat]
            for move in range(count):
                row_of = np.full(len(self.offsets) - 1, self.num_rows, dtype=np.int64)
                made = rows[number == move]
                row_of[self.episode[made]] = made
                later = np.flatnonzero(np.arange(self.num_rows) > row_of[self.episode])
                if self.moves == "simultaneous":  # hidden until the round is over
                    later = later[self.step[later] > self.step[row_of[self.episode[later]]]]
                found[later, seat, move] = self.vectors[self.action[row_of[self.episode[later]]]]
        return found.reshape(self.num_rows, self.num_players, count * V)


def latest_known(play: Play, found: Float64, is_fixed: Bools) -> Float64:
    """Fill what is not known in a row by what was known last in the episode, else by zero.

    ``found [T, N, F]``. Features that never change within an episode (``is_fixed [F]``) are known from its beginning
    on, or from the last move of chance before they are first seen.
    """
    T = len(found)
    rows = np.arange(T)
    flat = found.reshape(T, -1)
    known = ~np.isnan(flat)
    if known.all():
        return found
    filled = np.zeros_like(flat)
    by_chance = play.seat < 0
    deals: Int64 = np.cumsum(by_chance) - by_chance
    fixed = np.tile(is_fixed, found.shape[1])
    for entry in range(flat.shape[1]):
        latest = np.maximum.accumulate(np.where(known[:, entry], rows, -1))
        there = latest >= play.first
        filled[there, entry] = flat[latest[there], entry]
        if fixed[entry]:
            coming = np.minimum.accumulate(np.where(known[:, entry], rows, T)[::-1])[::-1]
            ahead = np.flatnonzero(~there & (coming < T))
            ahead = ahead[play.episode[coming[ahead]] == play.episode[ahead]]
            ahead = ahead[deals[coming[ahead]] == deals[ahead]]
            ahead = ahead[~by_chance[ahead]]
            filled[ahead, entry] = flat[coming[ahead], entry]
    return filled.reshape(found.shape)


def fixed_features(play: Play, found: Float64) -> Bools:
    """``bool [F]``: features that never change within an episode, whoever looks."""
    T = len(found)
    fixed = np.ones(found.shape[2], dtype=bool)
    rows = np.arange(T)
    for seat in range(found.shape[1]):
        for entry in np.flatnonzero(fixed):
            values = found[:, seat, entry]
            there = rows[~np.isnan(values)]
            same = (values[there[1:]] == values[there[:-1]]) | (play.first[there[1:]] > there[:-1])
            fixed[entry] = bool(same.all())
    return fixed
