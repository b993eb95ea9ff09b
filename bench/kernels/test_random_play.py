"""Uniform random play of the true game, against OpenSpiel's Bargaining played from Python.

The games differ in their pools and in how many offers there may be, so the figure to compare is ``moves_per_second``.
Both sides are first checked to play by their rules: as many deals, and as many moves an episode, as uniform play has.
"""

from __future__ import annotations

import random

import numpy as np
import pytest

import coffee_fast as cf

NUM_EPISODES, RIVAL_EPISODES = 200_000, 2_000


def assert_plays_uniformly(lengths, is_deal, num_offers, max_length):
    """``num_offers [K]``: the offers that a player chooses from, for each equally likely pool."""
    goes_on = (num_offers / (num_offers + 1))[:, None] ** np.arange(max_length)  # after 0, 1, ... replies
    for sample, exact in (
        (is_deal, 1 - goes_on[:, -1].mean()),
        (lengths, 1 + goes_on[:, :-1].sum(axis=1).mean()),
    ):
        assert np.mean(sample) == pytest.approx(exact, abs=4 * np.std(sample) / np.sqrt(len(sample)))


def record_moves(benchmark, num_moves):
    if benchmark.stats is not None:  # None with --benchmark-disable
        benchmark.extra_info["moves_per_second"] = round(num_moves / benchmark.stats.stats.median)


@pytest.mark.parametrize("implementation", ["coffee_fast", "two_threads"])
def test_random_play(benchmark, implementation):
    benchmark.group = "uniform random play"
    game = cf.load_game("generalized_bargaining", discount=1.0)
    num_threads = 2 if implementation == "two_threads" else 1

    def play():
        return cf.simulate(game, ["uniform_random"] * 2, num_episodes=NUM_EPISODES, seed=0, num_threads=num_threads)

    result = play()
    is_deal = (result.returns != 0).any(axis=1)
    assert_plays_uniformly(result.lengths, is_deal, (game.pools + 1).prod(axis=1), game.spec.max_episode_length)
    benchmark.pedantic(play, rounds=9, warmup_rounds=1)
    record_moves(benchmark, result.lengths.sum())


def play_open_spiel(game, draw_instance):
    """Lengths and deals of ``RIVAL_EPISODES`` episodes."""
    choose = random.Random(0)
    lengths, is_deal = [], []
    for _ in range(RIVAL_EPISODES):
        state = game.new_initial_state()
        state.apply_action(draw_instance(state, choose))
        num_moves = 0
        while not state.is_terminal():
            action = choose.choice(state.legal_actions())
            state.apply_action(action)
            num_moves += 1
        lengths.append(num_moves)
        is_deal.append(action == state.agree_action())
    return lengths, is_deal


def draw_as_in_examples(state, choose):
    """An initial state in the way of OpenSpiel's own examples, which list all chance outcomes."""
    actions, probabilities = zip(*state.chance_outcomes(), strict=True)
    return choose.choices(actions, probabilities)[0]


@pytest.mark.parametrize("implementation", ["open_spiel", "open_spiel_examples"])
def test_random_play_of_open_spiel(benchmark, implementation):
    pyspiel = pytest.importorskip("pyspiel")
    benchmark.group = "uniform random play"
    game = pyspiel.load_game("bargaining")
    instances = [action for action, _ in game.new_initial_state().chance_outcomes()]
    draw = (
        draw_as_in_examples if implementation == "open_spiel_examples" else lambda _, choose: choose.choice(instances)
    )
    num_offers = np.array([len(game.new_initial_state().child(instance).legal_actions()) for instance in instances])
    lengths, is_deal = play_open_spiel(game, draw)
    assert_plays_uniformly(lengths, is_deal, num_offers, game.max_game_length())
    benchmark.pedantic(play_open_spiel, args=(game, draw), rounds=5, warmup_rounds=1)
    record_moves(benchmark, sum(lengths))
