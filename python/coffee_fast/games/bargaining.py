"""Generalized Bargaining: the true game, one episode at a time or, through ``core``, batches of them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from coffee_fast import _core
from coffee_fast.checks import check_flag, check_number
from coffee_fast.errors import InvalidArgumentError, InvalidGameError, shown
from coffee_fast.games.spec import GameSpec
from coffee_fast.games.true_game import TrueGame
from coffee_fast.seeding import check_seed
from coffee_fast.typing import Float32, Int32

NUM_ITEM_TYPES = 3


class GeneralizedBargaining(TrueGame):
    """Two players divide a pool of items by alternating offers, each knowing only its own valuations.

    Parameters
    ----------
    discount
        Each deal pays ``discount ** offers made`` times the value of the items received; in ``(0, 1]``.
    only_feasible_offers
        Number the 96 offers that some pool allows, instead of all 108 vectors of at most 7 items with at most 5 of a
        type, 12 of which are never legal.

    Source: Nguyen and Wellman (2026), Section 5.1, Appendix B.

    >>> game = GeneralizedBargaining()
    >>> game.num_actions, game.accept_action, game.offers[0].tolist()
    (109, 108, [0, 0, 0])
    """

    def __init__(self, discount: float = 0.99, only_feasible_offers: bool = False) -> None:
        discount = check_number(
            "generalized_bargaining: discount", discount, is_open=True, at_most=1.0, error=InvalidGameError
        )
        only_feasible_offers = check_flag(
            "generalized_bargaining: only_feasible_offers", only_feasible_offers, error=InvalidGameError
        )
        self.core = _core.GeneralizedBargaining(discount, only_feasible_offers)
        self.offers: Int32 = self.core.offers()
        self.offers.flags.writeable = False
        self.discount = discount
        accept = np.full((1, NUM_ITEM_TYPES), -1)
        self.spec = GameSpec(
            name="generalized_bargaining",
            parameters={"discount": discount, "only_feasible_offers": only_feasible_offers},
            num_players=self.core.num_players,
            num_actions=self.core.num_actions,
            action_vectors=np.concatenate([self.offers, accept]).astype(np.float32),
            state_size=self.core.state_size,
            observation_size=self.core.observation_size,
            history_start=self.core.observation_size - NUM_ITEM_TYPES,
            max_episode_length=self.core.max_episode_length,
            is_symmetric=True,
            # [agreement, offers made, pool, valuations of 0, last offer, valuations of 1, player on move]
            state_swap=(*range(5), 11, 12, 13, 8, 9, 10, 5, 6, 7, 14),
            state_flip=(14,),
        )

    @property
    def num_players(self) -> int:
        return self.spec.num_players

    @property
    def num_actions(self) -> int:
        return self.spec.num_actions

    @property
    def accept_action(self) -> int:
        """The action that takes the other player's last offer: the one after all offers."""
        return self.spec.num_actions - 1

    @property
    def pools(self) -> Int32:
        """``int32 [31, 3]``: every pool there can be."""
        pools: Int32 = _core.GeneralizedBargaining.pools()
        return pools

    def new_state(
        self,
        pool: Sequence[int] | None = None,
        valuations: Sequence[Sequence[float]] | None = None,
        first_player: int | None = None,
        *,
        seed: int = 0,
    ) -> State:
        """Begin an episode; what is not given is drawn from ``seed``.

        Raises ``InvalidArgumentError`` for a pool, valuations or a first player that the rules do not allow.

        >>> state = GeneralizedBargaining().new_state(pool=(2, 2, 1), first_player=0)
        >>> state.apply_action(state.legal_actions()[0])
        >>> state.current_player()
        1
        """
        return State(self, pool, valuations, first_player, check_seed(seed))

    def __repr__(self) -> str:
        parameters = ", ".join(f"{name}={value!r}" for name, value in self.spec.parameters.items())
        return f"load_game({self.spec.name!r}, {parameters})"


