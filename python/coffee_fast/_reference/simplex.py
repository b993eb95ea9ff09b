"""Twin of ``simplex.hpp``: operations on the probability simplex."""

from __future__ import annotations

import numpy as np

from coffee_fast.typing import Float64


def normalize(x: Float64) -> Float64:
    """Return ``x / sum(x)``."""
    normalized: Float64 = x / x.sum()
    return normalized


def project_to_simplex(x: Float64, min_probability: float = 0.0) -> Float64:
    """Return the point of ``{p : p >= min_probability, sum(p) = 1}`` closest to ``x``: ``max(x - shift, floor)``.

    The shift that makes the sum one is found from the sorted entries (Wang and Carreira-Perpinan 2013, Algorithm 1).
    """
    mass = 1.0 - len(x) * min_probability
    if mass <= 0.0:
        return np.full(len(x), 1.0 / len(x))
    y = x - x.max()
    descending = np.sort(y)[::-1]
    shifts = (np.cumsum(descending) - mass) / np.arange(1, len(x) + 1)
    shift = shifts[np.flatnonzero(descending > shifts)[-1]]
    projected: Float64 = min_probability + np.maximum(y - shift, 0.0)
    return projected


def entropy(p: Float64) -> float:
    """Return ``-sum p log p`` in nats, with ``0 log 0 = 0``."""
    positive = p[p > 0]
    return float(-(positive * np.log(positive)).sum())


def kl_divergence(p: Float64, q: Float64) -> float:
    """Return ``sum p log(p / q)`` in nats: infinite where ``q`` misses support of ``p``."""
    positive = p > 0
    if (q[positive] == 0).any():
        return float("inf")
    return float((p[positive] * np.log(p[positive] / q[positive])).sum())
