"""Twin of rng.hpp: Philox4x32-10 and the streams made of it, in plain integers."""

from __future__ import annotations

from collections.abc import Sequence

MASK32 = 0xFFFFFFFF
MASK64 = 0xFFFFFFFFFFFFFFFF


def philox4x32(counter: Sequence[int], key: Sequence[int]) -> tuple[int, int, int, int]:
    """One block of ten rounds (Salmon, Moraes, Dror and Shaw, SC 2011)."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        product0, product1 = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (
            (product1 >> 32) ^ c1 ^ k0,
            product1 & MASK32,
            (product0 >> 32) ^ c3 ^ k1,
            product0 & MASK32,
        )
        k0, k1 = (k0 + 0x9E3779B9) & MASK32, (k1 + 0xBB67AE85) & MASK32
    return c0, c1, c2, c3


def mix64(value: int) -> int:
    """The finalizer of SplitMix64."""
    value = (value + 0x9E3779B97F4A7C15) & MASK64
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & MASK64
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK64
    return value ^ (value >> 31)


class Stream:
    """Numbers that depend on nothing but the coordinates; ``purpose`` is the value of ``Purpose``."""

    def __init__(self, seed: int, purpose: int, profile: int = 0, rollout: int = 0, step: int = 0) -> None:
        key = mix64(mix64(mix64(seed) ^ purpose) ^ profile)
        self._key = (key & MASK32, key >> 32)
        self._tail = (step, rollout & MASK32, rollout >> 32)
        self._num_blocks = 0
        self._block: list[int] = []

    def next_u32(self) -> int:
        if not self._block:
            self._block = list(philox4x32((self._num_blocks, *self._tail), self._key))
            self._num_blocks += 1
        return self._block.pop(0)

    def next_u64(self) -> int:
        low = self.next_u32()
        return low | self.next_u32() << 32

    def next_double(self) -> float:
        """Uniform on ``[0, 1)`` in steps of ``2**-53``."""
        return (self.next_u64() >> 11) * 2.0**-53

    def next_below(self, bound: int) -> int:
        """Uniform on ``0 .. bound - 1``: the high part of ``bound`` times a 64-bit fraction."""
        high = self.next_u32()
        return (high << 32 | self.next_u32()) * bound >> 64


def sample_categorical(probabilities: Sequence[float], uniform: float) -> int:
    """The first index whose running sum exceeds ``uniform``; never one of probability zero."""
    cumulative, last = 0.0, 0
    for index, probability in enumerate(probabilities):
        if probability > 0:
            last = index
            cumulative += probability
            if uniform < cumulative:
                return index
    return last
