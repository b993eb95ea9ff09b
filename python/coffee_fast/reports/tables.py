"""The paper's tables, from the results of a sweep."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from coffee_fast.reports.results import SETTING, SOLVERS
from coffee_fast.statistics import (
    Summary,
    holm,
    mann_whitney_test,
    permutation_test,
    summarize,
    welch_test,
)

if TYPE_CHECKING:
    import pandas as pd

REFERENCE = ("COffeE", "R2D")
TESTS = {"welch": welch_test, "mann_whitney": mann_whitney_test, "permutation": permutation_test}
MEASURES = ("regret", "debiased_regret")
ORDER = {
    "COffeE": 0,
    "OEF": 1,
    "OEF-BC": 2,
    "online PSRO": 3,
    "self-play": 4,
    "COffeE after self-play": 5,
    "online self-play": 6,
}
SOLVER_ORDER = {"R2D": 0, "RD": 1, "R3D": 2, "RRD": 3}


def setting_in_words(row: Mapping[str, Any]) -> str:
    """Return the parameters of a setting, as in ``λ 2, β 0.1``, where λ is the uncertainty penalty, β the coverage.

    >>> setting_in_words({"uncertainty_penalty": 2.0, "coverage_weight": 0.1, "cloning_weight": float("nan")})
    'λ 2, β 0.1'
    """
    names = {"uncertainty_penalty": "λ", "coverage_weight": "β", "cloning_weight": "weight"}
    return ", ".join(f"{short} {row[name]:g}" for name, short in names.items() if not math.isnan(row[name]))


def settings_table(runs: pd.DataFrame) -> pd.DataFrame:
    """Summarize each setting over its runs.

    A row has the columns of the setting, then for each measure of regret those of a
    :class:`coffee_fast.evaluation.Summary`, then means of the other figures.
    """
    import pandas as pd

    rows = []
    for names, group in runs.groupby(list(SETTING), dropna=False, sort=False):
        row = dict(zip(SETTING, names, strict=True))
        row["num_runs"] = len(group)
        for measure in MEASURES:
            row |= {f"{measure}_{name}": value for name, value in _summary(group[measure].dropna()).items()}
        others = ("utility_error", "disagreement", "correlation", "reward_error", "reward_disagreement", "coverage")
        rows.append(row | {name: group[name].mean() for name in others})
    return in_order(pd.DataFrame(rows))


def in_order(table: pd.DataFrame, by: Sequence[str] = SETTING) -> pd.DataFrame:
    """Sort rows by the columns of a setting, algorithms and solvers as the paper lists them."""

    def key(column: pd.Series) -> Any:
        if column.name == "algorithm":
            return column.map(lambda name: ORDER.get(name, len(ORDER)))
        if column.name in ("exploration", "extraction"):
            return column.map(solver_rank)
        if column.name == "condition":
            return column.map({name: place for place, name in enumerate(conditions(table))})
        return column

    return table.sort_values(list(by), key=key, kind="stable").reset_index(drop=True)


def solver_rank(name: str) -> str:
    """Return what solvers are sorted by: the paper's first, the others by name.

    >>> sorted(["RQE", "RD", "GANE", "R2D"], key=solver_rank)
    ['R2D', 'RD', 'GANE', 'RQE']
    """
    return f"{SOLVER_ORDER.get(name, 9)} {name}"


def conditions(table: pd.DataFrame) -> list[str]:
    """Return the conditions, smaller logs first."""

    def rank(name: str) -> tuple[float, str]:
        number = name.removeprefix("(").partition(",")[0]
        return (float(number) if number.isdigit() else math.inf, name)

    return sorted(table.condition.unique(), key=rank)


def tuned(settings: pd.DataFrame) -> pd.DataFrame:
    """Keep one setting of each algorithm, condition and pair of solvers.

    That of the most runs, and of those the one of the lowest mean regret; so a tuned method has had as many tries as
    there were settings, on the very runs that it is judged by.
    """
    best = settings.sort_values(["num_runs", "regret_mean"], ascending=[False, True], kind="stable")
    return in_order(best.drop_duplicates(["condition", "algorithm", "exploration", "extraction"]))


def tests_table(runs: pd.DataFrame, settings: pd.DataFrame) -> pd.DataFrame:
    """Test tuned COffeE with R2D against every other tuned method, by condition and extraction solver (Table 1).

    The p-values are one-sided: that the reference has the lower regret. Holm's adjustment is over the whole table, for
    each test and measure. The reference's own rows have no p-values; a method with a single run has none either.

    References
    ----------
    Nguyen and Wellman 2026, Table 1, which does not name its test.
    """
    import pandas as pd

    chosen = tuned(settings)
    with_others = chosen[chosen.algorithm != REFERENCE[0]].condition
    if len(with_others):  # an ablation beside the comparison is no part of it
        chosen = chosen[chosen.condition.isin(with_others)]
    rows = []
    for measure in MEASURES:
        for setting in chosen.to_dict("records"):
            reference = _reference(chosen, setting)
            if reference is None:
                continue
            own, others = _values(runs, reference, measure), _values(runs, setting, measure)
            row = {name: setting[name] for name in SETTING} | {"measure": measure, "num_runs": len(others)}
            row |= _summary(others)
            row["is_reference"] = (setting["algorithm"], setting["exploration"]) == REFERENCE
            row["reference_runs"] = len(own)
            is_tested = not row["is_reference"] and min(len(own), len(others)) > 1
            row |= {name: test(own, others, "less") if is_tested else math.nan for name, test in TESTS.items()}
            rows.append(row)
    table = pd.DataFrame(rows)
    for measure in MEASURES if rows else ():
        for name in TESTS:
            chosen_rows = table.measure == measure
            table.loc[chosen_rows, f"{name}_holm"] = holm(table.loc[chosen_rows, name])
    return table


def weights_table(settings: pd.DataFrame) -> pd.DataFrame:
    """Return mean regret by algorithm and weight of the cloned policy (Table 4); COffeE tuned."""
    import pandas as pd

    others = settings[settings.algorithm != "COffeE"]
    best = tuned(settings[settings.algorithm == "COffeE"])
    return in_order(others if best.empty else best if others.empty else pd.concat([best, others]))


def objective_table(settings: pd.DataFrame) -> pd.DataFrame:
    """Return mean regret of COffeE by uncertainty penalty, coverage weight and solvers (Table 5)."""
    return in_order(settings[settings.algorithm == "COffeE"])


def _reference(chosen: pd.DataFrame, setting: Mapping[str, Any]) -> dict[str, Any] | None:
    # What needs no solver to extract its solution competes with the reference's own.
    extraction = REFERENCE[1] if setting["extraction"] == SOLVERS["self_play"] else setting["extraction"]
    is_reference = (
        (chosen.condition == setting["condition"])
        & (chosen.extraction == extraction)
        & (chosen.algorithm == REFERENCE[0])
        & (chosen.exploration == REFERENCE[1])
    )
    found = chosen[is_reference].to_dict("records")
    return found[0] if found else None


def _summary(values: Any) -> dict[str, float]:
    """The figures of a summary; NaN for a sample of none."""
    names = [field.name for field in fields(Summary) if field.name != "num_runs"]
    found = asdict(summarize(values)) if len(values) else {}
    return {name: found.get(name, math.nan) for name in names}


def _values(runs: pd.DataFrame, setting: Mapping[str, Any], measure: str) -> list[float]:
    """A measure of the runs of one setting, by seed."""
    is_of = True
    for name in SETTING:
        wanted = setting[name]
        is_missing = isinstance(wanted, float) and math.isnan(wanted)
        is_of = is_of & (runs[name].isna() if is_missing else runs[name] == wanted)
    values: list[float] = runs[is_of].sort_values("seed")[measure].dropna().tolist()
    return values
