"""Figures of self-play."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.plotting._style import ACCENT, COLORS, INK, LINES, SECOND, as_text, clean
from coffee_fast.typing import Float64

MAX_LINES = 8  # players or roles
PANELS = {
    "returns": "return of an episode",
    "disagreement": "disagreement of the members in an episode",
    "entropy": "entropy of a decision",
    "kl": "divergence from the reference, a decision",
}
SNAPSHOTS = ("snapshot_update", "snapshot_model_regret", "snapshot_pessimistic_regret", "snapshot_chosen")


def self_play(history: Mapping[str, Float64], names: Sequence[str] = ()) -> Figure:
    """Draw what happened over the updates of a run of self-play.

    Parameters
    ----------
    history
        The ``history`` of a solution of :func:`coffee_fast.anchored_self_play`, or of a
        :class:`coffee_fast.SelfPlaySnapshots`.
    names
        What the roles are called, for a legend.

    Returns
    -------
    Figure
        Panels of return, disagreement, entropy, and divergence from the reference with its weight, over updates; where
        snapshots were judged one more, their regret in the model, summed over players.
    """
    rows = _rows(history)
    if isinstance(names, str) or not isinstance(names, Sequence) or not all(isinstance(name, str) for name in names):
        raise InvalidArgumentError(f"self_play: names must be a list of strings, got {shown(names)}")
    is_judged = all(name in rows for name in SNAPSHOTS)
    figure = Figure(figsize=(9.6, 9.0 if is_judged else 6.2), layout="constrained")
    grid = figure.add_gridspec(3 if is_judged else 2, 2)
    for place, (name, title) in enumerate(PANELS.items()):
        axes = figure.add_subplot(grid[place // 2, place % 2])
        _draw_lines(axes, rows[name], names if name in ("entropy", "kl") else ())
        _label(axes, title)
    weight = axes.twinx()
    weight.plot(np.arange(1, len(rows["kl_weight"]) + 1), rows["kl_weight"][:, 0], color=INK, linestyle=":")
    weight.set_ylabel("its weight (dotted)")
    weight.spines["top"].set_visible(False)
    weight.set_ylim(bottom=0.0)
    if is_judged:
        _draw_snapshots(figure.add_subplot(grid[2, :]), rows)
    return figure


def _rows(history: Any) -> dict[str, Float64]:
    """The figures as matrices, a row an update or a snapshot."""
    wanted = (*PANELS, "kl_weight")
    if not isinstance(history, Mapping) or not all(name in history for name in wanted):
        raise InvalidArgumentError(
            f"self_play: history must be the history of a solution of self-play, with {', '.join(wanted)}, "
            f"got {shown(history)}"
        )
    rows = {}
    for name in (*wanted, *(name for name in SNAPSHOTS if name in history)):
        try:
            array = np.asarray(history[name], dtype=np.float64)
        except (TypeError, ValueError, ArithmeticError):
            array = np.empty((0, 0, 0))
        if array.ndim not in (1, 2) or not array.size:
            raise InvalidArgumentError(f"self_play: history[{name!r}] must be numbers, a row an update")
        rows[name] = array.reshape(len(array), -1)
    for group in (wanted, tuple(name for name in SNAPSHOTS if name in rows)):
        if len({len(rows[name]) for name in group}) > 1:
            raise InvalidArgumentError(f"self_play: history must have as many rows of each of {', '.join(group)}")
    return rows


def _draw_lines(axes: Axes, rows: Float64, names: Sequence[str]) -> None:
    updates, shown_lines = np.arange(1, len(rows) + 1), rows.T[:MAX_LINES]
    for place, values in enumerate(shown_lines):
        label = as_text(names[place]) if place < len(names) and len(shown_lines) > 1 else None
        axes.plot(updates, values, color=COLORS[place], linestyle=LINES[place % len(LINES)], linewidth=1.2, label=label)
    if len(shown_lines) > 1 and names:
        axes.legend(frameon=False)


def _draw_snapshots(axes: Axes, rows: Mapping[str, Float64]) -> None:
    updates, chosen = rows["snapshot_update"][:, 0], rows["snapshot_chosen"][:, 0] > 0.0
    regret, pessimistic = (rows[name].sum(axis=1) for name in ("snapshot_model_regret", "snapshot_pessimistic_regret"))
    axes.plot(updates, pessimistic, color=SECOND, marker="o", label="each member believed where it favors leaving")
    axes.plot(updates, regret, color=SECOND, marker="o", linestyle="--", alpha=0.6, label="by the mean of the members")
    axes.plot(updates[chosen], pessimistic[chosen], "D", color=ACCENT, markersize=10, fillstyle="none", label="chosen")
    axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
    axes.legend(frameon=False)
    _label(axes, "regret of the snapshots in the model, summed over players")


def _label(axes: Axes, title: str) -> None:
    clean(axes)
    axes.set_title(title, loc="left", color=INK, fontsize=10)
    axes.set_xlabel("update")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
