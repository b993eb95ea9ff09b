"""Twin of ``payoff_table.hpp``, ``profile_index.hpp`` and ``deviation.hpp``.

Payoffs are a list of one array a player, each ``[E, S1, ..., Sn]``; mixtures are a list of one ``[S_i]`` a player.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coffee_fast.typing import Float64


def symmetric_orbit(profile: Sequence[int]) -> int:
    """Return the number of the multiset of ``profile`` in colexicographic order; of a pair a <= b, ``b(b+1)/2 + a``."""
    rank = 0
    for place, strategy in enumerate(sorted(profile), start=1):
        choices = 1  # binomial(strategy + place - 1, place)
        for factor in range(place):
            choices = choices * (strategy + factor) // (factor + 1)
        rank += choices
    return rank


def deviation_payoffs(payoffs: Float64, player: int, mixtures: Sequence[Float64]) -> Float64:
    """Return ``u(a) = sum over the others' profiles of payoff(a, others) * probability(others)``; payoffs [S1..Sn]."""
    others = [axis for axis in range(len(mixtures)) if axis != player]
    for axis in reversed(others):  # the last axis first, so that the axes before it keep their numbers
        payoffs = np.tensordot(payoffs, mixtures[axis], axes=(axis, 0))
    return payoffs


def regret(payoffs: Sequence[Float64], mixtures: Sequence[Float64]) -> Float64:
    """Return for each player ``max_a u(a) - x . u`` on the mean over members."""
    deviations = [deviation_payoffs(p.mean(axis=0), i, mixtures) for i, p in enumerate(payoffs)]
    return np.array([max(u.max() - x @ u, 0.0) for u, x in zip(deviations, mixtures, strict=True)])


def pessimistic_regret(payoffs: Sequence[Float64], mixtures: Sequence[Float64]) -> Float64:
    """Return for each player ``max_a o(a) - x . q``: the optimistic deviation against the pessimistic payoff."""
    bounds = []
    for player, (p, x) in enumerate(zip(payoffs, mixtures, strict=True)):
        optimistic = deviation_payoffs(p.max(axis=0), player, mixtures)
        pessimistic = deviation_payoffs(p.min(axis=0), player, mixtures)
        bounds.append(max(optimistic.max() - x @ pessimistic, 0.0))
    return np.array(bounds)
