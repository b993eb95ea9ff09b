"""Trees of small games: uniform play at the speed of memory, and exact NashConv against OpenSpiel's own in Python.

``exact`` times what a user waits for with the game at hand: our tree is made once and asked for many profiles, as
OpenSpiel's is in its best-response classes. ``making`` times what comes before: our tree.
"""

from __future__ import annotations

import numpy as np
import pytest

import coffee_fast as cf

pyspiel = pytest.importorskip("pyspiel")

NUM_EPISODES = 200_000
NASH_CONV = {"kuhn_poker": 0.9166667, "leduc_poker": 4.7472222, "liars_dice": 1.5622979}


@pytest.mark.parametrize("name", ["kuhn_poker", "leduc_poker"])
def test_random_play(benchmark, name):
    benchmark.group = f"uniform random play, {name}"
    game = cf.load_game(f"openspiel:{name}")

    def play():
        return cf.simulate(game, ["uniform_random"] * 2, num_episodes=NUM_EPISODES, seed=0)

    result = play()
    exact = cf.exact_regret(game, "uniform_random").values
    error = result.returns.std(axis=0) / np.sqrt(NUM_EPISODES)
    assert (np.abs(result.returns.mean(axis=0) - exact) < 4 * error).all()
    benchmark.pedantic(play, rounds=9, warmup_rounds=1)
    if benchmark.stats is not None:  # None with --benchmark-disable
        benchmark.extra_info["moves_per_second"] = round(result.lengths.sum() / benchmark.stats.stats.median)


@pytest.mark.parametrize("implementation", ["coffee_fast", "open_spiel"])
@pytest.mark.parametrize("name", NASH_CONV)
def test_exact(benchmark, name, implementation):
    from open_spiel.python.algorithms import exploitability
    from open_spiel.python.policy import UniformRandomPolicy

    benchmark.group = f"exact NashConv of uniform play, {name}"
    game = pyspiel.load_game(name)
    if implementation == "coffee_fast":
        tree = cf.GameTree(game)
        assert cf.exact_regret(tree, "uniform_random").nash_conv == pytest.approx(NASH_CONV[name], abs=1e-6)
        benchmark(cf.exact_regret, tree, "uniform_random")
        return
    uniform = UniformRandomPolicy(game)
    values = [exploitability.nash_conv(game, uniform)]  # minutes for liars_dice, so once
    benchmark.pedantic(
        lambda: values.append(exploitability.nash_conv(game, uniform)), rounds=1 if name == "liars_dice" else 3
    )
    assert values == pytest.approx([NASH_CONV[name]] * len(values), abs=1e-6)


@pytest.mark.parametrize("name", ["leduc_poker", "liars_dice"])
def test_making(benchmark, name):
    benchmark.group = f"making the tree of {name}"
    tree = benchmark.pedantic(cf.GameTree, args=(f"openspiel:{name}",), rounds=3, warmup_rounds=1)
    if benchmark.stats is not None:
        benchmark.extra_info["microseconds_per_node"] = round(1e6 * benchmark.stats.stats.median / tree.num_nodes, 2)
