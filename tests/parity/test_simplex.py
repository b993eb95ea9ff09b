import numpy as np
import pytest

from coffee_fast import _core
from coffee_fast._reference import simplex as reference


@pytest.mark.parametrize("num_strategies", [1, 2, 7, 8, 9, 41, 64, 200])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_projection(num_strategies, scale):
    rng = np.random.default_rng(num_strategies)
    for min_probability in (0.0, 1e-6, 0.5 / num_strategies, 1.0 / num_strategies):
        x = scale * rng.normal(size=num_strategies)
        projected = _core.project_to_simplex(x, min_probability)
        expected = reference.project_to_simplex(x, min_probability)
        np.testing.assert_allclose(projected, expected, rtol=0, atol=1e-15 * max(1.0, scale))


def test_projection_with_ties():
    for x in ([0.0, 0.0, 0.0], [1.0, 1.0, -1.0], [0.5, 0.5, 0.0], [1 / 3, 1 / 3, 1 / 3 - 1e-17]):
        projected = _core.project_to_simplex(np.array(x))
        np.testing.assert_allclose(projected, reference.project_to_simplex(np.array(x)), rtol=0, atol=1e-16)


def test_entropy_and_divergence():
    rng = np.random.default_rng(0)
    for size in (1, 2, 41):
        p, q = rng.dirichlet(np.ones(size)), rng.dirichlet(np.ones(size))
        p[0] = 0.0 if size > 1 else 1.0
        np.testing.assert_allclose(_core.entropy(p), reference.entropy(p), rtol=1e-13)
        np.testing.assert_allclose(_core.kl_divergence(p, q), reference.kl_divergence(p, q), rtol=1e-13)
    assert _core.kl_divergence(np.array([0.5, 0.5]), np.array([1.0, 0.0])) == np.inf
