"""The compiled kernels of stage games, with the arguments and results of their twins in ``_reference``.

Nothing else in production asks the twins: what describes results and choices passes through here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coffee_fast import _core
from coffee_fast._reference.action_risk import ActionRiskEquilibria
from coffee_fast._reference.anchored import LOG_ZERO
from coffee_fast._reference.anchored_mirror_descent import Correlated
from coffee_fast._reference.anchored_solver import METHODS, Equilibria, Method
from coffee_fast._reference.concentrability import Concentrability
from coffee_fast._reference.risk_averse import DIVERGENCES, REGULARIZERS, Divergence, Regularizer
from coffee_fast._reference.risk_averse_solver import RiskAverseEquilibria
from coffee_fast.typing import Float64, Profile

__all__ = [
    "DIVERGENCES",
    "LOG_ZERO",
    "METHODS",
    "REGULARIZERS",
    "ActionRiskEquilibria",
    "Concentrability",
    "Correlated",
    "Divergence",
    "Equilibria",
    "Method",
    "Regularizer",
    "RiskAverseEquilibria",
    "RiskAverseFigures",
    "anchored_best_response",
    "anchored_mirror_descent",
    "by_rows",
    "concentrability",
    "contraction",
    "deviation_payoffs_of_logs",
    "entropic_certainty_equivalent",
    "is_zero_sum",
    "kl_divergence",
    "log_sum_exp",
    "nearest_potential",
    "regularized_gap",
    "risk_averse_figures",
    "solve_action_risk",
    "solve_anchored",
    "solve_risk_averse",
    "total_variation_ball",
]


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


def deviation_payoffs_of_logs(payoffs: Sequence[Float64], mixtures: Sequence[Float64]) -> Profile:
    """Return what each action is worth against the others' mixtures (logarithms), ``[G, A_i]`` a player."""
    return _core.deviation_payoffs_of_logs(_contiguous(payoffs), _contiguous(mixtures))


def regularized_gap(
    payoffs: Sequence[Float64], reference: Sequence[Float64], kl_weight: Float64, mixtures: Sequence[Float64]
) -> Float64:
    """Return ``[G, N]``: what each player could gain, less its KL penalty, by leaving its mixture."""
    arrays = _contiguous(payoffs), _contiguous(reference), np.ascontiguousarray(kl_weight), _contiguous(mixtures)
    return _core.regularized_gap(*arrays)


def contraction(payoffs: Sequence[Float64], kl_weight: Float64) -> Float64:
    """Return ``[G]``: below 1 best responses contract, so that there is one equilibrium."""
    return _core.contraction(_contiguous(payoffs), np.ascontiguousarray(kl_weight))


def is_zero_sum(payoffs: Sequence[Float64], kl_weight: Float64) -> NDArray[np.bool_]:
    """Return ``[G]``: whether two players with one KL weight have payoffs that add to a constant (to 1e-9)."""
    return _core.is_zero_sum(_contiguous(payoffs), np.ascontiguousarray(kl_weight))


def nearest_potential(payoffs: Sequence[Float64]) -> tuple[Float64, Float64]:
    """Return the nearest potential ``[G, A1, ..., An]`` and how far each game is from it, ``[G]``."""
    return _core.nearest_potential(_contiguous(payoffs))


def concentrability(reference: Sequence[Float64], frequencies: Float64) -> Concentrability:
    """Return how frequencies ``[G, A1, ..., An]`` cover log-references ``[G, A_i]``."""
    return Concentrability(*_core.concentrability(_contiguous(reference), np.ascontiguousarray(frequencies)))


def anchored_best_response(values: Float64, reference: Float64, kl_weight: Float64) -> tuple[Float64, Float64]:
    """Return best responses (logarithms) to ``values [G, A]`` near references, and what they are worth, ``[G]``."""
    return _core.anchored_best_response(*_contiguous([values, reference, kl_weight]))


def kl_divergence(mixture: Float64, other: Float64) -> Float64:
    """Return ``KL(mixture || other)`` of log-probabilities ``[G, A]``, ``[G]``."""
    return _core.log_kl_divergence(*_contiguous([mixture, other]))


def log_sum_exp(values: Float64) -> Float64:
    """Return ``log sum exp`` of rows ``[G, A]``, ``[G, 1]``."""
    return _core.log_sum_exp(*_contiguous([values]))[:, None]


def solve_risk_averse(
    payoffs: Sequence[Float64],
    risk_aversion: Float64,
    legal: Sequence[Float64],
    allowed: Float64,
    *,
    divergence: Divergence,
    regularizer: Regularizer,
    initial: Sequence[Float64] | None = None,
    max_iterations: int = 2000,
) -> RiskAverseEquilibria:
    """Return a risk-averse quantal equilibrium of each game; see ``_reference.risk_averse_solver``."""
    found = _core.solve_risk_averse(
        _contiguous(payoffs),
        np.ascontiguousarray(risk_aversion),
        _contiguous(legal),
        np.ascontiguousarray(allowed),
        divergence=DIVERGENCES.index(divergence),
        regularizer=REGULARIZERS.index(regularizer),
        initial=None if initial is None else _contiguous(initial),
        max_iterations=max_iterations,
    )
    return RiskAverseEquilibria(**found)


@dataclass(frozen=True, eq=False)
class RiskAverseFigures:
    """Of profiles in ``G`` games: worst adversaries ``[G, B]``, best responses (logs), gaps and values ``[G, N]``."""

    adversaries: Profile
    responses: Profile
    gap: Float64
    saddle_gap: Float64
    value: Float64


def risk_averse_figures(
    payoffs: Sequence[Float64],
    risk_aversion: Float64,
    legal: Sequence[Float64],
    mixtures: Sequence[Float64],
    *,
    divergence: Divergence,
    regularizer: Regularizer,
) -> RiskAverseFigures:
    """Return what mixtures (logarithms) are in games in units of temperatures; see ``_reference.risk_averse``."""
    found = _core.risk_averse_figures(
        _contiguous(payoffs),
        np.ascontiguousarray(risk_aversion),
        _contiguous(legal),
        _contiguous(mixtures),
        divergence=DIVERGENCES.index(divergence),
        regularizer=REGULARIZERS.index(regularizer),
    )
    return RiskAverseFigures(**found)


def solve_action_risk(
    payoffs: Sequence[Float64],
    temperature: Float64,
    risk_aversion: Float64,
    *,
    damping: float,
    tolerance: float,
    max_iterations: int,
) -> ActionRiskEquilibria:
    """Return quantal responses to risk per action of each game; see ``_reference.action_risk``."""
    found = _core.solve_action_risk(
        _contiguous(payoffs),
        np.ascontiguousarray(temperature),
        np.ascontiguousarray(risk_aversion),
        damping=damping,
        tolerance=tolerance,
        max_iterations=max_iterations,
    )
    return ActionRiskEquilibria(**found)


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
