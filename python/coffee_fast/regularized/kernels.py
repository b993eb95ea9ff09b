"""The compiled solvers of stage games, with the arguments and results of their twins in ``_reference``."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from coffee_fast import _core
from coffee_fast._reference.anchored_mirror_descent import Correlated
from coffee_fast._reference.anchored_solver import METHODS, Equilibria, Method
from coffee_fast.typing import Float64, Profile


def solve_anchored(
    payoffs: Sequence[Float64],
    reference: Sequence[Float64],
    kl_weight: Float64,
    *,
    method: Method = "auto",
    tolerance: float = 1e-10,
    max_iterations: int = 500,
) -> Equilibria:
    """Return an anchored equilibrium of each game; see ``_reference.anchored_solver``."""
    found = _core.solve_anchored(
        _contiguous(payoffs),
        _contiguous(reference),
        np.ascontiguousarray(kl_weight),
        method=len(METHODS) if method == "auto" else METHODS.index(method),
        tolerance=tolerance,
        max_iterations=max_iterations,
    )
    return Equilibria(**found)


def anchored_mirror_descent(
    payoffs: Sequence[Float64],
    reference: Sequence[Float64],
    kl_weight: Float64,
    *,
    num_iterations: int,
    tolerance: float = 0.0,
    step_size: Float64 | None = None,
) -> Correlated:
    """Return the average of ``T`` rounds of each game; see ``_reference.anchored_mirror_descent``."""
    found = _core.anchored_mirror_descent(
        _contiguous(payoffs),
        _contiguous(reference),
        np.ascontiguousarray(kl_weight),
        num_iterations=num_iterations,
        tolerance=tolerance,
        step_size=None if step_size is None else np.ascontiguousarray(step_size),
    )
    return Correlated(**found)


def entropic_certainty_equivalent(values: Float64, weights: Float64, risk_aversion: float) -> Float64:
    """Return what values ``[..., S]`` are worth under weights ``[S]`` or ``[..., S]``: ``[...]``."""
    return by_rows(_core.entropic_certainty_equivalent, values, weights, risk_aversion)


def total_variation_ball(values: Float64, nominal: Float64, radius: float) -> Float64:
    """Return the least expectation of values ``[..., S]`` within a total variation distance: ``[...]``."""
    return by_rows(_core.total_variation_ball, values, nominal, radius)


def by_rows(kernel: Callable[..., Float64], values: Float64, weights: Float64, strength: float) -> Float64:
    """Apply a kernel of rows to the last axis."""
    values, weights = np.broadcast_arrays(values, weights)
    rows = [np.ascontiguousarray(x, dtype=np.float64).reshape(-1, x.shape[-1]) for x in (values, weights)]
    return np.asarray(kernel(*rows, strength).reshape(values.shape[:-1]))


def _contiguous(arrays: Sequence[Float64]) -> Profile:
    return [np.ascontiguousarray(array, dtype=np.float64) for array in arrays]
