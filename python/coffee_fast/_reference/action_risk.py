"""Quantal responses of players for whom each action carries its own risk: damped iteration over many games at once.

Games are laid out as in :mod:`coffee_fast._reference.anchored`. Source: the stage games of RQRE-OVI, arXiv
2603.09208.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coffee_fast._reference import anchored
from coffee_fast._reference.certainty_equivalent import entropic_certainty_equivalent
from coffee_fast.typing import Float64, Int64, Profile

_SHARES = (1.0, 0.2, 0.04)  # of the damping asked for, where responses circle


@dataclass(frozen=True, eq=False)
class ActionRiskEquilibria:
    """Of ``G`` games: the best profiles found and how good they are.

    ``mixtures`` are ``[G, A_i]``; ``gap [G, N]`` is what each player could gain in its payoff and temperature's
    entropy, ``residual [G, N]`` the largest difference from its response, ``value [G, N]`` the payoff alone;
    ``num_iterations [G]`` counts responses.
    """

    mixtures: Profile
    gap: Float64
    residual: Float64
    value: Float64
    converged: NDArray[np.bool_]
    num_iterations: Int64


def action_values(payoffs: Sequence[Float64], mixtures: Sequence[Float64], risk_aversion: Float64) -> Profile:
    r"""Return :math:`u_i(a) = -\log E_{b \sim x_{-i}} e^{-\tau_i U_i(a, b)} / \tau_i`, ``[G, A_i]``."""
    found = []
    for player, u in enumerate(payoffs):
        own = np.moveaxis(u, player + 1, 1)
        joint = np.ones((len(u), 1))
        for other, x in enumerate(mixtures):
            if other != player:
                joint = (joint[:, :, None] * x[:, None, :]).reshape(len(u), joint.shape[1] * x.shape[1])
        values = own.reshape(*own.shape[:2], joint.shape[1])
        found.append(entropic_certainty_equivalent(values, joint[:, None, :], float(risk_aversion[player])))
    return found


def solve_action_risk(
    payoffs: Sequence[Float64],
    temperature: Float64,
    risk_aversion: Float64,
    *,
    damping: float,
    tolerance: float,
    max_iterations: int,
) -> ActionRiskEquilibria:
    r"""Iterate :math:`\log x \leftarrow (1 - d) \log x + d \log softmax(u / \epsilon)` from uniform play.

    ``temperature`` and ``risk_aversion`` are ``[N]``. Converged where no probability is further than ``tolerance`` from
    its response; games that circle go on from their best profile with less damping, ``max_iterations`` each time.
    """
    num_games = len(payoffs[0])
    best = [np.full((num_games, size), 1.0 / size) for size in payoffs[0].shape[1:]]
    residual = _residual(best, _responses(payoffs, best, temperature, risk_aversion))
    num_iterations = np.zeros(num_games, dtype=np.int64)
    for share in _SHARES:
        games = np.flatnonzero(residual.max(axis=1) > tolerance)
        current, part = [x[games] for x in best], [u[games] for u in payoffs]
        responses = _responses(part, current, temperature, risk_aversion)
        for _ in range(max_iterations):
            if not len(games):
                break
            moved = [
                (1.0 - share * damping) * np.log(np.maximum(x, 1e-300)) + share * damping * y
                for x, y in zip(current, responses, strict=True)
            ]
            current = [np.exp(x - anchored.log_sum_exp(x)) for x in moved]
            responses = _responses(part, current, temperature, risk_aversion)
            num_iterations[games] += 1
            off = _residual(current, responses)
            better = off.max(axis=1) < residual[games].max(axis=1)
            residual[games[better]] = off[better]
            for kept, x in zip(best, current, strict=True):
                kept[games[better]] = x[better]
            running = off.max(axis=1) > tolerance
            if not running.all():
                games, part = games[running], [u[running] for u in part]
                current, responses = [x[running] for x in current], [y[running] for y in responses]
    values = action_values(payoffs, best, risk_aversion)
    responses = _responses(payoffs, best, temperature, risk_aversion)
    logs = [np.log(np.maximum(x, 1e-300)) for x in best]
    gap = [e * anchored.kl_divergence(x, y) for e, x, y in zip(temperature, logs, responses, strict=True)]
    value = np.stack([(x * u).sum(axis=1) for x, u in zip(best, values, strict=True)], axis=1)
    converged = np.asarray(residual.max(axis=1) <= tolerance)
    return ActionRiskEquilibria(best, np.stack(gap, axis=1), residual, value, converged, num_iterations)


def _responses(
    payoffs: Sequence[Float64], mixtures: Sequence[Float64], temperature: Float64, risk_aversion: Float64
) -> Profile:
    """Return the logarithms of each player's quantal response."""
    values = action_values(payoffs, mixtures, risk_aversion)
    scores = [(u - u.max(axis=1, keepdims=True)) / e for u, e in zip(values, temperature, strict=True)]
    return [s - anchored.log_sum_exp(s) for s in scores]


def _residual(mixtures: Sequence[Float64], responses: Sequence[Float64]) -> Float64:
    return np.stack([np.abs(x - np.exp(y)).max(axis=1) for x, y in zip(mixtures, responses, strict=True)], axis=1)
