"""Generalized Bargaining and our policies in OpenSpiel's terms; importing this module registers the game there.

>>> import pyspiel
>>> from coffee_fast.games import openspiel
>>> game = pyspiel.load_game("python_generalized_bargaining", {"pool": "1 1 1", "max_offers": 3, "num_valuations": 2})
>>> game.num_distinct_actions(), game.information_state_tensor_size(), game.max_chance_outcomes()
(109, 41, 8)

It needs OpenSpiel: ``pip install 'coffee-fast[openspiel]'``.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from coffee_fast.checks import check_count, check_text
from coffee_fast.errors import InvalidGameError, shown
from coffee_fast.games.bargaining import NUM_ITEM_TYPES, GeneralizedBargaining
from coffee_fast.typing import Float32

try:
    import pyspiel

    from coffee_fast.games.openspiel_policies import to_openspiel_policy
except ImportError as error:
    raise ImportError("coffee_fast.games.openspiel needs OpenSpiel: pip install 'coffee-fast[openspiel]'") from error

__all__ = ["BargainingGame", "BargainingState", "to_openspiel_policy"]

MAX_OFFERS = 11
NUM_SAMPLED_DEALS = 2**20  # OpenSpiel makes masks of so many entries now and then
MAX_VALUATIONS = 1024  # their pairs are chance outcomes, all listed
LARGEST_VALUATION = 8.0  # an item of one type, where one of each other type is worth 1
NAME = "python_generalized_bargaining"
PARAMETERS = {
    "discount": 0.99,
    "only_feasible_offers": False,
    "max_offers": MAX_OFFERS,
    "pool": "",
    "num_valuations": 0,
    "seed": 0,
}

Items = tuple[int, ...]


def _game_type(chance_mode: Any) -> Any:
    return pyspiel.GameType(
        short_name=NAME,
        long_name="Generalized Bargaining",
        dynamics=pyspiel.GameType.Dynamics.SEQUENTIAL,
        chance_mode=chance_mode,
        information=pyspiel.GameType.Information.IMPERFECT_INFORMATION,
        utility=pyspiel.GameType.Utility.GENERAL_SUM,
        reward_model=pyspiel.GameType.RewardModel.TERMINAL,
        max_num_players=2,
        min_num_players=2,
        provides_information_state_string=True,
        provides_information_state_tensor=True,
        provides_observation_string=True,
        provides_observation_tensor=True,
        parameter_specification=PARAMETERS,
    )


SAMPLED = _game_type(pyspiel.GameType.ChanceMode.SAMPLED_STOCHASTIC)
EXPLICIT = _game_type(pyspiel.GameType.ChanceMode.EXPLICIT_STOCHASTIC)


class Deal(NamedTuple):
    """What chance decides: the pool, each player's valuations, who moves first."""

    pool: Items
    valuations: tuple[tuple[float, ...], ...]
    first_player: int


