"""What players gain by not following a distribution over profiles, and the constraints that they gain nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast.empirical.payoff_table import PayoffTable
from coffee_fast.typing import Float64

if TYPE_CHECKING:
    from scipy.sparse import csr_array


def deviation_gains(joint: Float64, deviating: PayoffTable, following: PayoffTable, coarse: bool) -> Float64:
    """Return ``[N]``: the most that each player gains by a rule of what to play instead of what it is told; at least 0.

    Deviations are paid by one table, play by the other (both of one member); ``coarse`` for rules that do not listen.
    """
    gains = np.zeros(joint.ndim)
    for player in range(joint.ndim):
        told, other, own = _best_deviation(joint, deviating, following, player, coarse)
        gains[player] = max(0.0, float((told * (other - own)).sum()))
    return gains


def incentive_stakes(joint: Float64, table: PayoffTable, coarse: bool) -> tuple[Float64, Float64]:
    """Return how much the best deviation moves each player's payoff, up or down, and what it is rounded by: ``[N]``."""
    stakes, rounding = np.zeros(joint.ndim), np.zeros(joint.ndim)
    for player in range(joint.ndim):
        told, other, own = _best_deviation(joint, table, table, player, coarse)
        origin = table.centered_payoffs(player)[1]
        stakes[player] = (told * np.abs(other - own)).sum()
        rounding[player] = (told * (np.abs(other + origin) + np.abs(own + origin))).sum()
    return stakes, 4.0 * np.finfo(np.float64).eps * rounding


def incentive_constraints(table: PayoffTable, coarse: bool) -> csr_array:
    """Return ``[K, S1 * ... * Sn]``: a distribution ``p`` is a (coarse) correlated equilibrium where ``A p <= 0``.

    A row is what a player gains by one strategy instead of another (instead of all, coarse), with a largest entry of
    one in size.
    """
    from scipy.sparse import csr_array, vstack

    num_profiles = int(np.prod(table.num_strategies))
    profiles = np.arange(num_profiles).reshape(table.num_strategies)
    blocks = []
    for player, size in enumerate(table.num_strategies):
        payoffs = _by_player(table.centered_payoffs(player)[0][0], player)
        places = _by_player(profiles, player)
        # what is gained at each place by each of the other strategies: one row each, coarse; else one for each told
        for told in [slice(None)] if coarse else [slice(a, a + 1) for a in range(size)]:
            gains = (payoffs[:, None, :] - payoffs[told]).reshape(size, -1)
            columns = np.broadcast_to(places[told].reshape(-1), gains.shape)
            largest = np.abs(gains).max(axis=1, keepdims=True)
            gains /= np.where(largest > 0.0, largest, 1.0)
            starts = np.arange(len(gains) + 1) * gains.shape[1]
            blocks.append(csr_array((gains.ravel(), columns.ravel(), starts), shape=(len(gains), num_profiles)))
    return csr_array(vstack(blocks, format="csr"))


def _best_deviation(
    joint: Float64, deviating: PayoffTable, following: PayoffTable, player: int, coarse: bool
) -> tuple[Float64, Float64, Float64]:
    """Return ``[S_i, rest]``: probabilities of what is told, and what the best deviation and following it pay."""
    told = _by_player(joint, player)
    origin = following.centered_payoffs(player)[1]
    other, own = (_by_player(table.payoffs(player)[0] - origin, player) for table in (deviating, following))
    worth = told @ other.T  # [told, played]
    best = np.repeat(worth.sum(axis=0).argmax(), len(told)) if coarse else worth.argmax(axis=1)
    return told, other[best], own


def _by_player(values: NDArray[Any], player: int) -> NDArray[Any]:
    """Return ``[S_i, rest]``: the player's own strategies first."""
    return np.ascontiguousarray(np.moveaxis(values, player, 0)).reshape(values.shape[player], -1)
