"""When a GPU helps: updates of self-play in bargaining by networks of two sizes, playing (on processors) included."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import coffee_fast as cf
from coffee_fast.policies import UniformRandom
from coffee_fast.self_play.training import SelfPlayTraining

GAME = cf.load_game("generalized_bargaining")
SIDES = {"coffee_fast": None, "torch_cpu": "cpu", "torch_cuda": "cuda"}
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


def training(device, hidden_sizes):
    config = cf.SelfPlayConfig(hidden_sizes=hidden_sizes, num_updates=100, num_snapshots=1, device=device)
    return SelfPlayTraining(GAME, config, 3, 5.0, [UniformRandom()])


@pytest.mark.slow
@pytest.mark.parametrize("hidden_sizes", [(200, 200), (1024, 1024)], ids=str)
@pytest.mark.parametrize("implementation", [*list(SIDES)[:2], pytest.param("torch_cuda", marks=needs_gpu)])
def test_update(benchmark, implementation, hidden_sizes):
    benchmark.group = f"update of self-play, 1500 bargaining episodes, hidden {hidden_sizes}"
    ours, side = (training(device, hidden_sizes) for device in (None, SIDES[implementation]))
    for run in (ours, side):
        run.advance(1)
    for name, expected in ours.history().items():
        np.testing.assert_allclose(side.history()[name], expected, rtol=1e-3, atol=2e-3, err_msg=name)
    benchmark.pedantic(side.advance, args=(1,), rounds=3)
    if implementation == "torch_cuda":
        benchmark.extra_info["device"] = torch.cuda.get_device_name()
