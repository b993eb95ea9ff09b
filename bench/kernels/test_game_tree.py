"""Trees of small games: made from OpenSpiel's, played uniformly, and exact NashConv against OpenSpiel's own."""

from __future__ import annotations

import numpy as np
import pytest

import coffee_fast as cf

pyspiel = pytest.importorskip("pyspiel")

NUM_EPISODES = 200_000
NASH_CONV = {"kuhn_poker": 0.9166667, "leduc_poker": 4.7472222, "liars_dice": 1.5614886}


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


@pytest.mark.parametrize("implementation", ["coffee_fast", "open_spiel", "open_spiel_python"])
@pytest.mark.parametrize("name", NASH_CONV)
def test_exact(benchmark, name, implementation):
    """With the tree at hand; OpenSpiel keeps none, neither in C++ nor in Python."""
    benchmark.group = f"exact NashConv of uniform play, {name}"
    game = pyspiel.load_game(name)
    if implementation == "coffee_fast":
        tree = cf.GameTree(game)
        figures = [benchmark(cf.exact_regret, tree, "uniform_random").nash_conv]
    elif implementation == "open_spiel":
        figures = [benchmark.pedantic(pyspiel.nash_conv, (game, pyspiel.UniformRandomPolicy(game)), rounds=1)]
    elif name == "liars_dice":
        pytest.skip("takes minutes")
    else:
        from open_spiel.python.algorithms import exploitability
        from open_spiel.python.policy import UniformRandomPolicy

        figures = [benchmark.pedantic(exploitability.nash_conv, (game, UniformRandomPolicy(game)), rounds=1)]
    assert figures == pytest.approx([NASH_CONV[name]], abs=1e-6)


@pytest.mark.parametrize("name", ["leduc_poker", "liars_dice"])
def test_making(benchmark, name):
    benchmark.group = f"making the tree of {name}"
    tree = benchmark.pedantic(cf.GameTree, args=(f"openspiel:{name}",), rounds=3, warmup_rounds=1)
    if benchmark.stats is not None:
        benchmark.extra_info["microseconds_per_node"] = round(1e6 * benchmark.stats.stats.median / tree.num_nodes, 2)
