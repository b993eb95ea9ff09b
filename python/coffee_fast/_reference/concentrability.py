"""How far a data distribution covers a reference, many games at once.

See :mod:`coffee_fast._reference.anchored` for the layout of the games.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coffee_fast._reference.anchored import LOG_ZERO
from coffee_fast.typing import Float64


@dataclass(frozen=True, eq=False)
class Concentrability:
    """How far a data distribution covers a reference: ``joint [G]`` and ``unilateral [G, N]``, inf where it does not.

    ``joint`` is the largest ``prod_i ref_i(a_i) / mu(a)``; ``unilateral`` of player ``i`` is the largest
    ``ref_-i(a_-i) / mu(a)``: of profiles in which only ``i`` leaves the reference.
    """

    joint: Float64
    unilateral: Float64


def concentrability(reference: Sequence[Float64], frequencies: Float64) -> Concentrability:
    """Return the concentrability of log-references ``[G, A_i]`` by the data's frequencies ``[G, A1, ..., An]``.

    Profiles in which an action is not available do not count, nor do those whose reference probability is zero.
    """
    num_players, axes = len(reference), tuple(range(1, frequencies.ndim))
    logs = [x.reshape(len(x), *(-1 if j == i else 1 for j in range(num_players))) for i, x in enumerate(reference)]
    available = np.ones(frequencies.shape, dtype=bool)
    for log in logs:
        available &= log > LOG_ZERO / 2

    def largest(players: Sequence[int]) -> Float64:
        weight = np.ones(frequencies.shape)
        for player in players:
            weight = weight * np.exp(logs[player])
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            ratio = np.where(available & (weight > 0.0), weight / frequencies, 0.0)
        return np.asarray(ratio.max(axis=axes))

    others = [[j for j in range(num_players) if j != i] for i in range(num_players)]
    return Concentrability(largest(range(num_players)), np.stack([largest(o) for o in others], axis=1))
