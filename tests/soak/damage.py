"""Small files cut off at every length and with every bit flipped: refused, or read as what they were."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.small_runs import OF_THE_CLOCK
from tests.soak import things
from tests.soak.campaign import Campaign, Check, Mismatch

from coffee_fast.errors import CoffeeError

STRIDE = 1_000_003  # a prime: any number of cases in a row is spread over all files


@dataclass(frozen=True)
class Victim:
    """A file, what reads it, and what it is read as."""

    name: str
    file: Path
    content: bytes
    read: Callable[[], Any]
    expected: str

    @property
    def num_cases(self) -> int:
        return 9 * len(self.content)  # a length and eight bits a byte


def victims(folder: Path) -> list[Victim]:
    """Make what is to be damaged."""
    found = []
    for kind, (path, load) in things.kept(folder).items():
        expected = things.digest(load(path))
        files = [path / "training.safetensors"] if kind == "self_play" else sorted(path.rglob("*"))
        if kind == "run":
            files = [path / "config.json", path / "results.json"]
        for file in files:
            if file.is_file() and (file.name not in OF_THE_CLOCK or kind == "run"):
                name = f"{kind}/{file.relative_to(path)}"
                found.append(Victim(name, file, file.read_bytes(), lambda load=load, path=path: load(path), expected))
    return found


def prepare() -> tuple[Check, int]:
    everything = victims(Path("kept").absolute())
    count = sum(victim.num_cases for victim in everything)
    assert math.gcd(STRIDE, count) == 1

    def check(case: int) -> str:
        place = case * STRIDE % count
        for victim in everything:
            if place < victim.num_cases:
                return damaged(victim, place)
            place -= victim.num_cases
        raise AssertionError(place)

    return check, count


def damaged(victim: Victim, place: int) -> str:
    """Damage a file in one way, have it read, and mend it."""
    size = len(victim.content)
    changed = bytearray(victim.content)
    if place < size:
        what, changed = f"cut off at {place} of {size}", changed[:place]
    else:
        byte, bit = divmod(place - size, 8)
        what = f"bit {bit} of byte {byte} of {size} flipped"
        changed[byte] ^= 1 << bit
    victim.file.write_bytes(changed)
    try:
        found = things.digest(victim.read())
    except CoffeeError as error:
        if len(str(error)) > 2000:
            raise Mismatch(f"{victim.name}, {what}: a message of {len(str(error))} characters") from None
        return f"{victim.name}: refused"
    finally:
        victim.file.write_bytes(victim.content)
    if found != victim.expected:
        raise Mismatch(f"{victim.name}, {what}: read as something else")
    return f"{victim.name}: the same"


CAMPAIGN = Campaign(
    "damage",
    "every truncation and every flipped bit of small datasets, models, solutions, PSRO and self-play checkpoints and "
    "results: an error of ours, or the same answer",
    prepare,
    None,
)