class State:
    """One episode, in OpenSpiel's words. Make it with :meth:`GeneralizedBargaining.new_state`."""

    def __init__(
        self,
        game: GeneralizedBargaining,
        pool: Sequence[int] | None,
        valuations: Sequence[Sequence[float]] | None,
        first_player: int | None,
        seed: int,
    ) -> None:
        self.game = game
        self._history: list[int] = []
        self._core = game.core.new_state(
            seed,
            0,
            None if pool is None else _pool(pool),
            None if valuations is None else _valuations(valuations),
            None if first_player is None else _integer("first_player", first_player),
        )

    @property
    def pool(self) -> tuple[int, ...]:
        """Items of each type to divide."""
        return tuple(self._core.pool)

    @property
    def valuations(self) -> tuple[tuple[float, ...], ...]:
        """What an item of each type is worth to each player."""
        return tuple(tuple(values) for values in self._core.valuations)

    def current_player(self) -> int:
        """The player on move; -4, as in OpenSpiel, once the episode is over."""
        return int(self._core.current_player())

    def is_terminal(self) -> bool:
        return bool(self._core.is_terminal())

    def legal_actions(self) -> list[int]:
        """Actions of the player on move, ascending; none once the episode is over."""
        return list(self._core.legal_actions())

    def apply_action(self, action: int) -> None:
        """Play ``action``; ``InvalidArgumentError`` if it is illegal or the episode is over."""
        checked = _integer("action", action)
        self._core.apply_action(checked)
        self._history.append(checked)

    def returns(self) -> list[float]:
        """Payoff of each player; zeros until the episode ends with a deal."""
        return list(self._core.returns())

    def history(self) -> list[int]:
        """The actions played so far, of both players."""
        return list(self._history)

    def information_state(self, player: int) -> Float32:
        """``float32 [41]``: what the player knows, its observation's first 8 entries and then every offer made."""
        features: Float32 = self._core.information_state(_integer("player", player))
        return features

    def observation(self, player: int) -> Float32:
        """``float32 [11]``: agreement, offers made, pool, own valuations, last offer."""
        features: Float32 = self._core.observation(_integer("player", player))
        return features

    def global_state(self) -> Float32:
        """``float32 [15]``: observation of player 0, valuations of player 1, player on move; -1s once it is over."""
        features: Float32 = self._core.global_state()
        return features

    def action_to_string(self, action: int) -> str:
        return str(self._core.action_to_string(_integer("action", action)))

    def clone(self) -> State:
        """An independent copy."""
        copy = object.__new__(State)
        copy.game, copy._history, copy._core = self.game, list(self._history), self._core.clone()
        return copy

    def __repr__(self) -> str:
        moves = "; ".join(map(self.action_to_string, self._history))
        return f"<pool {self.pool}, valuations {self.valuations}: {moves or 'no offer yet'}>"


def _integer(name: str, value: Any) -> int:
    """The value as an integer of 32 bits, the most that any argument of an episode has; 2.0 is one."""
    try:
        if not isinstance(value, bool | str) and abs(number := int(value)) < 2**31 and number == value:
            return number
    except Exception:  # a value's own conversion may raise anything
        pass
    raise InvalidArgumentError(f"{name} must be an integer, got {shown(value)}")


def _pool(pool: Any) -> list[int]:
    try:
        numbers = [_integer("pool", count) for count in pool]
    except (TypeError, InvalidArgumentError):
        numbers = []
    if len(numbers) != NUM_ITEM_TYPES:
        raise InvalidArgumentError(f"pool must be {NUM_ITEM_TYPES} integers, got {shown(pool)}")
    return numbers


def _valuations(valuations: Any) -> list[list[float]]:
    try:
        rows = [[float(value) for value in row] for row in valuations]
    except Exception:
        rows = []
    if [len(row) for row in rows] != [NUM_ITEM_TYPES] * 2 or not all(map(np.isfinite, itertools.chain(*rows))):
        raise InvalidArgumentError(
            f"valuations must be two rows of {NUM_ITEM_TYPES} finite numbers, got {shown(valuations)}"
        )
    return rows