class BargainingGame(pyspiel.Game):  # type: ignore[misc]
    """The game of :class:`GeneralizedBargaining`, with its actions and its vectors of features.

    Parameters of ``pyspiel.load_game("python_generalized_bargaining", {...})``:

    - ``discount``, ``only_feasible_offers``: as there.
    - ``max_offers``: offers after which there is no deal, 1 to 11. Vectors have room for 11 whatever it is.
    - ``pool``: empty to draw it, or the one pool there is, such as ``"1 1 1"``; it need not be one of the 31.
    - ``num_valuations``: 0 for the game as it is, with real-valued valuations and sampled chance: the ``k``-th deal is
      that of episode ``k`` of ``coffee_fast.simulate`` with the same seed, up to ``2**20``. Otherwise players draw
      their valuations independently and uniformly from the same so many, and chance is explicit: with one pool and
      few offers the game is small enough for OpenSpiel's exact algorithms. OpenSpiel serializes only games of
      explicit chance.
    - ``seed``: of the deals or valuations.

    Raises ``InvalidGameError`` for impossible values.
    """

    def __init__(self, params: Mapping[str, Any] | None = None) -> None:
        values: dict[str, Any] = PARAMETERS | dict(params or {})
        self.rules = GeneralizedBargaining(values["discount"], values["only_feasible_offers"])
        self.max_offers = _count("max_offers", values["max_offers"], at_least=1, at_most=MAX_OFFERS)
        self.seed = _count("seed", values["seed"])
        num_valuations = _count("num_valuations", values["num_valuations"], at_most=MAX_VALUATIONS)
        self.offers: list[Items] = [tuple(offer) for offer in self.rules.offers.tolist()]
        self.pool = self._parse(values["pool"]) if values["pool"] else None
        pools = [tuple(pool) for pool in self.rules.pools.tolist()] if self.pool is None else [self.pool]
        self.legal_offers = {pool: self._parts(pool) for pool in pools}
        self.deals = self._explicit_deals(pools, num_valuations)
        self.num_sampled_deals = 0
        best = max(LARGEST_VALUATION * max(pool) + sum(pool) - max(pool) for pool in pools)
        info = pyspiel.GameInfo(
            num_distinct_actions=self.rules.num_actions,
            max_chance_outcomes=len(self.deals) or NUM_SAMPLED_DEALS,
            num_players=2,
            min_utility=0.0,
            max_utility=self.rules.discount * best,
            max_game_length=self.max_offers,
        )
        super().__init__(EXPLICIT if self.deals else SAMPLED, info, values)

    def _parse(self, text: Any) -> Items:
        try:
            pool = tuple(int(count) for count in check_text(f"{NAME}: pool", text, error=InvalidGameError).split())
        except InvalidGameError:
            raise
        except ValueError:
            pool = ()
        offers = set(self.offers)
        if len(pool) != NUM_ITEM_TYPES or not all(part in offers for part in _parts_of(pool)) or not any(pool):
            raise _impossible("pool", "be 3 counts whose every part has an action, such as '1 1 1'", text)
        return pool

    def _parts(self, pool: Items) -> list[int]:
        return [a for a, offer in enumerate(self.offers) if all(o <= p for o, p in zip(offer, pool, strict=True))]

    def _explicit_deals(self, pools: Sequence[Items], num_valuations: int) -> list[Deal]:
        draws = [tuple(self.rules.core.new_state(self.seed, k).valuations[0]) for k in range(num_valuations)]
        parts = itertools.product(pools, itertools.product(draws, draws), (0, 1))
        return list(itertools.starmap(Deal, parts))

    def deal(self, outcome: int) -> Deal:
        """Return the deal of a chance outcome."""
        if self.deals:
            return self.deals[outcome]
        drawn = self.rules.core.new_state(self.seed, outcome)
        values = tuple(tuple(row) for row in drawn.valuations)
        return Deal(self.pool or tuple(drawn.pool), values, drawn.first_player)

    def new_initial_state(self) -> BargainingState:
        return BargainingState(self)

    def make_py_observer(self, iig_obs_type: Any = None, params: Any = None) -> Observer:
        return Observer(iig_obs_type or pyspiel.IIGObservationType(perfect_recall=False), params)


