"""Faults of the disk: any step of a write, a flush or a rename may fail, or be the last that a process does."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from coffee_fast import _files

STEPS = ("_write", "_fsync", "_rename", "_swap")


class Crash(BaseException):
    """Stands for the end of the process."""


def break_step(
    patch: pytest.MonkeyPatch, number: int, failure: BaseException | Callable[[set[Path]], None]
) -> list[str]:
    """Let the ``number``-th step that touches the disk fail; returns the list of steps taken.

    ``failure`` is raised, or called with the files of which not all has been flushed.
    """
    taken: list[str] = []
    in_flight: set[Path] = set()
    for name in STEPS:
        real = getattr(_files, name)

        def step(*arguments, real=real, name=name):
            taken.append(name)
            _follow(in_flight, name, arguments)
            if len(taken) == number + 1:
                if name == "_write":  # a disk fills up in the middle of a write
                    real(arguments[0], arguments[1][: len(arguments[1]) // 2])
                if isinstance(failure, BaseException):
                    raise failure
                failure(in_flight)
            result = real(*arguments)
            if name == "_fsync":
                in_flight.discard(_path_of(arguments[0]))
            return result

        patch.setattr(_files, name, step)
    return taken


def _follow(in_flight: set[Path], name: str, arguments: tuple) -> None:
    """Note what a step leaves to be flushed, and where a rename puts it."""
    if name == "_write":
        in_flight.add(_path_of(arguments[0]))
    elif name in ("_rename", "_swap"):  # what is swapped out is on the disk
        source, target = map(Path, arguments)
        for path in [path for path in in_flight if path == source or source in path.parents]:
            in_flight.remove(path)
            in_flight.add(target / path.relative_to(source))


def _path_of(descriptor: int) -> Path:
    return Path(os.readlink(f"/proc/self/fd/{descriptor}"))


def end(_: set[Path]) -> None:
    """End the process as a kill does: nothing is tidied up."""
    os._exit(9)


def cut_power(in_flight: set[Path]) -> None:
    """End the process, and lose half of what was written and not flushed."""
    for path in in_flight:
        if path.exists():
            os.truncate(path, path.stat().st_size // 2)
    os._exit(9)
