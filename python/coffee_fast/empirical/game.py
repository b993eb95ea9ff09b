"""A symmetric two-player game whose payoffs are sampled: it grows by strategies and by simulations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from coffee_fast.checks import check_count
from coffee_fast.empirical.payoff_table import PayoffTable
from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.typing import Float64, Int32, Int64

MOST = 2**15  # members or strategies: pairs of more would fill no machine's memory


class EmpiricalGame:
    """Counts, sums and sums of squares of simulated returns for each unordered pair of strategies.

    Pair ``{a, b}`` with ``a <= b`` is number ``b (b + 1) / 2 + a``: a new strategy only appends pairs. Both entries of
    the symmetric payoff matrix come from it, ``[a, b]`` from the returns of who played ``a`` and ``[b, a]`` from those
    of who played ``b``, in whichever seats; of ``{a, a}`` the two players' mean counts. What was not simulated is NaN.

    Attributes
    ----------
    counts
        ``i64[P]``: episodes of each pair.
    sums, sums_of_squares
        ``f64[P, 2, E]``: of the returns, by pair, strategy of the pair and ensemble member.
    sums_of_disagreement
        ``f64[P]``: of what the members disagreed about in an episode; zeros in a true game.

    >>> game = EmpiricalGame(num_members=1)
    >>> game.add_strategies(2)
    >>> game.record([[0, 1]], [2], [[[6.0], [2.0]]], [[[20.0], [4.0]]])
    >>> game.missing_profiles().tolist()
    [[0, 0], [1, 1]]
    >>> game.table().payoffs(0)[0].tolist()
    [[nan, 3.0], [1.0, nan]]
    """

    def __init__(self, num_members: int) -> None:
        num_members = check_count("EmpiricalGame: num_members", num_members, at_least=1, at_most=MOST)
        self.num_strategies = 0
        self.counts: Int64 = np.zeros(0, dtype=np.int64)
        self.sums: Float64 = np.zeros((0, 2, num_members))
        self.sums_of_squares: Float64 = np.zeros((0, 2, num_members))
        self.sums_of_disagreement: Float64 = np.zeros(0)

    @property
    def num_members(self) -> int:
        return int(self.sums.shape[2])

    def add_strategies(self, count: int = 1) -> None:
        """Grow the game by ``count`` strategies, numbered after the ones there are."""
        count = check_count("add_strategies: count", count, at_most=MOST)
        self.num_strategies += count
        new = _num_pairs(self.num_strategies) - len(self.counts)
        self.counts = np.concatenate([self.counts, np.zeros(new, dtype=np.int64)])
        self.sums = np.concatenate([self.sums, np.zeros((new, 2, self.num_members))])
        self.sums_of_squares = np.concatenate([self.sums_of_squares, np.zeros((new, 2, self.num_members))])
        self.sums_of_disagreement = np.concatenate([self.sums_of_disagreement, np.zeros(new)])

    def missing_profiles(self) -> Int32:
        """Return the pairs ``i32[P, 2]`` without a simulation, in order of their number."""
        missing: Int32 = self._pairs()[self.counts == 0]
        return missing

    def record(
        self,
        profiles: ArrayLike,
        counts: ArrayLike,
        sums: ArrayLike,
        sums_of_squares: ArrayLike,
        sums_of_disagreement: ArrayLike | None = None,
    ) -> None:
        """Add simulations: ``profiles [P, 2]``, ``counts [P]``, sums of returns and their squares ``[P, 2, E]``.

        Row ``p`` holds the returns of player 0 playing ``profiles[p, 0]`` and player 1 playing ``profiles[p, 1]``.
        Simulations of a pair add up, in whichever order its strategies are named.

        Raises
        ------
        InvalidArgumentError
            Arrays of other shapes, an unknown strategy, a count below one, sums that are not finite. Nothing is
            recorded then.
        """
        try:
            pairs, count = np.atleast_1d(profiles), np.asarray(counts)
            total, squares = np.asarray(sums, dtype=np.float64), np.asarray(sums_of_squares, dtype=np.float64)
            if sums_of_disagreement is None:
                sums_of_disagreement = np.zeros(len(pairs))
            disagreement = np.asarray(sums_of_disagreement, dtype=np.float64)
        except (TypeError, ValueError, OverflowError) as error:
            raise InvalidArgumentError(f"record: arguments must be arrays of numbers: {shown(str(error))}") from None
        shape = (len(pairs), 2, self.num_members)
        for name, array, expected in (
            ("profiles", pairs, shape[:2]),
            ("counts", count, shape[:1]),
            ("sums", total, shape),
            ("sums_of_squares", squares, shape),
            ("sums_of_disagreement", disagreement, shape[:1]),
        ):
            if array.shape != expected:
                raise InvalidArgumentError(f"record: {name} must have shape {list(expected)}, got {list(array.shape)}")
        for name, array in (("profiles", pairs), ("counts", count)):
            if array.dtype.kind not in "iu":
                raise InvalidArgumentError(f"record: {name} must be integers, got dtype {array.dtype}")
        if ((pairs < 0) | (pairs >= self.num_strategies)).any():
            raise InvalidArgumentError(
                f"record: strategies must lie in [0, {self.num_strategies}), got {pairs.tolist()}"
            )
        if (count < 1).any():
            raise InvalidArgumentError(f"record: counts must be at least 1, got {count.tolist()}")
        if not all(np.isfinite(array).all() for array in (total, squares, disagreement)):
            raise InvalidArgumentError("record: sums must be finite")

        index = _pair_index(pairs.min(axis=1), pairs.max(axis=1))
        is_swapped = (pairs[:, 0] > pairs[:, 1])[:, None, None]
        np.add.at(self.counts, index, count)
        np.add.at(self.sums, index, np.where(is_swapped, total[:, ::-1], total))
        np.add.at(self.sums_of_squares, index, np.where(is_swapped, squares[:, ::-1], squares))
        np.add.at(self.sums_of_disagreement, index, disagreement)

    def table(self) -> PayoffTable:
        """Return the mean returns as a symmetric table ``[E, S, S]``; NaN for what was not simulated."""
        if self.num_strategies == 0:
            raise InvalidArgumentError("table: the game has no strategies yet")
        return PayoffTable.symmetric(self._as_matrices(self._means()))

    def standard_errors(self) -> Float64:
        """Return the standard errors ``f64[E, S, S]`` of the table's payoffs; NaN for fewer than two simulations.

        For ``[a, a]`` that of each player's mean, averaged: the two players' returns come from the same episodes, so
        their mean need not be any more precise.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            count = self.counts[:, None, None].astype(np.float64)
            variance = np.maximum(self.sums_of_squares - count * self._means() ** 2, 0.0) / (count - 1.0)
            errors = np.sqrt(variance / count)
        return self._as_matrices(np.where(count > 1, errors, np.nan))

    def disagreement(self, first: int, second: int) -> float:
        """Return the mean disagreement in an episode of strategies ``first`` and ``second``; NaN if not simulated."""
        last = self.num_strategies - 1
        first, second = (check_count("disagreement: strategies", s, at_most=last) for s in (first, second))
        index = int(_pair_index(np.array(min(first, second)), np.array(max(first, second))))
        count = int(self.counts[index])
        return float(self.sums_of_disagreement[index] / count) if count else float("nan")

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return copies of the counts and sums, all that :meth:`from_arrays` needs."""
        return {
            "counts": self.counts.copy(),
            "sums": self.sums.copy(),
            "sums_of_squares": self.sums_of_squares.copy(),
            "sums_of_disagreement": self.sums_of_disagreement.copy(),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """Return the game that :meth:`to_arrays` described.

        Raises
        ------
        InvalidArgumentError
            An array is missing, of another dtype or shape, or holds what no simulation gives.
        """
        if not isinstance(arrays, Mapping):
            raise InvalidArgumentError(f"from_arrays: arrays must be a mapping of arrays by name, got {shown(arrays)}")
        try:
            counts, sums, squares = arrays["counts"], arrays["sums"], arrays["sums_of_squares"]
            disagreement = arrays["sums_of_disagreement"]
        except KeyError as error:
            raise InvalidArgumentError(f"from_arrays: the array {error} is missing") from None
        if not all(isinstance(array, np.ndarray) for array in (counts, sums, squares, disagreement)):
            raise InvalidArgumentError("from_arrays: counts must be int64, sums float64")
        if counts.dtype != np.int64 or any(array.dtype != np.float64 for array in (sums, squares, disagreement)):
            raise InvalidArgumentError("from_arrays: counts must be int64, sums float64")
        num_strategies = int((np.sqrt(8 * counts.size + 1) - 1) / 2)
        if counts.shape != (_num_pairs(num_strategies),):
            raise InvalidArgumentError(f"from_arrays: counts must have shape [S (S + 1) / 2], got {list(counts.shape)}")
        if sums.ndim != 3 or sums.shape[:2] != (counts.size, 2) or sums.shape[2] < 1 or squares.shape != sums.shape:
            raise InvalidArgumentError(
                f"from_arrays: sums and sums_of_squares must have shape [{counts.size}, 2, E], "
                f"got {list(sums.shape)} and {list(squares.shape)}"
            )
        if disagreement.shape != counts.shape:
            raise InvalidArgumentError(
                f"from_arrays: sums_of_disagreement must have shape [{counts.size}], got {list(disagreement.shape)}"
            )
        if (counts < 0).any() or not all(np.isfinite(array).all() for array in (sums, squares, disagreement)):
            raise InvalidArgumentError("from_arrays: counts must not be negative, sums finite")
        game = cls(sums.shape[2])
        game.num_strategies = num_strategies
        game.counts, game.sums, game.sums_of_squares = counts.copy(), sums.copy(), squares.copy()
        game.sums_of_disagreement = disagreement.copy()
        return game

    def _pairs(self) -> Int32:
        second, first = np.tril_indices(self.num_strategies)
        return np.stack([first, second], axis=1).astype(np.int32)

    def _means(self) -> Float64:
        with np.errstate(invalid="ignore"):
            means = self.sums / np.where(self.counts == 0, np.nan, self.counts)[:, None, None]
        return means

    def _as_matrices(self, values: Float64) -> Float64:
        """Spread values ``[P, 2, E]`` over ``[E, S, S]``; the diagonal takes the two players' mean."""
        first, second = self._pairs().T
        matrices = np.full((self.num_members, self.num_strategies, self.num_strategies), np.nan)
        matrices[:, first, second] = values[:, 0].T
        matrices[:, second, first] = values[:, 1].T
        diagonal = np.arange(self.num_strategies)
        matrices[:, diagonal, diagonal] = values[_pair_index(diagonal, diagonal)].mean(axis=1).T
        return matrices


def _num_pairs(num_strategies: int) -> int:
    return num_strategies * (num_strategies + 1) // 2


def _pair_index(first: Int64, second: Int64) -> Int64:
    """The number of the pair ``first <= second``."""
    return second * (second + 1) // 2 + first
