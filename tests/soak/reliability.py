"""The page of what the campaigns found."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.soak import record
from tests.soak.campaign import NAMES, load

BEGIN, END = "<!-- what `python -m tests.soak report` writes begins here -->", "<!-- and ends here -->"


def written_into(page: str, folder: Path = record.FOLDER) -> str:
    """Return the page with what was done so far in place of what it says."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{_figures(folder)}\n{END}{after}"


def _figures(folder: Path) -> str:
    records = {name: record.read(name, folder) for name in NAMES}
    builds = [build for done in records.values() for build in done.builds]
    days = sorted(day for build in builds for day in (build["first"], build["last"]))
    kinds = sorted({f"coffee_fast {build['version']}, instruction set {build['isa']}" for build in builds})
    when = " to ".join(sorted({days[0], days[-1]})) if days else "nothing was done yet"
    lines = [
        f"{'; '.join([*kinds, when, *sorted({build['machine'] for build in builds})])}.",
        "",
        "| campaign | what is done | cases | of | how they ended | faults | hours | go on with |",
        "|---|---|---|---|---|---|---|---|",
        *(_row(name, done) for name, done in records.items()),
        "",
    ]
    return "\n".join(lines)


def _row(name: str, done: record.Record) -> str:
    campaign, outcomes = load(name), Counter[str]()
    for words, count in done.outcomes.items():
        outcomes[words.rpartition(": ")[2]] += count
    ends = ", ".join(f"{count:,} {words}" for words, count in sorted(outcomes.items()))
    of, hours, command = campaign.target or done.count, done.seconds / 3600.0, f"`nox -s soak -- {name}`"
    about = f"| {name} | {campaign.about} | {done.next:,} | {of:,} |"
    return f"{about} {ends} | {len(done.faults)} | {hours:.2f} | {command} |"
