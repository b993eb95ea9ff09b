import itertools

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast import _core
from coffee_fast._reference import payoff_table as reference


@pytest.mark.parametrize("num_members", [1, 4])
@pytest.mark.parametrize("shape", [(5,), (1, 1), (3, 4), (41, 41), (1, 70), (2, 3, 4), (9, 1, 17), (2, 3, 2, 3)])
def test_deviation_payoffs_and_regret(shape, num_members):
    rng = np.random.default_rng(len(shape))
    payoffs = [rng.normal(size=(num_members, *shape)) for _ in shape]
    mixtures = [rng.dirichlet(np.ones(size)) for size in shape]
    table = cf.PayoffTable.from_arrays(payoffs)
    for combine, deviations in (
        (np.mean, table.deviation_payoffs(mixtures)),
        (np.min, table.pessimistic_deviation_payoffs(mixtures)),
        (np.max, table.optimistic_deviation_payoffs(mixtures)),
    ):
        for player, array in enumerate(payoffs):
            expected = reference.deviation_payoffs(combine(array, axis=0), player, mixtures)
            np.testing.assert_allclose(deviations[player], expected, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(table.regret(mixtures), reference.regret(payoffs, mixtures), atol=1e-13)
    np.testing.assert_allclose(
        table.pessimistic_regret(mixtures), reference.pessimistic_regret(payoffs, mixtures), atol=1e-13
    )


def test_a_symmetric_table_equals_its_general_form():
    rng = np.random.default_rng(0)
    row = rng.normal(size=(3, 6, 6))
    symmetric = cf.PayoffTable.symmetric(row)
    general = cf.PayoffTable.from_arrays([row, row.swapaxes(1, 2)])
    mixtures = [rng.dirichlet(np.ones(6)) for _ in range(2)]
    for method in ("expected_payoffs", "regret", "pessimistic_regret", "pessimistic_payoffs", "optimistic_payoffs"):
        np.testing.assert_array_equal(getattr(symmetric, method)(mixtures), getattr(general, method)(mixtures))


@pytest.mark.parametrize("num_players", [1, 2, 3])
def test_symmetric_orbits(num_players):
    orbits = {}
    for profile in itertools.product(range(5), repeat=num_players):
        orbit = _core.symmetric_orbit(list(profile))
        assert orbit == reference.symmetric_orbit(profile)
        assert orbits.setdefault(orbit, sorted(profile)) == sorted(profile)
    assert sorted(orbits) == list(range(len(orbits)))
