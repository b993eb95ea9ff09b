"""A table or figure of a report, before it is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Grid:
    """A table in words; a line is drawn above the rows whose number is in ``rules``."""

    title: str
    header: tuple[str, ...]
    rows: list[tuple[str, ...]]
    rules: list[int] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Exhibit:
    """A table or figure of the report.

    Attributes
    ----------
    name
        Of its files, as in ``table-1``.
    title, caption
        In words; the caption says what is seen, not how large the runs were, which all exhibits add.
    data
        What is in the CSV file.
    grids
        Tables for the page: title, header and rows.
    draw
        Returns the picture.
    missing
        Why there is nothing to show; then the rest is empty.
    """

    name: str
    title: str
    caption: str = ""
    data: pd.DataFrame | None = None
    grids: Sequence[Grid] = ()
    draw: Callable[[], Any] | None = None
    missing: str = ""
