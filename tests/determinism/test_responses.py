"""The same seed gives the same bits, whatever else goes on."""

import random
from dataclasses import fields, replace

import numpy as np
import pytest
import torch

import coffee_fast as cf
from coffee_fast._torch_threads import one_torch_thread
from coffee_fast.errors import CheckpointError, ConfigError, NumericalError
from coffee_fast.policies import as_mixture
from coffee_fast.responses import DDQN, DDQNTorch, PolicyGradient, ResponseObjective
from coffee_fast.responses._ddqn_training import NativeTraining
from coffee_fast.responses._torch_training import TorchTraining
from coffee_fast.responses.request import finish

CONFIG = DDQNTorch(
    hidden_sizes=(16, 12),
    num_steps=900,
    replay_capacity=400,
    min_replay=200,
    learning_rate=1e-3,
    target_period=100,
    epsilon_decay_steps=800,
    num_parallel_episodes=8,
)
UPDATES = PolicyGradient(hidden_sizes=(16,), num_updates=5, num_episodes=60, batch_size=32, averaging=0.5)
GAME = cf.load_game("generalized_bargaining")
ARGUMENTS = (GAME, as_mixture("uniform_random"), ResponseObjective(1.0, 0.2))
GREEDY = cf.NetworkPolicy([(np.random.default_rng(2).normal(size=(109, 41)), np.zeros(109))], kind="greedy")
AGAINST_ADVERSARY = (
    GAME,
    cf.Mixture((cf.UniformRandom(), GREEDY), [0.5, 0.5]),
    ResponseObjective(1.0, 0.2, risk_aversion=2.0),
)


def train(config=CONFIG):
    return config.respond(*ARGUMENTS, seed=6, reward_scale=5.0).policy.layers


def assert_same(first, second):
    for pair, other in zip(first, second, strict=True):
        for array, other_array in zip(pair, other, strict=True):
            np.testing.assert_array_equal(array, other_array)


def without_times(report):
    return {name: value for name, value in report.items() if not name.endswith("_s")}


def test_global_generators_are_neither_used_nor_touched():
    results = []
    for poison in (0, 1):
        random.seed(poison)
        np.random.seed(poison)  # noqa: NPY002
        torch.manual_seed(poison)
        before = (random.getstate(), torch.get_rng_state().tolist())
        results.append(train())
        assert before == (random.getstate(), torch.get_rng_state().tolist())
    assert_same(*results)


def test_the_users_thread_settings_do_not_matter():
    before, results = torch.get_num_threads(), []
    try:
        for num_threads in (1, 2, 3):
            torch.set_num_threads(num_threads)
            results.append(train())
            assert torch.get_num_threads() == num_threads
    finally:
        torch.set_num_threads(before)
    assert_same(results[0], results[1])
    assert_same(results[0], results[2])


@pytest.mark.parametrize("num_decisions", [0, 1, 150, 600])
def test_a_compiled_training_resumed_in_the_middle_is_the_uninterrupted_one(num_decisions):
    config = DDQN(**{field.name: getattr(CONFIG, field.name) for field in fields(DDQN)})
    first, second = (NativeTraining(config, *ARGUMENTS, seed=6, reward_scale=5.0, player=None) for _ in range(2))
    first.advance_to(num_decisions)
    second.restore(first.export_state())
    whole, resumed = config.respond(*ARGUMENTS, seed=6, reward_scale=5.0), finish(second)
    assert_same(resumed.policy.layers, whole.policy.layers)


@pytest.mark.parametrize("num_rounds", [0, 20, 130])
def test_a_training_resumed_in_the_middle_is_the_uninterrupted_one(num_rounds):
    first, second = (TorchTraining(CONFIG, *ARGUMENTS, seed=6, reward_scale=5.0, player=None) for _ in range(2))
    with one_torch_thread():
        for _ in range(num_rounds):
            first.play_round()
    second.restore(first.export_state())
    whole, resumed = CONFIG.respond(*ARGUMENTS, seed=6, reward_scale=5.0), finish(second)
    assert_same(resumed.policy.layers, whole.policy.layers)
    assert without_times(resumed.report) == without_times(whole.report)


@pytest.mark.parametrize("arguments", [ARGUMENTS, AGAINST_ADVERSARY], ids=["opponent", "adversary"])
@pytest.mark.parametrize("num_updates", [0, 1, 4])
def test_updates_resumed_in_the_middle_are_the_uninterrupted_ones(num_updates, arguments):
    first, second = (UPDATES.start(*arguments, seed=6, reward_scale=5.0) for _ in range(2))
    while first.num_done < num_updates:
        first.advance()
    second.restore(first.export_state())
    whole, resumed = UPDATES.respond(*arguments, seed=6, reward_scale=5.0), finish(second)
    assert_same(resumed.policy.layers, whole.policy.layers)
    assert without_times(resumed.report) == without_times(whole.report)


def test_lanes_change_no_bit_of_updates():
    found = [
        replace(UPDATES, num_parallel_episodes=count).respond(*ARGUMENTS, seed=6, reward_scale=5.0)
        for count in (1, 256)
    ]
    assert_same(*(response.policy.layers for response in found))


@pytest.mark.parametrize(
    ("oracle", "arguments"),
    [(CONFIG, ARGUMENTS), (UPDATES, ARGUMENTS), (UPDATES, AGAINST_ADVERSARY)],
    ids=["ddqn_torch", "policy_gradient", "adversary"],
)
def test_a_state_of_another_training_is_refused(oracle, arguments):
    training = oracle.start(*arguments, seed=6, reward_scale=5.0)
    state = training.export_state()
    for name in state:
        with pytest.raises(CheckpointError, match="does not fit"):
            training.restore({key: array for key, array in state.items() if key != name})


def test_a_network_that_was_never_trained_is_an_error():
    config = DDQNTorch(num_steps=64, min_replay=64, replay_capacity=64)
    with pytest.raises(ConfigError, match="the network was never trained; raise num_steps"):
        config.respond(*ARGUMENTS, seed=0, reward_scale=5.0)


def test_diverged_values_are_an_error():
    with pytest.raises(NumericalError, match="the network left the finite numbers"):
        train(replace(CONFIG, learning_rate=1e30))
