"""The compiled solvers of stage games, with the arguments and results of their twins in ``_reference``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coffee_fast import _core
from coffee_fast._reference.anchored import Profile
from coffee_fast._reference.anchored_mirror_descent import Correlated
from coffee_fast._reference.anchored_solver import METHODS, Equilibria, Method
from coffee_fast.typing import Float64


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


def _contiguous(arrays: Sequence[Float64]) -> Profile:
    return [np.ascontiguousarray(array, dtype=np.float64) for array in arrays]
