"""Lockstep rollouts against episodes played one by one, and policies against single decisions."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast import _core
from coffee_fast._reference import policy as reference_policy
from coffee_fast._reference.generalized_bargaining import Episode
from coffee_fast._reference.rng import Stream
from coffee_fast._reference.rollout import rollout


def network(seed, kind="greedy", num_actions=109, scale=1.0):
    rng = np.random.default_rng(seed)
    sizes = (41, 20, num_actions)
    layers = tuple(
        ((scale * rng.normal(size=(o, i)) / np.sqrt(i)).astype(np.float32), rng.normal(size=o).astype(np.float32))
        for i, o in itertools.pairwise(sizes)
    )
    return cf.NetworkPolicy(layers, kind)


PLAYERS = {
    "uniform": cf.Mixture((cf.UniformRandom(),), np.ones(1)),
    "greedy": cf.Mixture((network(1),), np.ones(1)),
    "softmax": cf.Mixture((network(2, "softmax"),), np.ones(1)),
    "per step": cf.Mixture((cf.PerStepMixture((network(3), cf.UniformRandom()), (0.6, 0.4)),), np.ones(1)),
    "mixture": cf.Mixture((network(4), cf.UniformRandom(), network(5)), np.array([0.2, 0.5, 0.3])),
}


@pytest.mark.parametrize("first", PLAYERS)
@pytest.mark.parametrize("second", ["uniform", "mixture"])
def test_rollouts_equal_episodes_played_one_by_one(first, second):
    game = cf.load_game("generalized_bargaining", discount=0.95)
    players = [PLAYERS[first], PLAYERS[second]]
    out = _core.rollout(game.core, [p.core for p in players], 25, 7, profile=3, first_rollout=100, record=True)
    offsets = out["trajectories"]["trajectory_offsets"]
    for episode in range(25):
        twin = rollout(Episode.draw(7, 3, 100 + episode, 0.95), players, 7, 3, 100 + episode)
        assert out["strategies"][episode].tolist() == twin.strategies
        actions = out["trajectories"]["action"][offsets[episode] : offsets[episode + 1]]
        assert actions.tolist() == twin.actions
        assert out["lengths"][episode] == len(twin.actions)
        np.testing.assert_allclose(out["returns"][episode, :, 0], twin.returns, rtol=1e-14)


@pytest.mark.parametrize("name", PLAYERS)
def test_decisions_equal_the_twins(name):
    rng = np.random.default_rng(0)
    policy = PLAYERS[name].policies[0]
    states = rng.normal(size=(50, 41)).astype(np.float32)
    masks = (rng.random((50, 109)) < 0.2).astype(np.uint8)
    masks[:, 3] = 1
    actions = _core.choose_actions(policy.core, states, masks, 11)
    for row in range(50):
        decision = reference_policy.Decision(states[row], np.flatnonzero(masks[row]).tolist())
        assert actions[row] == reference_policy.choose_action(policy, decision, Stream(11, 3, 0, row, 0))


@pytest.mark.parametrize("value", [1e30, np.inf])
@pytest.mark.parametrize("kind", ["greedy", "softmax"])
def test_an_illegal_action_is_never_played_whatever_its_value(kind, value):
    """Only actions 5 and 7 are legal; every other has a huge value through its bias."""
    bias = np.full(109, min(value, np.finfo(np.float32).max), dtype=np.float32)
    bias[[5, 7]] = [0.0, 1.0]
    policy = cf.NetworkPolicy(((np.zeros((109, 41), np.float32), bias),), kind)
    masks = np.zeros((200, 109), np.uint8)
    masks[:, [5, 7]] = 1
    actions = _core.choose_actions(policy.core, np.zeros((200, 41), np.float32), masks, 0)
    assert set(actions.tolist()) <= {5, 7}
    if kind == "greedy":
        assert set(actions.tolist()) == {7}


def test_ties_go_to_the_lowest_index_and_nan_never_wins():
    policy = cf.NetworkPolicy(((np.ones((4, 1), np.float32), np.zeros(4, np.float32)),))
    masks = np.array([[0, 1, 1, 1]], np.uint8)
    assert _core.choose_actions(policy.core, np.ones((1, 1), np.float32), masks, 0).tolist() == [1]
    nan = np.full((1, 1), np.nan, np.float32)
    assert _core.choose_actions(policy.core, nan, masks, 0).tolist() == [1]


def test_bits_do_not_depend_on_threads_chunks_or_splits():
    game = cf.load_game("generalized_bargaining")
    players = [PLAYERS["mixture"].core, PLAYERS["softmax"].core]
    whole = _core.rollout(game.core, players, 300, 5)
    for options in (
        {"num_threads": 2},
        {"num_threads": 3},
        {"num_threads": 7, "chunk_size": 5},
        {"chunk_size": 1},
        {"chunk_size": 64},
    ):
        other = _core.rollout(game.core, players, 300, 5, **options)
        for name in whole:
            np.testing.assert_array_equal(whole[name], other[name])
    parts = [
        _core.rollout(game.core, players, count, 5, first_rollout=first)
        for first, count in ((0, 1), (1, 170), (171, 129))
    ]
    for name in whole:
        np.testing.assert_array_equal(whole[name], np.concatenate([part[name] for part in parts]))


def test_mixtures_are_drawn_once_an_episode_with_their_probabilities():
    game = cf.load_game("generalized_bargaining")
    mixture = cf.Mixture((cf.UniformRandom(),) * 3, np.array([0.5, 0.2, 0.3]))
    strategies = cf.simulate(game, [mixture, mixture], num_episodes=20_000, seed=2).strategies
    for player in range(2):
        shares = np.bincount(strategies[:, player], minlength=3) / 20_000
        np.testing.assert_allclose(shares, [0.5, 0.2, 0.3], atol=0.015)
    joint = ((strategies[:, 0] == 0) & (strategies[:, 1] == 0)).mean()
    assert joint == pytest.approx(0.25, abs=0.015)
