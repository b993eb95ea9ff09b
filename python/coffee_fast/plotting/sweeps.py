"""Figures of many runs: point clouds, curves with bands, tables."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from coffee_fast.checks import check_count, check_text
from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.plotting._style import COLORS, FAINT, INK, LINES, MARKERS, check_row, clean
from coffee_fast.typing import Float64

PANEL = (4.6, 3.5)  # inches
MAX_COLUMNS = 3
PADDING = 0.4  # of a table's row, in lines of text


@dataclass(frozen=True, eq=False)
class Points:
    """A panel of points, by group; ``note`` stands in its title."""

    title: str
    x_label: str
    y_label: str
    groups: Mapping[str, tuple[Float64, Float64]]
    note: str = ""

    def __post_init__(self) -> None:
        for name in ("title", "x_label", "y_label", "note"):
            check_text(f"Points: {name}", getattr(self, name))
        groups = self.groups if isinstance(self.groups, Mapping) else None
        if groups is None or not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in groups.values()):
            raise InvalidArgumentError(f"Points: groups must map names to pairs of rows, got {shown(self.groups)}")
        for name, pair in groups.items():
            x, y = (check_row(f"Points: group {shown(name)}", row) for row in pair)
            if len(x) != len(y):
                raise InvalidArgumentError(f"Points: group {shown(name)} has {len(x)} values by {len(y)}")


@dataclass(frozen=True, eq=False)
class Curve:
    """A mean with its band, by iteration: f64 ``[K]`` each; NaN bounds where there is no band."""

    iterations: Float64
    mean: Float64
    low: Float64
    high: Float64

    def __post_init__(self) -> None:
        rows = {name: check_row(f"Curve: {name}", getattr(self, name)) for name in vars(self)}
        if len({len(row) for row in rows.values()}) > 1:
            lengths = ", ".join(f"{len(row)} {name}" for name, row in rows.items())
            raise InvalidArgumentError(f"Curve: its rows must be of one length, got {lengths}")


def scatters(panels: Sequence[Points]) -> Figure:
    """Draw panels of points side by side; a group has the same color and marker in all of them."""
    if not isinstance(panels, Sequence) or not all(isinstance(panel, Points) for panel in panels):
        raise InvalidArgumentError(f"scatters: panels must be a list of Points, got {shown(panels)}")
    if not any(panel.groups for panel in panels):
        raise InvalidArgumentError("scatters: panels must have at least one group of points, got none")
    names = list(dict.fromkeys(name for panel in panels for name in panel.groups))
    figure = _panels(len(panels), min(MAX_COLUMNS, len(panels)))
    for axes, panel in zip(figure.axes, panels, strict=True):
        for name, (x, y) in panel.groups.items():
            color, marker, _ = _style(names.index(name))
            axes.scatter(x, y, s=26, color=color, marker=marker, alpha=0.75, linewidth=0.0, label=name)
        axes.set_xlabel(panel.x_label)
        axes.set_ylabel(panel.y_label)
        axes.set_title(panel.title + (f"\n{panel.note}" if panel.note else ""), loc="left", color=INK, fontsize=10)
        axes.grid(axis="x", color=FAINT, linewidth=0.5, alpha=0.6)
    _legend(figure, names)
    return figure


def curves(
    panels: Mapping[str, Mapping[str, Curve]], y_label: str, x_label: str = "iteration", num_columns: int = 3
) -> Figure:
    """Draw a panel of curves with bands for each entry, all to one scale, ``num_columns`` side by side."""
    if not isinstance(panels, Mapping) or not all(
        isinstance(panel, Mapping) and all(isinstance(curve, Curve) for curve in panel.values())
        for panel in panels.values()
    ):
        raise InvalidArgumentError(f"curves: panels must map titles to curves by name, got {shown(panels)}")
    check_text("curves: y_label", y_label)
    check_text("curves: x_label", x_label)
    num_columns = check_count("curves: num_columns", num_columns, at_least=1)
    if not any(panels.values()):
        raise InvalidArgumentError("curves: panels must have at least one curve, got none")
    names = list(dict.fromkeys(name for panel in panels.values() for name in panel))
    figure = _panels(len(panels), min(num_columns, len(panels)), share=True)
    for axes, (title, panel) in zip(figure.axes, panels.items(), strict=True):
        for name, curve in panel.items():
            color, marker, line = _style(names.index(name))
            axes.fill_between(curve.iterations, curve.low, curve.high, color=color, alpha=0.13, linewidth=0.0)
            axes.plot(
                curve.iterations, curve.mean, line, color=color, marker=marker, markersize=4, linewidth=1.4, label=name
            )
        axes.set_title(title, loc="left", color=INK, fontsize=10)
        axes.set_xlabel(x_label)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.tick_params(labelbottom=True, labelleft=True)
        if axes.get_subplotspec().is_first_col():  # type: ignore[union-attr]
            axes.set_ylabel(y_label)
    _legend(figure, names)
    return figure


def text_table(
    header: Sequence[str], rows: Sequence[Sequence[str]], title: str = "", rules: Sequence[int] = ()
) -> Figure:
    """Draw a table as a picture.

    Parameters
    ----------
    header, rows
        Cells as text; the first column is set flush left, all others are centered.
    title
        Above the table.
    rules
        Rows above which a line is drawn.
    """
    _check_cells("header", header)
    if not isinstance(rows, Sequence) or isinstance(rows, str):
        raise InvalidArgumentError(f"text_table: rows must be a list of rows of text, got {shown(rows)}")
    for row in rows:
        _check_cells("each of rows", row)
    check_text("text_table: title", title)
    if not isinstance(rules, Sequence):
        raise InvalidArgumentError(f"text_table: rules must be a list of numbers of rows, got {shown(rules)}")
    if not header or not rows or any(len(row) != len(header) for row in rows):
        raise InvalidArgumentError(
            f"text_table: rows must each have {len(header)} cells, got {shown([*map(len, rows)])}"
        )
    lines = [list(header), *map(list, rows)]
    heights = np.array([max(cell.count("\n") + 1 for cell in line) for line in lines], dtype=float)
    widths = np.array(
        [max(max(map(len, line[column].split("\n"))) for line in lines) + 3.0 for column in range(len(header))]
    )
    figure = Figure(figsize=(0.082 * widths.sum() + 0.3, 0.21 * (heights.sum() + PADDING * len(lines)) + 0.5))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    total = heights.sum() + PADDING * len(lines)
    axes.set_xlim(-1.5, widths.sum() + 1.5)
    axes.set_ylim(total + 0.4, -2.0)
    lefts = np.concatenate([[0.0], np.cumsum(widths)])
    axes.text(0.0, -0.9, title, fontsize=10, color=INK, va="center", fontweight="bold")
    top = 0.0
    for place, (line, height) in enumerate(zip(lines, heights + PADDING, strict=True)):
        if place in (0, 1) or place - 1 in rules:
            axes.plot([0.0, widths.sum()], [top, top], color=INK, linewidth=1.2 if place < 2 else 0.5)
        for column, cell in enumerate(line):
            weight = "bold" if place == 0 else "normal"
            x, side = (lefts[0], "left") if column == 0 else ((lefts[column] + lefts[column + 1]) / 2.0, "center")
            axes.text(x, top + height / 2.0, cell, ha=side, va="center", fontsize=8.5, color=INK, fontweight=weight)
        top += height
    axes.plot([0.0, widths.sum()], [top, top], color=INK, linewidth=1.2)
    return figure


def _check_cells(name: str, cells: Any) -> None:
    is_list = isinstance(cells, Sequence) and not isinstance(cells, str)
    if not is_list or not all(isinstance(cell, str) for cell in cells):
        raise InvalidArgumentError(f"text_table: {name} must be a list of text, got {shown(cells)}")


def _panels(number: int, columns: int, share: bool = False) -> Figure:
    rows = math.ceil(number / columns)
    figure = Figure(figsize=(PANEL[0] * columns, PANEL[1] * rows + 0.5), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, sharex=share, sharey=share)
    for axes in grid.flat[number:]:
        axes.remove()
    for axes in grid.flat[:number]:
        clean(axes)
    return figure


def _style(place: int) -> tuple[str, str, str]:
    return (
        COLORS[place % len(COLORS)],
        MARKERS[(place + place // len(COLORS)) % len(MARKERS)],
        LINES[(place // len(COLORS)) % len(LINES)],
    )


def _legend(figure: Figure, names: list[str]) -> None:
    """One legend for all panels, below them."""
    found: dict[str, Any] = {}
    for axes in figure.axes:
        found |= {label: handle for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(
        [found[name] for name in names], names, loc="outside lower center", ncols=min(4, len(names)), frameon=False
    )
