"""Random payoffs of all kinds, and what deviating brings in them, worked out plainly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

KINDS_OF_PAYOFFS = {
    "any": lambda rng, shape: rng.normal(size=shape),
    "ties": lambda rng, shape: rng.integers(-2, 3, size=shape).astype(float),
    "won or lost": lambda rng, shape: rng.integers(0, 2, size=shape).astype(float),
    "near ties": lambda rng, shape: np.round(rng.normal(size=shape)) + 1e-7 * rng.normal(size=shape),
    "unlike sizes": lambda rng, shape: rng.normal(size=shape) * 10.0 ** rng.integers(0, 8, size=shape),
    "a constant": lambda rng, shape: np.zeros(shape),
    "huge and far": lambda rng, shape: 1e100 * (1e6 + rng.normal(size=shape)),
}


def against(payoffs: np.ndarray, player: int, mixtures: Sequence[np.ndarray]) -> np.ndarray:
    """Return ``[S_i]``: payoffs averaged over the others' mixtures."""
    for other in reversed(range(payoffs.ndim)):
        if other != player:
            payoffs = np.tensordot(payoffs, mixtures[other], axes=(other, 0))
    return payoffs


def gains(payoffs: np.ndarray, player: int, mixtures: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Each strategy's payoff less that of the mixture, and the size of the payoffs that it meets."""
    values = against(payoffs, player, mixtures)
    return values - mixtures[player] @ values, against(np.abs(payoffs), player, mixtures)
