"""The payoffs of a normal-form game, one array a player, with an axis for the members of a model ensemble."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from coffee_fast import _core
from coffee_fast.empirical.names import Names, StrategyNames
from coffee_fast.empirical.payoff_arrays import (
    MAX_PAYOFF,
    as_payoffs,
    check_index,
    check_mixture,
    check_profile,
    is_listed,
    origin_of,
    player_arrays,
    symmetric_arrays,
)
from coffee_fast.errors import InvalidArgumentError, InvalidGameError, shown
from coffee_fast.typing import Float64

__all__ = ["MAX_PAYOFF", "PayoffLike", "PayoffTable", "as_payoff_table", "check_mixture"]


class PayoffTable:
    """Payoffs ``[E, S1, ..., Sn]`` of each of ``n`` players, by ``E`` ensemble members (1 for a plain game).

    Made by :meth:`symmetric` or :meth:`from_arrays`; never changes. An entry may be NaN or masked, which says that it
    is not known: such a table can be looked at, but anything that needs the entry refuses it. Mixtures are given as one
    array of probabilities a player, for symmetric games too. A constant on top of a player's payoffs costs no digits:
    where it is a thousand times their range or more, it is taken off before anything is computed, and put back.

    >>> table = PayoffTable.from_arrays([[[3, 0], [5, 1]], [[3, 5], [0, 1]]])  # the prisoner's dilemma
    >>> table.regret([[1.0, 0.0], [1.0, 0.0]])
    array([2., 2.])
    """

    __slots__ = ("_arrays", "_kernel", "_names", "_origins", "_symmetric")

    def __init__(self, arrays: tuple[Float64, ...], is_symmetric: bool, names: Names | None = None) -> None:
        self._arrays = arrays
        self._symmetric = is_symmetric
        self._names = names or Names()
        self._kernel: Any = None
        self._origins: tuple[float, ...] = ()

    def __reduce__(self) -> tuple[Callable[..., PayoffTable], tuple[Any, ...]]:
        """Copy and pickle the payoffs and names alone; the compiled table is made anew."""
        return _rebuilt, (self._stored, self._symmetric, self._names)

    @classmethod
    def symmetric(
        cls,
        payoffs: ArrayLike,
        *,
        strategy_names: Sequence[str] | None = None,
        player_names: Sequence[str] | None = None,
    ) -> PayoffTable:
        """Return the two-player game in which both players have the same strategies and roles.

        Parameters
        ----------
        payoffs
            ``[S, S]`` or ``[E, S, S]``: what the player of the row gets; the other gets the transpose.
        strategy_names, player_names
            What the ``S`` strategies and the two players are called, for what is printed.

        Raises
        ------
        InvalidGameError
            Payoffs of another shape, without strategies, infinite or beyond 1e280; what are no names.
        """
        arrays = symmetric_arrays(payoffs)
        of_both = None if strategy_names is None else (strategy_names, strategy_names)
        names = Names.of("PayoffTable.symmetric", player_names, of_both, arrays[0].shape[1:])
        return cls(arrays, True, names)

    @classmethod
    def from_arrays(
        cls,
        payoffs: Sequence[ArrayLike],
        *,
        strategy_names: Sequence[Sequence[str]] | None = None,
        player_names: Sequence[str] | None = None,
    ) -> PayoffTable:
        """Return the game of one payoff array a player, all of one shape.

        Parameters
        ----------
        payoffs
            ``n`` arrays, player ``i``'s at place ``i``. With ``n`` axes each they are ``[S1, ..., Sn]``; with one
            axis more the first counts ensemble members: ``[E, S1, ..., Sn]``.
        strategy_names, player_names
            What each player's strategies (one list a player) and the players are called, for what is printed.

        Raises
        ------
        InvalidGameError
            Arrays of another or of different shapes, without strategies, infinite or beyond 1e280; what are no names.
        """
        arrays = player_arrays(payoffs)
        names = Names.of("PayoffTable.from_arrays", player_names, strategy_names, arrays[0].shape[1:])
        return cls(arrays, False, names)

    @property
    def num_players(self) -> int:
        return len(self._arrays)

    @property
    def num_members(self) -> int:
        return len(self._arrays[0])

    @property
    def num_strategies(self) -> tuple[int, ...]:
        """The number of strategies of each player."""
        return self._arrays[0].shape[1:]

    @property
    def is_symmetric(self) -> bool:
        """Whether the table was made by :meth:`symmetric`, so that solvers look for one mixture for both players."""
        return self._symmetric

    @property
    def is_complete(self) -> bool:
        """Whether every payoff is known."""
        return not any(np.isnan(array).any() for array in self._stored)

    @property
    def player_names(self) -> tuple[str, ...]:
        """What the players are called; empty if they have no names."""
        return self._names.players

    @property
    def strategy_names(self) -> StrategyNames:
        """What each player's strategies are called; empty if they have no names."""
        return self._names.strategies

    def payoffs(self, player: int) -> Float64:
        """Return the payoffs ``[E, S1, ..., Sn]`` of ``player``; read-only."""
        return self._arrays[check_index("payoffs: player", player, self.num_players)]

    def of_first(self, count: int) -> PayoffTable:
        """Return the game of each player's first ``count`` strategies."""
        first = [array[(slice(None), *[slice(count)] * self.num_players)] for array in self._stored]
        names = tuple(names[:count] for names in self.strategy_names)
        return _rebuilt(first, self._symmetric, Names(self.player_names, names))

    def mean(self) -> PayoffTable:
        """Return the game of payoffs averaged over members."""
        return self._combined(np.mean)

    def payoff_bounds(self) -> tuple[PayoffTable, PayoffTable]:
        """Return the games of each payoff's least and largest value over members."""
        return self._combined(np.min), self._combined(np.max)

    def member(self, index: int) -> PayoffTable:
        """Return the game as one member sees it."""
        index = check_index("member: index", index, self.num_members)
        return self._with([array[index : index + 1] for array in self._stored])

    def expected_payoffs(self, mixtures: Sequence[ArrayLike]) -> Float64:
        """Return ``u_i(x)`` for each player, on payoffs averaged over members."""
        return self._expected_payoffs("expected_payoffs", mixtures, _core.OverMembers.mean)

    def deviation_payoffs(self, mixtures: Sequence[ArrayLike]) -> tuple[Float64, ...]:
        """Return for each player ``u_i(a, x_-i)`` for every strategy ``a``, on payoffs averaged over members.

        Cost: one pass over the payoffs of each player.
        """
        return self._deviation_payoffs("deviation_payoffs", mixtures, _core.OverMembers.mean)

    def optimistic_deviation_payoffs(self, mixtures: Sequence[ArrayLike]) -> tuple[Float64, ...]:
        """Return the deviation payoffs when each entry counts with its largest value over members."""
        return self._deviation_payoffs("optimistic_deviation_payoffs", mixtures, _core.OverMembers.upper)

    def pessimistic_deviation_payoffs(self, mixtures: Sequence[ArrayLike]) -> tuple[Float64, ...]:
        """Return the deviation payoffs when each entry counts with its least value over members."""
        return self._deviation_payoffs("pessimistic_deviation_payoffs", mixtures, _core.OverMembers.lower)

    def pessimistic_payoffs(self, mixtures: Sequence[ArrayLike]) -> Float64:
        """Return ``u_i(x)`` for each player when each entry counts with its least value over members."""
        return self._expected_payoffs("pessimistic_payoffs", mixtures, _core.OverMembers.lower)

    def optimistic_payoffs(self, mixtures: Sequence[ArrayLike]) -> Float64:
        """Return ``u_i(x)`` for each player when each entry counts with its largest value over members."""
        return self._expected_payoffs("optimistic_payoffs", mixtures, _core.OverMembers.upper)

    def regret(self, mixtures: Sequence[ArrayLike]) -> Float64:
        """Return ``max_a u_i(a, x_-i) - u_i(x)`` for each player, on payoffs averaged over members."""
        regret: Float64 = self.kernel("regret").regret(check_profile("regret", mixtures, self.num_strategies))
        return regret

    def pessimistic_regret(self, mixtures: Sequence[ArrayLike]) -> Float64:
        """Return for each player its best optimistic deviation payoff minus its pessimistic payoff.

        At least the regret in every member's game; the regret itself in a game of one member. Errors that all members
        share are in none of them: no bound of the regret in the true game. Source: what Nguyen and Wellman 2026,
        Section 4.3, call the upper bound of regret.
        """
        profile = check_profile("pessimistic_regret", mixtures, self.num_strategies)
        bound: Float64 = self.kernel("pessimistic_regret").pessimistic_regret(profile)
        return bound

    def __repr__(self) -> str:
        kind = "symmetric" if self._symmetric else "general"
        return f"PayoffTable({kind}, num_strategies={self.num_strategies}, num_members={self.num_members})"

    @property
    def _stored(self) -> tuple[Float64, ...]:
        return self._arrays[:1] if self._symmetric else self._arrays

    def _with(self, stored: Sequence[Float64]) -> PayoffTable:
        return _rebuilt(stored, self._symmetric, self._names)

    def _combined(self, combine: Any) -> PayoffTable:
        return self._with([combine(array, axis=0, keepdims=True) for array in self._stored])

    def kernel(self, caller: str) -> Any:
        """Return the compiled table, made once, for the use of ``caller``; refuses one with unknown entries."""
        if self._kernel is None:
            for player, array in enumerate(self._stored):
                if (unknown := np.argwhere(np.isnan(array))).size:
                    member, *profile = unknown[0].tolist()
                    places = [names[s] for names, s in zip(self.strategy_names, profile, strict=False)] or profile
                    raise InvalidGameError(
                        f"{caller}: the payoff of player {player} at profile ({', '.join(map(str, places)):.200}) is "
                        f"not known (NaN, member {member})"
                    )
            self._origins = tuple(origin_of(array) for array in self._arrays)
            near = [np.ascontiguousarray(a - c if c else a) for a, c in zip(self._stored, self._origins, strict=False)]
            self._kernel = _core.PayoffTable(near, self._symmetric)
        return self._kernel

    def centered_payoffs(self, player: int) -> tuple[Float64, float]:
        """Return the payoffs of ``player`` as solvers take them, and the constant that was taken off them."""
        payoffs = self.payoffs(player)
        origin = origin_of(payoffs)
        return (payoffs - origin if origin else payoffs), origin

    def _expected_payoffs(self, caller: str, mixtures: Sequence[ArrayLike], over_members: Any) -> Float64:
        payoffs: Float64 = self.kernel(caller).expected_payoffs(
            check_profile(caller, mixtures, self.num_strategies), over_members
        )
        return payoffs + self._origins

    def _deviation_payoffs(self, caller: str, mixtures: Sequence[ArrayLike], over_members: Any) -> tuple[Float64, ...]:
        kernel, profile = self.kernel(caller), check_profile(caller, mixtures, self.num_strategies)
        return tuple(
            kernel.deviation_payoffs(player, profile, over_members) + origin
            for player, origin in enumerate(self._origins)
        )


