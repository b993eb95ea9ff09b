"""One sample a method, all against a reference: means, intervals and tests in one table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, get_args

from coffee_fast.checks import check_choice
from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.statistics import (
    Alternative,
    holm,
    mann_whitney_test,
    permutation_test,
    summarize,
    welch_test,
)

TESTS = ("welch", "mann_whitney", "permutation")
# Of results that are no numbers, the figure that is compared: the first that they have.
FIGURES = ("sum_regret", "final_sum_regret")


@dataclass(frozen=True)
class ComparisonRow:
    """One method: its summary, and the p-values of the reference against it; NaN in the reference's own row.

    ``welch``, ``mann_whitney`` and ``permutation`` are as computed, those with ``_holm`` are adjusted for the number
    of rows. Other fields are those of :class:`coffee_fast.evaluation.Summary`.
    """

    name: str
    num_runs: int
    mean: float
    standard_error: float
    low: float
    high: float
    interquartile_mean: float
    welch: float = math.nan
    welch_holm: float = math.nan
    mann_whitney: float = math.nan
    mann_whitney_holm: float = math.nan
    permutation: float = math.nan
    permutation_holm: float = math.nan


@dataclass(frozen=True)
class Comparison:
    """What :func:`compare` found; ``pandas.DataFrame(comparison.to_rows())`` makes a data frame of it.

    Attributes
    ----------
    rows
        In the order of the results.
    reference, alternative
        As given: the p-values are of "the reference's values are ``alternative`` than the row's".
    """

    rows: tuple[ComparisonRow, ...]
    reference: str
    alternative: Alternative

    def __getitem__(self, name: str) -> ComparisonRow:
        """Return the row of a method."""
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(name)

    def to_rows(self) -> list[dict[str, Any]]:
        """Return the rows as dictionaries."""
        return [asdict(row) for row in self.rows]

    def __str__(self) -> str:
        header = (
            "",
            "runs",
            "mean ± error",
            "95 % interval",
            "Welch",
            "Holm",
            "Mann-Whitney",
            "Holm",
            "permut.",
            "Holm",
        )
        table = [header, *map(_cells, self.rows)]
        widths = [max(len(line[place]) for line in table) for place in range(len(header))]
        lines = [
            "  ".join(
                f"{cell:<{width}}" if place == 0 else f"{cell:>{width}}" for place, (cell, width) in enumerate(pairs)
            )
            for pairs in ([*zip(line, widths, strict=True)] for line in table)
        ]
        return "\n".join([*lines, f"p-values: {self.reference} is {self.alternative}"])


def compare(
    results: Mapping[str, Any], *, reference: str, alternative: Alternative = "less", seed: int = 0
) -> Comparison:
    """Compare methods by a figure that each has once a run, such as its regret.

    Parameters
    ----------
    results
        For each method its runs, two or more: numbers, or regret reports or summaries of runs, whose regret summed
        over players is taken.
    reference
        The method that all others are compared with.
    alternative
        What the tests ask: whether the reference's values are ``"less"`` than the other's (of regrets: better),
        ``"greater"``, or different (``"two-sided"``).
    seed
        Of the bootstrap, and of permutation tests too large to be exact.

    Raises
    ------
    InvalidArgumentError
        If there is no such reference, or a method has fewer than two runs or a figure that is not finite.

    >>> table = compare({"ours": [1.0, 2.0, 1.5], "theirs": [3.0, 4.0, 5.0]}, reference="ours")
    >>> table["theirs"].permutation
    0.05
    """
    if not isinstance(results, Mapping) or not all(isinstance(name, str) for name in results):
        raise InvalidArgumentError(f"compare: results must be a mapping of methods to runs, got {shown(results)}")
    check_choice("compare: reference", reference, results)
    check_choice("compare: alternative", alternative, get_args(Alternative))
    samples = {name: _figures(name, runs) for name, runs in results.items()}
    rows = []
    for name, sample in samples.items():
        row = ComparisonRow(name, **asdict(summarize(sample, seed=seed)))
        if name != reference:
            against = samples[reference], sample, alternative
            row = replace(
                row,
                welch=welch_test(*against),
                mann_whitney=mann_whitney_test(*against),
                permutation=permutation_test(*against, seed=seed),
            )
        rows.append(row)
    for test in TESTS:
        adjusted = holm([getattr(row, test) for row in rows])
        columns: list[dict[str, Any]] = [{f"{test}_holm": float(p)} for p in adjusted]
        rows = [replace(row, **column) for row, column in zip(rows, columns, strict=True)]
    return Comparison(tuple(rows), reference, alternative)


def _figures(name: str, runs: Any) -> list[float]:
    if isinstance(runs, str | bytes) or not isinstance(runs, Iterable):
        raise InvalidArgumentError(f"compare: {name} must be a list of runs, got {shown(runs)}")
    listed = list(runs)
    if len(listed) < 2:
        raise InvalidArgumentError(f"compare: {name} must have two runs or more, got {len(listed)}")
    figures = [_figure(name, run) for run in listed]
    if not all(map(math.isfinite, figures)):
        raise InvalidArgumentError(f"compare: {name} must have finite figures, got {shown(figures)}")
    return figures


def _figure(name: str, run: Any) -> float:
    for attribute in FIGURES:
        if hasattr(run, attribute):
            run = getattr(run, attribute)
            break
    try:
        return float(run)
    except (TypeError, ValueError, OverflowError):
        raise InvalidArgumentError(
            f"compare: {name} must be numbers, regret reports or summaries of runs, got {type(run).__name__}; "
            "judge a search's result with true_regret first"
        ) from None


def _cells(row: ComparisonRow) -> tuple[str, ...]:
    pairs = [getattr(row, f"{test}{kind}") for test in TESTS for kind in ("", "_holm")]
    return (
        row.name,
        str(row.num_runs),
        f"{row.mean:.3f} ± {row.standard_error:.3f}",
        f"{row.low:.3f} to {row.high:.3f}",
        *("" if math.isnan(p) else f"{p:.3g}" for p in pairs),
    )
