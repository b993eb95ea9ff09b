import numpy as np
import pytest
from tests.parity.test_anchored import games

from coffee_fast import _core
from coffee_fast._reference import action_risk
from coffee_fast.errors import InvalidArgumentError

ALL = {"one player": games((5,)), "two players": games((3, 4)), "three players": games((2, 3, 4), num_games=20)}


@pytest.mark.parametrize(("temperature", "risk_aversion"), [(1.0, 0.0), (0.5, 1.0), (0.05, 3.0), (2.0, 1e-9)])
@pytest.mark.parametrize("kind", ALL)
def test_quantal_responses_agree(kind, temperature, risk_aversion):
    payoffs, _, _ = ALL[kind]
    num_players = len(payoffs)
    arguments = payoffs, np.full(num_players, temperature), risk_aversion * np.arange(1.0, num_players + 1)
    options = {"damping": 0.5, "tolerance": 1e-9, "max_iterations": 60}
    found = _core.solve_action_risk(*arguments, **options)
    expected = action_risk.solve_action_risk(*arguments, **options)
    np.testing.assert_array_equal(found["converged"], expected.converged)
    np.testing.assert_array_equal(found["num_iterations"], expected.num_iterations)
    assert expected.converged.any()
    for x, y in zip(found["mixtures"], expected.mixtures, strict=True):
        np.testing.assert_allclose(x, y, rtol=0, atol=1e-10)
    for name in ("gap", "residual", "value"):
        np.testing.assert_allclose(found[name], getattr(expected, name), rtol=0, atol=1e-10)


def test_arrays_that_do_not_fit_are_refused():
    payoffs, options = ALL["two players"][0], {"damping": 0.5, "tolerance": 1e-9, "max_iterations": 60}
    with pytest.raises(InvalidArgumentError, match=r"temperature must have shape \[2\]"):
        _core.solve_action_risk(payoffs, np.ones(3), np.ones(2), **options)
    with pytest.raises(InvalidArgumentError, match=r"risk_aversion must have shape \[2\]"):
        _core.solve_action_risk(payoffs, np.ones(2), np.ones((2, 2)), **options)
