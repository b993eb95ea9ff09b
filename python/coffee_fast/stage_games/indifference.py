"""Profiles in which no player prefers any strategy of a given support to another: equilibria made exact."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coffee_fast.typing import Float64, Profile

_MAX_STEPS = 30
_MOST_BELOW_ZERO = 1e-12  # that a probability may be by rounding


def indifferent_profile(payoffs: Profile, start: Profile, support: Profile) -> Profile | None:
    """Return the profile near ``start`` in which each player plays ``support`` and gains nothing by changing within it.

    Newton steps on the equations that say so, in the least-squares sense where they are not independent; of two players
    one step is exact. None if what they lead to is no profile of probabilities.

    Parameters
    ----------
    payoffs
        One array ``[S1, ..., Sn]`` a player; of a symmetric game that of the row player alone, with one mixture.
    start, support
        One array ``[S_i]`` a player: probabilities, and which strategies are played.
    """
    places = [np.flatnonzero(mask) for mask in support]
    owners = _owners(payoffs)
    inner = [array[np.ix_(*(places[owner] for owner in owners))] for array in payoffs]
    inner = [(array - array.min()) / (np.ptp(array) or 1.0) for array in inner]
    mixtures = [x[place] / x[place].sum() for x, place in zip(start, places, strict=True)]
    ends, last, best = np.cumsum([len(x) for x in mixtures]), np.inf, mixtures
    for _ in range(_MAX_STEPS):
        with np.errstate(over="ignore", invalid="ignore"):  # of steps that lead far away
            residual, matrix = _linearized(inner, mixtures, owners)
        size = float(np.abs(residual).max())
        if not size < last:
            break
        last, best = size, mixtures
        step = np.linalg.lstsq(matrix, -residual, rcond=1e-13)[0]
        mixtures = [x + move for x, move in zip(mixtures, np.split(step, ends)[:-1], strict=True)]
    if any((x < -_MOST_BELOW_ZERO).any() for x in best):
        return None
    found = [np.zeros(len(x)) for x in start]
    for x, place, values in zip(found, places, best, strict=True):
        x[place] = np.maximum(values, 0.0)
        x /= x.sum()
    return found


def _linearized(payoffs: Profile, mixtures: Profile, owners: Sequence[int]) -> tuple[Float64, Float64]:
    """Return the residuals of ``q_i(a) = v_i`` and ``sum_a x_i(a) = 1``, and their derivatives by ``x`` and then ``v``.

    The values ``v_i`` are what the mixtures earn.
    """
    ends, num_players = np.cumsum([0, *map(len, mixtures)]), len(mixtures)
    size = ends[-1] + num_players
    residual, matrix = np.zeros(size), np.zeros((size, size))
    for player, array in enumerate(payoffs):
        own, value = slice(ends[player], ends[player + 1]), ends[-1] + player
        for axis, owner in enumerate(owners):
            if axis != player:
                by_owner = expected_over(array, owners, mixtures, (player, axis))
                matrix[own, ends[owner] : ends[owner + 1]] += by_owner
        values = expected_over(array, owners, mixtures, (player,))
        residual[own] = values - mixtures[player] @ values
        residual[value] = mixtures[player].sum() - 1.0
        matrix[own, value], matrix[value, own] = -1.0, 1.0
    return residual, matrix


def expected_over(payoffs: Float64, owners: Sequence[int], mixtures: Profile, keep: tuple[int, ...]) -> Float64:
    """Return the payoffs expected over every axis but the one or two in ``keep``, in that order."""
    for axis in reversed(range(len(owners))):
        if axis not in keep:
            payoffs = np.tensordot(payoffs, mixtures[owners[axis]], axes=(axis, 0))
    return payoffs if list(keep) == sorted(keep) else payoffs.T


def likeliest_pure_equilibrium(payoffs: Profile, mixtures: Profile) -> Profile | None:
    """Return the pure equilibrium to which the mixtures give the highest probability, if there is one.

    Arguments as of :func:`indifferent_profile`; of a symmetric game a symmetric one.
    """
    if len(payoffs) == 1 and payoffs[0].ndim == 2:
        is_best = np.diag(payoffs[0]) == payoffs[0].max(axis=0)
    else:
        is_best = np.all([array == array.max(axis=i, keepdims=True) for i, array in enumerate(payoffs)], axis=0)
    if not is_best.any():
        return None
    likelihood = mixtures[0]
    for x in mixtures[1:]:
        likelihood = np.multiply.outer(likelihood, x)
    place = np.unravel_index(np.where(is_best, likelihood, -1.0).argmax(), is_best.shape)
    return [np.eye(len(x))[index] for x, index in zip(mixtures, place, strict=True)]


def _owners(payoffs: Profile) -> list[int]:
    """Return whose mixture each axis belongs to: both are of the one player of a symmetric game."""
    return [0] * payoffs[0].ndim if len(payoffs) == 1 else list(range(len(payoffs)))
