"""An action that is legal nowhere, as another role's in a log, changes nothing for any solver of tables."""

from __future__ import annotations

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.regularized import (
    gamd,
    gane,
    inspo,
    rqe,
    rqe_actor_critic,
    smoothed_best_response,
    srpo,
)

SOLVERS = {
    "gane": gane,
    "gane, fixed point": lambda game: gane(game, kl_weight=3.0, method="fixed_point"),
    "gane, homotopy": lambda game: gane(game, kl_weight=0.3, method="homotopy"),
    "gane, flow": lambda game: gane(game, kl_weight=0.3, method="best_response_flow"),
    "gamd": lambda game: gamd(game, kl_weight=0.3, num_iterations=200),
    "rqe": lambda game: rqe(game, temperature=0.5, risk_aversion=0.5),
    "rqe_actor_critic": rqe_actor_critic,
    "srpo": srpo,
    "smoothed_best_response": lambda game: smoothed_best_response(game, num_episodes=200),
    "inspo": lambda game: inspo(game, discount=0.9),
}


def game_of(has_more: bool, is_common: bool) -> cf.TabularGame:
    """Two steps and two states, with and without an action of the second player that it can nowhere take."""
    rng = np.random.default_rng(1)
    rewards, transitions = rng.normal(size=(2, 2, 2, 2, 2)), rng.dirichlet(np.ones(2), size=(2, 2, 2, 2))
    if is_common:
        rewards[1] = rewards[0]
    legal = [np.ones((2, 2, 2), dtype=bool) for _ in range(2)]
    if has_more:
        rewards, transitions = np.insert(rewards, 1, 99.0, axis=4), np.insert(transitions, 1, [1.0, 0.0], axis=3)
        legal[1] = np.insert(legal[1], 1, False, axis=2)
    return cf.TabularGame(rewards, transitions, np.array([0.5, 0.5]), tuple(legal))


@pytest.mark.parametrize("name", SOLVERS)
def test_solutions_are_the_same(name):
    more, plain = (SOLVERS[name](game_of(has_more, name == "inspo")) for has_more in (True, False))
    assert more.status == plain.status
    np.testing.assert_allclose(more.policies[0], plain.policies[0], atol=1e-6)
    np.testing.assert_allclose(np.delete(more.policies[1], 1, axis=-1), plain.policies[1], atol=1e-6)
    assert np.all(more.policies[1][..., 1] == 0.0)
    np.testing.assert_allclose(more.gap, plain.gap, atol=1e-6)
