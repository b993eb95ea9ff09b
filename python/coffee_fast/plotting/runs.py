"""Figures of one run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from coffee_fast.checks import check_count
from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.plotting._style import ACCENT, INK, SECOND, as_text, check_has, clean, new_figure
from coffee_fast.typing import Float64

if TYPE_CHECKING:
    from coffee_fast.empirical import PayoffTable
    from coffee_fast.evaluation import FidelityReport, RegretReport
    from coffee_fast.psro import PSROResult, Solution

MAX_ANNOTATED = 12  # strategies up to which each payoff is written into its cell
MAX_PANELS = 12  # roles
LEAST_WRITTEN = 0.01  # probability


def regret_curve(
    result: PSROResult | Mapping[int, RegretReport],
    true_regret: Mapping[int, RegretReport] | None = None,
) -> Figure:
    """Draw regret, summed over players, by iteration.

    Parameters
    ----------
    result
        A run: a line for the regret of each iteration's meta-strategy in the final empirical game, shaded up to the
        pessimistic regret over the ensemble's members. Or the reports alone.
    true_regret
        True-game regret of the solutions of some iterations, with bars of two standard errors: the largest estimated
        gain, and the gain measured anew.

    Returns
    -------
    Figure
        Payoff units against iteration.
    """
    if not isinstance(result, Mapping):
        check_has("regret_curve: result", result, "a PSROResult or reports by iteration", "final_game_regret")
    reports = result if isinstance(result, Mapping) else {} if true_regret is None else true_regret
    _check_reports(reports)
    if not reports and isinstance(result, Mapping):
        raise InvalidArgumentError("regret_curve: result must be a PSROResult or at least one report, got none")
    figure, axes = new_figure()
    if not isinstance(result, Mapping):
        regret, bound = result.final_game_regret()
        iterations = np.arange(len(regret))
        axes.fill_between(iterations, regret, bound, color=SECOND, alpha=0.15, linewidth=0.0)
        axes.plot(
            iterations, bound, color=SECOND, linewidth=0.8, alpha=0.6, label="in the model, pessimistic over members"
        )
        axes.plot(iterations, regret, color=SECOND, marker="o", markersize=4, label="in the model")
    if reports:
        places = np.array(sorted(reports), dtype=int)
        ordered = [reports[int(iteration)] for iteration in places]
        is_exact = all(getattr(report, "is_exact", False) for report in ordered)
        largest = [report.sum_regret for report in ordered]
        fresh = [report.debiased_sum_regret for report in ordered]
        line = "-" if len(places) > 2 and (np.diff(places) == 1).all() else "none"
        style: dict[str, Any] = {"capsize": 3, "linestyle": line, "linewidth": 1.4, "markersize": 5}
        shift = 0.006 * max(1, places.max())  # side by side, not one on the other
        errors = [2.0 * report.sum_regret_standard_error for report in ordered]
        label = "true game, exact" if is_exact else "true game, largest gain"
        axes.errorbar(places - shift, largest, errors, fmt="s", color=INK, label=label, **style)
        errors = [2.0 * report.debiased_sum_standard_error for report in ordered]
        if not is_exact:
            label = "true game, measured anew"
            axes.errorbar(places + shift, fresh, errors, fmt="D", color=ACCENT, label=label, **style)
    axes.set_xlabel("iteration (0: uniform random play)")
    axes.set_ylabel("regret, summed over players")
    axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False, loc="upper center")  # regret falls, so there is room
    axes.set_title("What players could gain by deviating", loc="left", color=INK)
    return figure


def payoff_table(table: PayoffTable, solution: Solution | None = None, player: int = 0) -> Figure:
    """Draw a player's mean payoffs as a heat map, with the solution's probabilities along its edges.

    Parameters
    ----------
    table
        A two-player table.
    solution
        Its probabilities become bars above the columns and beside the rows; the strategies of its support have their
        probability written out.
    player
        Whose payoffs: 0 or 1.

    Returns
    -------
    Figure
        Own strategies downwards, the opponent's to the right.
    """
    check_has("payoff_table: table", table, "a PayoffTable", "num_players", "payoffs")
    if solution is not None:
        check_has("payoff_table: solution", solution, "a Solution", "mixtures", "by_role", "role_names")
    if table.num_players != 2:
        raise InvalidArgumentError(f"payoff_table: table must be of two players, got {table.num_players}")
    player = check_count("payoff_table: player", player, at_most=1)
    payoffs = np.asarray(table.payoffs(player)).mean(axis=0)
    payoffs = payoffs if player == 0 else payoffs.T
    played = [] if solution is None else [mixture.probabilities for mixture in solution.mixtures]
    if solution is not None and table.num_strategies != tuple(map(len, played)):
        raise InvalidArgumentError(
            f"payoff_table: solution must have one probability a strategy of a table of shape {list(payoffs.shape)}, "
            f"got {' and '.join(str(len(mixture)) for mixture in played[:3])}"
        )
    figure = Figure(figsize=(7.0, 5.4), layout="constrained")
    axes = _with_edges(figure, played[player], played[1 - player]) if played else figure.subplots()
    image = axes.imshow(payoffs, cmap="YlGnBu", interpolation="nearest", aspect="auto")
    if max(payoffs.shape) <= MAX_ANNOTATED:
        middle = (np.nanmin(payoffs) + np.nanmax(payoffs)) / 2.0
        for (row, column), value in np.ndenumerate(payoffs):
            color = "white" if value > middle else INK
            axes.text(column, row, f"{value:.2f}", ha="center", va="center", color=color, fontsize=8)
    names = solution.role_names if solution is not None and len(solution.by_role) == 2 else ()
    own, other = (as_text(names[player]), as_text(names[1 - player])) if names else ("own", "opponent")
    axes.set_xlabel(f"strategy of {other}" if names else "opponent's strategy")
    axes.set_ylabel(f"strategy of {own}" if names else "own strategy")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True, nbins=12, min_n_ticks=1))
    axes.spines[:].set_visible(False)
    label = f"mean payoff of {own}" if names else "own mean payoff"
    figure.colorbar(image, ax=figure.axes, label=label, shrink=0.7, aspect=30)
    return figure


def _with_edges(figure: Figure, own: Float64, others: Float64) -> Axes:
    """Return room for a heat map, with bars of its rows' and columns' probabilities beside and above it."""
    grid = figure.subplots(2, 2, width_ratios=[8, 1], height_ratios=[1, 8], sharex="col", sharey="row")
    axes, above, beside = grid[1, 0], grid[0, 0], grid[1, 1]
    grid[0, 1].set_axis_off()
    above.bar(np.arange(len(others)), others, color=ACCENT, width=0.7, alpha=0.8)
    beside.barh(np.arange(len(own)), own, color=ACCENT, height=0.7, alpha=0.8)
    for strategy in np.flatnonzero(own >= LEAST_WRITTEN):
        beside.text(own[strategy] + 0.06, strategy, f"{own[strategy]:.0%}", va="center", color=INK, fontsize=8)
    above.set_ylim(0.0, 1.0)
    beside.set_xlim(0.0, 1.5)  # room for the numbers
    for edge in (above, beside):
        edge.spines[["top", "right", "left", "bottom"]].set_visible(False)
        edge.tick_params(left=False, bottom=False, labelleft=False, labelbottom=False)
    above.set_title("Payoffs, and the solution along the edges", loc="left", color=INK)
    return axes  # type: ignore[no-any-return]


def mixtures(solution: Solution) -> Figure:
    """Draw how often each role plays each of its strategies, a panel a role.

    Returns
    -------
    Figure
        Probability against the strategy's number; 0 is uniform random play.
    """
    check_has("mixtures: solution", solution, "a Solution", "by_role", "role_names")
    shown_roles = solution.by_role[:MAX_PANELS]
    figure = Figure(figsize=(6.4, 0.8 + 1.6 * len(shown_roles)), layout="constrained")
    panels = figure.subplots(len(shown_roles), 1, sharex=True, squeeze=False)[:, 0]
    for axes, mixture, name in zip(panels, shown_roles, solution.role_names, strict=False):
        clean(axes)
        axes.bar(np.arange(len(mixture.probabilities)), mixture.probabilities, color=ACCENT, width=0.7, alpha=0.8)
        axes.set_ylim(0.0, 1.0)
        axes.set_ylabel("probability")
        axes.set_title(as_text(name) if len(shown_roles) > 1 else "What the players play", loc="left", color=INK)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=12, min_n_ticks=1))
    panels[-1].set_xlabel("strategy (0: uniform random play)")
    return figure


def disagreement_vs_utility_error(fidelity: FidelityReport) -> Figure:
    """Draw the model's error in payoffs against its members' disagreement, a point for each profile of strategies.

    A model that knows what it does not know has its points along a rising line.
    """
    wanted = ("profiles", "disagreement", "utility_error", "correlation")
    check_has("disagreement_vs_utility_error: fidelity", fidelity, "a FidelityReport", *wanted)
    figure, axes = new_figure()
    with_random = (fidelity.profiles == 0).any(axis=1)
    for chosen, color, label in (
        (~with_random, ACCENT, "trained strategies alone"),
        (with_random, SECOND, "with uniform random"),
    ):
        if chosen.any():
            axes.scatter(fidelity.disagreement[chosen], fidelity.utility_error[chosen], s=26, color=color, label=label)
    axes.set_xlabel("disagreement of the ensemble, mean a simulated episode")
    axes.set_ylabel("error of the payoff, |model - true game|")
    axes.set_xlim(left=0.0)
    axes.set_ylim(bottom=0.0)
    axes.legend(frameon=False)
    note = "" if np.isnan(fidelity.correlation) else f": correlation {fidelity.correlation:.2f}"
    axes.set_title(f"Disagreement and error of the model{note}", loc="left", color=INK)
    return figure


def _check_reports(reports: Any) -> None:
    if not isinstance(reports, Mapping) or not all(
        isinstance(iteration, int | np.integer) and hasattr(report, "sum_regret_standard_error")
        for iteration, report in reports.items()
    ):
        raise InvalidArgumentError(f"regret_curve: reports must be RegretReports by iteration, got {shown(reports)}")
