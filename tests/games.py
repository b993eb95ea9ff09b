"""Games that contracts are tried on: unlike roles, moves at once with pay every round, three with cards, one alone."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

import coffee_fast as cf

OFFERS = np.array([2.0, 4.0, 6.0, 8.0])  # of the seller, and last: the buyer's yes and no
PRICES = np.array([1.0, 1.5, 2.0])
NUM_ROUNDS = 2
LAST_MOVE = 6  # in the corridor


# The volunteer's dilemma: whoever works pays .4, and both gain 1 if anybody does.
VOLUNTEER = """EFG 2 R "volunteer" { "one" "two" }
p "" 1 1 "" { "work" "rest" } 0
p "" 2 1 "" { "work" "rest" } 0
t "" 1 "" { 0.6 0.6 }
t "" 2 "" { 0.6 1.0 }
p "" 2 1 "" { "work" "rest" } 0
t "" 3 "" { 1.0 0.6 }
t "" 4 "" { 0.0 0.0 }
"""


class Negotiation:
    """A seller asks a price, a buyer takes it or not; after a no the seller asks once more.

    Each knows only its own cost or worth. A deal at price p pays the seller p - cost and the buyer worth - p; no deal
    pays nothing.
    """

    def reset(self, random):
        count = len(random)
        return {
            "turn": np.zeros(count, int),
            "cost": random.integers(2) * 2.0,
            "worth": 6.0 + random.integers(2) * 2.0,
            "price": np.zeros(count),
        }

    def player(self, state):
        return state["turn"] % 2

    def legal_actions(self, state):
        asks = (state["turn"] % 2 == 0)[:, None]
        return np.where(asks, [[1, 1, 1, 1, 0, 0]], [[0, 0, 0, 0, 1, 1]]).astype(bool)

    def observe(self, state):
        common = [state["turn"] / 4, state["price"] / 8]
        own = [state["cost"] / 2, (state["worth"] - 6) / 2]
        return np.stack([np.stack([*common, worth], axis=1) for worth in own], axis=1)

    def step(self, state, actions, random):
        asks = state["turn"] % 2 == 0
        price = np.where(asks, OFFERS[np.minimum(actions, 3)], state["price"])
        is_deal = ~asks & (actions == 4)
        paid = np.stack([price - state["cost"], state["worth"] - price], axis=1) * is_deal[:, None]
        after = {**state, "turn": state["turn"] + 1, "price": price}
        return after, paid, is_deal | (after["turn"] == 4)


class Prices:
    """Two firms that set prices at once, round after round, and are paid in each; demand goes up and down by chance."""

    def reset(self, random):
        return {"round": np.zeros(len(random)), "last": np.zeros((len(random), 2))}

    def legal_actions(self, state):
        return np.ones((len(state["round"]), 2, len(PRICES)), dtype=bool)

    def observe(self, state):
        own_first = np.stack([state["last"], state["last"][:, ::-1]], axis=1)
        rounds = np.repeat(state["round"][:, None, None] / NUM_ROUNDS, 2, axis=1)
        return np.concatenate([rounds, own_first], axis=2)

    def step(self, state, actions, random):
        prices = PRICES[actions]
        is_cheapest = prices == prices.min(axis=1, keepdims=True)
        sold = is_cheapest / is_cheapest.sum(axis=1, keepdims=True)
        after = {"round": state["round"] + 1, "last": prices}
        return after, sold * (prices - 0.5), after["round"] == NUM_ROUNDS


class Corridor:
    """One walker, from the middle of five cells: it earns 1 at the right end, nothing at the left one or too late."""

    def reset(self, random):
        return {"cell": np.full(len(random), 2), "moves": np.zeros(len(random), int)}

    def player(self, state):
        return np.zeros(len(state["cell"]), int)

    def legal_actions(self, state):
        return np.ones((len(state["cell"]), 2), dtype=bool)

    def observe(self, state):
        return np.column_stack([np.eye(5)[state["cell"]], state["moves"] / LAST_MOVE])[:, None]

    def step(self, state, actions, random):
        after = {"cell": state["cell"] + 2 * actions - 1, "moves": state["moves"] + 1}
        is_there = after["cell"] == 4
        return after, is_there[:, None].astype(float), is_there | (after["cell"] == 0) | (after["moves"] == LAST_MOVE)


@cache
def negotiation() -> Any:
    """Two unlike roles that move in turn."""
    spec = cf.GameSpec(
        name="negotiation",
        num_players=2,
        num_actions=6,
        action_vectors=np.eye(6),
        observation_size=3,
        history_start=3,
        state_size=6,
        max_episode_length=4,
        player_names=("seller", "buyer"),
    )
    return cf.games.from_simulator(spec, Negotiation())


@cache
def prices() -> Any:
    """Two firms that are alike, moves at once, rewards in every round."""
    spec = cf.GameSpec(
        name="prices",
        num_players=2,
        num_actions=3,
        action_vectors=np.eye(3),
        observation_size=3,
        history_start=3,
        state_size=2 * 3 + 2 * 3,
        max_episode_length=2 * NUM_ROUNDS,
        roles=(2,),
        moves="simultaneous",
        rewards="every_step",
    )
    return cf.games.from_simulator(spec, Prices())


@cache
def corridor() -> Any:
    """One player alone."""
    spec = cf.GameSpec(
        name="corridor",
        num_players=1,
        num_actions=2,
        action_vectors=np.eye(2),
        observation_size=6,
        history_start=6,
        state_size=6,
        max_episode_length=LAST_MOVE,
    )
    return cf.games.from_simulator(spec, Corridor())


@cache
def poker() -> Any:
    """Three-player Kuhn poker, cards dealt by chance; the whole tree is there."""
    return cf.load_game("openspiel:kuhn_poker(players=3)")


@cache
def bargaining() -> Any:
    """The paper's game."""
    return cf.load_game("generalized_bargaining")


GAMES = {"bargaining": bargaining, "negotiation": negotiation, "prices": prices, "poker": poker, "corridor": corridor}
