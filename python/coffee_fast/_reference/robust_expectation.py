"""The least expectation over distributions near a nominal one: what a value is worth if the model is a little wrong.

``values`` and ``nominal`` are ``[..., S]``, and every function returns ``[...]``; ``least`` is the least of the values
over all states, those of nominal probability zero among them. The ``penalized`` forms take the distance's price
instead of its bound: the least over ``p`` of ``E_p V + weight * distance(p, nominal)``.
"""

from __future__ import annotations

import numpy as np

from coffee_fast.typing import Float64

_GOLDEN = (np.sqrt(5.0) - 1.0) / 2.0


def contamination(values: Float64, nominal: Float64, radius: float) -> Float64:
    """Return ``(1 - radius) E V + radius min V``: with this probability anything may come."""
    return np.asarray((1.0 - radius) * _mean(values, nominal) + radius * values.min(axis=-1))


def total_variation_ball(values: Float64, nominal: Float64, radius: float) -> Float64:
    """Return the least expectation within this total variation distance (half the sum of absolute differences).

    ``max over eta in the values of E min(V, eta) - radius * (eta - min V)``.
    """
    eta = values[..., :, None]
    capped = (nominal[..., None, :] * np.minimum(values[..., None, :], eta)).sum(axis=-1)
    dual = capped - radius * (values - values.min(axis=-1, keepdims=True))
    return np.asarray(dual.max(axis=-1))


def kl_ball(values: Float64, nominal: Float64, radius: float) -> Float64:
    r"""Return the least expectation within this KL divergence: ``max over b > 0 of -b log E exp(-V / b) - b radius``.

    The dual is concave in ``b``, so in ``log b`` it has one peak; it is found by golden sections.
    """
    least = _support_minimum(values, nominal)
    spread = np.maximum(values.max(axis=-1) - least, 1e-300)
    # At large b the dual is mean - var / (2 b) - b radius, with its peak below spread / sqrt(8 radius).
    low, high = np.log(spread) - 30.0, np.log(spread) - 0.5 * np.log(8.0 * max(radius, 1e-300)) + 1.0

    def dual(log_b: Float64) -> Float64:
        b = np.exp(log_b)
        return kl_penalized(values, nominal, b) - b * radius

    for _ in range(90):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        goes_left = dual(left) >= dual(right)
        low, high = np.where(goes_left, low, left), np.where(goes_left, right, high)
    peak = dual(0.5 * (low + high))
    return np.where(radius == 0.0, _mean(values, nominal), np.maximum(peak, least))  # b = 0 gives the least value


def kl_penalized(values: Float64, nominal: Float64, weight: Float64 | float) -> Float64:
    """Return ``-weight * log E exp(-V / weight)``."""
    weight = np.broadcast_to(np.asarray(weight, dtype=np.float64), values.shape[:-1])
    least = _support_minimum(values, nominal)
    above = np.where(nominal > 0, values - least[..., None], 0.0)
    total = (nominal * np.exp(-above / weight[..., None])).sum(axis=-1)
    return np.asarray(least - weight * np.log(total))


def total_variation_penalized(values: Float64, nominal: Float64, weight: float) -> Float64:
    """Return ``E min(V, min V + weight)``: no state is worth more than the worst and the price of a move there."""
    return _mean(np.minimum(values, values.min(axis=-1, keepdims=True) + weight), nominal)


def chi_squared_penalized(values: Float64, nominal: Float64, weight: float) -> Float64:
    r"""Return the least ``E_p V + weight * E_nominal (p / nominal - 1)^2``.

    ``E V - Var V / (4 weight)`` while the worst distribution has no negative probability, else the dual
    ``max over eta of eta - weight * E f((eta - V) / weight)``, ``f(y) = max(y / 2 + 1, 0)^2 - 1``: the best ``eta``
    makes ``E max(1 + (eta - V) / (2 weight), 0) = 1`` (the worst distribution sums to one), found state by state.
    """
    order = np.argsort(values, axis=-1)
    v, p = np.take_along_axis(values, order, axis=-1), np.take_along_axis(nominal, order, axis=-1)
    mass, first = np.cumsum(p, axis=-1), np.cumsum(p * v, axis=-1)
    # With the k lowest values in play: mass (1 + eta / (2 weight)) - first / (2 weight) = 1.
    reached = np.where(mass > 0, mass, 1.0)
    eta = (2.0 * weight * (1.0 - mass) + first) / reached
    in_play = (eta + 2.0 * weight)[..., :, None] >= v[..., None, :]
    ratio = np.where(in_play, 1.0 + (eta[..., :, None] - v[..., None, :]) / (2.0 * weight), 0.0)
    dual = eta - weight * (p[..., None, :] * (ratio**2 - 1.0)).sum(axis=-1)
    return np.asarray(np.where(mass > 0, dual, -np.inf).max(axis=-1))


def _mean(values: Float64, nominal: Float64) -> Float64:
    return np.asarray((nominal * values).sum(axis=-1))


def _support_minimum(values: Float64, nominal: Float64) -> Float64:
    """Return the least value of positive probability: a finite KL divergence reaches no other state."""
    return np.asarray(np.where(nominal > 0, values, np.inf).min(axis=-1))