def _rebuilt(stored: Sequence[Float64], is_symmetric: bool, names: Names) -> PayoffTable:
    """Return the table of payoffs as they are stored: of a symmetric game the row player's alone."""
    return PayoffTable(symmetric_arrays(stored[0]) if is_symmetric else player_arrays(stored), is_symmetric, names)


PayoffLike = PayoffTable | ArrayLike | Sequence[ArrayLike]


def as_payoff_table(caller: str, payoffs: PayoffLike, name: str = "table") -> PayoffTable:
    """Return ``payoffs`` as a table: a table as it is, else what arrays can be only one game.

    A square matrix is the row player's payoffs in a symmetric game, as :meth:`PayoffTable.symmetric` takes it; a list
    of arrays with an axis a player, or one more, is one a player, as :meth:`PayoffTable.from_arrays` takes it.

    Raises
    ------
    InvalidArgumentError
        Anything else, and a single array of more axes, which might be either.
    """
    if isinstance(payoffs, PayoffTable):
        return payoffs
    wanted = "a PayoffTable, a square matrix (of a symmetric game) or a list of one array a player"
    if not is_listed(payoffs):
        raise InvalidArgumentError(f"{caller}: {name} must be {wanted}, got {shown(payoffs)}")
    num_axes = _num_axes(payoffs)
    if num_axes > 2 and isinstance(payoffs, list | tuple):
        return PayoffTable.from_arrays(payoffs)
    if num_axes == 2:
        matrix = as_payoffs(f"{caller}: {name}", payoffs)
        if matrix.shape[0] == matrix.shape[-1]:
            return PayoffTable.symmetric(matrix)
    raise InvalidArgumentError(
        f"{caller}: {name} must be {wanted}, got one array of {num_axes} axes; say which game it is with "
        f"PayoffTable.symmetric or PayoffTable.from_arrays, as [A, -A] for a zero-sum game"
    )


def _num_axes(values: Any) -> int:
    depth = 0
    while isinstance(values, list | tuple) and values:
        values, depth = values[0], depth + 1
    return depth + int(getattr(values, "ndim", 0))
