"""Correlation over pairs of strategies."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import numpy as np
import pytest

from coffee_fast.statistics import correlation_over_profiles


def pairs(num_strategies):
    columns, rows = np.tril_indices(num_strategies)
    return np.stack([rows, columns], axis=1).astype(np.int32)


def test_it_is_pearsons_and_repeats(rng):
    profiles = pairs(10)
    first = rng.normal(size=len(profiles))
    second = first + rng.normal(size=len(profiles))
    found = correlation_over_profiles(first, second, profiles, seed=1)
    assert found.value == pytest.approx(np.corrcoef(first, second)[0, 1])
    assert -1.0 <= found.low < found.value < found.high <= 1.0
    assert found == correlation_over_profiles(first, second, profiles, seed=1)
    assert found != correlation_over_profiles(first, second, profiles, seed=2)


def test_common_strategies_widen_the_interval(rng):
    """Figures that belong to strategies, not to pairs, are as few observations as there are strategies."""
    profiles = pairs(12)
    by_strategy = rng.normal(size=(2, 12))
    of_strategies = by_strategy[:, profiles].sum(axis=2)
    of_pairs = rng.normal(size=(2, len(profiles)))
    widths = [
        found.high - found.low
        for found in (correlation_over_profiles(*figures, profiles, seed=1) for figures in (of_strategies, of_pairs))
    ]
    assert widths[0] > 1.5 * widths[1]


def test_a_straight_line_has_no_doubt(rng):
    first = rng.normal(size=len(pairs(6)))
    found = correlation_over_profiles(first, 2.0 - 3.0 * first, pairs(6), seed=1)
    np.testing.assert_allclose([found.value, found.low, found.high], -1.0)
    assert str(found) == "-1.00 (-1.00 to -1.00)"


def test_what_does_not_vary_has_no_correlation(rng):
    found = correlation_over_profiles(np.ones(6), rng.normal(size=6), pairs(3), seed=1)
    assert math.isnan(found.value)
    assert str(found) == "unknown"
    few = correlation_over_profiles(rng.normal(size=6), rng.normal(size=6), pairs(3), seed=1)
    assert not math.isnan(few.value)
    assert math.isnan(few.low)


def test_profiles_of_roles_are_drawn_as_often_as_their_strategies_together():
    """Of three alike, ways to choose with repetition; of roles, the product over roles."""
    rng = np.random.default_rng(5)
    trios = np.array(list(itertools.combinations_with_replacement(range(4), 3)), dtype=np.int32)
    figures = rng.normal(size=(2, len(trios)))
    found = correlation_over_profiles(*figures, trios, 1, (3,))
    drawn = np.random.default_rng(1).multinomial(4, np.full(4, 0.25), size=2000)
    weights = np.array(
        [
            np.prod([math.comb(counts[s] + m - 1, m) for s, m in Counter(trio).items()])
            for counts in drawn.tolist()
            for trio in trios.tolist()
        ]
    ).reshape(2000, -1)
    resampled = [np.cov(*figures, aweights=row) for row in weights if (row > 0).sum() > 1]
    with np.errstate(invalid="ignore"):
        values = np.array([cov[0, 1] / np.sqrt(cov[0, 0] * cov[1, 1]) for cov in resampled])
    np.testing.assert_allclose((found.low, found.high), np.nanquantile(values, [0.025, 0.975]), atol=0.03)
    assert found.value == pytest.approx(np.corrcoef(figures)[0, 1])
    pairs = np.stack(np.indices((4, 4)), axis=-1).reshape(-1, 2).astype(np.int32)
    of_roles = correlation_over_profiles(*rng.normal(size=(2, 16)), pairs, 1, (1, 1))
    assert of_roles.low < of_roles.value < of_roles.high
