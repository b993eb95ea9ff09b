"""Behavior cloning: what it learns from, and what it then plays."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast._reference.mlp import forward

QUICK = cf.BehaviorCloningConfig(hidden_sizes=(32,), num_steps=400, batch_size=256, learning_rate=3e-3)


@pytest.fixture(scope="module")
def game():
    return cf.load_game("generalized_bargaining")


@pytest.fixture(scope="module")
def dataset(game):
    return cf.generate_dataset(game, num_trajectories=400, seed=3)


def probabilities(policy, dataset):
    """The chance of each action at each decision of a log: f64 [T, A]."""
    logits = forward(policy.layers, dataset.information_states()).astype(np.float64)
    weights = np.exp(logits - logits.max(axis=1, keepdims=True)) * dataset.legal_masks()
    return weights / weights.sum(axis=1, keepdims=True)


def total_variation(policy, dataset):
    """Mean distance, over the decisions of a log, between a policy and uniform play of legal actions."""
    legal = dataset.legal_masks()
    uniform = legal / legal.sum(axis=1, keepdims=True)
    return 0.5 * np.abs(probabilities(policy, dataset) - uniform).sum(axis=1).mean()


def test_information_states_are_those_of_the_game(game):
    dataset = cf.generate_dataset(game, num_trajectories=30, seed=8, mirrored=False)
    known = dataset.information_states()
    assert (known.dtype, known.shape) == (np.float32, (dataset.num_transitions, 41))
    for first, end in zip(dataset.trajectory_offsets[:-1], dataset.trajectory_offsets[1:], strict=True):
        start = dataset.state[first]
        pool, mine, yours = start[2:5].astype(int), start[5:8], start[11:14]
        state = game.new_state(pool, (mine, yours), int(dataset.acting_player[first]))
        for row in range(first, end):
            np.testing.assert_array_equal(known[row], state.information_state(state.current_player()))
            state.apply_action(int(dataset.action[row]))
        assert state.is_terminal()


def test_a_clone_of_uniform_play_comes_near_uniform_play(dataset, game):
    fresh = cf.generate_dataset(game, num_trajectories=100, seed=4)
    cloned = cf.clone_behavior(dataset, QUICK, seed=1)
    untrained = cf.clone_behavior(dataset, dataclasses.replace(QUICK, num_steps=1), seed=1)
    overfitted = cf.clone_behavior(dataset, dataclasses.replace(QUICK, holdout_fraction=0.0), seed=1)
    assert total_variation(cloned, fresh) < 0.15
    assert total_variation(untrained, fresh) > 0.2
    assert total_variation(overfitted, fresh) > 0.2


def test_a_clone_does_what_the_log_did(dataset, game):
    """A player that always takes the lowest legal action but accepts when it can."""
    legal = dataset.legal_masks()
    chosen = np.where(legal[:, game.accept_action], game.accept_action, legal.argmax(axis=1)).astype(np.int32)
    log = cf.TrajectoryDataset(dataset.spec, dataset.arrays | {"action": chosen})
    cloned = cf.clone_behavior(log, QUICK, seed=1)
    assert probabilities(cloned, log)[np.arange(len(chosen)), chosen].mean() > 0.9


def test_the_seed_decides_every_bit(dataset):
    config = dataclasses.replace(QUICK, num_steps=20)
    first, again, other = (cf.clone_behavior(dataset, config, seed).layers for seed in (1, 1, 2))
    for (weights, bias), (same_weights, same_bias) in zip(first, again, strict=True):
        assert weights.tobytes() == same_weights.tobytes()
        assert bias.tobytes() == same_bias.tobytes()
    assert not np.array_equal(first[0][0], other[0][0])


def test_progress_is_told(dataset):
    calls = []
    cf.clone_behavior(dataset, dataclasses.replace(QUICK, num_steps=60), 1, progress=lambda *call: calls.append(call))
    assert [call[:3] for call in calls] == [("clone behavior", 50, 60), ("clone behavior", 60, 60)]


def test_a_diverging_training_is_an_error(dataset):
    with pytest.raises(cf.NumericalError, match="clone_behavior: the loss is"):
        cf.clone_behavior(dataset, dataclasses.replace(QUICK, learning_rate=1e30), seed=1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hidden_sizes": ()}, "hidden_sizes must be a list of positive widths"),
        ({"num_steps": 0}, "num_steps must be an integer >= 1, got 0"),
        ({"holdout_fraction": 1.0}, r"holdout_fraction must be in \[0, 1\)"),
        ({"learning_rate": 0.0}, "learning_rate must be a finite number > 0"),
    ],
)
def test_impossible_configurations_are_refused(changes, message):
    with pytest.raises(cf.ConfigError, match=message):
        cf.BehaviorCloningConfig(**changes)
