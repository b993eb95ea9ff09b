"""JSON without what the format allows but nobody means."""

from __future__ import annotations

import json
import math
from collections.abc import Collection
from typing import Any

from coffee_fast.errors import shown

_DEEPEST = 100


def parse_json(text: str) -> Any:
    """Return what a JSON text says; ``ValueError`` if it is none, or says something that nobody means.

    That is: a key given twice, a number that is not finite, an integer of more than 64 bits, lists in lists in lists
    without end.

    >>> parse_json('{"seed": 1, "seed": 2}')
    Traceback (most recent call last):
    ValueError: the key 'seed' is given twice
    """
    hooks: dict[str, Any] = {"parse_int": _integer, "parse_float": _real, "parse_constant": _real}
    try:
        value = json.loads(text, object_pairs_hook=_without_doubles, **hooks)
        level = [value]
        for _ in range(_DEEPEST):
            level = [item for outer in level for item in _inside(outer)]
            if not level:
                return value
    except RecursionError:
        pass
    raise ValueError(f"it is nested more than {_DEEPEST} deep")


def _inside(value: Any) -> Collection[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _integer(text: str) -> int:
    if len(text) > 20 or not -(2**63) <= (value := int(text)) < 2**64:
        raise ValueError(f"the integer {text:.30} has more than 64 bits")
    return value


def _real(text: str) -> float:
    if not math.isfinite(value := float(text)):
        raise ValueError(f"the number {text:.30} is not finite")
    return value


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        names = [name for name, _ in pairs]
        doubled = next(name for place, name in enumerate(names) if name in names[:place])
        raise ValueError(f"the key {shown(doubled)} is given twice")
    return value
