"""Wrong arguments to everything that the compiled module binds: answered or refused, never the end of the process."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from tests.contract.nonsense import nonsense_for
from tests.core.core_calls import ENORMOUS, Call, at, flat, forms, is_patient, limit_memory, put
from tests.core.learner_calls import all_calls
from tests.soak.campaign import Campaign, Check, Mismatch

from coffee_fast.errors import CoffeeError

NAMES = sorted(all_calls())
CALLS_EACH = 50_000


def prepare() -> Check:
    all_calls()  # which makes what is kept
    limit_memory()

    @functools.lru_cache(maxsize=1)
    def calls_of(turn: int) -> dict[str, Call]:
        """Return calls that are made once each; to make them takes longer than most of them do."""
        return all_calls()

    def check(case: int) -> str:
        rng = np.random.default_rng(case)
        turn, place = divmod(case, len(NAMES))
        function, arguments = calls_of(turn)[NAMES[place]]
        for _ in range(rng.integers(1, 4)):
            arguments = spoiled(rng, arguments)
        kept = [(array, array.tobytes()) for array in arrays_in(arguments) if not array.flags.writeable]
        try:
            flat(function(**arguments))
            outcome = "answered"
        except (CoffeeError, TypeError):
            outcome = "refused"
        if any(array.tobytes() != content for array, content in kept if array.dtype != object):
            raise Mismatch("an array that may only be read was written to")
        return outcome

    return check


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return where anything stands in nested lists, tuples and dicts, these themselves too."""
    found = [path] if path else []
    if isinstance(value, list | tuple | dict):
        for key, entry in value.items() if isinstance(value, dict) else enumerate(value):
            found += places(entry, (*path, key))
    return found


def spoiled(rng: np.random.Generator, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments with one place of them filled with something else."""
    everywhere = places(arguments)
    path = everywhere[rng.integers(len(everywhere))]
    value = at(arguments, path)
    is_plain = isinstance(value, np.ndarray) and value.dtype.kind in "iufb" and value.ndim and value.size
    if is_plain and rng.random() < 0.8:
        return put(arguments, path, other_array(rng, value))
    kinds = [*ENORMOUS, *nonsense_for(value if is_plain else None)]
    entry = kinds[rng.integers(len(kinds))]
    return arguments if is_patient(path, entry) else put(arguments, path, entry)


def other_array(rng: np.random.Generator, array: np.ndarray) -> np.ndarray:
    """Return an array in another form, or with another entry, shape or type."""
    kind = rng.integers(4)
    if kind == 0:
        entries = [form for _, _, form in forms(array)]
        return entries[rng.integers(len(entries))]
    changed = array.copy()
    if kind == 1:
        values = (
            [np.nan, np.inf, -np.inf, 1e38, -1e-45, 0.0]
            if array.dtype.kind == "f"
            else [-1, 0, 1, 2, 3, 127, 2**31 - 1]
        )
        with np.errstate(over="ignore"):
            changed.ravel()[rng.integers(array.size)] = np.array(values[rng.integers(len(values))]).astype(array.dtype)
        return changed
    if kind == 2:
        shape = tuple(int(rng.integers(0, 2 * size + 2)) for size in array.shape)
        return np.resize(array, shape)
    types = ["f4", "f8", "f2", "i1", "i4", "i8", "u1", "u8", "?", "c8", "S3", "M8[s]", ">f4", ">i4"]
    with np.errstate(all="ignore"):
        return array.astype(types[rng.integers(len(types))])


def arrays_in(value: Any) -> list[np.ndarray]:
    if isinstance(value, np.ndarray):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [array for entry in value for array in arrays_in(entry)] if isinstance(value, list | tuple) else []


CAMPAIGN = Campaign(
    "arguments",
    f"wrong types, shapes, strides, values and sizes to each of {len(NAMES)} bound functions and methods",
    prepare,
    CALLS_EACH * len(NAMES),
    patience=20.0,
)
