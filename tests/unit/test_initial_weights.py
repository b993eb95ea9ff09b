"""Initial weights of Q-networks are what the two conventions say."""

import numpy as np
import pytest

from coffee_fast.responses._initial_weights import initial_layers

SIZES = (100, 400, 100)


@pytest.mark.parametrize("init", ["torch", "paper"])
def test_distribution(init):
    # 0.880: the deviation of a standard normal distribution cut at two deviations.
    bound, deviation = (1, 3**-0.5) if init == "torch" else (2, 0.880)
    for weights, bias in initial_layers(SIZES, 5, init):
        scale = weights.shape[1] ** -0.5
        assert np.abs(weights).max() <= bound * scale * (1 + 1e-6)
        assert weights.std() == pytest.approx(deviation * scale, rel=0.02)
        assert bool((bias != 0).any()) == (init == "torch")


def test_a_seed_gives_its_own_weights():
    first, again, other = (initial_layers(SIZES, seed, "torch")[0][0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
