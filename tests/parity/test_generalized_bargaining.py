"""The true game against its twin: every vector, every legal action, every return, along random episodes."""

from __future__ import annotations

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast import _core
from coffee_fast._reference import generalized_bargaining as reference
from coffee_fast._reference.rng import Stream


def assert_same(state, twin):
    assert state.is_terminal() == twin.is_terminal()
    assert state.current_player() == twin.current_player()
    assert state.legal_actions() == twin.legal_actions()
    assert state.returns() == pytest.approx(twin.returns(), rel=1e-14)
    np.testing.assert_array_equal(state.global_state(), twin.global_state())
    for player in range(2):
        np.testing.assert_array_equal(state.observation(player), twin.observation(player))
        np.testing.assert_array_equal(state.information_state(player), twin.information_state(player))


@pytest.mark.parametrize("seed", range(40))
def test_random_episodes(seed):
    game = cf.load_game("generalized_bargaining", discount=0.9)
    state = game.new_state(seed=seed)
    twin = reference.Episode.draw(seed, 0, 0, 0.9)
    assert (state.pool, state.valuations) == (twin.pool, twin.valuations)
    stream = Stream(seed, 3)
    while not twin.is_terminal():
        assert_same(state, twin)
        legal = twin.legal_actions()
        action = legal[stream.next_below(len(legal))]
        state.apply_action(action)
        twin.apply_action(action)
    assert_same(state, twin)


def test_recorded_episodes_show_what_the_twin_shows():
    game = cf.load_game("generalized_bargaining")
    recorded = cf.simulate(game, ["uniform_random"] * 2, num_episodes=30, seed=3, record=True)
    steps = recorded.trajectories
    masks = np.unpackbits(steps["legal_mask"], axis=1, count=game.num_actions, bitorder="little")
    for episode in range(30):
        twin = reference.Episode.draw(3, 0, episode, 0.99)
        first, last = steps["trajectory_offsets"][episode : episode + 2]
        for t in range(first, last):
            np.testing.assert_array_equal(steps["state"][t], twin.global_state())
            for player in range(2):
                np.testing.assert_array_equal(steps["observation"][t, player], twin.observation(player))
            assert np.flatnonzero(masks[t]).tolist() == twin.legal_actions()
            assert steps["acting_player"][t] == twin.current_player()
            twin.apply_action(int(steps["action"][t]))
            np.testing.assert_array_equal(steps["next_state"][t], twin.global_state())
            np.testing.assert_allclose(steps["reward"][t], twin.returns(), rtol=1e-6)
            assert bool(steps["terminal"][t]) == twin.is_terminal() == (t == last - 1)


def test_numbers_of_pools_offers_and_actions():
    game = cf.load_game("generalized_bargaining")
    assert [tuple(pool) for pool in game.pools] == reference.POOLS
    assert len(reference.POOLS) == 31
    assert [tuple(offer) for offer in game.offers] == reference.OFFERS
    assert (game.num_actions, game.accept_action) == (109, 108)
    assert game.offers[0].tolist() == [0, 0, 0]
    feasible = cf.load_game("generalized_bargaining", only_feasible_offers=True)
    assert feasible.num_actions == 97
    never_legal = {tuple(o) for o in game.offers} - {tuple(o) for o in feasible.offers}
    assert {tuple(sorted(offer)) for offer in never_legal} == {(0, 2, 5), (0, 3, 4)}
    assert len(never_legal) == 12


def test_legal_offers_of_a_pool_are_its_parts():
    game = cf.load_game("generalized_bargaining")
    for pool in game.pools:
        state = game.new_state(pool=tuple(pool), seed=1)
        count = int(np.prod(pool + 1))
        assert 16 <= count <= 36
        assert len(state.legal_actions()) == count
        state.apply_action(0)
        assert len(state.legal_actions()) == count + 1


def test_uniform_play_matches_the_exact_figures():
    game = cf.load_game("generalized_bargaining", discount=1.0)
    result = cf.simulate(game, ["uniform_random"] * 2, num_episodes=200_000, seed=0)
    n = (game.pools + 1).prod(axis=1)
    deal_rate = np.mean(1 - (n / (n + 1)) ** 10)
    assert deal_rate == pytest.approx(0.33185, abs=1e-5)
    share = (result.returns.sum(axis=1) > 0).mean()
    assert share == pytest.approx(deal_rate, abs=4 * np.sqrt(deal_rate * (1 - deal_rate) / 200_000))
    # An episode has 11 actions unless accepted earlier: sum over t of the probability of getting to action t.
    survival = (n / (n + 1))[:, None] ** np.arange(10)
    assert result.lengths.mean() == pytest.approx(1 + survival.sum(axis=1).mean(), abs=0.02)
    assert result.returns.mean(axis=0) == pytest.approx([2.85, 2.85], abs=0.04)
    assert result.returns.std() == pytest.approx(5.07, abs=0.03)


def test_streams_of_hand_and_batch_agree():
    game = cf.load_game("generalized_bargaining")
    drawn = game.core.new_state(9, 4)
    twin = reference.Episode.draw(9, 0, 4, 0.99)
    assert tuple(drawn.pool) == twin.pool
    assert _core.Purpose.initial_state.value == reference.INITIAL_STATE


def test_deals_of_open_spiels_bargaining_pay_the_same():
    """OpenSpiel's game has other instances; where an instance is one of ours, its moves and payoffs are ours too."""
    pyspiel = pytest.importorskip("pyspiel")
    rival = pyspiel.load_game("bargaining", {"max_turns": reference.MAX_OFFERS})
    offers = [tuple(offer.quantities) for offer in rival.all_offers()]
    ours = cf.load_game("generalized_bargaining", discount=1.0)
    stream = Stream(0, 3)
    num_shared = num_deals = 0
    for index, instance in enumerate(rival.all_instances()):
        try:
            state = ours.new_state(pool=instance.pool, valuations=instance.values, first_player=0)
        except cf.InvalidArgumentError:
            continue
        num_shared += 1
        other = rival.new_initial_state()
        other.apply_action(index)
        while not other.is_terminal():
            names = {action: offers[action] if action < len(offers) else "accept" for action in other.legal_actions()}
            mine = {tuple(ours.offers[a]) if a < ours.accept_action else "accept": a for a in state.legal_actions()}
            assert set(names.values()) == set(mine)
            assert state.current_player() == other.current_player()
            action = list(names)[stream.next_below(len(names))]
            other.apply_action(action)
            state.apply_action(mine[names[action]])
        assert state.is_terminal()
        assert state.returns() == other.returns()
        num_deals += any(state.returns())
    assert num_shared > 100
    assert num_deals > 20
