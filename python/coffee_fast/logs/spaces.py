"""Spaces of observations and actions as Minari writes them down, split into parts that are one array each."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from coffee_fast.errors import DatasetError, shown

Space = dict[str, Any]
MOST_LABELS = 1024  # of a part that is one-hot
_DEEPEST = 16
_PICTURE = 32  # pixels: Minari keeps arrays of bytes that are larger as JPEG


@dataclass(frozen=True)
class Part:
    """Where a part lies in a space, by keys, and what it holds: ``"numbers"``, a ``"label"``, or ``"text"``.

    ``size``: of numbers how many, of a label how many there are; ``first``: the first label.
    """

    path: tuple[str, ...]
    kind: str
    size: int = 1
    first: int = 0


def parse_space(text: Any, where: str) -> Space:
    """Read a space; its bounds, which may be infinite, are not looked at."""
    try:
        space = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        space = None
    if not isinstance(space, dict) or not isinstance(space.get("type"), str):
        raise DatasetError(f"{where} must be a space as Minari 0.5 writes it, got {shown(text)}")
    return space


def children(space: Space, where: str) -> dict[str, Space] | None:
    """The spaces inside a Dict or Tuple by their keys, None of any other space."""
    kind, inside = space.get("type"), space.get("subspaces")
    if kind not in ("Dict", "Tuple"):
        return None
    if kind == "Tuple" and isinstance(inside, list):
        inside = dict(zip(map(str, range(len(inside))), inside, strict=True))
    if not isinstance(inside, dict) or not all(isinstance(one, dict) for one in inside.values()):
        raise DatasetError(f"{where} is a malformed {kind}")
    return inside


def parts_of(space: Space, where: str, path: tuple[str, ...] = ()) -> Iterator[Part]:
    """Every part of a space, in order."""
    if len(path) > _DEEPEST:
        raise DatasetError(f"{where} is nested more than {_DEEPEST} deep")
    if (inside := children(space, where)) is not None:
        for key, one in inside.items():
            yield from parts_of(one, where, (*path, key))
        return
    kind, name = space.get("type"), "/".join((where, *path))
    if kind == "Discrete":
        size, first = _whole(space.get("n"), name, 1), _whole(space.get("start", 0), name, -(2**62))
        yield Part(path, "label", size, first)
    elif kind == "Text":
        yield Part(path, "text")
    elif kind in ("Box", "MultiDiscrete", "MultiBinary"):
        shape = _shape(space, kind, name)
        if space.get("dtype") == "uint8" and len(shape) in (2, 3) and min(shape[:2]) >= _PICTURE:
            raise DatasetError(f"{name} holds pictures; log what is on them, in numbers, or leave this part out")
        if size := math.prod(shape):
            yield Part(path, "numbers", size)
    else:
        raise DatasetError(f"{name} is of type {shown(kind)}; there are Box, Discrete, Text, Dict, Tuple and the like")


def _shape(space: Space, kind: str, name: str) -> list[int]:
    sizes = space.get("shape")
    if kind == "MultiBinary":
        sizes = space.get("n")
    elif kind == "MultiDiscrete":
        sizes, inner = [], space.get("nvec")
        while isinstance(inner, list) and len(sizes) < _DEEPEST:
            sizes, inner = [*sizes, len(inner)], inner[0] if inner else None
    return [_whole(size, name, 0) for size in (sizes if isinstance(sizes, list) else [sizes])]


def _whole(value: Any, name: str, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value < 2**31:
        raise DatasetError(f"{name} is malformed: {shown(value)} is no size")
    return value
