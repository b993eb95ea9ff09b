"""Behavior cloning of small games: what the players of a log did, each on its own or together."""

from __future__ import annotations

import numpy as np

from coffee_fast.regularized.cooperative.in_sample import marginals, spread
from coffee_fast.regularized.games import CommonPayoffSource, as_common_payoff
from coffee_fast.tabular.common_payoff import CommonPayoffGame
from coffee_fast.typing import Float64


def clone_independently(game: CommonPayoffSource) -> tuple[Float64, ...]:
    """Return the frequencies of each player's own actions, one ``f64[S, A_i]`` (``[H, S, A_i]``) a player.

    Played together they can do what no player of the log ever saw: each forgets what the others did.

    >>> clone_independently({"action": [[0, 1], [1, 0]], "reward": [[1, 1], [1, 1]]})[0].tolist()
    [[0.5, 0.5]]
    """
    whole = as_common_payoff("clone_independently", game, None)
    return spread(whole, marginals(_frequencies(whole)))


def clone_jointly(game: CommonPayoffSource) -> Float64:
    """Return the frequencies of profiles, ``f64[S, A1, ..., An]``: what players do who can agree on each step.

    Uniform in states the log never visits.

    >>> clone_jointly({"action": [[0, 1], [1, 0]], "reward": [[1, 1], [1, 1]]})[0].tolist()
    [[0.0, 0.5], [0.5, 0.0]]
    """
    whole = as_common_payoff("clone_jointly", game, None)
    frequencies = _frequencies(whole)
    (joint,) = spread(whole, [frequencies.reshape(whole.num_states, -1)])
    return joint.reshape(*whole.policy_shape, *whole.num_actions)


def _frequencies(game: CommonPayoffGame) -> Float64:
    if game.counts is None:
        return np.exp(game.log_behavior)
    return np.asarray(game.counts / game.counts.sum(axis=tuple(range(1, game.counts.ndim)), keepdims=True))
