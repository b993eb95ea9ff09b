"""Philox and the streams against their twin and against published answers."""

from __future__ import annotations

import numpy as np
import pytest

from coffee_fast import _core
from coffee_fast._reference import rng as reference

# Random123's kat_vectors, philox4x32 with 10 rounds.
KNOWN_ANSWERS = [
    ((0,) * 4, (0,) * 2, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN_ANSWERS)
def test_known_answers(counter, key, answer):
    assert reference.philox4x32(counter, key) == answer
    assert tuple(_core.philox4x32(list(counter), list(key))) == answer


@pytest.mark.parametrize("coordinates", [(0, 0, 0, 0), (5, 7, 11, 13), (2**63 - 1, 2**40, 2**35 + 1, 2**31)])
def test_streams_equal_their_twin(coordinates):
    seed, profile, rollout, step = coordinates
    for purpose in _core.Purpose.__members__.values():
        kernel = _core.Stream(seed, purpose, profile, rollout, step)
        twin = reference.Stream(seed, int(purpose), profile, rollout, step)
        for _ in range(3):
            assert kernel.next_u32() == twin.next_u32()
            assert kernel.next_u64() == twin.next_u64()
            assert kernel.next_double() == twin.next_double()
            assert kernel.next_below(109) == twin.next_below(109)


def test_doubles_are_uniform():
    stream = _core.Stream(1, _core.Purpose.action)
    draws = np.array([stream.next_double() for _ in range(20_000)])
    assert (draws >= 0).all()
    assert (draws < 1).all()
    counts, _ = np.histogram(draws, bins=20, range=(0, 1))
    assert ((counts - 1000) ** 2 / 1000).sum() < 43.8  # chi-squared, 19 degrees of freedom, 0.1 %
