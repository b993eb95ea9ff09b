"""Twin of ``replicator.hpp``: discrete replicator dynamics and their loop."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coffee_fast._reference.payoff_table import deviation_payoffs, pessimistic_regret, regret
from coffee_fast._reference.simplex import project_to_simplex
from coffee_fast.typing import Float64


def replicator_step(x: Float64, payoffs: Float64, step_size: float, min_probability: float) -> Float64:
    """RD: ``x_a += dt x_a (u_a - x . u)`` for deviation payoffs ``u`` (Taylor and Jonker 1978), then the projection."""
    return project_to_simplex(x + step_size * x * (payoffs - x @ payoffs), min_probability)


def robust_replicator_step(
    x: Float64, optimistic: Float64, pessimistic: Float64, step_size: float, min_probability: float
) -> Float64:
    """R2D: ``x_a += dt x_a (UBDP_a - UBDR_a)`` (Nguyen and Wellman 2026, Section 4.3), then the projection.

    ``UBDP_a = o_a - x . q`` and ``UBDR_a = max_{b != a} o_b - q_a``.
    """
    best_other = np.array([np.delete(optimistic, a).max() for a in range(len(x))])
    upper_deviation_payoff = optimistic - x @ pessimistic
    upper_deviating_regret = best_other - pessimistic
    return project_to_simplex(x + step_size * x * (upper_deviation_payoff - upper_deviating_regret), min_probability)


def solve(
    payoffs: Sequence[Float64],
    *,
    robust: bool,
    step_size: float = 1e-3,
    max_iterations: int = 20_000,
    min_probability: float = 1e-6,
    regret_threshold: float | None = None,
    average: bool = False,
) -> tuple[list[Float64], int]:
    """Run the dynamics from uniform mixtures; return the last (or the average) mixtures and the number of steps.

    All players move from the same old profile. After each step the regret of the last iterate, summed over players
    (R2D: its upper bound), is compared with the threshold.
    """
    mean = [p.mean(axis=0) for p in payoffs]
    lower = [p.min(axis=0) for p in payoffs]
    upper = [p.max(axis=0) for p in payoffs]
    mixtures = [np.full(size, 1.0 / size) for size in payoffs[0].shape[1:]]
    sums = [x.copy() for x in mixtures]
    iteration = 0
    while iteration < max_iterations:
        updated = []
        for player, x in enumerate(mixtures):
            if len(x) == 1:
                updated.append(x)
            elif robust:
                optimistic = deviation_payoffs(upper[player], player, mixtures)
                pessimistic = deviation_payoffs(lower[player], player, mixtures)
                updated.append(robust_replicator_step(x, optimistic, pessimistic, step_size, min_probability))
            else:
                u = deviation_payoffs(mean[player], player, mixtures)
                updated.append(replicator_step(x, u, step_size, min_probability))
        mixtures = updated
        sums = [total + x for total, x in zip(sums, mixtures, strict=True)]
        iteration += 1
        if regret_threshold is not None:
            current = (pessimistic_regret if robust else regret)(payoffs, mixtures)
            if current.sum() < regret_threshold:
                break
    return ([total / (iteration + 1) for total in sums] if average else mixtures), iteration
