"""Campaigns against faults: numbered cases, each checked in a process that it may break, in as many sittings as wanted.

A campaign is a module of this folder with a ``CAMPAIGN``. Its cases depend on nothing but their number, so that a
failure is repeated by its number. What was done is appended to a file, a line a block of cases; the next sitting goes
on behind it.
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.soak.processes import Died, Worker

import coffee_fast as cf

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "build" / "soak"
NAMES = ("kills", "boundaries", "damage", "arguments", "solvers", "zero_sum")
SECONDS_A_BLOCK = 20.0


class Mismatch(Exception):
    """A case whose end is not as promised."""


Check = Callable[[int], str]
"""Carries a case out and returns how it ended, as ``"what: how"`` or ``"how"``; raises if that is wrong."""


@dataclass(frozen=True)
class Campaign:
    """Numbered cases of one kind.

    Attributes
    ----------
    about
        What is held against what, for the table of results.
    prepare
        Makes what all cases need, and returns their check, and how many there are if ``target`` does not say it; called
        once in each process, in an empty folder.
    target
        Cases before a release; None for all that there are.
    patience
        Seconds that a case may work.
    """

    name: str
    about: str
    prepare: Callable[[], Check | tuple[Check, int]]
    target: int | None
    patience: float = 60.0

    def prepared(self) -> tuple[Check, int]:
        """Return the check of cases, and how many there are."""
        made = self.prepare()
        if isinstance(made, tuple):
            return made
        assert self.target is not None
        return made, self.target


def load(name: str) -> Campaign:
    """Return the campaign of a name."""
    campaign: Campaign = importlib.import_module(f"tests.soak.{name}").CAMPAIGN
    return campaign


@dataclass
class Block:
    """Cases ``first`` to ``end`` (left out) of ``count``: how many ended how, and what went wrong."""

    first: int
    end: int
    count: int
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "outcomes": dict(self.outcomes)}


def in_blocks(name: str, first: int, end: int, deadline: float, patience: float) -> Iterator[Block]:
    """Yield what comes of cases, carried out in a process of their own; one that it dies of is a fault of the case."""
    deaths: dict[int, str] = {}
    count = 0  # until a block has said it
    with Worker(name) as worker:
        while first < end and time.monotonic() < deadline:
            if first in deaths:
                yield Block(first, first + 1, count, Counter(died=1), [{"case": first, "what": deaths[first]}])
                first += 1
                continue
            until = min([end, *(case for case in deaths if case >= first)])
            seconds = min(SECONDS_A_BLOCK, max(1.0, deadline - time.monotonic()))
            try:
                block = worker.work(first, until, seconds, patience)
            except Died as death:  # the cases before it are done again: their ends died with the process
                deaths[death.case] = str(death)
                continue
            first, count = block["end"], block["count"]
            end = min(end, count)
            yield Block(**{**block, "outcomes": Counter(block["outcomes"])})


def build() -> dict[str, str]:
    """Return what the results are results of."""
    return {
        "version": cf.__version__,
        "isa": cf.build_info()["isa"],
        "machine": f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}",
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or "unknown processor"


def done(name: str, folder: Path = RESULTS) -> list[dict[str, Any]]:
    """Return the blocks done so far with this version and instruction set; a line that was cut off counts for none."""
    blocks, here = [], build()
    file = folder / f"{name}.jsonl"
    for line in file.read_text().splitlines() if file.exists() else ():
        try:
            block = json.loads(line)
        except ValueError:
            continue
        if all(block["build"][key] == here[key] for key in ("version", "isa")):
            blocks.append(block)
    return blocks


def go_on(
    name: str, minutes: float, folder: Path = RESULTS, tell: Callable[[Block], None] = lambda _: None
) -> list[Block]:
    """Carry out cases that are not done yet until time is up; returns the blocks of this sitting."""
    campaign, deadline = load(name), time.monotonic() + 60.0 * minutes
    first = max((block["end"] for block in done(name, folder)), default=0)
    folder.mkdir(parents=True, exist_ok=True)
    blocks, about = [], build()
    for block in in_blocks(name, first, campaign.target or sys.maxsize, deadline, campaign.patience):
        line = {"date": datetime.now(UTC).isoformat(timespec="seconds"), "build": about, **block.to_json()}
        with (folder / f"{name}.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())
        blocks.append(block)
        tell(block)
    return blocks
