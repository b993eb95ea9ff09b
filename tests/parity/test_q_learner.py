"""The compiled learner and its torch twin, on one fixed replay buffer of bargaining play at the paper's sizes.

Each gradient step agrees within 1e-5, fifty of them in a row do, and whole responses do but for rounding.
"""

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast import _core
from coffee_fast._torch_threads import one_torch_thread
from coffee_fast.policies import as_mixture
from coffee_fast.responses import DDQN, DDQNTorch, ResponseObjective
from coffee_fast.responses._ddqn_training import make_actor
from coffee_fast.responses._initial_weights import initial_layers
from coffee_fast.responses._torch_learner import TorchLearner

SIZES, REWARD_SCALE = (41, 200, 200, 109), np.float32(5)
NAMES = ("information_states", "actions", "rewards", "next_information_states", "is_final", "next_legal_masks")


@pytest.fixture(scope="module")
def replay():
    game = cf.load_game("generalized_bargaining")
    actor = make_actor(DDQN(), game, as_mixture("uniform_random"), ResponseObjective(), 7, 0)
    acting = _core.Mlp(list(initial_layers(SIZES, 1, "torch")))
    while actor.num_transitions < 5000:
        actor.advance(acting)
    return actor


def make_pair():
    online, target = (initial_layers(SIZES, seed, "torch") for seed in (1, 2))
    twin = TorchLearner(
        online, target, learning_rate=1e-4, discount=0.99, reward_scale=float(REWARD_SCALE), device="cpu"
    )
    return _core.QNetwork(list(online), list(target), 0.99, 1e-4), twin


def step(native, twin, batch):
    twin.gradient_step(batch)
    native.gradient_step(*(batch[name] / REWARD_SCALE if name == "rewards" else batch[name] for name in NAMES))


def test_one_gradient_step_agrees_within_1e_5(replay):
    native, twin = make_pair()
    step(native, twin, replay.sample(64, 0))
    for pair, other in zip(native.read(_core.QNetwork.Part.online), twin.layers(), strict=True):
        for array, expected in zip(pair, other, strict=True):
            np.testing.assert_allclose(array, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_a_thousand_gradient_steps_agree(replay):
    """Left alone they part where two actions tie: every fifty steps one takes up the other's weights."""
    native, twin = make_pair()
    with one_torch_thread():
        for draw in range(1000):
            step(native, twin, replay.sample(64, draw))
            if draw % 50 == 49:
                assert_alike(native, twin)
                take_up(native, twin)
            if draw % 250 == 249:
                native.copy_to_target()
                twin.copy_to_target()
    states = replay.sample(2000, 10**6)["information_states"]
    values = _core.Mlp(list(native.read(_core.QNetwork.Part.online))).forward(states)
    assert 0.5 < np.abs(values).mean() < 5  # they have learned something


def assert_alike(native, twin):
    for pair, other in zip(native.read(_core.QNetwork.Part.online), twin.layers(), strict=True):
        for array, expected in zip(pair, other, strict=True):
            np.testing.assert_allclose(array, expected, rtol=0, atol=1e-5)


def take_up(native, twin):
    """The twin goes on from the compiled learner's parameters and moments."""
    parts = {"parameters": "online", "target_parameters": "target", "first_moment": "first_moment"}
    parts["second_moment"] = "second_moment"
    arrays = {
        name: np.concatenate(
            [np.ravel(array) for pair in native.read(getattr(_core.QNetwork.Part, part)) for array in pair]
        )
        for name, part in parts.items()
    }
    twin.restore(twin.export_state() | arrays)


def test_whole_responses_agree():
    """Same experience, same cadence: the two differ by rounding alone, all the way."""
    sizes = {"num_steps": 2000, "min_replay": 200, "replay_capacity": 1500, "target_period": 300}
    game, opponents = cf.load_game("generalized_bargaining"), as_mixture("uniform_random")
    native, twin = (
        oracle(**sizes, epsilon_decay_steps=1500).respond(
            game, opponents, ResponseObjective(), seed=3, reward_scale=float(REWARD_SCALE)
        )
        for oracle in (DDQN, DDQNTorch)
    )
    counts = ("num_steps", "num_calls", "num_episodes", "num_gradient_steps", "num_target_copies")
    assert [native.report[name] for name in counts] == [twin.report[name] for name in counts]
    assert native.report["mean_return"] == pytest.approx(twin.report["mean_return"])
    for pair, other in zip(native.policy.layers, twin.policy.layers, strict=True):
        for array, expected in zip(pair, other, strict=True):
            np.testing.assert_allclose(array, expected, rtol=0, atol=1e-5)
