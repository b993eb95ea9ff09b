"""Which columns of a log are copies of other columns, and of which."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from coffee_fast.typing import Float32, Float64, Int64

ROUNDING = 1e-6  # of the largest number in a column; what differs by less is the same
MIN_ROWS = 20  # of a mover; fewer prove nothing that does not hold for all movers
MIN_CHANGES = 10  # from row to row, of a column; what varies less agrees with others by chance
BLOCK = 4096  # rows compared at a time

Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Copies:
    """Columns to be explained, ``targets [R, K]``, and what they may be copies of, ``candidates [R, C]``.

    Attributes
    ----------
    own
        ``[K]``: the candidate that each target was before the move; the first to be believed, since most things stay.
    order
        Other candidates, those to be believed first in front.
    mover
        ``[R]``: who made the move.
    """

    targets: Float32
    candidates: Float32
    own: Int64
    order: Int64
    mover: Int64

    def sources(self, num_movers: int) -> Int64:
        """``[M, K]``: for each mover and target the candidate that it equals in all of the mover's rows, or -1.

        What hardly varies proves nothing: then only ``own`` is believed, or what explains the rows of all movers,
        among which there is enough that varies. That is also what is believed of a mover with few rows.
        """
        stays, rows = self._stays(num_movers), np.arange(len(self.mover))
        weights = np.random.Generator(np.random.PCG64(0)).uniform(1.0, 2.0, len(rows))
        parts = (self.candidates, self.targets, np.ones((len(rows), 1), dtype=np.float32))
        sums = [self._sums(part, weights, num_movers) for part in parts]
        sums[0] = sums[0][:, self.order]
        everyone = self._first(rows, np.asarray(stays.all(axis=0)), *(part.sum(axis=0) for part in sums))
        found = np.tile(everyone, (num_movers, 1))
        for mover in range(num_movers):
            own = rows[self.mover == mover]
            if MIN_ROWS <= len(own) < len(rows):
                first = self._first(own, stays[mover], *(part[mover] for part in sums))
                found[mover] = np.where(first >= 0, first, everyone)
        return found

    def holds(self, sources: Int64) -> Bools:
        """``[M, K]``: which of these sources explain all rows here; a target without a source does."""
        held = self._stays(len(sources))
        for mover in range(len(sources)):
            asked = np.flatnonzero((sources[mover] >= 0) & (sources[mover] != self.own))
            held[mover, asked] = self._equal(np.flatnonzero(self.mover == mover), asked, sources[mover, asked])
        return np.asarray(held | (sources < 0))

    def _stays(self, num_movers: int) -> Bools:
        """``[M, K]``: whether a target is its own former self in all rows of a mover."""
        stays = np.ones((num_movers, len(self.own)), dtype=bool)
        for start in range(0, len(self.mover), BLOCK):
            block = slice(start, start + BLOCK)
            same = np.abs(self.targets[block] - self.candidates[block][:, self.own]) <= self._tolerance
            for mover in np.unique(self.mover[block]):
                stays[mover] &= same[self.mover[block] == mover].all(axis=0)
        return stays

    def _first(self, rows: Int64, stays: Bools, sums: Float64, sought: Float64, weight: Float64) -> Int64:
        """``[K]``: ``own`` where it stays, else the first candidate that equals a target in all of these rows, or -1.

        Like columns have like sums of their rows by random weights, ``sums`` and ``sought``; only candidates of like
        sums are compared.
        """
        found = np.where(stays, self.own, -1)
        columns = np.flatnonzero(~stays & (self._changes(rows) >= MIN_CHANGES))
        by_size, slack = np.argsort(sums, kind="stable"), self._tolerance[columns] * weight
        first = np.searchsorted(sums[by_size], sought[columns] - slack, side="left")
        last = np.searchsorted(sums[by_size], sought[columns] + slack, side="right")
        waiting = [np.sort(by_size[start:stop]) for start, stop in zip(first, last, strict=True)]
        turn = 0
        while len(open_ := np.flatnonzero((found[columns] < 0) & (last - first > turn))):
            tried = self.order[[waiting[place][turn] for place in open_]]
            is_equal = self._equal(rows, columns[open_], tried)
            found[columns[open_[is_equal]]] = tried[is_equal]
            turn += 1
        return found

    def _sums(self, array: Float32, weights: Float64, num_movers: int) -> Float64:
        """``[M, C]``: sums of the weighted rows of each mover."""
        total = np.zeros((num_movers, array.shape[1]))
        for start in range(0, len(array), BLOCK):
            block = slice(start, start + BLOCK)
            weighted = array[block] * weights[block, None]
            for mover in np.unique(self.mover[block]):
                total[mover] += weighted[self.mover[block] == mover].sum(axis=0)
        return total

    def _equal(self, rows: Int64, columns: Int64, candidates: Int64) -> Bools:
        """Whether each target column equals the candidate beside it."""
        equal = np.ones(len(columns), dtype=bool)
        for start in range(0, len(rows), BLOCK):
            block, left = rows[start : start + BLOCK, None], np.flatnonzero(equal)
            gap = np.abs(self.targets[block, columns[left]] - self.candidates[block, candidates[left]])
            equal[left] = (gap <= self._tolerance[columns[left]]).all(axis=0)
        return equal

    def _changes(self, rows: Int64) -> Int64:
        """``[K]``: how often targets change from row to row."""
        changes = np.zeros(len(self.own), dtype=np.int64)
        for start in range(0, len(rows), BLOCK):
            block = self.targets[rows[start : start + BLOCK + 1]]
            changes += (np.abs(np.diff(block, axis=0)) > self._tolerance).sum(axis=0)
        return changes

    @cached_property
    def _tolerance(self) -> Float32:
        size = np.maximum(self.targets.max(axis=0, initial=0.0), -self.targets.min(axis=0, initial=0.0))
        return np.asarray(ROUNDING * size, dtype=np.float32)


def few_values(column: Float32, most: int, times: int) -> Float32:
    """The values in a column, ascending, if they are at most ``most``, each met ``times`` times on average."""
    for seen in (column[:BLOCK], column):  # a look at the first rows mostly says enough
        met = np.unique(seen)
        gaps = np.diff(met) > ROUNDING * np.abs(met).max(initial=0.0)
        met = met[np.concatenate([np.ones(min(len(met), 1), dtype=bool), gaps])]
        if len(met) > most:
            return np.zeros(0, dtype=np.float32)
    return np.asarray(met if len(column) >= times * len(met) else met[:0], dtype=np.float32)


def are_among(column: Float32, values: Float32) -> Bools:
    """Whether each number is one of these values, within rounding."""
    after = np.clip(np.searchsorted(values, column), 1, max(len(values) - 1, 1))
    near = np.stack([values[np.minimum(after, len(values) - 1)], values[after - 1]])
    return np.asarray((np.abs(near - column) <= ROUNDING * np.abs(values).max(initial=0.0)).any(axis=0))
