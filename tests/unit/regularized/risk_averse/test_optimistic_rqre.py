"""Optimistic value iteration: regret fades, play comes to the exact equilibrium, doubt shrinks with visits."""

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast._reference.action_risk import solve_action_risk
from coffee_fast.errors import InvalidArgumentError, InvalidGameError
from coffee_fast.regularized import optimistic_rqre

OPTIONS = {"temperature": 0.5, "risk_aversion": 1.0}


def markov_game(seed=0, horizon=3):
    rng = np.random.default_rng(seed)
    cells = (horizon, 2, 2, 2)
    transitions = 0.9 * rng.dirichlet(np.ones(2), size=cells)
    return cf.TabularGame(rng.normal(size=(2, *cells)), transitions=transitions, initial=[0.5, 0.5])


def exact(game):
    """Return policies ``[H, S, A]`` a player and values ``[N]`` by backward induction in the known game."""
    values, policies = np.zeros((2, 2)), [np.zeros(game.rewards.shape[1:4]) for _ in range(2)]
    for step in reversed(range(game.horizon)):
        payoffs = list(game.rewards[:, step])
        if step + 1 < game.horizon:
            payoffs = [u + game.transitions[step] @ v for u, v in zip(payoffs, values, strict=True)]
        found = solve_action_risk(
            payoffs, np.full(2, 0.5), np.ones(2), damping=0.5, tolerance=1e-10, max_iterations=500
        )
        values = found.value.T
        for policy, x in zip(policies, found.mixtures, strict=True):
            policy[step] = x
    return policies, values @ game.initial


def test_regret_fades_and_play_comes_to_the_equilibrium():
    game = markov_game()
    found = optimistic_rqre(game, num_episodes=6000, episodes_per_update=100, tolerance=0.0, **OPTIONS)
    policies, value = exact(game)
    for policy, other in zip(found.policies, policies, strict=True):
        np.testing.assert_allclose(policy, other, atol=0.05)
    np.testing.assert_allclose(found.value, value, atol=0.05)
    regret = found.regret.sum(axis=1)
    assert len(regret) == 61
    assert regret[-10:].mean() < 0.01 * regret[0]
    assert regret[30:].sum() < 0.1 * regret[:30].sum()
    assert found.status == "max_iterations"
    assert found.num_episodes == 6000


def test_the_equilibrium_itself_has_no_gap():
    """Without chance and bonus what is visited is known; play leads to state 1 alone."""
    certain = np.zeros((2, 2, 2, 2, 2))
    certain[..., 1] = 1.0
    game = markov_game(horizon=2)
    game = cf.TabularGame(game.rewards, transitions=certain, initial=[0.5, 0.5])
    found = optimistic_rqre(game, num_episodes=400, ridge=1e-9, bonus=0.0, **OPTIONS)
    assert found.status == "converged"
    policies, value = exact(game)
    found = optimistic_rqre(game, num_episodes=400, ridge=1e-9, bonus=0.0, tolerance=1e-12, **OPTIONS)
    np.testing.assert_allclose(found.policies[0][0], policies[0][0], atol=1e-5)
    np.testing.assert_allclose(found.policies[0][1, 1], policies[0][1, 1], atol=1e-5)
    np.testing.assert_allclose(found.value, value, atol=1e-5)
    assert found.gap.max() < 1e-9


def test_doubt_shrinks_like_one_over_the_root_of_visits():
    game = cf.TabularGame(np.zeros((2, 1, 1, 2, 2)))
    found = optimistic_rqre(game, num_episodes=100, tolerance=0.0, temperature=1.0, risk_aversion=1.0)
    visits = found.uncertainty**-2.0 - 1.0
    np.testing.assert_allclose(visits, np.round(visits), atol=1e-6)
    if found.num_episodes == 100:
        assert visits.sum() == pytest.approx(100)


def test_optimism_finds_what_play_without_it_does_not():
    """What pays lies behind two steps that cost; play that is sure of what it saw once stays away."""
    rewards = np.full((1, 3, 2, 2), 0.0)
    rewards[0, :2, 0, 1] = -0.1
    rewards[0, 2, 1, 1] = 4.0
    moves = np.zeros((3, 2, 2, 2))
    moves[:, 0, 0, 0] = moves[0, 0, 1, 0] = moves[1, 0, 1, 1] = moves[:, 1, :, 1] = 1.0
    game = cf.TabularGame(rewards, transitions=moves, initial=[1.0, 0.0])
    options = {"temperature": 0.02, "risk_aversion": 0.0, "num_episodes": 60, "episodes_per_update": 5}
    bold = optimistic_rqre(game, bonus=2.0, **options)
    shy = optimistic_rqre(game, bonus=0.0, **options)
    assert bold.value[0] > 3.5
    assert bold.regret.sum() < shy.regret.sum() or shy.value[0] > 3.5


def test_features_may_be_shared_and_seeds_repeat():
    game = cf.TabularGame([[[[[4, 0], [2, 2]]]], [[[[4, 2], [0, 2]]]]])

    def features(states, actions):
        return np.concatenate([np.ones((len(actions), 1)), actions, actions[:, :1] * actions[:, 1:]], axis=1)

    found = optimistic_rqre(game, features, num_episodes=2000, temperature=0.5, risk_aversion=0.5)
    assert found.status == "converged"
    np.testing.assert_allclose(found.policies[0][0, 0, 0], 0.0186507, atol=0.01)
    again = optimistic_rqre(game, features, num_episodes=2000, temperature=0.5, risk_aversion=0.5)
    np.testing.assert_array_equal(found.regret, again.regret)


def test_bad_arguments_are_refused_with_a_sentence():
    game = markov_game(horizon=1)
    with pytest.raises(InvalidArgumentError, match="optimistic_rqre: ridge must be a finite number > 0"):
        optimistic_rqre(game, ridge=0.0)
    with pytest.raises(InvalidArgumentError, match="optimistic_rqre: game must be a TabularGame"):
        optimistic_rqre([[1.0]])
    with pytest.raises(InvalidArgumentError, match=r"optimistic_rqre: features must return shape \[8, d\]"):
        optimistic_rqre(game, lambda states, actions: np.zeros((3, 2)))
    for size in (1e200, 1e10):  # beyond all floats, or alike beyond all digits
        with pytest.raises(InvalidArgumentError, match="optimistic_rqre: ridge must be larger than 1, or features sca"):
            optimistic_rqre(game, lambda states, actions, size=size: np.full((len(actions), 2), size))
    with pytest.raises(InvalidGameError, match="optimistic_rqre: game must be known"):
        optimistic_rqre(cf.TabularGame.from_dataset({"action": [[0, 0], [1, 1]], "reward": [[1, 1], [0, 0]]}))
    legal = (np.array([[[True, False], [True, True]]]), np.ones((1, 2, 2), dtype=bool))
    with pytest.raises(InvalidGameError, match="optimistic_rqre: all actions must be legal everywhere"):
        optimistic_rqre(cf.TabularGame(game.rewards, legal=legal, initial=[0.5, 0.5]))
