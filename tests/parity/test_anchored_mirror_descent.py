import numpy as np
import pytest
from tests.parity.test_anchored import ALL

from coffee_fast import _core
from coffee_fast._reference import anchored_mirror_descent as reference_module


@pytest.mark.parametrize(
    "options",
    [
        {"num_iterations": 1},
        {"num_iterations": 200},
        {"num_iterations": 400, "tolerance": 1e-2},
        {"num_iterations": 100, "step_size": True},
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ALL)
def test_play_agrees(kind, options):
    payoffs, reference, kl_weight = ALL[kind]
    if "step_size" in options:
        options = options | {"step_size": np.linspace(0.01, 1.0, len(kl_weight)) / kl_weight.max()}
    found = _core.anchored_mirror_descent(payoffs, reference, kl_weight, **options)
    expected = reference_module.anchored_mirror_descent(payoffs, reference, kl_weight, **options)
    np.testing.assert_array_equal(found["num_iterations"], expected.num_iterations)
    scale = np.abs(payoffs[0]).max()
    np.testing.assert_allclose(found["joint"], expected.joint, rtol=0, atol=1e-10)
    np.testing.assert_allclose(found["gap"], expected.gap, rtol=0, atol=1e-10 * scale)
    np.testing.assert_allclose(found["value"], expected.value, rtol=0, atol=1e-10 * scale)
    for name in ("average", "last"):
        for mixture, other in zip(found[name], getattr(expected, name), strict=True):
            np.testing.assert_allclose(mixture, other, rtol=0, atol=1e-9)
