"""Seeds: one number in, an independent number for every purpose out."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from coffee_fast.errors import InvalidArgumentError, shown


def check_seed(seed: Any) -> int:
    """Return ``seed`` as an ``int`` if it lies in ``[0, 2**63)``, the range every file format can hold."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
        raise InvalidArgumentError(f"seed must be an integer, got {shown(seed)}")
    value = int(seed)
    if not 0 <= value < 2**63:
        raise InvalidArgumentError(f"seed must lie in [0, 2**63), got {shown(value)}")
    return value


def derive_seed(seed: int, purpose: str, *indices: int) -> int:
    """Return the seed of one part of a computation: a 63-bit BLAKE2 hash of ``(seed, purpose, *indices)``.

    Parts with other purposes or indices get unrelated seeds, so adding one changes none of the others.

    >>> derive_seed(1, "response", 0) == derive_seed(1, "response", 0)
    True
    >>> derive_seed(1, "response", 0) == derive_seed(1, "response", 1)
    False
    """
    text = "/".join([str(check_seed(seed)), purpose, *map(str, indices)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") >> 1
