"""What a campaign has done so far: a small file that is committed, so that any clone goes on where another ended."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from coffee_fast import _files

FOLDER = Path(__file__).parent / "record"
MOST_WORDS = 400  # characters of a fault: the case itself says the rest


class RecordError(Exception):
    """A record that cannot be gone on with."""


@dataclass
class Block:
    """Cases ``first`` to ``end`` (left out) of ``count``: how many ended how, and what went wrong."""

    first: int
    end: int
    count: int
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0


@dataclass
class Record:
    """The cases before ``next`` of ``count``, which are done.

    Attributes
    ----------
    outcomes
        How many ended how.
    faults
        What went wrong: ``case``, ``ended`` (its outcome) and ``what``.
    builds
        Under which ``version``, ``isa`` and ``machine`` how many ``cases`` were done, from the ``first`` day to the
        ``last``.
    """

    count: int = 0
    next: int = 0
    seconds: float = 0.0
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: list[dict[str, Any]] = field(default_factory=list)
    builds: list[dict[str, Any]] = field(default_factory=list)

    def add(self, block: Block, build: dict[str, str]) -> None:
        """Count a block that goes on where the record ends."""
        if block.first != self.next:
            raise RecordError(f"cases from {block.first} do not go on with those before {self.next}")
        self.count, self.next = block.count, block.end
        self.seconds = round(self.seconds + block.seconds, 3)
        self.outcomes += block.outcomes
        self.faults += map(_in_short, block.faults)
        today = datetime.now(UTC).date().isoformat()
        for known in self.builds:
            if build.items() <= known.items():
                break
        else:
            self.builds.append(known := {**build, "cases": 0, "first": today})
        known.update(cases=known["cases"] + block.end - block.first, last=today)

    def replace(self, fault: dict[str, Any], block: Block) -> None:
        """Put what came of a fault's case, done again alone, in place of the fault."""
        self.seconds = round(self.seconds + block.seconds, 3)
        self.outcomes = self.outcomes - Counter([fault["ended"]]) + block.outcomes
        place = self.faults.index(fault)
        self.faults[place : place + 1] = map(_in_short, block.faults)

    def check_numbering(self, block: Block) -> None:
        """Refuse cases that are not numbered as those that were done."""
        if self.next and block.count != self.count:
            raise RecordError(
                f"numbered otherwise than what was done: {block.count:,} cases in place of {self.count:,}; "
                "begin anew with --anew"
            )


def _in_short(fault: dict[str, Any]) -> dict[str, Any]:
    return {**fault, "what": fault["what"][:MOST_WORDS]}


def read(name: str, folder: Path = FOLDER) -> Record:
    """Return what was done of a campaign; a record that is damaged is refused."""
    file = folder / f"{name}.json"
    if not file.exists():
        return Record()
    try:
        found = json.loads(file.read_text())
        record = Record(**{**found, "outcomes": Counter(found["outcomes"])})
        days = [(build["first"], build["last"], build["version"], build["isa"]) for build in record.builds]
        faults = Counter(fault["ended"] for fault in record.faults if fault["what"] and fault["case"] < record.next)
        holds = (
            0 < record.next <= record.count
            and record.outcomes.total() == record.next == sum(build["cases"] for build in record.builds)
            and min([*record.outcomes.values(), *(build["cases"] for build in record.builds)]) > 0
            and faults.total() == len(record.faults)
            and all(faults[ended] == record.outcomes[ended] for ended in {*faults, "mismatch", "died"})
            and record.seconds >= 0.0
            and all(isinstance(word, str) for day in days for word in day)
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise RecordError(f"{file}: no record of a campaign: {type(error).__name__}: {error}") from None
    if not holds:
        raise RecordError(f"{file}: its numbers do not agree: {record.next} cases, {dict(record.outcomes)}")
    return record


def write(name: str, record: Record, folder: Path = FOLDER) -> None:
    """Put a record in the place of the one before, at once."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {**vars(record), "outcomes": dict(sorted(record.outcomes.items()))}
    _files.write_atomically(folder / f"{name}.json", (json.dumps(content, indent=1) + "\n").encode())
