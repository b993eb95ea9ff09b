"""Small files cut off or lengthened, and with every bit flipped: refused, or read as what they were."""

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
ROOM = 512  # bytes: sizes are taken as multiples of it, as numbers in words are a digit longer on another machine
READ = {  # of those in whose folders there is more than is read
    "run": ("config.json", "results.json", "seconds.json", "evaluation/evaluation.json"),
    "self_play": ("training.safetensors",),
}


@dataclass(frozen=True)
class Victim:
    """A file, what reads it, and what it is read as."""

    name: str
    file: Path
    content: bytes
    read: Callable[[], Any]
    expected: str

    @property
    def most(self) -> int:
        """A length that it has room in."""
        return len(self.content) // ROOM * ROOM + ROOM

    @property
    def num_cases(self) -> int:
        return 9 * self.most  # a length and eight bits a byte


def victims(folder: Path) -> list[Victim]:
    """Make what is to be damaged."""
    found = []
    for kind, (path, load) in things.kept(folder).items():
        expected = things.digest(load(path))
        files = [file for file in sorted(path.rglob("*")) if file.is_file() and file.name not in OF_THE_CLOCK]
        if kind in READ:
            files = [path / name for name in READ[kind]]
        for file in files:
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
    size, most = len(victim.content), victim.most
    if place < most:  # a system that crashed may leave zeros behind the end
        length = place + (place >= size)
        what = f"cut off or lengthened with zeros to {length}, from {size}"
        changed = bytearray(victim.content[:length].ljust(length, b"\0"))
    else:
        byte, bit = divmod(place - most, 8)
        what = f"bit {bit} of byte {byte} of {size} flipped, where there may have been a zero"
        changed = bytearray(victim.content.ljust(byte + 1, b"\0"))
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
    "every truncation, zeros behind the end and every flipped bit of small datasets, models, solutions, PSRO and "
    "self-play checkpoints and results: an error of ours, or the same answer",
    prepare,
    None,
)
