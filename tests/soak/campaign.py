"""Campaigns against faults: numbered cases, each checked in a process that it may break, in as many sittings as wanted.

A campaign is a module of this folder with a ``CAMPAIGN``. Its cases depend on nothing but their number, so that a
failure is repeated by its number. What was done is counted in a record that is committed; the next sitting goes on
behind it, on any machine. A change to what is done in the cases of known numbers begins a campaign anew.
"""

from __future__ import annotations

import importlib
import math
import os
import platform
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.soak import record
from tests.soak.processes import Died, Worker
from tests.soak.record import Block

import coffee_fast as cf

NAMES = ("kills", "boundaries", "damage", "arguments", "solvers", "zero_sum")
SECONDS_A_BLOCK = 20.0
IN_MEMORY = "/dev/shm"


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
    on_disk
        Whether cases write to a disk that takes its time, in which they may be met; memory does for the others.
    """

    name: str
    about: str
    prepare: Callable[[], Check | tuple[Check, int]]
    target: int | None
    patience: float = 60.0
    on_disk: bool = False

    def prepared(self) -> tuple[Check, int]:
        """Return the check of cases, and how many there are."""
        made = self.prepare()
        if isinstance(made, tuple):
            return made
        assert self.target is not None
        return made, self.target

    @property
    def place(self) -> str | None:
        """Where folders to carry cases out in are made; None for where temporary ones are."""
        return IN_MEMORY if not self.on_disk and os.access(IN_MEMORY, os.W_OK) else None


def load(name: str) -> Campaign:
    """Return the campaign of a name."""
    campaign: Campaign = importlib.import_module(f"tests.soak.{name}").CAMPAIGN
    return campaign


def in_blocks(name: str, first: int, end: int, deadline: float, patience: float) -> Iterator[Block]:
    """Yield what comes of cases, carried out in a process of their own; one that it dies of is a fault of the case.

    The first block is empty and says how many cases there are.
    """
    deaths: dict[int, str] = {}
    with Worker(name, load(name).place) as worker:
        count: int = worker.work(first, first, 0.0, patience)["count"]
        yield Block(first, first, count)
        end = min(end, count)
        while first < end and time.monotonic() < deadline:
            if first in deaths:
                fault = {"case": first, "ended": "died", "what": deaths[first]}
                yield Block(first, first + 1, count, Counter(died=1), [fault])
                first += 1
                continue
            until = min([end, *(case for case in deaths if case >= first)])
            seconds = min(SECONDS_A_BLOCK, max(1.0, deadline - time.monotonic()))
            try:
                block = worker.work(first, until, seconds, patience)
            except Died as death:  # the cases before it are done again: their ends died with the process
                deaths[death.case] = str(death)
                continue
            first = block["end"]
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


def go_on(
    name: str,
    minutes: float,
    folder: Path = record.FOLDER,
    tell: Callable[[Block], None] = lambda _: None,
    anew: bool = False,
) -> list[Block]:
    """Carry out cases that are not done yet until time is up; returns the blocks of this sitting."""
    campaign, deadline = load(name), time.monotonic() + 60.0 * minutes
    done = record.Record() if anew else record.read(name, folder)
    about, kept = build(), []
    for block in in_blocks(name, done.next, campaign.target or sys.maxsize, deadline, campaign.patience):
        kept += _kept(name, folder, done, block, lambda block: done.add(block, about), tell)
    return kept


def again(name: str, folder: Path = record.FOLDER, tell: Callable[[Block], None] = lambda _: None) -> list[Block]:
    """Carry out each case that went wrong alone; those that end as promised by now are faults no more."""
    campaign, done = load(name), record.read(name, folder)
    kept = []
    for fault in list(done.faults):
        case: int = fault["case"]
        for block in in_blocks(name, case, case + 1, math.inf, campaign.patience):
            kept += _kept(name, folder, done, block, partial(done.replace, fault), tell)
    return kept


def _kept(
    name: str,
    folder: Path,
    done: record.Record,
    block: Block,
    count: Callable[[Block], None],
    tell: Callable[[Block], None],
) -> list[Block]:
    """Count a block, write the record and tell of it; nothing of an empty one."""
    done.check_numbering(block)
    if block.end == block.first:
        return []
    count(block)
    record.write(name, done, folder)
    tell(block)
    return [block]
