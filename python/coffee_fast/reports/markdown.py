"""Markdown as reports write it."""

from __future__ import annotations

from collections.abc import Sequence


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def quoted(text: str) -> str:
    """Return text to be shown as it stands."""
    return f"```\n{text.strip()}\n```"
