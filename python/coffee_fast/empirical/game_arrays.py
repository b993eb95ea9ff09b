"""Arrays of simulated payoffs, checked before a game takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.typing import Float64, Int32, Int64


@dataclass(frozen=True, eq=False)
class Samples:
    """Simulations of some profiles, a row each."""

    profiles: Int64
    counts: Int64
    sums: Float64
    sums_of_squares: Float64
    sums_of_disagreement: Float64

    def check(self, sizes: Sequence[int], num_strategies: Sequence[int], num_members: int) -> None:
        """Raise unless every row is of players with ``sizes`` strategies and of finite sums."""
        shape = (len(self.profiles), len(sizes), num_members)
        expected = {
            "profiles": shape[:2],
            "counts": shape[:1],
            "sums": shape,
            "sums_of_squares": shape,
            "sums_of_disagreement": shape[:1],
        }
        for name, wanted in expected.items():
            if (found := getattr(self, name).shape) != wanted:
                raise InvalidArgumentError(f"record: {name} must have shape {list(wanted)}, got {list(found)}")
        for name in ("profiles", "counts"):
            if (dtype := getattr(self, name).dtype).kind not in "iu":
                raise InvalidArgumentError(f"record: {name} must be integers, got dtype {dtype}")
        if ((self.profiles < 0) | (self.profiles >= np.array(sizes))).any():
            limits = ", ".join(f"[0, {count})" for count in num_strategies)
            raise InvalidArgumentError(f"record: strategies must lie in {limits}, got {shown(self.profiles.tolist())}")
        if (self.counts < 1).any():
            raise InvalidArgumentError(f"record: counts must be at least 1, got {shown(self.counts.tolist())}")
        if not all(np.isfinite(a).all() for a in (self.sums, self.sums_of_squares, self.sums_of_disagreement)):
            raise InvalidArgumentError("record: sums must be finite")


def as_samples(
    profiles: ArrayLike,
    counts: ArrayLike,
    sums: ArrayLike,
    sums_of_squares: ArrayLike,
    sums_of_disagreement: ArrayLike | None,
) -> Samples:
    """Return what is to be recorded as arrays."""
    try:
        rows = np.atleast_1d(profiles)
        if sums_of_disagreement is None:
            sums_of_disagreement = np.zeros(len(rows))
        return Samples(
            rows,
            np.asarray(counts),
            np.asarray(sums, dtype=np.float64),
            np.asarray(sums_of_squares, dtype=np.float64),
            np.asarray(sums_of_disagreement, dtype=np.float64),
        )
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidArgumentError(f"record: arguments must be arrays of numbers: {shown(str(error))}") from None


@dataclass(frozen=True, eq=False)
class GameShape:
    """Whose game some arrays are."""

    roles: tuple[int, ...]
    num_strategies: tuple[int, ...]
    num_members: int
    profiles: Int32 | None


def check_arrays(arrays: Mapping[str, np.ndarray]) -> GameShape:
    """Return the shape of the game that arrays describe, or raise ``InvalidArgumentError``."""
    if not isinstance(arrays, Mapping):
        raise InvalidArgumentError(f"from_arrays: arrays must be a mapping of arrays by name, got {shown(arrays)}")
    try:
        counts, sums, squares = arrays["counts"], arrays["sums"], arrays["sums_of_squares"]
        disagreement = arrays["sums_of_disagreement"]
        roles, sizes, profiles = _roles_of(arrays, counts)
    except KeyError as error:
        raise InvalidArgumentError(f"from_arrays: the array {error} is missing") from None
    is_right = all(isinstance(array, np.ndarray) for array in (counts, sums, squares, disagreement))
    if not is_right or counts.dtype != np.int64 or any(a.dtype != np.float64 for a in (sums, squares, disagreement)):
        raise InvalidArgumentError("from_arrays: counts must be int64, sums float64")
    N = sum(roles)
    if sums.ndim != 3 or sums.shape[:2] != (counts.size, N) or sums.shape[2] < 1 or squares.shape != sums.shape:
        raise InvalidArgumentError(
            f"from_arrays: sums and sums_of_squares must have shape [{counts.size}, {N}, E], "
            f"got {list(sums.shape)} and {list(squares.shape)}"
        )
    if disagreement.shape != counts.shape:
        raise InvalidArgumentError(
            f"from_arrays: sums_of_disagreement must have shape [{counts.size}], got {list(disagreement.shape)}"
        )
    if (counts < 0).any() or not all(np.isfinite(array).all() for array in (sums, squares, disagreement)):
        raise InvalidArgumentError("from_arrays: counts must not be negative, sums finite")
    return GameShape(roles, sizes, sums.shape[2], profiles)


def _roles_of(
    arrays: Mapping[str, np.ndarray], counts: np.ndarray
) -> tuple[tuple[int, ...], tuple[int, ...], Int32 | None]:
    """Roles, their numbers of strategies, and the profiles, where they are said; else those of two players alike."""
    if "roles" in arrays:
        roles, sizes, profiles = arrays["roles"], arrays["num_strategies"], arrays["profiles"]
        is_right = all(isinstance(a, np.ndarray) and a.dtype.kind == "i" for a in (roles, sizes, profiles))
        if not is_right or roles.ndim != 1 or sizes.shape != roles.shape or roles.size == 0:
            raise InvalidArgumentError(
                "from_arrays: roles, num_strategies and profiles must be integers, [R], [R], [P, N]"
            )
        if (roles < 1).any() or roles.sum() > 127 or (sizes < 0).any() or (sizes > len(counts)).any():
            raise InvalidArgumentError(
                "from_arrays: roles must be sizes, num_strategies as many as there are profiles of"
            )
        return tuple(roles.tolist()), tuple(sizes.tolist()), profiles
    if not isinstance(counts, np.ndarray):
        raise InvalidArgumentError("from_arrays: counts must be int64, sums float64")
    number = int((np.sqrt(8 * counts.size + 1) - 1) / 2)
    if counts.shape != (number * (number + 1) // 2,):
        raise InvalidArgumentError(f"from_arrays: counts must have shape [S (S + 1) / 2], got {list(counts.shape)}")
    return (2,), (number,), None
