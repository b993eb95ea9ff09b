"""Statistics of a figure over independent runs: summaries with intervals, and tests of one sample against another.

A sample is one number a run (a seed). Every function refuses NaN: a run without a figure has to be left out by whoever
knows why it has none.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from coffee_fast.checks import check_choice, check_count, check_number, first_masked
from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.seeding import check_seed
from coffee_fast.typing import Float64

Alternative = Literal["less", "greater", "two-sided"]
MAX_EXACT_SPLITS = 200_000  # ten against ten has 184,756
NUM_RANDOM_SPLITS = 99_999
MAX_RESAMPLES = 10_000_000  # each is held in memory, a number a run
MAX_EXACT_RANKS = 10_000  # product of the sizes up to which the rank statistic's distribution is counted out


@dataclass(frozen=True)
class Summary:
    """What a sample says of the mean over all possible runs.

    Attributes
    ----------
    num_runs
        Size of the sample.
    mean, standard_error
        The latter is NaN for a single run.
    low, high
        Bootstrap interval of the mean; NaN for a single run.
    interquartile_mean
        Mean of the middle half: what a few extreme runs cannot move.
    """

    num_runs: int
    mean: float
    standard_error: float
    low: float
    high: float
    interquartile_mean: float


def summarize(values: ArrayLike, *, confidence: float = 0.95, seed: int = 0) -> Summary:
    """Summarize a sample of one run or more; the interval is :func:`bootstrap_interval`'s.

    >>> summary = summarize([1.0, 2.0, 3.0, 6.0])
    >>> summary.mean, summary.interquartile_mean, round(summary.standard_error, 3)
    (3.0, 2.5, 1.08)
    """
    sample = _sample(values, "summarize: values", least=1)
    check_number("summarize: confidence", confidence, is_open=True, at_most=1.0)
    check_seed(seed)
    low = high = error = math.nan
    if len(sample) > 1:
        error = float(sample.std(ddof=1) / math.sqrt(len(sample)))
        low, high = bootstrap_interval(sample, confidence=confidence, seed=seed)
    return Summary(len(sample), float(sample.mean()), error, low, high, interquartile_mean(sample))


def interquartile_mean(values: ArrayLike) -> float:
    """Return the mean of what is left when a quarter of the sample (rounded down) is cut off at either end.

    References
    ----------
    Agarwal et al. 2021, "Deep Reinforcement Learning at the Edge of the Statistical Precipice".
    """
    from scipy import stats  # takes a second or two: only when it is needed

    return float(stats.trim_mean(_sample(values, "interquartile_mean: values", least=1), 0.25))


def bootstrap_interval(
    values: ArrayLike,
    *,
    confidence: float = 0.95,
    method: Literal["bca", "percentile"] = "bca",
    num_resamples: int = 9999,
    seed: int = 0,
) -> tuple[float, float]:
    """Return a bootstrap interval of the mean.

    Parameters
    ----------
    values
        Two runs or more. With fewer than about ten the interval is too narrow, whichever method is taken.
    confidence
        In (0, 1).
    method
        ``"bca"``, corrected for bias and skewness, or ``"percentile"``.
    num_resamples, seed
        How often the sample is drawn anew, and by which random numbers.

    References
    ----------
    Efron 1987, "Better Bootstrap Confidence Intervals".
    """
    sample = _sample(values, "bootstrap_interval: values", least=2)
    confidence = check_number("bootstrap_interval: confidence", confidence, is_open=True)
    if confidence >= 1.0:
        raise InvalidArgumentError(f"bootstrap_interval: confidence must lie in (0, 1), got {confidence}")
    kinds = {"bca": "BCa", "percentile": "percentile"}
    check_choice("bootstrap_interval: method", method, kinds)
    num_resamples = check_count("bootstrap_interval: num_resamples", num_resamples, at_least=1, at_most=MAX_RESAMPLES)
    seed = check_seed(seed)
    if np.ptp(sample) == 0.0:  # nothing to resample: the correction would divide by zero
        return float(sample[0]), float(sample[0])
    from scipy import stats

    interval = stats.bootstrap(
        (sample,),
        np.mean,
        vectorized=True,
        confidence_level=confidence,
        n_resamples=num_resamples,
        method=kinds[method],
        random_state=np.random.default_rng(seed),
    ).confidence_interval
    return float(interval.low), float(interval.high)


def welch_test(first: ArrayLike, second: ArrayLike, alternative: Alternative = "less") -> float:
    """Return the p-value of Welch's t-test: that the first mean is ``alternative`` than the second.

    NaN if neither sample varies, for then there is nothing to measure a difference by.

    >>> round(welch_test([1.0, 2.0, 3.0], [3.0, 4.0, 5.0]), 4)
    0.0352
    """
    one, two = _samples("welch_test", first, second, alternative)
    if np.ptp(one) == 0.0 and np.ptp(two) == 0.0:
        return math.nan
    from scipy import stats

    parts = [part for sample in (one, two) for part in (sample.mean(), sample.std(ddof=1), len(sample))]
    return float(stats.ttest_ind_from_stats(*parts, equal_var=False, alternative=alternative).pvalue)


def mann_whitney_test(first: ArrayLike, second: ArrayLike, alternative: Alternative = "less") -> float:
    """Return the p-value of the Mann-Whitney test: that values of the first sample tend to be ``alternative``.

    Exact unless values are tied or samples large (a product of sizes above 10,000); then by the normal approximation,
    corrected for ties.

    >>> mann_whitney_test([1.0, 2.0, 3.0], [4.0, 5.0, 6.0])
    0.05
    """
    one, two = _samples("mann_whitney_test", first, second, alternative)
    pooled = np.concatenate([one, two])
    if np.ptp(pooled) == 0.0:
        return 1.0
    from scipy import stats

    is_exact = len(np.unique(pooled)) == len(pooled) and len(one) * len(two) <= MAX_EXACT_RANKS
    method = "exact" if is_exact else "asymptotic"
    return float(stats.mannwhitneyu(one, two, alternative=alternative, method=method).pvalue)


def permutation_test(first: ArrayLike, second: ArrayLike, alternative: Alternative = "less", *, seed: int = 0) -> float:
    """Return the p-value of the permutation test of the difference of means.

    Exact, over all ways of splitting the pooled values into samples of these sizes, where there are at most 200,000
    of them; else over 99,999 random ones and the split at hand.

    >>> permutation_test([1.0, 2.0, 3.0], [4.0, 5.0, 6.0])
    0.05
    """
    one, two = _samples("permutation_test", first, second, alternative)
    seed = check_seed(seed)
    pooled = np.concatenate([one, two])
    if math.comb(len(pooled), len(one)) > MAX_EXACT_SPLITS:
        from scipy import stats

        return float(
            stats.permutation_test(
                (one, two),
                lambda a, b, axis: a.mean(axis=axis) - b.mean(axis=axis),
                vectorized=True,
                n_resamples=NUM_RANDOM_SPLITS,
                batch=1000,
                alternative=alternative,
                random_state=np.random.default_rng(seed),
            ).pvalue
        )
    centered = pooled - pooled.mean()
    sums = _splits(len(pooled), len(one)) @ centered  # the difference of means grows with the first sample's sum
    tolerance = 1e-12 * np.abs(centered).sum()  # sums that are equal may differ by rounding
    is_less = float((sums <= sums[0] + tolerance).mean())
    is_greater = float((sums >= sums[0] - tolerance).mean())
    return {"less": is_less, "greater": is_greater, "two-sided": min(1.0, 2.0 * min(is_less, is_greater))}[alternative]


def holm(p_values: ArrayLike) -> Float64:
    """Return Holm's adjusted p-values: below 5 %, a test holds although it is one of many.

    Parameters
    ----------
    p_values
        In [0, 1], any shape; NaN stands for a test that was not made, and stays.

    References
    ----------
    Holm 1979, "A Simple Sequentially Rejective Multiple Test Procedure".

    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p_values, dtype=np.float64)
    made = ~np.isnan(values)
    if not ((values[made] >= 0.0) & (values[made] <= 1.0)).all():
        raise InvalidArgumentError(f"holm: p_values must lie in [0, 1], got {values[made].tolist()}")
    found = values[made]
    order = np.argsort(found, kind="stable")
    steps = np.minimum(1.0, (len(found) - np.arange(len(found))) * found[order])
    adjusted = np.full(values.shape, np.nan)
    back = np.empty_like(steps)
    back[order] = np.maximum.accumulate(steps)
    adjusted[made] = back
    return adjusted


