"""Rows of a table that are the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast.typing import Int64

CHUNK = 4096  # rows looked at together, so that they stay in the cache
Words = NDArray[np.unsignedinteger[Any]]


def like_rows(rows: NDArray[Any]) -> tuple[Int64, Int64]:
    """Number rows by their contents, byte for byte but that -0 is 0.

    Returns
    -------
    tuple
        ``int64 [U]``: the first row of each number. ``int64 [T]``: the number of each row.

    Notes
    -----
    Cost: two passes over the rows and a sort of one key each; a second sort, of the rows, if unlike ones had one key.

    >>> first, number = like_rows(np.array([[3.0, 0.0], [1.0, 2.0], [3.0, -0.0]]))
    >>> bool(number[0] == number[2]), first[number].tolist()
    (True, [0, 1, 0])
    """
    whole = np.ascontiguousarray(rows + rows.dtype.type(0))
    words = whole.view(np.dtype(f"u{whole.dtype.itemsize}"))
    first, number = _numbered(_keys(words))
    if any((words[part] != words[first[number[part]]]).any() for part in _parts(len(words))):
        first, number = _numbered(words.view(np.dtype((np.void, words.dtype.itemsize * words.shape[1])))[:, 0])
    return first, number


def _numbered(keys: NDArray[Any]) -> tuple[Int64, Int64]:
    _, first, number = np.unique(keys, return_index=True, return_inverse=True)
    return first.astype(np.int64), number.reshape(-1).astype(np.int64)


def _keys(words: Words) -> NDArray[np.uint64]:
    """Sums of the mixed words (SplitMix64), each shifted by where it stands."""
    keys = np.empty(len(words), dtype=np.uint64)
    shifts = np.arange(1, words.shape[1] + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    for part in _parts(len(words)):
        mixed = words[part] + shifts
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            mixed ^= mixed >> np.uint64(shift)
            mixed *= np.uint64(factor)
        mixed ^= mixed >> np.uint64(31)
        keys[part] = mixed.sum(axis=1, dtype=np.uint64)
    return keys


def _parts(num_rows: int) -> Iterator[slice]:
    return (slice(start, start + CHUNK) for start in range(0, num_rows, CHUNK))
