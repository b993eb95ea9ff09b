import numpy as np
import pytest
from tests.parity.test_anchored import KERNELS

from coffee_fast._reference import potential as twin
from coffee_fast.stage_games import kernels


@pytest.mark.parametrize("kind", KERNELS)
def test_potentials_and_distances_agree(kind):
    payoffs, _, _ = KERNELS[kind]
    scale = np.abs(payoffs[0]).max()
    found, distance = kernels.nearest_potential(payoffs)
    expected, other = twin.nearest_potential(payoffs)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13 * scale)
    np.testing.assert_allclose(distance, other, rtol=1e-12, atol=1e-13 * scale)


@pytest.mark.parametrize("shape", [(3,), (3, 4), (2, 3, 4)])
def test_games_with_a_potential_have_no_distance_from_it(shape):
    """The potential, and for each player anything on top that its own action does not change."""
    rng = np.random.default_rng(0)
    common = rng.normal(size=(7, *shape))
    payoffs = [common + rng.normal(size=common.shape).mean(axis=i + 1, keepdims=True) for i in range(len(shape))]
    found, distance = kernels.nearest_potential(payoffs)
    assert distance.max() < 1e-13
    shift = (found - common).reshape(7, -1)
    np.testing.assert_allclose(shift, np.tile(shift[:, :1], shift.shape[1]), atol=1e-13)
