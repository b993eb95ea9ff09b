"""The best of the distributions ``p`` with ``A p <= 0``: by a linear function, or by entropy; each with a bound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast.errors import NumericalError
from coffee_fast.typing import Float64

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_NOTHING = 1e-11  # a probability that is zero but for rounding
_PROGRAM = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
_MAX_STEPS, _MAX_HALVINGS, _PATIENCE = 200, 40, 10
_SHARES = (0.0, 1e1, 1e2, 1e3, 1e4)  # of what proves that a profile is in no distribution: how small it makes them


@dataclass(frozen=True, eq=False)
class Optimum:
    """A distribution, an upper bound of the objective of any other, and the steps taken."""

    probabilities: Float64
    bound: float
    num_iterations: int


def largest_linear(constraints: csr_array, objective: Float64) -> Optimum:
    """Return the distribution with the largest ``objective @ p``, by linear programming."""
    size = len(objective)
    no_gain = {"A_ub": constraints, "b_ub": np.zeros(constraints.shape[0])}
    result = _program(c=-objective, **no_gain, A_eq=np.ones((1, size)), b_eq=[1.0])
    multipliers = np.maximum(-result.ineqlin.marginals, 0.0)
    bound = float((objective - constraints.T @ multipliers).max())
    return Optimum(_distribution(result.x), bound, int(result.nit))


def largest_entropy(constraints: csr_array) -> Optimum:
    r"""Return the distribution of largest entropy.

    It is :math:`p \propto e^{-A^T y}` for the multipliers :math:`y \ge 0` at which :math:`\log \sum e^{-A^T y}`, at all
    of them an upper bound of the entropy, is least. Profiles that no distribution has, and constraints that bind in
    all, would need infinite multipliers: a linear program finds them first.
    """
    is_possible, is_binding, direction, num_iterations = _facts(constraints)
    inner = constraints[:, is_possible]
    multipliers, num_steps = _least_bound(inner, is_binding)
    found = np.zeros(len(is_possible))
    found[is_possible] = _distribution(_softmax(-(inner.T @ multipliers)))
    candidates = [np.maximum(multipliers + share * direction, 0.0) for share in _SHARES]
    bound = min(_log_sum_exp(-(constraints.T @ y)) for y in candidates)
    return Optimum(found, bound, num_iterations + num_steps)


def _facts(constraints: csr_array) -> tuple[NDArray[np.bool_], NDArray[np.bool_], Float64, int]:
    """Return which profiles are possible, which constraints bind always, multipliers that prove it, and the steps.

    A sum of solutions is one, so that one has all that any has: ``p = t + q`` with as many ``t`` at one, and as much
    slack ``r`` up to one, as can be.
    """
    from scipy.sparse import csr_array, hstack

    num_rows, size = constraints.shape
    ones, zeros = np.ones(size), np.zeros(size)
    slack = csr_array((np.ones(num_rows), np.arange(num_rows), np.arange(num_rows + 1)), shape=(num_rows, num_rows))
    result = _program(
        c=np.r_[-ones, zeros, -np.ones(num_rows)],
        A_ub=hstack([constraints, constraints, slack], format="csr"),
        b_ub=np.zeros(num_rows),
        bounds=np.c_[np.zeros(2 * size + num_rows), np.r_[ones, np.inf + zeros, np.ones(num_rows)]],
    )
    is_possible, is_binding = result.x[:size] > 0.5, result.x[2 * size :] < 0.5
    return is_possible, is_binding, np.maximum(-result.ineqlin.marginals, 0.0), int(result.nit)


def _least_bound(constraints: csr_array, is_free: NDArray[np.bool_]) -> tuple[Float64, int]:
    r"""Return the multipliers, at least 0 but where ``is_free``, and the steps: Newton's on :math:`\sum e^{-A^T y}`.

    Its second-order model is a sum of squares, least over the bounds by an active-set method: no product of matrices
    loses half of the digits, and constraints that say the same may be there more than once.
    """
    from scipy.optimize import nnls

    num_rows = constraints.shape[0]
    best = multipliers = np.zeros(num_rows)
    least, waited, num_steps = np.inf, 0, 0
    while waited < _PATIENCE and num_steps < _MAX_STEPS:
        num_steps += 1
        scores = -(constraints.T @ multipliers)
        p, value = _softmax(scores), _log_sum_exp(scores)
        gradient = -(constraints @ p)
        short = np.where(is_free, gradient, multipliers - np.maximum(multipliers - gradient, 0.0))
        size = float(np.abs(short).max(initial=0.0))
        best, least, waited = (multipliers, size, 0) if size < least else (best, least, waited + 1)
        if size <= 1e-16:
            break
        roots = np.sqrt(p)
        factor = constraints.multiply(roots).toarray().T
        try:
            signed = nnls(np.c_[factor, -factor[:, is_free]], roots + factor @ multipliers)[0]
        except RuntimeError:  # too many changes of its active set
            break
        target = signed[:num_rows]
        target[is_free] -= signed[num_rows:]
        for halvings in range(_MAX_HALVINGS):
            moved = multipliers + 0.5**halvings * (target - multipliers)
            wanted = value + 1e-4 * gradient @ (moved - multipliers)
            if _log_sum_exp(-(constraints.T @ moved)) <= wanted + 1e-14 * max(1.0, abs(value)):
                break
        multipliers = moved
    return best, num_steps


def _program(**program: Any) -> Any:
    from scipy.optimize import linprog

    for options in (_PROGRAM, {}):
        result = linprog(**program, method="highs", options=options)
        if result.status == 0:
            return result
    raise NumericalError(f"CorrelatedEquilibrium: the linear program did not come to an end: {result.message}")


def _distribution(values: Float64) -> Float64:
    """Return probabilities without what is there by rounding alone."""
    kept = np.where(values > _NOTHING * values.sum(), values, 0.0)
    return np.asarray(kept / kept.sum())


def _softmax(scores: Float64) -> Float64:
    weights = np.exp(scores - scores.max())
    return np.asarray(weights / weights.sum())


def _log_sum_exp(scores: Float64) -> float:
    top = float(scores.max())
    return top + float(np.log(np.exp(scores - top).sum()))
