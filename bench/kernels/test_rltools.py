"""The double-Q gradient step at the paper's sizes against RLtools in C++, compiled here with OpenBLAS."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from bench.compare.rltools_q_step import RLtools
from bench.kernels import test_q_network as plain
from bench.kernels.test_q_network import BATCH_SIZE, NAMES, SIZES, Native


class Rival:
    def __init__(self):
        self.learner = RLtools(plain.ONLINE, plain.TARGET, plain.DISCOUNT)

    def step(self, arrays):
        self.learner.step(*(arrays[name] for name in NAMES))

    def layers(self):
        return self.learner.layers()


def rival_multiply_adds():
    """All outputs of both networks at all next states, those at all states, and a gradient by all of them."""
    first, *others = (inputs * outputs for inputs, outputs in itertools.pairwise(SIZES))
    return BATCH_SIZE * (4 * (first + sum(others)) + sum(others))


@pytest.mark.slow
@pytest.mark.parametrize("implementation", ["coffee_fast", "rltools"])
def test_gradient_step(benchmark, implementation):
    benchmark.group = "double-Q gradient step 41-200-200-109, batch 64"
    arrays = plain.batch()
    ours, rival = Native(), Rival()
    for _ in range(3):
        ours.step(arrays)
        rival.step(arrays)
    for pair, other in zip(ours.layers(), rival.layers(), strict=True):
        for value, expected in zip(pair, other, strict=True):
            np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-6)
    benchmark({"coffee_fast": ours, "rltools": rival}[implementation].step, arrays)
    if benchmark.stats is not None:
        work = plain.multiply_adds(arrays) if implementation == "coffee_fast" else rival_multiply_adds()
        benchmark.extra_info["multiply_adds_in_millions"] = 1e-6 * work
        benchmark.extra_info["gflops_of_own_work"] = 2e-9 * work / benchmark.stats.stats.median
