"""Profiles of pure strategies in a game of roles: those that differ in nothing but who of a role sits where are one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations_with_replacement, pairwise

import numpy as np

from coffee_fast.errors import InvalidGameError
from coffee_fast.typing import Int32, Int64

MOST_PROFILES = 2**24
"""Entries of a payoff table, a player: more would take gigabytes, and days to simulate."""


def seats_of(roles: Sequence[int]) -> list[slice]:
    """The seats of each role, seats in order.

    >>> seats_of((1, 3))
    [slice(0, 1, None), slice(1, 4, None)]
    """
    ends = np.cumsum([0, *roles]).tolist()
    return [slice(first, last) for first, last in pairwise(ends)]


def sort_within_roles(profiles: Int32, roles: Sequence[int]) -> tuple[Int32, Int64]:
    """Return each profile ``[P, N]`` with the strategies of a role ascending, and the seats they come from.

    >>> sorted_profiles, seats = sort_within_roles(np.array([[1, 0], [0, 1]], np.int32), (2,))
    >>> sorted_profiles.tolist(), seats.tolist()
    ([[0, 1], [0, 1]], [[1, 0], [0, 1]])
    """
    order = np.empty(profiles.shape, dtype=np.int64)
    for seats in seats_of(roles):
        order[:, seats] = np.argsort(profiles[:, seats], axis=1, kind="stable") + seats.start
    return np.take_along_axis(profiles, order, axis=1), order


def new_profiles(roles: Sequence[int], num_strategies: Sequence[int], role: int) -> Int32:
    """Return the sorted profiles ``[P, N]`` that come with the next strategy of ``role``, in lexicographic order.

    >>> new_profiles((2,), (2,), 0).tolist()
    [[0, 2], [1, 2], [2, 2]]
    """
    parts = []
    for other, (size, count) in enumerate(zip(roles, num_strategies, strict=True)):
        if other == role:
            chosen = [(*rest, count) for rest in combinations_with_replacement(range(count + 1), size - 1)]
        else:
            chosen = list(combinations_with_replacement(range(count), size))
        parts.append(np.array(chosen, dtype=np.int32).reshape(-1, size))
    places = np.indices([len(part) for part in parts]).reshape(len(parts), -1)
    return np.hstack([part[place] for part, place in zip(parts, places, strict=True)])


def all_profiles(sizes: Sequence[int]) -> Int32:
    """Return every profile ``[P, N]`` of players with ``sizes`` strategies, in lexicographic order."""
    return np.indices(sizes, dtype=np.int32).reshape(len(sizes), -1).T


def check_number(caller: str, sizes: Sequence[int]) -> None:
    """Raise ``InvalidGameError`` for a table of more than ``MOST_PROFILES`` profiles."""
    if (number := math.prod(sizes)) > MOST_PROFILES:
        raise InvalidGameError(
            f"{caller}: {len(sizes)} players with {' x '.join(map(str, sizes))} strategies make {number} profiles, "
            f"more than the {MOST_PROFILES} that a table is kept of; use fewer iterations"
        )


def rotations(profile: Sequence[int], roles: Sequence[int]) -> dict[tuple[int, ...], int]:
    """Return the profiles that arise where each role's seats are turned round and round, and how often each does.

    A strategy sits in each seat of its role equally often. There are ``prod(roles)`` of them, equal ones counted.

    >>> rotations((0, 1), (2,)), rotations((1, 1), (2,))
    ({(0, 1): 1, (1, 0): 1}, {(1, 1): 2})
    """
    turned: list[tuple[int, ...]] = [()]
    for seats in seats_of(roles):
        own = tuple(int(strategy) for strategy in profile[seats])
        turned = [(*before, *own[turn:], *own[:turn]) for before in turned for turn in range(len(own))]
    found: dict[tuple[int, ...], int] = {}
    for seated in turned:
        found[seated] = found.get(seated, 0) + 1
    return found
