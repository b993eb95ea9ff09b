"""Statistics over runs, against scipy, hand computation and their own laws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import coffee_fast as cf
from coffee_fast.statistics import samples as statistics

TESTS = (statistics.welch_test, statistics.mann_whitney_test, statistics.permutation_test)


def difference_of_means(one, two, axis):
    return one.mean(axis=axis) - two.mean(axis=axis)


def test_a_summary_by_hand():
    summary = statistics.summarize([4.0, 0.0, 2.0, 100.0, 6.0])
    assert summary.num_runs == 5
    assert summary.mean == pytest.approx(22.4)
    assert summary.standard_error == pytest.approx(math.sqrt(7547.2 / 4 / 5))
    assert summary.interquartile_mean == pytest.approx(4.0)  # of 2, 4 and 6
    assert summary.low < summary.mean < summary.high


def test_a_single_run_has_a_mean_and_no_error():
    summary = statistics.summarize([3.0])
    assert summary.mean == summary.interquartile_mean == 3.0
    assert math.isnan(summary.standard_error)
    assert math.isnan(summary.low)


@pytest.mark.parametrize("method", ["bca", "percentile"])
def test_intervals_are_scipys_and_repeat(rng, method):
    sample = rng.exponential(size=12)
    found = statistics.bootstrap_interval(sample, method=method, num_resamples=999, seed=4)
    kind = {"bca": "BCa", "percentile": "percentile"}[method]
    oracle = stats.bootstrap(
        (sample,), np.mean, method=kind, n_resamples=999, random_state=np.random.default_rng(4)
    ).confidence_interval
    assert found == (oracle.low, oracle.high)
    assert statistics.bootstrap_interval(sample, method=method, num_resamples=999, seed=4) == found
    assert statistics.bootstrap_interval(sample, method=method, num_resamples=999, seed=5) != found
    narrow = statistics.bootstrap_interval(sample, method=method, confidence=0.5)
    assert found[0] < narrow[0] < narrow[1] < found[1]


def test_the_interval_covers_the_mean_about_as_often_as_it_says(rng):
    covered = [
        low <= 1.0 <= high
        for low, high in (
            statistics.bootstrap_interval(rng.normal(1.0, size=20), num_resamples=400) for _ in range(300)
        )
    ]
    assert 0.87 < np.mean(covered) < 0.99


def test_equal_values_have_an_interval_of_no_width():
    assert statistics.bootstrap_interval([2.0, 2.0, 2.0]) == (2.0, 2.0)


@pytest.mark.parametrize("alternative", ["less", "greater", "two-sided"])
def test_p_values_are_scipys(rng, alternative):
    one, two = rng.normal(size=6), rng.normal(0.5, 2.0, size=7)
    expected = [
        stats.ttest_ind(one, two, equal_var=False, alternative=alternative).pvalue,
        stats.mannwhitneyu(one, two, alternative=alternative, method="exact").pvalue,
        stats.permutation_test(
            (one, two), difference_of_means, vectorized=True, n_resamples=np.inf, alternative=alternative
        ).pvalue,
    ]
    np.testing.assert_allclose([test(one, two, alternative) for test in TESTS], expected, rtol=1e-12)


def test_a_large_permutation_test_is_drawn_and_repeats(rng, monkeypatch):
    monkeypatch.setattr(statistics, "NUM_RANDOM_SPLITS", 2000)
    one, two = rng.normal(size=30), rng.normal(0.4, size=30)
    drawn = statistics.permutation_test(one, two, seed=1)
    assert drawn == statistics.permutation_test(one, two, seed=1)
    assert drawn == pytest.approx(statistics.welch_test(one, two), abs=0.03)


def test_ten_against_ten_wholly_apart_is_one_split_of_all():
    one, two = np.arange(10.0), np.arange(10.0) + 100.0
    assert statistics.permutation_test(one, two) == pytest.approx(1 / math.comb(20, 10))
    assert statistics.mann_whitney_test(one, two) == pytest.approx(1 / math.comb(20, 10))


def test_identical_samples_speak_for_neither_side(rng):
    sample = rng.normal(size=6)
    assert statistics.welch_test(sample, sample) == pytest.approx(0.5)
    for test in TESTS[1:]:
        assert test(sample, sample, "less") == pytest.approx(test(sample, sample, "greater"))
        assert test(sample, sample, "less") >= 0.5
        assert test(sample, sample, "two-sided") == pytest.approx(1.0)


def test_samples_that_do_not_vary():
    assert math.isnan(statistics.welch_test([1.0, 1.0], [2.0, 2.0]))
    assert statistics.mann_whitney_test([1.0, 1.0], [1.0, 1.0]) == 1.0
    assert statistics.permutation_test([1.0, 1.0], [1.0, 1.0]) == 1.0


values = st.lists(st.integers(-50, 50).map(lambda n: n / 7), min_size=2, max_size=6)


@given(values, values, st.integers(1, 20))
def test_lower_values_are_stronger_evidence_of_being_less(one, two, shift):
    lower = [value - shift for value in one]
    for test in TESTS:
        before, after = test(one, two, "less"), test(lower, two, "less")
        assert math.isnan(before) or after <= before + 1e-9


@given(values, values)
def test_exchanging_the_samples_exchanges_the_sides(one, two):
    for test in TESTS:
        assert test(one, two, "less") == pytest.approx(test(two, one, "greater"), nan_ok=True)


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12))
def test_holm_keeps_the_order_and_only_raises(p_values):
    adjusted = statistics.holm(p_values)
    assert (adjusted >= np.array(p_values)).all()
    assert (adjusted <= 1.0).all()
    assert (np.diff(adjusted[np.argsort(p_values, kind="stable")]) >= 0.0).all()
    assert min(adjusted) == pytest.approx(min(1.0, len(p_values) * min(p_values)))
    assert max(adjusted) <= 1.0


def test_holm_by_hand_and_with_tests_not_made():
    expected = [0.03, 0.06, 0.06, np.nan]
    np.testing.assert_allclose(statistics.holm([0.01, 0.04, 0.03, np.nan]), expected)
    np.testing.assert_allclose(statistics.holm([[0.2, 0.9], [0.9, 0.9]]), [[0.8, 1.0], [1.0, 1.0]])
    with pytest.raises(cf.InvalidArgumentError, match=r"holm: p_values must lie in \[0, 1\]"):
        statistics.holm([1.5])


def test_what_is_no_sample_is_refused():
    for test in TESTS:
        with pytest.raises(cf.InvalidArgumentError, match="first must be a list of 2 or more numbers"):
            test([1.0], [1.0, 2.0])
        with pytest.raises(cf.InvalidArgumentError, match="second must be finite numbers"):
            test([1.0, 3.0], [1.0, math.nan])
        with pytest.raises(cf.InvalidArgumentError, match="alternative must be one of"):
            test([1.0, 3.0], [1.0, 2.0], "smaller")
    with pytest.raises(cf.InvalidArgumentError, match="confidence must lie"):
        statistics.bootstrap_interval([1.0, 2.0], confidence=95)
    with pytest.raises(cf.InvalidArgumentError, match="summarize: values must be"):
        statistics.summarize([])
