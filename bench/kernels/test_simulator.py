"""A simulator in Python: moves a second of the same rules for many episodes at a time, and for one.

Both sides are first checked to play the same episodes.
"""

from __future__ import annotations

import numpy as np
import pytest
from tests.unit.games.test_simulator import ROUNDS, Rounds, RoundsOneByOne

import coffee_fast as cf

UNIFORM = ["uniform_random"] * 2


@pytest.mark.parametrize(
    ("implementation", "num_episodes"), [("many at a time", 20_000), ("one at a time", 2_000)], ids=["many", "one"]
)
def test_simulator(benchmark, implementation, num_episodes):
    benchmark.group = "simulator in Python"
    many, one = cf.games.from_simulator(ROUNDS, Rounds()), cf.games.from_simulator(ROUNDS, RoundsOneByOne)
    few = [cf.simulate(game, UNIFORM, num_episodes=100, seed=0).returns for game in (many, one)]
    np.testing.assert_array_equal(*few)
    game = many if implementation == "many at a time" else one
    benchmark.pedantic(lambda: cf.simulate(game, UNIFORM, num_episodes=num_episodes, seed=0), rounds=5, warmup_rounds=1)
    if benchmark.stats is not None:  # None with --benchmark-disable
        benchmark.extra_info["moves_per_second"] = round(4 * num_episodes / benchmark.stats.stats.median)
