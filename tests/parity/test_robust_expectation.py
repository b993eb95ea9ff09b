import numpy as np
import pytest

from coffee_fast import _core
from coffee_fast._reference import certainty_equivalent, robust_expectation
from coffee_fast.errors import InvalidArgumentError

RNG = np.random.default_rng(0)
VALUES = RNG.normal(size=(200, 5)) * RNG.choice([1e-8, 1.0, 1e4], size=(200, 1))
NOMINAL = RNG.dirichlet(np.ones(5), size=200)
NOMINAL[::3, 2] = 0.0
NOMINAL /= NOMINAL.sum(axis=1, keepdims=True)
SCALE = np.abs(VALUES).max(axis=1)
RADIUS, WEIGHT = (0.0, 0.01, 0.3, 1.0), (1e-3, 0.3, 5.0)


@pytest.mark.parametrize("risk_aversion", [-2.0, 0.0, 1e-9, 0.5, 30.0])
def test_certainty_equivalents_agree(risk_aversion):
    found = _core.entropic_certainty_equivalent(VALUES, NOMINAL, risk_aversion)
    expected = certainty_equivalent.entropic_certainty_equivalent(VALUES, NOMINAL, risk_aversion)
    assert np.abs((found - expected) / SCALE).max() < 1e-10


@pytest.mark.parametrize(
    ("name", "strength"),
    [(name, r) for name in ("contamination", "total_variation_ball", "kl_ball") for r in RADIUS]
    + [(f"{name}_penalized", w) for name in ("kl", "total_variation", "chi_squared") for w in WEIGHT],
)
def test_least_expectations_agree(name, strength):
    found = getattr(_core, name)(VALUES, NOMINAL, strength)
    expected = getattr(robust_expectation, name)(VALUES, NOMINAL, strength)
    # A price of small values is the logarithm of nearly one: it keeps the digits of the price, not of the values.
    scale = SCALE + 1e-6 * strength
    assert np.abs((found - expected) / scale).max() < 1e-9
    assert (found <= (NOMINAL * VALUES).sum(axis=1) + 1e-9 * scale).all()


def test_arrays_that_do_not_fit_are_refused():
    with pytest.raises(InvalidArgumentError, match=r"must have one shape \[G, S\]"):
        _core.kl_ball(VALUES, NOMINAL[:, :4].copy(), 0.1)
