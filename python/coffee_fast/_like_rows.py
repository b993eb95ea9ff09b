"""Rows of a table that are the same."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast.typing import Int64


def like_rows(rows: NDArray[Any]) -> tuple[Int64, Int64]:
    """Number rows by their contents, byte for byte but that -0 is 0.

    Returns
    -------
    tuple
        ``int64 [U]``: the first row of each number. ``int64 [T]``: the number of each row.

    Notes
    -----
    Cost: one sort of the rows.

    >>> first, number = like_rows(np.array([[3.0, 0.0], [1.0, 2.0], [3.0, -0.0]]))
    >>> bool(number[0] == number[2]), first[number].tolist()
    (True, [0, 1, 0])
    """
    whole = np.ascontiguousarray(rows + rows.dtype.type(0))
    contents = whole.view(np.dtype((np.void, whole.dtype.itemsize * whole.shape[1])))[:, 0]
    _, first, number = np.unique(contents, return_index=True, return_inverse=True)
    return first.astype(np.int64), number.reshape(-1).astype(np.int64)
