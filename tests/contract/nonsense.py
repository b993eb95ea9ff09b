"""What arguments are spoiled with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np


def misaligned(array: np.ndarray) -> np.ndarray:
    """Return the same array at an address that no processor promises to read."""
    shifted = np.zeros(array.nbytes + 1, np.uint8)[1:].view(array.dtype).reshape(array.shape)
    shifted[...] = array
    return shifted


def odd_forms(array: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the same values as they lie in memory seldom, and arrays of other types and shapes."""
    yield misaligned(array)
    yield array.astype(array.dtype.newbyteorder(">"))
    yield np.stack([array, array], axis=-1)[..., 0]
    read_only = array.copy()
    read_only.flags.writeable = False
    yield read_only
    yield np.ma.masked_array(array, np.zeros(array.shape, bool))
    yield array[..., None]
    yield array.astype(object)
    yield array.astype(np.complex128) if array.dtype.kind in "iuf" else array
    yield array[:0]
    if array.dtype.kind == "f":
        yield np.full_like(array, np.nan)


NONSENSE: list[Any] = [
    *(None, True, 1.5, -1, 0, 10**30, 2**64, 10**400, float("nan"), float("inf"), np.int64(2), np.float32("nan")),
    *("", "no such thing", "x" * 100_000, b"x", Path("nowhere"), [], {}, (), [[1], [2, 3]], [None], ["a", 1]),
    *(object(), lambda *_: 0, int, {"kind": 3}, {1: 2}, {"a": [1]}, range(3), {1, 2}, iter([1, 2]), 1j),
    *(np.zeros((2, 3)), np.array(["a", "b"]), np.zeros(0), np.array(3), np.zeros((2, 2), object), np.ones(2, bool)),
    np.ma.masked_array([1.0, 2.0], [True, False]),
]


def nonsense_for(value: Any) -> list[Any]:
    """Return what an argument is spoiled with."""
    return [*NONSENSE, *(odd_forms(value) if isinstance(value, np.ndarray) else ())]
