import numpy as np
import pytest
from tests.parity.test_anchored import ALL

from coffee_fast import _core
from coffee_fast._reference import concentrability as twin
from coffee_fast._reference.anchored import LOG_ZERO
from coffee_fast.errors import InvalidArgumentError
from coffee_fast.stage_games import kernels


@pytest.mark.parametrize("kind", [kind for kind in ALL if kind != "symmetric"])
def test_concentrabilities_agree(kind):
    _, reference, _ = ALL[kind]
    rng = np.random.default_rng(2)
    shape = (len(reference[0]), *(x.shape[1] for x in reference))
    frequencies = rng.dirichlet(np.ones(np.prod(shape[1:])), size=shape[0]).reshape(shape)
    frequencies[::3] *= rng.random(frequencies[::3].shape) > 0.1  # some profiles are never seen
    frequencies[1::3] = 1.0 / np.prod(shape[1:])  # and some alike
    found, expected = kernels.concentrability(reference, frequencies), twin.concentrability(reference, frequencies)
    np.testing.assert_allclose(found.joint, expected.joint, rtol=1e-12)
    np.testing.assert_allclose(found.unilateral, expected.unilateral, rtol=1e-12)
    assert np.isinf(found.joint[::3]).any()
    assert np.isfinite(found.joint[1::3]).all()


@pytest.mark.parametrize("cover", [kernels.concentrability, twin.concentrability])
def test_only_what_the_reference_can_play_asks_to_be_covered(cover):
    reference = [np.array([[0.0, LOG_ZERO]]), np.log([[0.25, 0.75]])]
    found = cover(reference, np.array([[[0.6, 0.4], [0.0, 0.0]]]))
    np.testing.assert_allclose(found.joint, [0.75 / 0.4])
    np.testing.assert_allclose(found.unilateral, [[0.75 / 0.4, 1.0 / 0.4]])
    # An action so rare that the product of two is zero in double precision, where nothing was seen.
    rare = [np.log([[1.0 - 1e-200, 1e-200]])] * 2
    found = cover(rare, np.array([[[0.5, 0.25], [0.25, 0.0]]]))
    np.testing.assert_allclose(found.joint, [2.0])
    assert np.isinf(found.unilateral).all()


def test_one_player_alone_is_covered_where_it_was_seen():
    found = kernels.concentrability([np.log([[0.5, 0.5]])], np.array([[0.2, 0.8]]))
    np.testing.assert_allclose(found.joint, [2.5])
    np.testing.assert_allclose(found.unilateral, [[5.0]])


def test_arrays_that_do_not_fit_are_refused():
    logs = [np.log([[0.5, 0.5]])] * 2
    with pytest.raises(InvalidArgumentError, match="reference must have 1 arrays, got 2"):
        _core.concentrability(logs, np.ones((1, 2)))
    with pytest.raises(InvalidArgumentError, match=r"reference\[1\] must have shape \[1, 3\]"):
        _core.concentrability(logs, np.ones((1, 2, 3)))
