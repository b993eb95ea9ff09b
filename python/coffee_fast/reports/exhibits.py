"""The report's tables as a reader sees them: cells in words, pictures, captions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from coffee_fast.reports import figures, tables
from coffee_fast.reports.exhibit import Exhibit, Grid
from coffee_fast.reports.results import SETTING, SweepResults

if TYPE_CHECKING:
    import pandas as pd

DASH = "-"


def all_exhibits(results: SweepResults, runs: pd.DataFrame, settings: pd.DataFrame) -> list[Exhibit]:
    """Return every exhibit of a sweep, those without data too.

    Parameters
    ----------
    results
        All rows.
    runs, settings
        Those by run and by setting, as ``results.by_run`` and :func:`settings_table` make them.
    """
    return [
        _p_values(runs, settings),
        _regrets(
            "table-4",
            "Regret by algorithm",
            "OEF-BC by the weight of the cloned policy; of COffeE the best setting, as in Table 1.",
            tables.weights_table(settings),
        ),
        _regrets(
            "table-5",
            "Regret of COffeE by its parameters",
            "λ is the uncertainty penalty, β the initial coverage weight.",
            tables.objective_table(settings),
        ),
        figures.fidelity(runs),
        figures.regret_over_iterations(results.table),
    ]


def _p_values(runs: pd.DataFrame, settings: pd.DataFrame) -> Exhibit:
    from coffee_fast import plotting

    name, title = "table-1", "Does COffeE with R2D have the lower regret?"
    found = tables.tests_table(runs, settings)
    if found.empty or found.welch.isna().all():
        reference = " with ".join(tables.REFERENCE)
        return Exhibit(name, title, missing=f"it needs {reference} and another method, both with two runs or more")
    caption = (
        "One-sided p-values that COffeE explored with R2D has lower true regret than the method of the row, under the "
        "same evaluation solver (self-play, which has none, against COffeE's own) and on the same kind of log: "
        "Welch's t-test on one mean regret a run, below it in parentheses after Holm's adjustment for all tests of the "
        "table. The Mann-Whitney and permutation tests, and all of them on the regret measured anew, are in the CSV "
        "file. Values above 0.5 speak for the row. Where a method was run with several parameters, the row is its best "
        "by the same regrets: "
        f"{_chosen(found)}."
    )
    shown = found[found.measure == "regret"]
    grid = _pivot(shown, ("extraction", "algorithm", "exploration"), _test_cell, "p-value of Welch's test (after Holm)")
    return Exhibit(name, title, caption, found, [grid], lambda: plotting.text_table(*_drawn(grid)))


def _regrets(name: str, title: str, about: str, settings: pd.DataFrame) -> Exhibit:
    from coffee_fast import plotting

    if settings.empty:
        return Exhibit(name, title, missing="no such run is done")
    several = [name for name in ("algorithm",) if settings[name].nunique() > 1]
    rows = ("extraction", *several, "exploration", "parameters")
    shown = settings.assign(parameters=[tables.setting_in_words(row) or DASH for row in settings.to_dict("records")])
    if several:  # one row, whatever parameters were best under each condition
        is_tuned = shown.algorithm == "COffeE"
        shown.loc[is_tuned, ["parameters", "uncertainty_penalty", "coverage_weight"]] = "best", 0.0, 0.0
    grid = _pivot(shown, rows, _regret_cell, "mean true regret ± standard error (runs)")
    caption = (
        f"Mean true-game regret, summed over players, ± standard error over runs, whose number follows. {about} The "
        "CSV file adds intervals, the interquartile mean and the regret measured anew on fresh episodes."
    )
    return Exhibit(name, title, caption, settings, [grid], lambda: plotting.text_table(*_drawn(grid)))


def _pivot(table: pd.DataFrame, names: Sequence[str], cell: Callable[[Mapping[str, Any]], str], title: str) -> Grid:
    """Lay the conditions out as columns; a line parts the extraction solvers."""
    columns = tables.conditions(table)
    cells: dict[tuple[str, ...], dict[str, str]] = {}
    by = ("extraction", "algorithm", "exploration", *SETTING[4:], "condition")
    for row in tables.in_order(table, by).to_dict("records"):
        cells.setdefault(tuple(str(row[name]) for name in names), {})[row["condition"]] = cell(row)
    labels = {"extraction": "evaluation solver", "exploration": "exploration solver"}
    header = tuple(labels.get(name, name) for name in names) + tuple(column.replace("; ", "\n") for column in columns)
    places = list(cells)
    rules = [place for place in range(1, len(places)) if places[place][0] != places[place - 1][0]]
    rows = []
    for place, own in enumerate(places):
        begins = place == 0 or place in rules
        found = tuple(cells[own].get(column, DASH) for column in columns)
        rows.append((own[0] if begins else "", *own[1:], *found))
    return Grid(title, header, rows, rules)


def _drawn(grid: Grid) -> tuple[Any, ...]:
    return grid.header, grid.rows, grid.title, grid.rules


def _test_cell(row: Mapping[str, Any]) -> str:
    if row["is_reference"]:
        return "reference"
    return DASH if math.isnan(row["welch"]) else f"{p_value(row['welch'])}\n({p_value(row['welch_holm'])})"


def _regret_cell(row: Mapping[str, Any]) -> str:
    error = "" if math.isnan(row["regret_standard_error"]) else f" ± {row['regret_standard_error']:.2f}"
    return f"{row['regret_mean']:.2f}{error} ({row['num_runs']})"


def p_value(value: float) -> str:
    """Return a p-value to two digits, however small.

    >>> p_value(0.0132), p_value(0.00004), p_value(1.0)
    ('0.013', '4.0e-05', '1.00')
    """
    return f"{value:.1e}" if 0.0 < value < 0.001 else f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def _chosen(found: pd.DataFrame) -> str:
    """Return in words which parameters the rows of the tests table have."""
    words: dict[str, set[str]] = {}
    for row in found.to_dict("records"):
        if setting := tables.setting_in_words({name: row[name] for name in SETTING}):
            words.setdefault(row["algorithm"], set()).add(setting)
    parts = [f"{name} {' / '.join(sorted(settings))}" for name, settings in words.items()]
    return "; ".join(parts) or "no method has any"
