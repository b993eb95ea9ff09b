"""Twin of generalized_bargaining.hpp: the rules of the game, one episode at a time, as the paper tells them."""

from __future__ import annotations

import itertools

import numpy as np

from coffee_fast._reference.rng import Stream
from coffee_fast.typing import Float32

INITIAL_STATE = 1  # Purpose
MAX_OFFERS = 11
TERMINAL = -4

POOLS = [pool for pool in itertools.product(range(1, 6), repeat=3) if 5 <= sum(pool) <= 7]
OFFERS = [offer for offer in itertools.product(range(6), repeat=3) if sum(offer) <= 7]
ACCEPT = len(OFFERS)

Items = tuple[int, ...]
Valuations = tuple[float, ...]


class Episode:
    """Pool, valuations and first player are given; offers follow."""

    def __init__(self, pool: Items, valuations: tuple[Valuations, ...], first_player: int, discount: float) -> None:
        self.pool, self.valuations, self.first_player, self.discount = pool, valuations, first_player, discount
        self.offers: list[Items] = []
        self.has_deal = False

    @classmethod
    def draw(cls, seed: int, profile: int, rollout: int, discount: float) -> Episode:
        """Pool uniform over 31, a fair coin, valuations one and the gaps of three sorted numbers, if they sum to 5."""
        stream = Stream(seed, INITIAL_STATE, profile, rollout)
        pool = POOLS[stream.next_below(len(POOLS))]
        first_player = stream.next_below(2)
        valuations: list[tuple[float, ...]] = []
        while len(valuations) < 2:
            a, b, c = sorted(stream.next_double() for _ in range(3))
            values = (1.0 + 7.0 * a, 1.0 + 7.0 * (b - a), 1.0 + 7.0 * (c - b))
            if 5 <= sum(values) <= 10:
                valuations.append(values)
        return cls(pool, tuple(valuations), first_player, discount)

    def is_terminal(self) -> bool:
        return self.has_deal or len(self.offers) == MAX_OFFERS

    def current_player(self) -> int:
        return TERMINAL if self.is_terminal() else (self.first_player + len(self.offers)) % 2

    def legal_actions(self) -> list[int]:
        """Keep any part of the pool; accept once there is an offer."""
        if self.is_terminal():
            return []
        offers = [i for i, offer in enumerate(OFFERS) if all(o <= p for o, p in zip(offer, self.pool, strict=True))]
        return [*offers, ACCEPT] if self.offers else offers

    def apply_action(self, action: int) -> None:
        if action == ACCEPT:
            self.has_deal = True
        else:
            self.offers.append(OFFERS[action])

    def returns(self) -> list[float]:
        """A deal pays ``discount ** offers made`` times the value of what each gets."""
        if not self.has_deal:
            return [0.0, 0.0]
        kept = self.offers[-1]
        proposer = (self.first_player + len(self.offers) - 1) % 2
        shares = {proposer: kept, 1 - proposer: tuple(p - k for p, k in zip(self.pool, kept, strict=True))}
        return [self.discount ** len(self.offers) * float(np.dot(self.valuations[i], shares[i])) for i in range(2)]

    def observation(self, player: int) -> Float32:
        last = self.offers[-1] if self.offers else (0, 0, 0)
        return np.array(
            [self.has_deal, len(self.offers), *self.pool, *self.valuations[player], *last], dtype=np.float32
        )

    def information_state(self, player: int) -> Float32:
        history = np.zeros(3 * MAX_OFFERS, dtype=np.float32)
        history[: 3 * len(self.offers)] = np.ravel(self.offers)
        return np.concatenate([self.observation(player)[:8], history])

    def global_state(self) -> Float32:
        if self.is_terminal():
            return np.full(15, -1, dtype=np.float32)
        return np.concatenate([self.observation(0), [*self.valuations[1], self.current_player()]]).astype(np.float32)
