"""What a report says of regret in the true game."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from coffee_fast.reports import markdown

if TYPE_CHECKING:
    from coffee_fast.evaluation import RegretReport
    from coffee_fast.psro import Solution

WORDS = """\
**Regret** is what a player could gain by leaving the solution while the others keep to it; at zero nobody has a
reason to leave. It is summed over the players, in payoff units of the game. To find it, new opponents are trained in
the true game to exploit the solution, one by each oracle of the evaluation, and they compete with every strategy of
this run for the most profitable deviation. Better trained opponents might find more, so these figures are lower
bounds. The *largest estimated gain* is the figure that papers report; the largest of many noisy numbers is a little
too large on average. *Measured anew* is the gain of that same deviation on fresh episodes, free of this bias. The
number after ± is one standard error.
"""

EXACT = """\
**Regret** is what a player could gain by leaving the solution while the others keep to it, against every policy there
is; at zero nobody has a reason to leave. It was computed over the whole tree of the game, so these figures are exact.
Summed over the players it is called NashConv.
"""


def is_exact_throughout(regret: Mapping[int, RegretReport]) -> bool:
    """Whether all figures were computed, none sampled."""
    return all(report.is_exact for report in regret.values())


def sum_of(report: RegretReport) -> str:
    """Return the regret, summed over players."""
    return _figure_of(report, report.sum_regret, report.sum_regret_standard_error)


def payoff_of(report: RegretReport) -> str:
    """Return what a player earns where all are of one role."""
    return _figure_of(report, float(report.payoff.mean()), float(report.payoff_standard_error.mean()))


def regret_table(regret: Mapping[int, RegretReport]) -> str:
    """Return the regret of the judged solutions."""
    exact, is_one_role = is_exact_throughout(regret), all(len(report.deviations) == 1 for report in regret.values())
    rows = []
    for iteration, report in sorted(regret.items()):
        row = ["0, uniform random play" if iteration == 0 else f"{iteration}", sum_of(report)]
        if not exact:
            row.append(markdown.plus_minus(report.debiased_sum_regret, report.debiased_sum_standard_error))
        if is_one_role:
            row.append(payoff_of(report))
            row += [] if exact else [_deviation(report.deviation, regret)]
        rows.append(row)
    header = ["solution of iteration"]
    header += ["regret, summed"] if exact else ["regret, largest estimated gain", "regret, measured anew"]
    if is_one_role:
        header += ["payoff a player"] if exact else ["payoff a player", "most profitable deviation"]
    return markdown.table(header, rows)


def by_player(solution: Solution, report: RegretReport) -> str:
    """The figures of the last solution for each player."""
    seats = [role for role, size in enumerate(solution.roles) for _ in range(size)]
    names = solution.spec.player_names if solution.spec else ()
    has_role = len(solution.roles) > 1 and max(solution.roles) > 1
    rows = []
    for player, role in enumerate(seats):
        row = [markdown.name(names[player] if names else f"player {player}")]
        row += [markdown.name(solution.role_names[role])] if has_role else []
        row.append(_figure_of(report, report.regret[player], report.regret_standard_error[player]))
        if not report.is_exact:
            row.append(markdown.plus_minus(report.debiased_regret[player], report.debiased_standard_error[player]))
        row.append(_figure_of(report, report.payoff[player], report.payoff_standard_error[player]))
        rows.append([*row, report.deviations[role]])
    header = ["player", *(["role"] if has_role else [])]
    header += ["regret"] if report.is_exact else ["regret, largest estimated gain", "regret, measured anew"]
    header += ["payoff", "most profitable deviation"]
    return f"Of the last solution, for each player:\n\n{markdown.table(header, rows)}"


def _deviation(name: str, regret: Mapping[int, RegretReport]) -> str:
    """A deviation in words: which iteration's solution an opponent was trained against, and by which oracle."""
    trained = {f"best response {place}": iteration for place, iteration in enumerate(sorted(regret))}
    response, parenthesis, oracle = name.partition(" (")
    if response not in trained:
        return name
    return f"opponent trained against that of iteration {trained[response]}{parenthesis}{oracle}"


def _figure_of(report: RegretReport, value: float, error: float) -> str:
    return f"{round(value, 4) + 0.0:.4f}" if report.is_exact else markdown.plus_minus(value, error)
