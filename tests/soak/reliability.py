"""The page of what the campaigns found."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from tests.soak.campaign import NAMES, RESULTS, build, done, load

BEGIN, END = "<!-- what `python -m tests.soak report` writes begins here -->", "<!-- and ends here -->"


def written_into(page: str, folder: Path = RESULTS) -> str:
    """Return the page with what was done so far in place of what it says."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{_figures(folder)}\n{END}{after}"


def _figures(folder: Path) -> str:
    here, by_name = build(), {name: done(name, folder) for name in NAMES}
    dates = sorted(block["date"][:10] for blocks in by_name.values() for block in blocks)
    machines = sorted({block["build"]["machine"] for blocks in by_name.values() for block in blocks})
    when = " to ".join(sorted({dates[0], dates[-1]})) if dates else "nothing was done yet"
    lines = [
        f"coffee_fast {here['version']}, instruction set {here['isa']}; {when}; {'; '.join(machines)}.",
        "",
        "| campaign | what is done | cases | of | how they ended | mismatches | hours | go on with |",
        "|---|---|---|---|---|---|---|---|",
        *(_row(name, blocks) for name, blocks in by_name.items()),
        "",
    ]
    return "\n".join(lines)


def _row(name: str, blocks: list[dict[str, Any]]) -> str:
    campaign, outcomes = load(name), Counter[str]()
    for block in blocks:
        for words, count in block["outcomes"].items():
            outcomes[words.rpartition(": ")[2]] += count
    num_cases = sum(block["end"] - block["first"] for block in blocks)
    num_faults = sum(len(block["faults"]) for block in blocks)
    of = campaign.target or max((block["count"] for block in blocks), default=0)
    hours = sum(block["seconds"] for block in blocks) / 3600.0
    ends = ", ".join(f"{count:,} {words}" for words, count in sorted(outcomes.items()))
    command = f"`nox -s soak -- {name}`"
    return f"| {name} | {campaign.about} | {num_cases:,} | {of:,} | {ends} | {num_faults} | {hours:.2f} | {command} |"
