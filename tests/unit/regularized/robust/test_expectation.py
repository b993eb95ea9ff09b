import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.errors import InvalidArgumentError
from coffee_fast.regularized import robust_expectation

VALUES, NOMINAL = np.array([0.2, 1.0, -0.5, 0.7]), np.array([0.4, 0.3, 0.1, 0.2])


@pytest.mark.parametrize(
    ("distance", "strength", "expected"),
    [
        ("contamination", {"radius": 0.25}, 0.2275),
        ("total_variation", {"radius": 0.25}, 0.095),
        ("total_variation", {"weight": 0.3}, -0.23),
        ("kl", {"radius": 0.25}, 0.1261891),
        ("kl", {"weight": 0.3}, 0.0803982),
        ("chi_squared", {"weight": 0.3}, 0.28825),
        ("chi_squared", {"weight": 2.0}, 0.4427375),
    ],
)
def test_values_known_from_their_duals(distance, strength, expected):
    assert robust_expectation(VALUES, NOMINAL, distance, **strength) == pytest.approx(expected, abs=1e-7)


def test_rows_are_worth_what_each_is_worth():
    rng = np.random.default_rng(0)
    values, nominal = rng.normal(size=(3, 2, 5)), rng.dirichlet(np.ones(5), size=(3, 2))
    found = cf.regularized.robust_expectation(values, nominal, "kl", radius=0.1)
    assert found.shape == (3, 2)
    assert found[2, 1] == robust_expectation(values[2, 1], nominal[2, 1], "kl", radius=0.1)
    shared = robust_expectation(values, nominal[0, 0], "kl", weight=1.0)
    assert shared[1, 0] == robust_expectation(values[1, 0], nominal[0, 0], "kl", weight=1.0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "exactly one of radius and weight"),
        ({"radius": 0.1, "weight": 1.0}, "exactly one of radius and weight"),
        ({"radius": -0.1}, "radius must be a finite number >= 0, got -0.1"),
        ({"radius": 1.5, "distance": "contamination"}, "radius must be a finite number >= 0 and <= 1, got 1.5"),
        ({"weight": 0.0}, "weight must be a finite number > 0, got 0.0"),
        (
            {"radius": 0.1, "distance": "chi_squared"},
            r"\(with a radius\) must be one of contamination, total_variation, kl, got",
        ),
        (
            {"weight": 0.1, "distance": "contamination"},
            r"\(with a weight\) must be one of total_variation, kl, chi_squared, got",
        ),
        ({"radius": 0.1, "values": [np.nan, 0, 0, 0]}, "values must be finite"),
        ({"radius": 0.1, "nominal": [0.5, 0.6, 0, 0]}, "each row of sum 1"),
        ({"radius": 0.1, "nominal": [1.5, -0.5, 0, 0]}, "nominal must hold probabilities"),
        ({"radius": 0.1, "nominal": [1.0, 0.0]}, "must be arrays"),
    ],
)
def test_bad_input_is_refused(changes, message):
    with pytest.raises(InvalidArgumentError, match=message):
        robust_expectation(**{"values": VALUES, "nominal": NOMINAL, "distance": "kl"} | changes)
