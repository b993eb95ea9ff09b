import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from coffee_fast import _core

sizes = st.integers(1, 40)
points = sizes.flatmap(lambda size: arrays(np.float64, size, elements=st.floats(-1e12, 1e12)))
near_points = sizes.flatmap(lambda size: arrays(np.float64, size, elements=st.floats(-2, 2)))
shares_of_the_mass = st.floats(0, 1)


@given(points, shares_of_the_mass)
def test_projection_lies_on_the_simplex(x, share):
    floor = share / len(x) * (1 - 1e-15)
    p = _core.project_to_simplex(x, floor)
    assert (p >= floor).all()
    assert abs(p.sum() - 1) <= 1e-12


@given(near_points, shares_of_the_mass)
def test_projection_is_idempotent(x, share):
    floor = share / len(x) * (1 - 1e-15)
    p = _core.project_to_simplex(x, floor)
    np.testing.assert_allclose(_core.project_to_simplex(p, floor), p, rtol=0, atol=1e-15)


@given(near_points)
def test_projection_is_the_closest_point(x):
    """At the closest point, moving toward any corner of the simplex gains nothing: (x - p) . (corner - p) <= 0."""
    p = _core.project_to_simplex(x)
    residual = x - p
    assert (residual - residual @ p <= 1e-14).all()


@given(near_points, st.randoms(use_true_random=False))
def test_projection_moves_with_a_permutation(x, random):
    order = random.sample(range(len(x)), len(x))
    np.testing.assert_allclose(
        _core.project_to_simplex(x[order]), _core.project_to_simplex(x)[order], rtol=0, atol=1e-15
    )


@given(near_points, st.floats(-10, 10))
def test_projection_ignores_a_common_shift(x, shift):
    np.testing.assert_allclose(_core.project_to_simplex(x + shift), _core.project_to_simplex(x), rtol=0, atol=1e-14)
