"""Pieces of Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence

MOST_LETTERS = 60  # of a name


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def quoted(text: str) -> str:
    """Return text as it stands."""
    return f"```\n{text.strip()}\n```"


def plus_minus(value: float, error: float) -> str:
    """Return a figure with its standard error."""
    return f"{value:.2f} ± {error:.2f}"


def figure(value: float | None) -> str:
    """Return a figure, or nothing where there is none."""
    return "" if value is None or value != value else f"{value:.2f}"


def name(text: str) -> str:
    """Return a name of a log as a word, in a table or not."""
    return re.sub(r"([\\`*_|<>\[\]])", r"\\\1", " ".join(text.split())[:MOST_LETTERS])
