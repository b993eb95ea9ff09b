"""The networks of a paper-scale trial, forward, against torch on one thread.

Figures count the multiply-adds of the layers as they are, without the padding a kernel computes beside them.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from coffee_fast._core import Mlp, build_info, measure_fma_peak

SHAPES = {
    "delta": (18, 250, 250, 15),
    "observation_and_mask": (15, 250, 250, 131),
    "reward": (18, 250, 250, 2),
    "policy": (41, 200, 200, 109),
}


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def peak_gflops():
    return measure_fma_peak(duration_s=0.2)


@pytest.mark.parametrize("implementation", ["coffee_fast", "torch"])
@pytest.mark.parametrize("batch_size", [64, 256, 1024])
@pytest.mark.parametrize("network", SHAPES)
def test_forward(benchmark, peak_gflops, network, batch_size, implementation):
    sizes = SHAPES[network]
    torch.manual_seed(0)
    linears = [torch.nn.Linear(*pair) for pair in itertools.pairwise(sizes)]
    module = torch.nn.Sequential(*[m for linear in linears for m in (linear, torch.nn.ReLU())][:-1])
    mlp = Mlp([(linear.weight.detach().numpy(), linear.bias.detach().numpy()) for linear in linears])
    inputs = torch.randn(batch_size, sizes[0])
    array = inputs.numpy()

    with torch.inference_mode():
        expected = module(inputs).numpy()
        np.testing.assert_allclose(mlp.forward(array), expected, rtol=0, atol=1e-5 * np.abs(expected).max())
        forward, argument = (mlp.forward, array) if implementation == "coffee_fast" else (module, inputs)
        benchmark.group = f"{network} {'-'.join(map(str, sizes))}, batch {batch_size}"
        benchmark(forward, argument)

    if benchmark.stats is None:  # --benchmark-disable
        return
    flops = 2 * batch_size * sum(a * b for a, b in itertools.pairwise(sizes))
    gflops = 1e-9 * flops / benchmark.stats.stats.median
    benchmark.extra_info.update(
        isa=build_info()["isa"], peak_gflops=peak_gflops, gflops=gflops, share_of_peak=gflops / peak_gflops
    )


def test_construction(benchmark):
    """Checking and packing a learner's network, as often as it hands out a new one."""
    rng = np.random.default_rng(0)
    layers = [
        (rng.normal(size=(outputs, inputs)).astype(np.float32), np.zeros(outputs, np.float32))
        for inputs, outputs in itertools.pairwise(SHAPES["policy"])
    ]
    assert benchmark(Mlp, layers).num_parameters == 70_509
