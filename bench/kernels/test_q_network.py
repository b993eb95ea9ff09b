"""The double-Q gradient step at the paper's sizes, against plain torch and against the lean torch twin."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from coffee_fast import _core
from coffee_fast.responses._initial_weights import initial_layers
from coffee_fast.responses._torch_learner import TorchLearner

SIZES, BATCH_SIZE, LEARNING_RATE, DISCOUNT = (41, 200, 200, 109), 64, 1e-4, 0.99
ONLINE, TARGET = (initial_layers(SIZES, seed, "torch") for seed in (1, 2))
NAMES = ("information_states", "actions", "rewards", "next_information_states", "is_final", "next_legal_masks")


def batch():
    """States of the sizes and legal masks of the densities that bargaining has."""
    rng = np.random.default_rng(0)
    masks = (rng.random((BATCH_SIZE, SIZES[-1])) < 0.24).astype(np.uint8)
    masks[:, -1] = 1
    return {
        "information_states": rng.uniform(0, 5, (BATCH_SIZE, SIZES[0])).astype(np.float32),
        "actions": rng.integers(SIZES[-1], size=BATCH_SIZE).astype(np.int32),
        "rewards": rng.normal(size=BATCH_SIZE).astype(np.float32),
        "next_information_states": rng.uniform(0, 5, (BATCH_SIZE, SIZES[0])).astype(np.float32),
        "is_final": (rng.random(BATCH_SIZE) < 0.21).astype(np.uint8),
        "next_legal_masks": masks,
    }


class Native:
    def __init__(self):
        self.network = _core.QNetwork(list(ONLINE), list(TARGET), DISCOUNT, LEARNING_RATE)

    def step(self, arrays):
        self.network.gradient_step(*(arrays[name] for name in NAMES))

    def layers(self):
        return self.network.read(_core.QNetwork.Part.online)


class Twin:
    def __init__(self):
        self.learner = TorchLearner(
            ONLINE, TARGET, learning_rate=LEARNING_RATE, discount=DISCOUNT, reward_scale=1.0, device="cpu"
        )

    def step(self, arrays):
        self.learner.gradient_step(arrays)

    def layers(self):
        return self.learner.layers()


class PlainTorch:
    """Modules, autograd and fused Adam, as one writes it down."""

    def __init__(self):
        self.online, self.target = self.module(ONLINE), self.module(TARGET)
        self.adam = torch.optim.Adam(self.online.parameters(), lr=LEARNING_RATE, fused=True)

    @staticmethod
    def module(layers):
        modules = []
        for weights, bias in layers:
            linear = torch.nn.Linear(weights.shape[1], len(bias))
            linear.load_state_dict({"weight": torch.from_numpy(weights.copy()), "bias": torch.from_numpy(bias.copy())})
            modules += [linear, torch.nn.ReLU()]
        return torch.nn.Sequential(*modules[:-1])

    def step(self, arrays):
        values = {name: torch.from_numpy(array) for name, array in arrays.items()}
        with torch.no_grad():
            next_values = self.online(values["next_information_states"])
            best = next_values.masked_fill(values["next_legal_masks"] == 0, -torch.inf).argmax(1, keepdim=True)
            bootstrap = self.target(values["next_information_states"]).gather(1, best)[:, 0]
            y = values["rewards"] + DISCOUNT * (1 - values["is_final"].float()) * bootstrap
        taken = self.online(values["information_states"]).gather(1, values["actions"].long()[:, None])[:, 0]
        loss = torch.nn.functional.mse_loss(taken, y)
        self.adam.zero_grad(set_to_none=True)
        loss.backward()
        self.adam.step()

    def layers(self):
        linears = [module for module in self.online if isinstance(module, torch.nn.Linear)]
        return [(linear.weight.detach().numpy(), linear.bias.detach().numpy()) for linear in linears]


SIDES = {"coffee_fast": Native, "torch": PlainTorch, "torch_written_out": Twin}


def multiply_adds(arrays):
    """What the step must compute: hidden layers at s and s', gradients, and the last layer where it is looked at."""
    num_next = int((arrays["is_final"] == 0).sum())
    hidden = SIZES[0] * SIZES[1] + SIZES[1] * SIZES[2]
    legal = int(arrays["next_legal_masks"][arrays["is_final"] == 0].sum())
    backward = BATCH_SIZE * (hidden + SIZES[1] * SIZES[2])
    return (BATCH_SIZE + 2 * num_next) * hidden + backward + (3 * BATCH_SIZE + legal + num_next) * SIZES[2]


@pytest.mark.parametrize("implementation", SIDES)
def test_gradient_step(benchmark, implementation):
    benchmark.group = "double-Q gradient step 41-200-200-109, batch 64"
    arrays = batch()
    ours, side = Native(), SIDES[implementation]()
    for _ in range(3):
        ours.step(arrays)
        side.step(arrays)
    for pair, other in zip(ours.layers(), side.layers(), strict=True):
        for value, expected in zip(pair, other, strict=True):
            np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-6)
    benchmark(side.step, arrays)
    if benchmark.stats is not None:
        gflops = 2e-9 * multiply_adds(arrays) / benchmark.stats.stats.median
        benchmark.extra_info["gflops"] = gflops
        benchmark.extra_info["share_of_peak"] = gflops / _core.measure_fma_peak()
