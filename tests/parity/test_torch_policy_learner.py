"""The learner in torch against the compiled one: the same episodes and minibatches, steps alike but for rounding."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

import coffee_fast as cf
from coffee_fast.policies import Mixture, NetworkPolicy, UniformRandom
from coffee_fast.responses import ResponseObjective
from coffee_fast.responses._initial_weights import initial_layers
from coffee_fast.self_play.training import SelfPlayTraining

GAME = cf.load_game("generalized_bargaining")
SIZES = {"hidden_sizes": (24, 16), "num_updates": 6, "num_episodes": 60, "batch_size": 100, "num_snapshots": 2}
DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU"))]


def training(device="cpu", reference=None, seed=3, **changes):
    config = cf.SelfPlayConfig(**SIZES | changes, device=device)
    return SelfPlayTraining(GAME, config, seed, 5.0, [reference or UniformRandom()] * GAME.spec.num_roles)


def softmax_reference():
    sizes = (GAME.spec.information_state_size, 8, GAME.spec.num_actions)
    return NetworkPolicy(initial_layers(sizes, 5, "torch"), kind="softmax", temperature=0.5)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"update": "mirror_descent", "step_size": 0.3, "averaging": 0.0},
        {"kl_in_rewards": True, "gae_lambda": 0.7, "reference": softmax_reference()},
        {"coverage_weight": 0.4},
        {"risk_aversion": 2.0, "reference": softmax_reference()},
    ],
)
def test_self_play_is_the_compiled_learners(device, changes):
    compiled, other = training(None, **changes), training(device, **changes)
    for _ in range(3):
        compiled.advance(1)
        other.advance(2)
    for name, values in compiled.history().items():
        assert_allclose(other.history()[name], values, rtol=1e-3, atol=1e-4, err_msg=name)
    for ours, theirs in zip(compiled._average(0).layers, other._average(0).layers, strict=True):
        for one, two in zip(ours, theirs, strict=True):
            assert_allclose(one, two, atol=1e-3)


def test_a_response_is_the_compiled_learners():
    opponent = Mixture((softmax_reference(), UniformRandom()), np.array([0.5, 0.5]))
    oracle = {"hidden_sizes": (16,), "num_updates": 5, "num_episodes": 60, "batch_size": 100}
    ours, theirs = (
        cf.PolicyGradient(**oracle, device=device).respond(
            GAME, opponent, ResponseObjective(), seed=1, reward_scale=5.0, player=1
        )
        for device in (None, "cpu")
    )
    for name in ("num_steps", "num_episodes"):
        assert ours.report[name] == theirs.report[name]
    for one, two in zip(ours.policy.layers, theirs.policy.layers, strict=True):
        assert_allclose(one[0], two[0], atol=1e-3)


def test_a_restored_training_goes_on_with_the_same_bits():
    whole, second = training(), training(seed=9)
    for _ in range(3):
        whole.advance(1)
    second.restore(whole.export_state())
    second._learner._seed = whole._learner._seed
    for run in (whole, second):
        for _ in range(3):
            run.advance(1)
    for name, array in whole.export_state().items():
        assert_array_equal(array, second.export_state()[name], err_msg=name)


def test_an_interrupted_update_leaves_the_learner_as_it_was(monkeypatch):
    run = training()
    run.advance(1)
    before = run.export_state()
    steps = []

    def interrupt(self, learning_rate):
        steps.append(learning_rate)
        if len(steps) == 5:
            raise KeyboardInterrupt
        return step(self, learning_rate)

    network = type(run._learner._policies[0])
    step = network.adam_step
    monkeypatch.setattr(network, "adam_step", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run.advance(1)
    for name, array in before.items():
        assert_array_equal(array, run.export_state()[name], err_msg=name)


def test_a_step_too_large_is_said_and_undone():
    run = training(learning_rate=1e30, learning_rate_end=1e30)
    before = run.export_state()
    with pytest.raises(cf.errors.NumericalError, match="try a smaller learning_rate"):
        run.advance(1)
    for name, array in before.items():
        assert_array_equal(array, run.export_state()[name], err_msg=name)


def test_what_no_device_is_is_refused():
    with pytest.raises(cf.errors.ConfigError, match="device must be None or a name"):
        cf.SelfPlayConfig(device=3)
    with pytest.raises(cf.errors.ConfigError, match="one that torch can compute on here, got 'abacus'"):
        training("abacus")


def test_trainings_in_torch_go_one_after_another():
    assert cf.PolicyGradient().runs_on_threads
    assert not cf.PolicyGradient(device="cpu").runs_on_threads
