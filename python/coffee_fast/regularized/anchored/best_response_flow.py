r"""Best response flow: every player moves a little of its mixture to its anchored best response, all at once.

.. math:: \frac{dx_i}{dt} = BR_i(x_{-i}) - x_i, \qquad BR_i \propto ref_i \, e^{q_i / \lambda_i}

Where it stands still is an anchored equilibrium. In zero-sum games the gaps of both together fall at least like
:math:`e^{-t}`, however small the weight, so that it settles where best responses taken whole would circle.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coffee_fast.stage_games.arguments import LARGEST_RATIO
from coffee_fast.stage_games.kernels import (
    LOG_ZERO,
    Equilibria,
    anchored_best_response,
    contraction,
    deviation_payoffs_of_logs,
    is_zero_sum,
    regularized_gap,
)
from coffee_fast.typing import Float64, Int64, Profile

_LEAST_FALL = 0.5  # of the e^-t that the flow promises, for a step of time to be taken
_GROWTH = 1.5  # of the step of time after one that was taken
_LEAST_ALLOWED = 1e-300  # of a gap, so that it can be divided by


def follow_best_responses(
    payoffs: Sequence[Float64],
    reference: Sequence[Float64],
    kl_weight: Float64,
    *,
    tolerance: float,
    max_iterations: int,
) -> Equilibria:
    """Return the best profile on the way of each game, from its reference; ``method`` counts beyond METHODS.

    A step of time is halved while the gaps together do not fall as they should, down to the length for which zero-sum
    games are stable; that length is taken whatever comes of it, as in other games gaps may rise on the way.
    """
    payoffs, logs = list(payoffs), [x.copy() for x in reference]
    num_games = len(payoffs[0])
    ranges = np.stack([np.ptp(p.reshape(num_games, -1), axis=1) for p in payoffs], axis=1)
    with np.errstate(over="ignore"):
        allowed = tolerance * np.minimum(np.where(ranges > 0.0, ranges, kl_weight), LARGEST_RATIO * kl_weight)
        shrinking = contraction(payoffs, kl_weight)
        shortest = 1.0 / (1.0 + np.minimum(shrinking, 1e300))
    allowed, step = np.maximum(allowed, _LEAST_ALLOWED), np.ones(num_games)
    gap = regularized_gap(payoffs, reference, kl_weight, logs)
    best, best_gap = [x.copy() for x in logs], gap.copy()
    num_iterations = np.zeros(num_games, dtype=np.int64)
    for _ in range(max_iterations):
        games = np.flatnonzero((best_gap > allowed).any(axis=1))
        if not len(games):
            break
        num_iterations[games] += 1
        part, anchors, weights = _rows(payoffs, games), _rows(reference, games), kl_weight[games]
        moved = flow(part, anchors, weights, _rows(logs, games), step[games])
        found = regularized_gap(part, anchors, weights, moved)
        falls = found.sum(axis=1) <= (1.0 - _LEAST_FALL * step[games]) * gap[games].sum(axis=1)
        taken = falls | (step[games] <= shortest[games])
        for x, new in zip(logs, moved, strict=True):
            x[games[taken]] = new[taken]
        gap[games[taken]] = found[taken]
        better = (found / allowed[games]).max(axis=1) < (best_gap[games] / allowed[games]).max(axis=1)
        for x, new in zip(best, moved, strict=True):
            x[games[better]] = new[better]
        best_gap[games[better]] = found[better]
        step[games] = np.where(taken, np.minimum(_GROWTH * step[games], 1.0), 0.5 * step[games])
        step = np.maximum(step, shortest)
    return Equilibria(
        mixtures=best,
        gap=best_gap,
        converged=np.asarray((best_gap <= allowed).all(axis=1)),
        num_iterations=num_iterations,
        contraction=shrinking,
        zero_sum=is_zero_sum(payoffs, kl_weight),
        method=np.full(num_games, -1, dtype=np.int64),
    )


def flow(
    payoffs: Sequence[Float64],
    reference: Sequence[Float64],
    kl_weight: Float64,
    mixtures: Sequence[Float64],
    time: Float64,
) -> Profile:
    """Return ``(1 - time) x + time BR(x)`` of every player, as logarithms; ``time [G]`` lies in ``(0, 1]``."""
    with np.errstate(divide="ignore"):
        stay, move = np.log1p(-time)[:, None], np.log(time)[:, None]
    moved = []
    for player, q in enumerate(deviation_payoffs_of_logs(payoffs, mixtures)):
        response, _ = anchored_best_response(q, reference[player], kl_weight[:, player])
        moved.append(np.maximum(np.logaddexp(stay + mixtures[player], move + response), LOG_ZERO))
    return moved


def _rows(arrays: Sequence[Float64], rows: Int64) -> Profile:
    return [array[rows] for array in arrays]
