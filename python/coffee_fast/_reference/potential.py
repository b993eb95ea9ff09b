"""The potential nearest to a game, and how far the game is from it, many games at once.

See :mod:`coffee_fast._reference.anchored` for the layout of the games.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from coffee_fast.typing import Float64


def nearest_potential(payoffs: Sequence[Float64]) -> tuple[Float64, Float64]:
    r"""Return the potential ``[G, A1, ..., An]`` nearest to a game, and how far the game is from it, ``[G]``.

    The potential :math:`\Phi` minimizes the squares of :math:`\Delta U_i - \Delta \Phi` summed over all changes of one
    player's action; the distance :math:`\alpha` is the largest of them. Its normal equations are solved by splitting
    payoffs into parts that depend on subsets ``S`` of the players: the part's coefficient is the mean of the players'
    parts, weighted by their numbers of actions. Source: Candogan, Menache, Ozdaglar and Parrilo 2011 for the split.
    """
    tables = [payoffs[0], payoffs[0].swapaxes(1, 2)] if len(payoffs) == 1 and payoffs[0].ndim == 3 else list(payoffs)
    sizes, found = tables[0].shape[1:], np.zeros(tables[0].shape)
    players = range(len(tables))
    for size in range(1, len(tables) + 1):
        for subset in itertools.combinations(players, size):
            weighted = sum((sizes[i] * tables[i] for i in subset), np.zeros(found.shape))
            found += _part(weighted, subset) / sum(sizes[i] for i in subset)
    distance = np.zeros(len(found))
    for i in players:
        spread = np.ptp(tables[i] - found, axis=i + 1)
        distance = np.maximum(distance, spread.reshape(len(found), -1).max(axis=1))
    return found, distance


def _part(values: Float64, subset: Sequence[int]) -> Float64:
    """Return what depends on exactly these players: centered over their actions, averaged over the others'."""
    for axis in range(values.ndim - 1):
        mean = values.mean(axis=axis + 1, keepdims=True)
        values = values - mean if axis in subset else np.broadcast_to(mean, values.shape)
    return values
