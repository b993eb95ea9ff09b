"""Random numbers for episodes side by side, the same however many are played at a time."""

from __future__ import annotations

import math

import numpy as np

from coffee_fast import _core
from coffee_fast.checks import check_count
from coffee_fast.typing import Float64, Int64, UInt64

MOST_NUMBERS = 1_000_000  # that an episode may ask for at once


class LaneRandom:
    """What a simulator draws its random numbers from, a row for each of ``L`` episodes.

    What an episode gets depends on seed, episode, move and how many numbers were drawn before in the same call: not on
    the other episodes, nor on threads. So let every call draw as many numbers, whatever the state, and throw away what
    is not needed.

    >>> keys, steps = np.array([[7, 0, 0], [7, 0, 1]], np.uint64), np.zeros(2, np.int64)
    >>> random = LaneRandom(keys, _core.Purpose.initial_state, steps)
    >>> random.uniform(3).shape, random.integers(6).shape
    ((2, 3), (2,))
    """

    def __init__(self, keys: UInt64, purpose: _core.Purpose, steps: Int64) -> None:
        self._keys, self._purpose, self._steps = np.ascontiguousarray(keys), purpose, np.ascontiguousarray(steps)
        self._num_drawn = 0

    def __len__(self) -> int:
        return len(self._keys)

    def uniform(self, *shape: int) -> Float64:
        """Numbers on ``[0, 1)``, ``float64 [L, *shape]``."""
        sizes = [check_count("uniform: shape", size, at_most=MOST_NUMBERS) for size in shape]
        count = check_count("uniform: shape", math.prod(sizes), at_most=MOST_NUMBERS)
        numbers = _core.uniform_numbers(self._keys, self._purpose, self._steps, count, self._num_drawn)
        self._num_drawn += count
        return numbers.reshape(len(self), *sizes)

    def integers(self, bound: int, *shape: int) -> Int64:
        """Integers from 0 to ``bound - 1``, each as likely, ``int64 [L, *shape]``."""
        bound = check_count("integers: bound", bound, at_least=1, at_most=2**31 - 1)
        return (self.uniform(*shape) * bound).astype(np.int64)

    def seeds(self) -> Int64:
        """A seed an episode for generators of your own, ``int64 [L]`` in ``[0, 2**53)``."""
        return (self.uniform() * 2.0**53).astype(np.int64)
