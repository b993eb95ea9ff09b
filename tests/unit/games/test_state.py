"""One episode by hand: what the rules pay, what each player is shown, what is refused and how."""

from __future__ import annotations

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.errors import InvalidArgumentError, InvalidGameError
from coffee_fast.games import register_game

POOL, VALUATIONS = (2, 3, 1), ((1.0, 2.5, 3.0), (4.0, 1.25, 2.0))


@pytest.fixture
def game():
    return cf.load_game("generalized_bargaining")


def begin(game, first_player=0):
    return game.new_state(pool=POOL, valuations=VALUATIONS, first_player=first_player)


def offer(game, *items):
    return game.offers.tolist().index(list(items))


# ---- payoffs -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first_player", [0, 1])
def test_the_proposer_gets_its_offer_and_the_acceptor_the_rest(game, first_player):
    state = begin(game, first_player)
    state.apply_action(offer(game, 2, 1, 0))
    assert state.returns() == [0.0, 0.0]
    assert state.current_player() == 1 - first_player
    state.apply_action(game.accept_action)
    kept, left = np.array([2, 1, 0]), np.array([0, 2, 1])
    expected = [0.0, 0.0]
    expected[first_player] = 0.99 * np.dot(VALUATIONS[first_player], kept)
    expected[1 - first_player] = 0.99 * np.dot(VALUATIONS[1 - first_player], left)
    assert state.returns() == pytest.approx(expected, rel=1e-14)
    assert state.is_terminal()


def test_payoffs_of_a_deal_in_numbers():
    state = begin(cf.load_game("generalized_bargaining", discount=1.0))
    state.apply_action(offer(state.game, 0, 3, 1))  # player 0 keeps 3 * 2.5 + 3, player 1 would get 2 * 4
    state.apply_action(offer(state.game, 1, 1, 1))  # player 1 keeps 4 + 1.25 + 2, player 0 gets 1 + 2 * 2.5
    state.apply_action(state.game.accept_action)
    assert state.returns() == [6.0, 7.25]


@pytest.mark.parametrize("discount", [1.0, 0.99, 0.5])
def test_acceptance_as_the_eleventh_action_is_discounted_ten_times(discount):
    state = begin(cf.load_game("generalized_bargaining", discount=discount))
    for _ in range(9):
        state.apply_action(0)
    state.apply_action(offer(state.game, 1, 1, 1))  # the tenth offer is player 1's
    assert not state.is_terminal()
    state.apply_action(state.game.accept_action)
    assert len(state.history()) == 11
    assert state.returns() == pytest.approx([6.0 * discount**10, 7.25 * discount**10], rel=1e-14)


def test_eleven_offers_end_without_a_deal(game):
    state = begin(game)
    for turn in range(11):
        assert not state.is_terminal()
        assert state.current_player() == turn % 2
        state.apply_action(turn % 2)
    assert state.is_terminal()
    assert state.returns() == [0.0, 0.0]
    assert state.current_player() == -4
    assert state.legal_actions() == []
    assert (state.global_state() == -1.0).all()


# ---- what players are shown ----------------------------------------------------------------------------------------


def test_vectors_in_numbers(game):
    state = begin(game, first_player=1)
    state.apply_action(offer(game, 0, 2, 1))
    state.apply_action(offer(game, 1, 3, 0))
    assert state.observation(0).tolist() == [0, 2, 2, 3, 1, 1.0, 2.5, 3.0, 1, 3, 0]
    assert state.observation(1).tolist() == [0, 2, 2, 3, 1, 4.0, 1.25, 2.0, 1, 3, 0]
    assert state.information_state(1).tolist() == [0, 2, 2, 3, 1, 4.0, 1.25, 2.0, 0, 2, 1, 1, 3, 0, *[0] * 27]
    assert state.global_state().tolist() == [0, 2, 2, 3, 1, 1.0, 2.5, 3.0, 1, 3, 0, 4.0, 1.25, 2.0, 1]
    state.apply_action(game.accept_action)
    assert state.observation(0)[0] == state.information_state(1)[0] == 1.0


@pytest.mark.parametrize("seed", range(20))
def test_information_states_are_made_of_observations(game, seed):
    """The latest observation's start, then what each mover so far saw of the last move."""
    rng, state, start = np.random.default_rng(seed), game.new_state(seed=seed), game.spec.history_start
    events = []
    while not state.is_terminal():
        mover = state.current_player()
        observation = state.observation(mover)
        if state.history():
            events.extend(observation[start:])
        rebuilt = np.zeros(game.spec.information_state_size, np.float32)
        rebuilt[:start] = observation[:start]
        rebuilt[start : start + len(events)] = events
        np.testing.assert_array_equal(rebuilt, state.information_state(mover))
        state.apply_action(int(rng.choice(state.legal_actions())))


def test_a_copy_is_independent_both_ways(game):
    state = begin(game)
    state.apply_action(1)
    copy = state.clone()
    copy.apply_action(game.accept_action)
    assert (state.is_terminal(), copy.is_terminal()) == (False, True)
    assert (state.history(), copy.history()) == ([1], [1, game.accept_action])
    state.apply_action(0)
    assert copy.history() == [1, game.accept_action]
    assert copy.observation(0)[1] == 1.0


def test_what_is_given_is_kept_and_the_rest_drawn(game):
    drawn, other = game.new_state(seed=3), game.new_state(seed=3, pool=POOL)
    assert other.pool == POOL
    assert other.valuations == drawn.valuations
    assert game.new_state(seed=4).valuations != drawn.valuations
    assert begin(game).valuations == VALUATIONS


