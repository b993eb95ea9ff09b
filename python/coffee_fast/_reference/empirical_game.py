"""NumPy twin of cpp/src/empirical_game.cpp: payoffs of pure profiles, one profile after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from coffee_fast.typing import Float64

Simulate = Callable[[Sequence[int], int], dict[str, Any]]
"""``(profile, key)`` to the episodes' ``returns [B, N, E]``, ``lengths [B]`` and ``disagreement [B]``."""


def profile_key(profile: Sequence[int]) -> int:
    """Return the number under which the profile's episodes are drawn: a hash of its strategies, in order."""
    key = len(profile)
    for strategy in profile:
        key = _mix64(key ^ int(strategy))
    return key


def _mix64(value: int) -> int:
    """The finalizer of SplitMix64, as in rng.hpp."""
    mask = 2**64 - 1
    value = (value + 0x9E3779B97F4A7C15) & mask
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 & mask
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB & mask
    return value ^ (value >> 31)


def estimate_payoffs(profiles: Sequence[Sequence[int]], simulate: Simulate) -> dict[str, Float64]:
    """Return sums over the episodes of each profile, as ``_core.estimate_payoffs``."""
    sums: dict[str, list[Any]] = {
        name: [] for name in ("sum", "sum_of_squares", "sum_of_lengths", "sum_of_disagreement")
    }
    for profile in profiles:
        played = simulate(profile, profile_key(profile))
        sums["sum"].append(played["returns"].sum(axis=0))
        sums["sum_of_squares"].append((played["returns"] ** 2).sum(axis=0))
        sums["sum_of_lengths"].append(played["lengths"].sum())
        sums["sum_of_disagreement"].append(played["disagreement"].sum())
    return {name: np.array(values, dtype=np.float64) for name, values in sums.items()}
