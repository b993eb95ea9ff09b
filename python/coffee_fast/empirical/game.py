"""A game of roles whose payoffs are sampled: it grows by strategies and by simulations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from coffee_fast.checks import check_count
from coffee_fast.empirical.game_arrays import as_samples, check_arrays
from coffee_fast.empirical.payoff_table import PayoffTable
from coffee_fast.empirical.profiles import all_profiles, check_number, new_profiles, seats_of, sort_within_roles
from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.typing import Float64, Int32, Int64

MOST = 2**15  # members or strategies: pairs of more would fill no machine's memory


class EmpiricalGame:
    """Counts, sums and sums of squares of simulated returns for each profile of strategies.

    Players of one role share strategies, so profiles that differ in nothing but who of a role sits where are one: its
    strategies are kept in ascending order within a role, and a payoff is that of who played a strategy, in whichever
    seats; where several of a role play the same one, their mean counts. A new strategy only appends profiles. What was
    not simulated is NaN.

    Attributes
    ----------
    roles
        Number of seats of each role, seats in order; ``(2,)`` is a symmetric game of two players.
    num_strategies
        Of each role.
    profiles
        ``i32[P, N]``: a strategy of its role for each seat.
    counts
        ``i64[P]``: episodes of each profile.
    sums, sums_of_squares
        ``f64[P, N, E]``: of the returns, by profile, seat of the sorted profile and ensemble member.
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

    def __init__(self, num_members: int, roles: Sequence[int] = (2,)) -> None:
        E = check_count("EmpiricalGame: num_members", num_members, at_least=1, at_most=MOST)
        if not isinstance(roles, tuple | list) or not roles:
            raise InvalidArgumentError(f"EmpiricalGame: roles must be a list of sizes, got {shown(roles)}")
        self.roles = tuple(check_count("EmpiricalGame: roles", size, at_least=1, at_most=127) for size in roles)
        self.num_strategies = (0,) * len(self.roles)
        N = sum(self.roles)
        self.profiles: Int32 = np.zeros((0, N), dtype=np.int32)
        self.counts: Int64 = np.zeros(0, dtype=np.int64)
        self.sums: Float64 = np.zeros((0, N, E))
        self.sums_of_squares: Float64 = np.zeros((0, N, E))
        self.sums_of_disagreement: Float64 = np.zeros(0)

    @property
    def num_members(self) -> int:
        return int(self.sums.shape[2])

    @property
    def num_players(self) -> int:
        return sum(self.roles)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of strategies of each player."""
        return tuple(np.repeat(self.num_strategies, self.roles).tolist())

    def add_strategies(self, count: int = 1) -> None:
        """Grow the game by ``count`` strategies of each role, numbered after the ones there are.

        Raises
        ------
        InvalidGameError
            If its table would have more than 2**24 profiles.
        """
        count = check_count("add_strategies: count", count, at_most=MOST)
        check_number("add_strategies", [size + count for size in self.sizes])
        for _ in range(count):
            for role in range(len(self.roles)):
                self._append(new_profiles(self.roles, self.num_strategies, role))
                grown = list(self.num_strategies)
                grown[role] += 1
                self.num_strategies = tuple(grown)

    def _append(self, profiles: Int32) -> None:
        P, N, E = len(profiles), self.num_players, self.num_members
        self.profiles = np.concatenate([self.profiles, profiles])
        self.counts = np.concatenate([self.counts, np.zeros(P, dtype=np.int64)])
        self.sums = np.concatenate([self.sums, np.zeros((P, N, E))])
        self.sums_of_squares = np.concatenate([self.sums_of_squares, np.zeros((P, N, E))])
        self.sums_of_disagreement = np.concatenate([self.sums_of_disagreement, np.zeros(P)])

    def missing_profiles(self) -> Int32:
        """Return the profiles ``i32[P, N]`` without a simulation, in order of their number."""
        missing: Int32 = self.profiles[self.counts == 0]
        return missing

    def record(
        self,
        profiles: ArrayLike,
        counts: ArrayLike,
        sums: ArrayLike,
        sums_of_squares: ArrayLike,
        sums_of_disagreement: ArrayLike | None = None,
    ) -> None:
        """Add simulations: ``profiles [P, N]``, ``counts [P]``, sums of returns and their squares ``[P, N, E]``.

        Row ``p`` holds the returns of the players in their seats, player ``i`` playing ``profiles[p, i]``. Simulations
        of a profile add up, in whichever order the strategies of a role are named.

        Raises
        ------
        InvalidArgumentError
            Arrays of other shapes, an unknown strategy, a count below one, sums that are not finite. Nothing is
            recorded then.
        """
        samples = as_samples(profiles, counts, sums, sums_of_squares, sums_of_disagreement)
        samples.check(self.sizes, self.num_strategies, self.num_members)
        ordered, seats = sort_within_roles(samples.profiles.astype(np.int32), self.roles)
        index = self._places(ordered)
        np.add.at(self.counts, index, samples.counts)
        np.add.at(self.sums, index, np.take_along_axis(samples.sums, seats[:, :, None], axis=1))
        np.add.at(self.sums_of_squares, index, np.take_along_axis(samples.sums_of_squares, seats[:, :, None], axis=1))
        np.add.at(self.sums_of_disagreement, index, samples.sums_of_disagreement)

    def table(self) -> PayoffTable:
        """Return the mean returns ``[E, S1, ..., SN]`` as a table, a symmetric one for ``roles`` (2,).

        NaN stands for what was not simulated.
        """
        if 0 in self.num_strategies:
            raise InvalidArgumentError("table: the game has no strategies yet")
        payoffs = self._by_player(self._means())
        return PayoffTable.symmetric(payoffs[0]) if self.roles == (2,) else PayoffTable.from_arrays(payoffs)

    def standard_errors(self) -> tuple[Float64, ...]:
        """Return the standard errors of the table's payoffs, ``f64[E, S1, ..., SN]`` a player.

        NaN for fewer than two simulations. Where several of a role play the same strategy, that of each player's mean,
        averaged: their returns come from the same episodes, so their mean need not be any more precise.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            count = self.counts[:, None, None].astype(np.float64)
            variance = np.maximum(self.sums_of_squares - count * self._means() ** 2, 0.0) / (count - 1.0)
            errors = np.sqrt(variance / count)
        return self._by_player(np.where(count > 1, errors, np.nan))

    def disagreement(self, strategies: Sequence[int]) -> float:
        """Return the mean disagreement in an episode of a profile, a strategy a player; NaN if not simulated."""
        is_list = isinstance(strategies, Sequence) and not isinstance(strategies, str)
        if not is_list or len(strategies) != self.num_players:
            raise InvalidArgumentError(
                f"disagreement: strategies must be {self.num_players} numbers, one a player, got {shown(strategies)}"
            )
        profile = [
            check_count("disagreement: strategies", strategy, at_most=size - 1)
            for strategy, size in zip(strategies, self.sizes, strict=True)
        ]
        ordered, _ = sort_within_roles(np.array([profile], dtype=np.int32), self.roles)
        return float(self.mean_disagreement()[self._places(ordered)[0]])

    def mean_disagreement(self) -> Float64:
        """Return the mean disagreement in an episode of each of :attr:`profiles`, ``f64[P]``; NaN if not simulated."""
        with np.errstate(invalid="ignore"):
            return self.sums_of_disagreement / np.where(self.counts == 0, np.nan, self.counts)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return copies of the counts and sums, all that :meth:`from_arrays` needs."""
        arrays: dict[str, np.ndarray] = {
            "counts": self.counts.copy(),
            "sums": self.sums.copy(),
            "sums_of_squares": self.sums_of_squares.copy(),
            "sums_of_disagreement": self.sums_of_disagreement.copy(),
        }
        if self.roles != (2,):  # those of two players alike are as they were before there were roles
            arrays |= {"roles": np.array(self.roles), "num_strategies": np.array(self.num_strategies)}
            arrays["profiles"] = self.profiles.copy()
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """Return the game that :meth:`to_arrays` described.

        Raises
        ------
        InvalidArgumentError
            An array is missing, of another dtype or shape, or holds what no simulation gives.
        """
        shape = check_arrays(arrays)
        game = cls(shape.num_members, shape.roles)
        for _ in range(max(shape.num_strategies, default=0)):
            game.add_strategies()
        if game.num_strategies != shape.num_strategies or len(game.counts) != len(arrays["counts"]):
            raise InvalidArgumentError("from_arrays: profiles must be those of as many strategies of each role")
        if shape.profiles is not None and not np.array_equal(game.profiles, shape.profiles):
            raise InvalidArgumentError("from_arrays: profiles must be those of as many strategies of each role")
        game.counts, game.sums = arrays["counts"].copy(), arrays["sums"].copy()
        game.sums_of_squares = arrays["sums_of_squares"].copy()
        game.sums_of_disagreement = arrays["sums_of_disagreement"].copy()
        return game

    def _places(self, ordered: Int32) -> Int64:
        """The numbers of sorted profiles."""
        keys = np.ravel_multi_index(tuple(self.profiles.T), self.sizes)
        order = np.argsort(keys)
        places: Int64 = order[np.searchsorted(keys, np.ravel_multi_index(tuple(ordered.T), self.sizes), sorter=order)]
        return places

    def _means(self) -> Float64:
        with np.errstate(invalid="ignore"):
            means: Float64 = self.sums / np.where(self.counts == 0, np.nan, self.counts)[:, None, None]
        return means

    def _by_player(self, values: Float64) -> tuple[Float64, ...]:
        """Spread values ``[P, N, E]`` over ``[E, S1, ..., SN]`` of each player."""
        for seats in seats_of(self.roles):
            own = self.profiles[:, seats]
            is_alike = (own[:, :, None] == own[:, None, :]).astype(np.float64)
            mean = is_alike @ values[:, seats] / is_alike.sum(axis=2, keepdims=True)
            values = np.concatenate([values[:, : seats.start], mean, values[:, seats.stop :]], axis=1)
        ordered, seats_from = sort_within_roles(all_profiles(self.sizes), self.roles)
        places, seated = self._places(ordered), np.argsort(seats_from, axis=1)
        return tuple(
            np.ascontiguousarray(values[places, seated[:, player]].T).reshape(self.num_members, *self.sizes)
            for player in range(self.num_players)
        )
