"""Networks of product layers, forward, against torch on one thread; a ReLU network of the paper's size beside them.

Figures count the multiply-adds of the layers as they are: neither padding nor the products themselves. The peak is that
of the best of many tries, and so are these: of the fastest round, which other work on the machine leaves alone.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from coffee_fast._core import Mlp, build_info, measure_fma_peak
from coffee_fast._reference import mlp as reference

NETWORKS = {"product 64-64": (64, 64), "product 128-128": (128, 128), "relu 250-250": (250, 250)}
NUM_INPUTS, NUM_OUTPUTS = 21, 15


@pytest.fixture(scope="module")
def peak_gflops():
    return measure_fma_peak(duration_s=0.2)


def random_layers(widths, activation):
    rng = np.random.default_rng(0)
    layers, num_inputs = [], NUM_INPUTS
    for width in widths:
        layers.append(random_layer(rng, 2 * width if activation == "product" else width, num_inputs))
        num_inputs = num_inputs + width if activation == "product" else width
    return [*layers, random_layer(rng, NUM_OUTPUTS, num_inputs)]


def random_layer(rng, num_rows, num_inputs):
    weights = rng.normal(size=(num_rows, num_inputs)) / np.sqrt(num_inputs)
    return weights.astype(np.float32), rng.normal(size=num_rows).astype(np.float32)


def in_torch(layers, activation):
    pairs = [(torch.from_numpy(weights), torch.from_numpy(bias)) for weights, bias in layers]

    def forward(values):
        for weights, bias in pairs[:-1]:
            sums = torch.nn.functional.linear(values, weights, bias)
            if activation == "relu":
                values = torch.relu_(sums)
            else:
                first, second = sums.chunk(2, dim=1)
                values = torch.cat([first * second, values], dim=1)
        return torch.nn.functional.linear(values, *pairs[-1])

    return forward


@pytest.mark.parametrize("implementation", ["coffee_fast", "torch"])
@pytest.mark.parametrize("batch_size", [64, 256, 1024])
@pytest.mark.parametrize("network", NETWORKS)
def test_forward(benchmark, peak_gflops, network, batch_size, implementation):
    activation = network.split()[0]
    layers = random_layers(NETWORKS[network], activation)
    inputs = np.random.default_rng(1).normal(size=(batch_size, NUM_INPUTS)).astype(np.float32)
    mlp, module, tensor = Mlp(layers, activation=activation), in_torch(layers, activation), torch.from_numpy(inputs)

    with torch.inference_mode():
        expected = reference.forward(layers, inputs, activation)
        for answer in (mlp.forward(inputs), module(tensor).numpy()):
            np.testing.assert_allclose(answer, expected, rtol=0, atol=1e-5 * np.abs(expected).max())
        forward, argument = (mlp.forward, inputs) if implementation == "coffee_fast" else (module, tensor)
        benchmark.group = f"{network}, {NUM_INPUTS} inputs, {NUM_OUTPUTS} outputs, batch {batch_size}"
        benchmark(forward, argument)

    if benchmark.stats is None:  # --benchmark-disable
        return
    flops = 2 * batch_size * sum(weights.size for weights, _ in layers)
    gflops = 1e-9 * flops / benchmark.stats.stats.min
    benchmark.extra_info.update(
        isa=build_info()["isa"], peak_gflops=peak_gflops, gflops=gflops, share_of_peak=gflops / peak_gflops
    )