@lru_cache(maxsize=4)
def _splits(total: int, size: int) -> NDArray[np.float64]:
    """All choices of ``size`` of ``total`` as rows of zeros and ones; the first is the first ``size``."""
    chosen = np.array(list(itertools.combinations(range(total), size)), dtype=np.intp)
    rows = np.zeros((len(chosen), total))
    np.put_along_axis(rows, chosen, 1.0, axis=1)
    return rows


def _samples(function: str, first: ArrayLike, second: ArrayLike, alternative: str) -> tuple[Float64, Float64]:
    check_choice(f"{function}: alternative", alternative, get_args(Alternative))
    return _sample(first, f"{function}: first", least=2), _sample(second, f"{function}: second", least=2)


def _sample(values: Any, name: str, least: int) -> Float64:
    try:
        sample = np.asarray(list(values) if isinstance(values, Sequence) else values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise InvalidArgumentError(f"{name} must be a list of {least} or more numbers, got {shown(values)}") from None
    if first_masked(values) is not None:
        raise InvalidArgumentError(f"{name} must be known numbers, got masked ones; leave those out")
    if sample.ndim != 1 or len(sample) < least:
        raise InvalidArgumentError(f"{name} must be a list of {least} or more numbers, got shape {list(sample.shape)}")
    if not np.isfinite(sample).all():
        raise InvalidArgumentError(f"{name} must be finite numbers, got {shown(sample.tolist())}")
    return sample
