"""Writes docs/configuration.md: every field of a run, every solver and game with its parameters.

python docs/write_configuration.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from coffee_fast.cli.app import app

PAGE = Path(__file__).parent / "configuration.md"
HEAD = """# Configuration

Written by `python docs/write_configuration.py`; the program itself says the same by `coffee-fast config show`,
`coffee-fast solvers` and `coffee-fast games`. A field is set by `--set NAME=VALUE`, in a file for `--config`, or in a
plan; the values are those of preset `paper`, which are the defaults.
"""


def page() -> str:
    """The page's text."""
    fields = _answer("config", "show")["fields"]
    solvers, games = _answer("solvers"), _answer("games")["games"]
    parts = [
        HEAD,
        "## Fields of a run",
        _table([(name, about["value"], about["meaning"]) for name, about in fields.items()]),
    ]
    for title, found in (
        ("Solvers of payoff tables", solvers["solvers"]),
        ("Solvers of logs as tables", solvers["table_solvers"]),
        ("Solvers of teams' logs with networks", solvers["team_solvers"]),
        ("Games", games),
    ):
        parts.append(f"## {title}")
        for name, about in found.items():
            parts += [f"### `{name}`", about["summary"]]
            rows = [(field, entry["default"], entry["meaning"]) for field, entry in about["parameters"].items()]
            parts += [_table(rows)] if rows else []
    return "\n\n".join(part.strip() for part in parts if part.strip()) + "\n"


def _answer(*words: str) -> dict[str, Any]:
    ended = CliRunner().invoke(app, [*words, "--json"], catch_exceptions=False)
    answer: dict[str, Any] = json.loads(ended.stdout)
    return answer


def _table(rows: list[tuple[str, Any, str]]) -> str:
    lines = ["| field | value | meaning |", "|---|---|---|"]
    for name, value, meaning in rows:
        shown = "" if value is None else f"`{json.dumps(value)}`"
        cells = (text.replace("|", r"\|") for text in (f"`{name}`", shown, meaning))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page())