def test_states_and_games_say_what_they_are(game):
    state = begin(game)
    assert "no offer yet" in repr(state)
    state.apply_action(offer(game, 1, 0, 0))
    state.apply_action(game.accept_action)
    assert repr(state).endswith("keep (1, 0, 0); accept>")
    assert repr(game) == "load_game('generalized_bargaining', discount=0.99, only_feasible_offers=False)"


def test_extreme_pools_and_valuations_are_allowed(game):
    for pool in ((1, 1, 3), (1, 5, 1), (3, 3, 1)):
        for valuations in (((1, 1, 3), (8, 1, 1)), ((5 / 3, 5 / 3, 5 / 3 + 1e-9), (3, 3, 4))):
            assert game.new_state(pool=pool, valuations=valuations).pool == pool


# ---- what is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pool", [(1, 1, 2), (3, 3, 2), (0, 3, 3), (-1, 4, 4), (2, 2), (2, 2, 1, 1), (1.5, 2, 2), "221", 5, (2**40, 1, 1)]
)
def test_impossible_pools(game, pool):
    with pytest.raises(InvalidArgumentError, match=r"pool must (be 3 integers|have 1 or more .* 5 to 7 in all), got"):
        game.new_state(pool=pool)


@pytest.mark.parametrize(
    "row", [(1, 1, 2), (4, 4, 3), (0.5, 3, 3), (np.nan, 2, 2), (np.inf, 1, 1), (2, 2), "abc", None, (1, 2, "x")]
)
@pytest.mark.parametrize("player", [0, 1])
def test_impossible_valuations(game, row, player):
    valuations = [(2, 2, 2), (2, 2, 2)]
    valuations[player] = row
    with pytest.raises(InvalidArgumentError, match=rf"valuations (of player {player} must|must be two rows of 3)"):
        game.new_state(valuations=valuations)


@pytest.mark.parametrize("valuations", [[(2, 2, 2)], [(2, 2, 2)] * 3, 7])
def test_valuations_are_two_rows(game, valuations):
    with pytest.raises(InvalidArgumentError, match="valuations must be two rows of 3 finite numbers"):
        game.new_state(valuations=valuations)


@pytest.mark.parametrize("first_player", [2, -1, 0.5, "0", 2**40])
def test_impossible_first_players(game, first_player):
    with pytest.raises(InvalidArgumentError, match="first_player must be"):
        game.new_state(first_player=first_player)


@pytest.mark.parametrize("seed", [-1, 2**63, 0.5, True])
def test_impossible_seeds(game, seed):
    with pytest.raises(InvalidArgumentError, match="seed must"):
        game.new_state(seed=seed)


@pytest.mark.parametrize("action", [-1, 109, 1.5, None, "3", 2**70])
def test_actions_that_are_none(game, action):
    state = begin(game)
    with pytest.raises(InvalidArgumentError, match=r"action must (lie in \[0, 109\)|be an integer), got"):
        state.apply_action(action)
    with pytest.raises(InvalidArgumentError, match="action must"):
        state.action_to_string(action)
    assert state.history() == []


def test_illegal_actions(game):
    state = begin(game)
    with pytest.raises(InvalidArgumentError, match=r"action 108 \(accept\) is illegal here: there is no offer"):
        state.apply_action(game.accept_action)
    with pytest.raises(
        InvalidArgumentError, match=r"\(keep \(3, 0, 0\)\) is illegal here: it keeps more than the pool"
    ):
        state.apply_action(offer(game, 3, 0, 0))
    assert state.history() == []


def test_nothing_is_played_after_the_end(game):
    state = begin(game)
    state.apply_action(0)
    state.apply_action(game.accept_action)
    with pytest.raises(InvalidArgumentError, match="the episode is over"):
        state.apply_action(0)
    assert len(state.history()) == 2


@pytest.mark.parametrize("player", [2, -1, "0", 2**40])
def test_impossible_players(game, player):
    for show in (begin(game).observation, begin(game).information_state):
        with pytest.raises(InvalidArgumentError, match="player must be"):
            show(player)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("generalised_bargaining", "did you mean 'generalized_bargaining'"),
        ("chess", "there are generalized_bargaining"),
        (["generalized_bargaining"], "there is no game"),
    ],
)
def test_unknown_games(name, message):
    with pytest.raises(InvalidGameError, match=message):
        cf.load_game(name)


def test_unknown_parameters_are_named_with_the_known_ones():
    with pytest.raises(InvalidGameError, match="no parameter 'discont'; its parameters are discount, only_feasible"):
        cf.load_game("generalized_bargaining", discont=0.9)


@pytest.mark.parametrize("discount", [0.0, -0.5, 1.01, np.nan, np.inf, "much", None])
def test_impossible_discounts(discount):
    with pytest.raises(InvalidGameError, match="discount must be a finite number > 0 and <= 1, got"):
        cf.load_game("generalized_bargaining", discount=discount)


def test_a_game_can_be_registered_once(monkeypatch):
    monkeypatch.setattr("coffee_fast.games.registry._FACTORIES", {})
    register_game("quick", lambda discount: ("quick", discount))
    assert cf.load_game("quick", discount=0.5) == ("quick", 0.5)
    with pytest.raises(InvalidGameError, match="already a game 'quick'"):
        register_game("quick", lambda: None)
