"""What all figures share."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.typing import Float64

INK, ACCENT, SECOND, FAINT = "#3b2f2f", "#b5541c", "#2f6f73", "#b8aca2"
# Okabe and Ito's colors, which most color-blind readers tell apart; with other markers and lines from the ninth on.
COLORS = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8c6d31")
MARKERS, LINES = ("o", "s", "^", "D", "v", "P", "X", "<"), ("-", "--", ":", "-.")


def new_figure() -> tuple[Figure, Axes]:
    """Return a figure of one panel."""
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes = figure.subplots()
    clean(axes)
    return figure, axes


def clean(axes: Axes) -> None:
    """Leave of the frame what is needed, and faint lines to read values by."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.grid(axis="y", color=FAINT, linewidth=0.5, alpha=0.6)
    axes.set_axisbelow(True)


def check_row(name: str, values: Any) -> Float64:
    """Return ``values`` as one row of numbers, NaN where there is none."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError, ArithmeticError):
        array = np.empty((0, 0))
    if array.ndim != 1 or isinstance(values, str | bytes):
        raise InvalidArgumentError(f"{name} must be a row of numbers, got {shown(values)}")
    return array


def check_has(name: str, value: Any, wanted: str, *attributes: str) -> None:
    """Raise unless ``value`` has what its kind, ``wanted``, has."""
    if isinstance(value, type) or not all(hasattr(value, attribute) for attribute in attributes):
        raise InvalidArgumentError(f"{name} must be {wanted}, got {shown(value)}")


def as_text(name: str) -> str:
    """Return a name as it is to stand in a figure, where a dollar sign would begin a formula."""
    return name[:60].replace("$", r"\$")
