"""The paper's figures, from the results of a sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from coffee_fast.reports import tables
from coffee_fast.reports.exhibit import Exhibit
from coffee_fast.reports.results import SETTING
from coffee_fast.statistics import correlation_over_groups, summarize

if TYPE_CHECKING:
    import pandas as pd

    from coffee_fast.plotting import Curve

MIN_ITERATIONS = 3
MAX_POINT_GROUPS = 8


def fidelity(runs: pd.DataFrame) -> Exhibit:
    """Disagreement against utility error, and utility error against regret, a point for each run (Figure 2)."""
    from coffee_fast import plotting

    name, title = "figure-2", "Model fidelity"
    found = runs[runs.utility_error.notna()]
    if found.empty:
        return Exhibit(name, title, missing="no run has figures of model fidelity")
    found = found.assign(method=_methods(found))
    once = found.drop_duplicates(["method", "condition", "key", "cloning_weight"])
    panels = [
        plotting.Points(
            "Disagreement and error of the model",
            "mean disagreement of the ensemble, an episode",
            "utility error, |model - true game|",
            _groups(once, "disagreement", "utility_error"),
            _correlation(once, "disagreement", "utility_error"),
        )
    ]
    solvers = sorted(found.extraction.unique(), key=tables.solver_rank)
    for solver in solvers:
        group = found[found.extraction == solver]
        panels.append(
            plotting.Points(
                f"Error of the model and regret, {solver} solutions",
                "utility error, |model - true game|",
                "true regret, summed over players",
                _groups(group, "utility_error", "regret"),
                _correlation(group, "utility_error", "regret"),
            )
        )
    caption = (
        "A point is a run, of OEF-BC one for each weight; all figures are in payoff units. Disagreement and utility "
        "error are means over all pairs of the run's strategies: how far the ensemble's members are apart in simulated "
        "play, and how far payoffs in the model are from true ones. The correlations are over all points of a panel, "
        "with a 95 % bootstrap interval over runs; runs on different logs are in one cloud, which can make or hide a "
        "relation. Disagreement and error by log: "
        + "; ".join(
            f"{condition} {_correlation(once[once.condition == condition], 'disagreement', 'utility_error')}"
            for condition in tables.conditions(once)
        )
        + "."
    )
    columns = [*SETTING, "key", "seed", "disagreement", "utility_error", "reward_error", "reward_disagreement"]
    data = found[[*columns, "correlation", "coverage", "regret", "debiased_regret"]]
    return Exhibit(name, title, caption, data, draw=lambda: plotting.scatters(panels))


def regret_over_iterations(table: pd.DataFrame) -> Exhibit:
    """Mean true regret by iteration with bands, a panel for each condition and pair of solvers (Figure 3)."""
    from coffee_fast import plotting

    name, title = "figure-3", "Regret over the iterations"
    judged = table[table.iteration > 0].groupby("key").iteration.nunique()
    kept = table[table.key.isin(judged.index[judged >= MIN_ITERATIONS])]
    if kept.empty:
        reason = f"no run has {MIN_ITERATIONS} judged iterations or more, see evaluation.num_last_iterations"
        return Exhibit(name, title, missing=reason)
    kept = tables.in_order(kept.assign(method=_methods(kept)))
    start = kept[kept.iteration == 0].regret
    panels: dict[str, dict[str, Curve]] = {}
    for place, group in _pairs(kept[kept.iteration > 0]):
        heading = "{}\nexplored by {}, solutions by {}".format(*place)
        panels[heading] = {str(method): _curve(part) for method, part in group.groupby("method", sort=False)}
    columns = kept[["exploration", "extraction"]].drop_duplicates().shape[0]
    caption = (
        "True-game regret, summed over players, of the solution known after each judged iteration: mean over runs, "
        "with a 95 % bootstrap band where there are two runs or more."
    )
    if len(start):
        caption += f" Not shown is the start, uniform random play, whose mean regret is {start.mean():.2f}."
    data = kept[["key", "seed", *SETTING, "iteration", "regret", "regret_error", "debiased_regret", "debiased_error"]]
    label = "true regret, summed over players"
    return Exhibit(name, title, caption, data, draw=lambda: plotting.curves(panels, label, num_columns=columns))


def _methods(table: pd.DataFrame) -> list[str]:
    """Name each row's method with its parameters."""
    rows = table[list(SETTING)].to_dict("records")
    return [f"{row['algorithm']} {tables.setting_in_words(row)}".strip() for row in rows]


def _groups(table: pd.DataFrame, x: str, y: str) -> dict[str, tuple[Any, Any]]:
    names = table.method if table.method.nunique() <= MAX_POINT_GROUPS else table.algorithm
    return {
        str(name): (group[x].to_numpy(), group[y].to_numpy())
        for name, group in tables.in_order(table.assign(shown=names)).groupby("shown", sort=False)
    }


def _correlation(table: pd.DataFrame, x: str, y: str) -> str:
    """Return the correlation over all points in words; the variants of a run are drawn together."""
    found = correlation_over_groups(table[x].to_numpy(), table[y].to_numpy(), table.key.factorize()[0], seed=0)
    return f"correlation {found}, {len(table)} points"


def _pairs(table: pd.DataFrame) -> list[tuple[tuple[str, ...], pd.DataFrame]]:
    """Part the rows by condition, then exploration and extraction solver."""
    names = ["condition", "exploration", "extraction"]
    groups = {tuple(map(str, place)): group for place, group in table.groupby(names, sort=False)}
    order = tables.conditions(table)

    def rank(place: tuple[str, ...]) -> tuple[int, str, str]:
        return order.index(place[0]), tables.solver_rank(place[1]), tables.solver_rank(place[2])

    return [(place, groups[place]) for place in sorted(groups, key=rank)]


def _curve(table: pd.DataFrame) -> Curve:
    from coffee_fast.plotting import Curve

    found = [(iteration, summarize(group.regret)) for iteration, group in table.groupby("iteration")]
    return Curve(
        np.array([iteration for iteration, _ in found], dtype=np.float64),
        np.array([summary.mean for _, summary in found]),
        np.array([summary.low for _, summary in found]),
        np.array([summary.high for _, summary in found]),
    )
