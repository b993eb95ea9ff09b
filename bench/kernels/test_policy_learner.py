"""An update of anchored self-play in bargaining, playing included, against the learning alone as torch does it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from bench.compare.torch_policy_update import TorchPolicyUpdate, layers_of

from coffee_fast import _core
from coffee_fast._reference.actor import choose_uniformly
from coffee_fast._reference.experience import Decisions, ExperienceOptions, play_episode
from coffee_fast._reference.policy_learner import sample, shuffled
from coffee_fast.responses._initial_weights import initial_layers

GAME = _core.GeneralizedBargaining()
HIDDEN, SEED, NUM_EPISODES, BATCH_SIZE, KL_WEIGHT, LEARNING_RATE = (200, 200), 3, 1500, 2048, 0.2, 1e-3


def initial_networks():
    sizes = (GAME.information_state_size, *HIDDEN)
    policy, value = (initial_layers((*sizes, count), seed, "torch") for seed, count in ((1, GAME.num_actions), (2, 1)))
    return list(policy), list(value)


def make_learner():
    policy, value = initial_networks()
    uniform = _core.Policy.uniform_random()
    return _core.PolicyLearner(
        GAME,
        [policy],
        [value],
        [[(0, 0, None), (1, 0, None)]],
        [([uniform], [1.0])] * 2,
        [uniform],
        seed=SEED,
        num_episodes=NUM_EPISODES,
        batch_size=BATCH_SIZE,
        reward_scale=5.0,
    )


class Recorded:
    """The game's own single episodes, for the twin that records what the learner has decided."""

    def __init__(self, seed, _, rollout):
        self.state = GAME.new_state(seed=seed, rollout=rollout)

    def player_to_act(self):
        return self.state.current_player()

    def information_state(self):
        return self.state.information_state(self.player_to_act())

    def legal_mask(self):
        mask = np.zeros(GAME.num_actions, np.uint8)
        mask[self.state.legal_actions()] = 1
        return mask

    def step(self, action):
        self.state.apply_action(action)
        is_over = self.state.is_terminal()
        return (np.array(self.state.returns()) if is_over else np.zeros(2)), 0.0, is_over


@pytest.fixture(scope="module")
def decisions():
    """Of the first update's episodes, and the permutations of its epochs."""
    policy, _ = initial_networks()
    options = ExperienceOptions(SEED, [[(0, 0, None), (1, 0, None)]], [([choose_uniformly], np.ones(1))] * 2)
    collected = Decisions()
    for number in range(NUM_EPISODES):
        own, *_ = play_episode(Recorded, options, [sample(policy)], number)
        for learner in sorted(own, key=lambda learner: learner[0]):
            collected.append(own[learner])
    arrays = {
        "states": np.stack(collected.states),
        "masks": np.stack(collected.masks),
        "actions": np.array(collected.actions, np.int32),
        "rewards": np.array(collected.rewards, np.float32) / 5,
        "is_last": np.array(collected.is_last, np.uint8),
    }
    streams = [_core.Stream(SEED, _core.Purpose.replay, 0, 0, epoch) for epoch in range(2)]
    return arrays, [shuffled(len(arrays["actions"]), stream) for stream in streams]


def torch_side():
    return TorchPolicyUpdate(*initial_networks(), batch_size=BATCH_SIZE, num_epochs=2, clip=0.2)


@pytest.mark.parametrize("implementation", ["coffee_fast", "torch"])
def test_update(benchmark, implementation, decisions):
    benchmark.group = "update of self-play, 1500 bargaining episodes (torch: its learning alone)"
    ours, rival = make_learner(), torch_side()
    figures = ours.update(KL_WEIGHT, LEARNING_RATE)
    rival.update(*decisions, KL_WEIGHT, LEARNING_RATE)
    assert figures["num_decisions"][0] == len(decisions[0]["actions"])
    for own, other in ((ours.policy(0), layers_of(rival.policy)), (ours.value(0), layers_of(rival.value))):
        for pair, expected in zip(own, other, strict=True):
            for array, wanted in zip(pair, expected, strict=True):
                np.testing.assert_allclose(array, wanted, rtol=1e-2, atol=3e-4)
    if implementation == "coffee_fast":
        benchmark(ours.update, KL_WEIGHT, LEARNING_RATE)
    else:
        benchmark(rival.update, *decisions, KL_WEIGHT, LEARNING_RATE)


def test_gradient_step(benchmark):
    benchmark.group = "policy gradient step 41-200-200-109, batch 2048"
    policy, _ = initial_networks()
    network = _core.TrainedNetwork(policy)
    rng = np.random.default_rng(0)
    inputs = rng.uniform(0, 5, (BATCH_SIZE, GAME.information_state_size)).astype(np.float32)
    slopes = (rng.normal(size=(BATCH_SIZE, GAME.num_actions)) / BATCH_SIZE).astype(np.float32)
    benchmark(network.adam_step, inputs, slopes, LEARNING_RATE)
    if benchmark.stats is not None:
        sizes = (GAME.information_state_size, *HIDDEN, GAME.num_actions)
        products = [inputs * outputs for inputs, outputs in itertools.pairwise(sizes)]
        gflops = 2e-9 * BATCH_SIZE * (3 * sum(products) - products[0]) / benchmark.stats.stats.median
        benchmark.extra_info["gflops"] = gflops
        benchmark.extra_info["share_of_peak"] = gflops / _core.measure_fma_peak()
