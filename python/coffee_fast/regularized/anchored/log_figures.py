"""What a log's size and spread say of the play found on it."""

from __future__ import annotations

import numpy as np

from coffee_fast.regularized.anchored.anchors import Anchors
from coffee_fast.regularized.anchored.backward_induction import Induced, product
from coffee_fast.stage_games.kernels import concentrability
from coffee_fast.tabular.game import TabularGame
from coffee_fast.typing import Float64


def concentrability_of(game: TabularGame, anchors: Anchors) -> tuple[Float64 | None, Float64 | None]:
    """Return how the log covers the reference, ``[H, S]`` by profiles and ``[N, H, S]`` by one player's deviations."""
    if game.counts is None:
        return None, None
    joint, unilateral = np.full(game.reached.shape, np.nan), np.full((game.num_players, *game.reached.shape), np.nan)
    counts = game.counts[game.reached]
    frequencies = counts / counts.sum(axis=tuple(range(1, counts.ndim)), keepdims=True)
    figures = concentrability([x[game.reached] for x in anchors.reference], frequencies)
    joint[game.reached], unilateral[:, game.reached] = figures.joint, figures.unilateral.T
    return joint, unilateral


def expected_gap(game: TabularGame, anchors: Anchors, found: Induced) -> Float64 | None:
    r"""Return the gap to expect in each true stage game, to leading order in the noise of the log's means, [N, H, S].

    .. math:: \frac{1}{2 \lambda} \sum_a \pi_i(a) (1 - \pi_i(a)) \sum_b \pi_{-i}(b)^2 \frac{s_i^2(a, b)}{N(a, b)}

    :math:`s^2` is the variance of the reward and that of the next state's value, taken as independent.
    """
    if game.counts is None or game.reward_variance is None:
        return None
    N = game.num_players
    expected = np.empty((N, *game.reached.shape))
    for player in range(N):
        variance = game.reward_variance[player].copy()
        if game.transitions is not None and game.horizon > 1:
            following = np.nan_to_num(found.values[player, 1:])[:, *[None] * (N + 1), :]
            moves = game.transitions[:-1]
            mean = (moves * following).sum(axis=-1)
            variance[:-1] += (moves * following**2).sum(axis=-1) - mean**2
        with np.errstate(divide="ignore", invalid="ignore"):
            noise = np.where(game.counts > 0, variance / game.counts, np.where(game.unseen, np.nan, 0.0))
        own = found.policies[player]
        shape = [*own.shape[:2], *(-1 if i == player else 1 for i in range(N))]
        others = product([np.ones_like(p) if i == player else p for i, p in enumerate(found.policies)])
        spread = (own * (1.0 - own)).reshape(shape)
        terms = spread * others**2 * noise
        expected[player] = terms.sum(axis=tuple(range(2, N + 2))) / (2.0 * anchors.kl_weight[player])
    return np.where(game.reached, expected, np.nan)
