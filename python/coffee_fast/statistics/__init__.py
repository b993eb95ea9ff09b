"""What figures of many runs say: summaries, intervals, tests and correlations."""

from coffee_fast.statistics.correlation import Correlation, correlation_over_groups, correlation_over_profiles
from coffee_fast.statistics.samples import (
    Alternative,
    Summary,
    bootstrap_interval,
    holm,
    interquartile_mean,
    mann_whitney_test,
    permutation_test,
    summarize,
    welch_test,
)

__all__ = [
    "Alternative",
    "Correlation",
    "Summary",
    "bootstrap_interval",
    "correlation_over_groups",
    "correlation_over_profiles",
    "holm",
    "interquartile_mean",
    "mann_whitney_test",
    "permutation_test",
    "summarize",
    "welch_test",
]
