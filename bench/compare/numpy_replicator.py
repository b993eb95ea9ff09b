"""Replicator dynamics as one would write them in NumPy: the rivals of the kernel.

``two_player_loop`` does what the published research code of COffeE-PSRO does at each step: both players are moved, by
general tensor contractions and a projection that sorts, player 1 is then overwritten by player 0, and the total regret
is compared with a threshold. ``symmetric_loop`` is the least work plain NumPy can do: one player, nothing tested.
"""

from __future__ import annotations

import numpy as np


def simplex_projection(x, floor):
    """Project onto {p : p >= floor, sum p = 1} by sorting (Wang and Carreira-Perpinan 2013)."""
    size = len(x)
    places = np.arange(1, size + 1)
    descending = np.sort(x)[::-1]
    shifts = (1 - np.cumsum(descending) - (size - places) * floor) / places
    count = np.searchsorted(descending + shifts <= floor, True)
    return np.maximum(x + shifts[count - 1], floor)


def values_against(payoffs, mixtures, player):
    """The deviation payoffs of ``player``: contract every other axis, the last first."""
    others = [i for i in range(len(mixtures)) if i != player]
    values = np.transpose(payoffs, [player, *others])
    for i in reversed(others):
        values = np.dot(values, mixtures[i])
    return values


def best_of_the_others(values):
    """For each entry the largest of the others."""
    best = values.argmax()
    result = np.full(len(values), values[best])
    result[best] = np.delete(values, best).max()
    return result


def plain_increments(x, optimistic, pessimistic):
    return x * (optimistic - np.dot(x, pessimistic))


def robust_increments(x, optimistic, pessimistic):
    deviation_payoff = optimistic - np.dot(x, pessimistic)
    deviating_regret = best_of_the_others(optimistic) - pessimistic
    return x * (deviation_payoff - deviating_regret)


def two_player_loop(lower, upper, increments, *, num_steps, step_size=1e-3, floor=1e-6, regret_threshold=0.0):
    """Run on the row player's bounds ``[S, S]`` (twice the mean payoffs for plain dynamics); return the mixture."""
    lowers, uppers = [lower, lower.T], [upper, upper.T]
    is_plain = lower is upper
    mixtures = [np.full(len(lower), 1 / len(lower)) for _ in range(2)]
    for _ in range(num_steps):
        moved = []
        for player, x in enumerate(mixtures):
            optimistic = values_against(uppers[player], mixtures, player)
            pessimistic = optimistic if is_plain else values_against(lowers[player], mixtures, player)
            moved.append(simplex_projection(x + step_size * increments(x, optimistic, pessimistic), floor))
        mixtures = [moved[0], moved[0]]
        regret = 0.0
        for player, x in enumerate(mixtures):
            optimistic = values_against(uppers[player], mixtures, player)
            pessimistic = optimistic if is_plain else values_against(lowers[player], mixtures, player)
            regret += optimistic.max() - np.dot(x, pessimistic)
        if regret < regret_threshold:
            break
    return mixtures[0]


def symmetric_loop(lower, upper, increments, *, num_steps, step_size=1e-3, floor=1e-6):
    """Run one mixture against itself."""
    is_plain = lower is upper
    x = np.full(len(lower), 1 / len(lower))
    for _ in range(num_steps):
        optimistic = upper @ x
        pessimistic = optimistic if is_plain else lower @ x
        x = simplex_projection(x + step_size * increments(x, optimistic, pessimistic), floor)
    return x
