"""How many episodes are played at a time: as many as asked for, to no effect, or too many, which is said."""

from __future__ import annotations

import numpy as np
import pytest
from tests.core.learner_calls import CoinToss, all_calls

from coffee_fast import InvalidArgumentError, _core

MOST = 2**20
PLAYERS = [([_core.Policy.uniform_random()], [1.0])] * 2


@pytest.fixture(scope="module")
def toss():
    _, sizes = all_calls()["PythonDynamics"]
    return _core.PythonDynamics(CoinToss, **sizes)


@pytest.mark.parametrize("chunk_size", [1, 7, 2**63, 2**64 - 1])
def test_no_chunk_is_too_large_for_the_episodes_there_are(chunk_size):
    game = _core.GeneralizedBargaining()
    found, expected = (_core.rollout(game, PLAYERS, 20, 3, chunk_size=size) for size in (chunk_size, 256))
    for name in expected:
        np.testing.assert_array_equal(found[name], expected[name])


def test_no_simulator_is_asked_for_more_than_there_is_room_for(toss):
    assert len(_core.Episodes(toss, MOST, seed=1).players()) == MOST
    collect, arguments = all_calls()["collect_experience"]
    too_many = f"at most {MOST} episodes can be played at a time, got"
    for call in (
        lambda: _core.Episodes(toss, MOST + 1, seed=1),
        lambda: _core.rollout(toss, PLAYERS, MOST + 1, 0, chunk_size=MOST + 1),
        lambda: collect(**arguments | {"count": 2**64 - 1, "num_parallel_episodes": 2**62}),
    ):
        with pytest.raises(InvalidArgumentError, match=too_many):
            call()


def test_more_episodes_than_can_be_counted_are_not_none(toss):
    collect, arguments = all_calls()["collect_experience"]
    with pytest.raises(MemoryError):
        collect(**arguments | {"count": 2**64 - 1, "num_parallel_episodes": 256})
