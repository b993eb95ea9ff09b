import itertools
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from coffee_fast._torch_threads import one_torch_thread
from coffee_fast.errors import ConfigError
from coffee_fast.responses import DDQN, DDQNTorch, from_config
from coffee_fast.responses._initial_weights import initial_layers
from coffee_fast.responses._torch_learner import TorchLearner
from coffee_fast.responses._torch_network import flat_parameters, layer_views
from coffee_fast.responses._torch_training import due_events, learn_from_calls

SIZES = (5, 8, 7, 6)


class CountingLearner:
    """Notes what is asked of it."""

    def __init__(self):
        self.events, self.num_gradient_steps = [], 0

    def gradient_step(self, batch):
        self.events.append(("learn", batch))
        self.num_gradient_steps += 1

    def copy_to_target(self):
        self.events.append("copy")


@pytest.mark.parametrize("round_size", [1, 2, 3, 7, 19, 400])
def test_cadence_does_not_depend_on_the_calls_of_a_round(round_size):
    config = DDQNTorch(num_steps=1000, min_replay=64, replay_capacity=64, target_period=50)
    learner = CountingLearner()
    actor = SimpleNamespace(num_calls=0, num_transitions=64, sample=lambda batch_size, draw: (batch_size, draw))
    while actor.num_calls < 2000:
        before, actor.num_calls = actor.num_calls, min(actor.num_calls + round_size, 2000)
        learn_from_calls(config, actor, learner, before)
    expected, draw = [], 0
    for call in range(1, 2001):
        if call % 2 == 0:
            expected.append(("learn", (64, draw)))
            draw += 1
        if call % 50 == 0:
            expected.append("copy")
    assert learner.events == expected


def test_nothing_is_learned_before_min_replay_but_the_target_is_copied():
    config = DDQNTorch(num_steps=1000, min_replay=500, replay_capacity=500, target_period=10)
    learner = CountingLearner()
    actor = SimpleNamespace(num_calls=100, num_transitions=499, sample=None)
    assert not learn_from_calls(config, actor, learner, 0)
    assert learner.events == ["copy"] * 10


def test_a_gradient_step_precedes_the_copy_of_its_call():
    assert list(due_events(9, 12, learn_period=2, target_period=5)) == ["learn", "copy", "learn"]
    assert list(due_events(10, 10, learn_period=1, target_period=1)) == []


def make_learner(seeds=(1, 2), **changes):
    arguments = {
        "learning_rate": 1e-3,
        "discount": 0.9,
        "reward_scale": 4.0,
        "device": "cpu",
    }
    return TorchLearner(*(initial_layers(SIZES, seed, "torch") for seed in seeds), **arguments | changes)


def random_batch(rng, size=16):
    masks = (rng.random((size, SIZES[-1])) < 0.4).astype(np.uint8)
    masks[np.arange(size), rng.integers(SIZES[-1], size=size)] = 1
    return {
        "information_states": rng.normal(size=(size, SIZES[0])).astype(np.float32),
        "actions": rng.integers(SIZES[-1], size=size).astype(np.int32),
        "rewards": rng.normal(size=size).astype(np.float32),
        "next_information_states": rng.normal(size=(size, SIZES[0])).astype(np.float32),
        "is_final": (rng.random(size) < 0.3).astype(np.uint8),
        "next_legal_masks": masks,
    }


def module_of(flat):
    linears = [torch.nn.Linear(*pair) for pair in itertools.pairwise(SIZES)]
    with torch.no_grad():
        for linear, (weights, bias) in zip(linears, layer_views(flat, SIZES), strict=True):
            linear.weight.copy_(weights)
            linear.bias.copy_(bias)
    return torch.nn.Sequential(linears[0], torch.nn.ReLU(), linears[1], torch.nn.ReLU(), linears[2])


def test_gradient_steps_agree_with_recorded_gradients():
    """The written-out gradient against autograd, separate parameters and the textbook form of the target."""
    learner = make_learner()
    online, target = (module_of(flat_parameters(initial_layers(SIZES, seed, "torch"))) for seed in (1, 2))
    adam = torch.optim.Adam(online.parameters(), lr=1e-3)
    rng = np.random.default_rng(0)
    losses = []
    for _ in range(25):
        batch = random_batch(rng)
        learner.gradient_step(batch)
        tensors = {name: torch.from_numpy(array) for name, array in batch.items()}
        next_states = tensors["next_information_states"]
        with torch.no_grad():
            allowed = torch.where(tensors["next_legal_masks"] == 1, online(next_states), -math.inf)
            best = target(next_states).gather(1, allowed.argmax(1, keepdim=True))[:, 0]
            goals = tensors["rewards"] / 4.0 + 0.9 * (1 - tensors["is_final"].float()) * best
        values = online(tensors["information_states"]).gather(1, tensors["actions"].long()[:, None])[:, 0]
        loss = torch.nn.functional.mse_loss(values, goals)
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(loss.item())
    for (weights, bias), linear in zip(learner.layers(), online[::2], strict=True):
        np.testing.assert_allclose(weights, linear.weight.detach(), atol=1e-5)
        np.testing.assert_allclose(bias, linear.bias.detach(), atol=1e-5)
    assert learner.update_mean_loss() == pytest.approx(np.mean(losses), rel=1e-4)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_gradient_steps_on_a_gpu_agree_with_those_here():
    here, there = make_learner(), make_learner(device="cuda")
    for batch in map(random_batch, [np.random.default_rng(seed) for seed in range(10)]):
        here.gradient_step(batch)
        there.gradient_step(batch)
    for (weights, bias), (other_weights, other_bias) in zip(here.layers(), there.layers(), strict=True):
        np.testing.assert_allclose(weights, other_weights, atol=1e-5)
        np.testing.assert_allclose(bias, other_bias, atol=1e-5)


