"""Standard errors of what is computed from a sampled payoff table."""

from __future__ import annotations

import numpy as np

from coffee_fast.typing import Float64


def deviation_weights(mixture: Float64, strategy: int) -> Float64:
    r"""Return the weights ``W [S, S]`` with ``sum(W * A)`` the gain of ``strategy`` over ``mixture``.

    ``W = (e_strategy - mixture) mixture^T``, so that ``sum(W * A) = (A x)_s - x^T A x`` for row payoffs ``A``.

    >>> x, A = np.array([0.5, 0.5]), np.array([[0.0, 3.0], [1.0, 0.0]])
    >>> float((deviation_weights(x, 0) * A).sum())
    0.5
    """
    direction = -mixture
    direction[strategy] += 1.0
    return np.outer(direction, mixture)


def linear_standard_error(weights: Float64, standard_errors: Float64) -> float:
    """Return a standard error of ``sum(weights * A)`` where ``A [S, S]`` are sampled payoffs of a symmetric game.

    Entries ``(a, b)`` and ``(b, a)`` come from the same episodes, as payoffs of the two players, so they are
    correlated; the correlation is taken as the worst possible, hence the figure is never too small. Other entries are
    independent.

    Parameters
    ----------
    weights, standard_errors
        f64 ``[S, S]``.
    """
    spread = np.abs(weights) * standard_errors
    pairs = np.triu(spread, 1) + np.tril(spread, -1).T
    return float(np.sqrt((pairs**2).sum() + (np.diag(spread) ** 2).sum()))