class BargainingState(pyspiel.State):  # type: ignore[misc]
    """One episode: a deal by chance, then offers in turn until one is accepted or they run out."""

    def __init__(self, game: BargainingGame) -> None:
        super().__init__(game)
        self.deal: Deal | None = None
        self.offers: list[Items] = []
        self.has_deal = False
        self._sampled: int | None = None  # kept, so that asking for chance outcomes twice gives the same

    def current_player(self) -> int:
        if self.deal is None:
            return int(pyspiel.PlayerId.CHANCE)
        if self.is_terminal():
            return int(pyspiel.PlayerId.TERMINAL)
        return (self.deal.first_player + len(self.offers)) % 2

    def is_terminal(self) -> bool:
        return self.has_deal or len(self.offers) == self.get_game().max_offers

    def chance_outcomes(self) -> list[tuple[int, float]]:
        game = self.get_game()
        if game.deals:
            return [(outcome, 1.0 / len(game.deals)) for outcome in range(len(game.deals))]
        if self._sampled is None:
            self._sampled = game.num_sampled_deals % NUM_SAMPLED_DEALS
            game.num_sampled_deals += 1
        return [(self._sampled, 1.0)]

    def _legal_actions(self, player: int) -> list[int]:
        game = self.get_game()
        offers: list[int] = game.legal_offers[self.deal.pool]  # type: ignore[union-attr]
        return [*offers, game.rules.accept_action] if self.offers else offers

    def _apply_action(self, action: int) -> None:
        game = self.get_game()
        if self.deal is None:
            self.deal = game.deal(action)
        elif action == game.rules.accept_action:
            self.has_deal = True
        else:
            self.offers.append(game.offers[action])

    def _action_to_string(self, player: int, action: int) -> str:
        if player == pyspiel.PlayerId.CHANCE:
            return f"deal {action}"
        game = self.get_game()
        return "accept" if action == game.rules.accept_action else f"keep {_text(game.offers[action])}"

    def returns(self) -> list[float]:
        if self.deal is None or not self.has_deal:
            return [0.0, 0.0]
        kept = self.offers[-1]
        left = tuple(p - k for p, k in zip(self.deal.pool, kept, strict=True))
        proposer = (self.deal.first_player + len(self.offers) - 1) % 2
        shares = (kept, left) if proposer == 0 else (left, kept)
        factor = self.get_game().rules.discount ** len(self.offers)
        return [factor * float(np.dot(*pair)) for pair in zip(self.deal.valuations, shares, strict=True)]

    def __str__(self) -> str:
        if self.deal is None:
            return "no pool yet"
        pool, valuations, first_player = self.deal
        moves = "; ".join([*map(_text, self.offers), *["accepted"] * self.has_deal])
        return f"pool {_text(pool)}, valuations {valuations}, player {first_player} first: {moves}"


class Observer:
    """A player's information state, float32 ``[41]``, or observation, float32 ``[11]``."""

    def __init__(self, iig_obs_type: Any, params: Any) -> None:
        if params:
            raise ValueError(f"there are no parameters of observations, got {params}")
        self._has_history = iig_obs_type.perfect_recall
        self._shows_public = iig_obs_type.public_info
        self._shows_own = iig_obs_type.private_info == pyspiel.PrivateInfoType.SINGLE_PLAYER
        size = 8 + NUM_ITEM_TYPES * (MAX_OFFERS if self._has_history else 1)
        self.tensor: Float32 = np.zeros(size, np.float32)
        self.dict = {"information_state" if self._has_history else "observation": self.tensor}

    def set_from(self, state: BargainingState, player: int) -> None:
        self.tensor.fill(0.0)
        if state.deal is None:
            return
        if self._shows_own:
            self.tensor[5:8] = state.deal.valuations[player]
        if self._shows_public:
            self.tensor[:5] = (state.has_deal, len(state.offers), *state.deal.pool)
            shown = state.offers if self._has_history else state.offers[-1:]
            self.tensor[8 : 8 + NUM_ITEM_TYPES * len(shown)] = list(itertools.chain(*shown))

    def string_from(self, state: BargainingState, player: int) -> str:
        if state.deal is None:
            return "no pool yet"
        own = f"player {player} {state.deal.valuations[player]}" if self._shows_own else "anyone"
        if not self._shows_public:
            return own
        shown = [*map(_text, state.offers if self._has_history else state.offers[-1:])]
        moves = "; ".join([*shown, *["accepted"] * state.has_deal])
        return f"{own}, pool {_text(state.deal.pool)}, offers {len(state.offers)}: {moves}"


def _count(name: str, value: Any, **bounds: int) -> int:
    return check_count(f"{NAME}: {name}", value, error=InvalidGameError, **bounds)


def _parts_of(pool: Items) -> list[Items]:
    return list(itertools.product(*(range(count + 1) for count in pool)))


def _impossible(name: str, expected: str, got: object) -> InvalidGameError:
    return InvalidGameError(f"{NAME}: {name} must {expected}, got {shown(got)}")


def _text(items: Items) -> str:
    return " ".join(map(str, items))


pyspiel.register_game(SAMPLED, BargainingGame)