def test_a_device_that_is_not_there_is_refused():
    with pytest.raises(ConfigError, match="device must be one that torch can compute on here, got 'abacus'"):
        make_learner(device="abacus")


def test_an_illegal_next_action_never_enters_the_target():
    learner = make_learner()
    batch = random_batch(np.random.default_rng(3))
    batch["next_legal_masks"][:] = 0
    batch["next_legal_masks"][:, 2] = 1
    layers = layer_views(learner._online.parameters, SIZES)
    layers[-1][1][4] = 1e30  # an illegal action of enormous value
    layers_target = layer_views(learner._target_parameters, SIZES)
    layers_target[-1][1][4] = 1e30
    batch["actions"][:] = 0
    learner.gradient_step(batch)
    assert learner.update_mean_loss() < 100


def test_target_follows_only_by_copies():
    learner = make_learner()
    before = learner.export_state()
    assert not np.array_equal(before["parameters"], before["target_parameters"])
    learner.gradient_step(random_batch(np.random.default_rng(0)))
    state = learner.export_state()
    np.testing.assert_array_equal(state["target_parameters"], before["target_parameters"])
    learner.copy_to_target()
    state = learner.export_state()
    np.testing.assert_array_equal(state["target_parameters"], state["parameters"])
    assert state["counters"].tolist() == [1, 1, 1]


@pytest.mark.parametrize("num_steps", [0, 4])
def test_a_restored_learner_continues_with_the_same_bits(num_steps):
    rng = np.random.default_rng(0)
    whole, second = make_learner(), make_learner(seeds=(8, 9))
    for _ in range(num_steps):
        whole.gradient_step(random_batch(rng))
    second.restore(whole.export_state())
    for _ in range(4):
        batch = random_batch(rng)
        whole.gradient_step(batch)
        second.gradient_step(batch)
    for name, array in whole.export_state().items():
        np.testing.assert_array_equal(array, second.export_state()[name], err_msg=name)


def test_layers_are_copies():
    learner = make_learner()
    layers = learner.layers()
    before = [weights.copy() for weights, _ in layers]
    learner.gradient_step(random_batch(np.random.default_rng(0)))
    for (weights, _), old in zip(layers, before, strict=True):
        np.testing.assert_array_equal(weights, old)


def test_flat_parameters_and_views_undo_each_other():
    layers = initial_layers(SIZES, 3, "torch")
    for pair, views in zip(layers, layer_views(flat_parameters(layers), SIZES), strict=True):
        for array, view in zip(pair, views, strict=True):
            np.testing.assert_array_equal(array, view.numpy())


def test_torch_threads_are_given_back():
    before = torch.get_num_threads()

    def interrupt():
        with one_torch_thread():
            assert torch.get_num_threads() == 1
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupt()
    assert torch.get_num_threads() == before


def test_defaults_are_the_papers():
    config = DDQNTorch().to_config()
    assert config.pop("kind") == "ddqn_torch"
    assert config == {
        "hidden_sizes": [200, 200],
        "num_steps": 200_000,
        "replay_capacity": 50_000,
        "min_replay": 50_000,
        "batch_size": 64,
        "learning_rate": 1e-4,
        "discount": 0.99,
        "target_period": 1000,
        "learn_period": 2,
        "epsilon_start": 1.0,
        "epsilon_end": 0.02,
        "epsilon_decay_steps": 200_000,
        "num_parallel_episodes": 32,
        "init": "torch",
        "device": "cpu",
    }


def test_a_configuration_survives_its_mapping():
    config = DDQNTorch(hidden_sizes=(64,), num_steps=70_000, init="paper")
    assert from_config(config.to_config()) == config
    assert from_config({"num_steps": 60_000}) == DDQN(num_steps=60_000)
    with pytest.raises(ConfigError, match=r"got 'ddqn_toch'; did you mean 'ddqn_torch'\?"):
        from_config({"kind": "ddqn_toch"})
    with pytest.raises(ConfigError, match=r"'num_step'; did you mean 'num_steps'\?"):
        from_config({"num_step": 60_000})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"min_replay": 60_000}, "min_replay must be between batch_size 64 and replay_capacity 50000, got 60000"),
        ({"min_replay": 10, "batch_size": 64}, "min_replay must be between"),
        ({"num_steps": 40_000}, "num_steps must be at least min_replay 50000, or the network would never be trained"),
        ({"hidden_sizes": (200, 0)}, r"hidden_sizes\[1\] must be an integer >= 1"),
        ({"learning_rate": 0.0}, "learning_rate must be a finite number > 0, got 0.0"),
        ({"discount": 1.2}, "discount must be a finite number >= 0 and <= 1, got 1.2"),
        ({"target_period": 0}, "target_period must be an integer >= 1, got 0"),
        ({"num_parallel_episodes": 0}, "num_parallel_episodes must be an integer >= 1"),
        ({"num_steps": 2e5}, "num_steps must be an integer >= 1, got 200000.0"),
        ({"init": "zeros"}, "init must be"),
    ],
)
def test_impossible_configurations_are_refused(changes, message):
    with pytest.raises(ConfigError, match=message):
        DDQNTorch(**changes)
