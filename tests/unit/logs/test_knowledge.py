"""What players know and states hold, where a log has no states: enough to tell futures apart, and nothing hidden."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.data.validation import check_arrays

read = cf.TrajectoryDataset.from_transitions


def turns(num_episodes, num_moves, rng, num_actions=3, num_players=2):
    T = num_episodes * num_moves
    return {
        "episode": np.repeat(np.arange(num_episodes), num_moves),
        "player": np.tile(np.arange(num_moves) % num_players, num_episodes),
        "action": rng.integers(num_actions, size=T),
    }


def paid(log, values):
    """Zero but in the last rows, which pay ``values`` to player 0 and their opposite to player 1."""
    last = np.append(np.diff(log["episode"]) != 0, True)
    reward = np.zeros((len(last), 2))
    reward[last] = np.outer(values, [1, -1])
    return log | {"reward": reward}


def test_what_one_player_alone_knows_reaches_no_other():
    rng = np.random.default_rng(0)
    log = turns(80, 4, rng)
    private = rng.integers(5, size=(80, 2))
    said = np.roll(log["action"], 1) * (np.arange(320) % 4 > 0)
    views = [np.stack([p[log["episode"], log["player"]], said], 1) for p in (private, rng.integers(5, size=(80, 2)))]
    log = paid(log, rng.normal(size=80))
    first, second = (read(None, log | {"observation": seen}) for seen in views)
    known = [dataset.information_states() for dataset in (first, second)]
    differs = private[log["episode"], 1] != views[1][:, 0]
    mixed = np.where((log["player"] == 0)[:, None], views[0], views[1])
    third = read(None, log | {"observation": mixed}).information_states()
    own = log["player"] == 0
    np.testing.assert_array_equal(third[own], known[0][own])
    assert differs.any()
    assert not (third[~own] == known[0][~own]).all()  # player 1 knows another thing


def test_what_never_changes_is_in_the_state_from_the_beginning():
    rng = np.random.default_rng(0)
    log = paid(turns(50, 4, rng), rng.normal(size=50))
    private = rng.integers(1, 6, size=(50, 2))
    dataset = read(None, log | {"limit": private[log["episode"], log["player"]]}, columns={"observation": "limit"})
    starts = dataset.state[dataset.trajectory_offsets[:-1]]
    assert len(np.unique(starts, axis=0)) == len(np.unique(private, axis=0))
    hidden = dataset.observation[dataset.trajectory_offsets[:-1], 1]
    assert len(np.unique(starts[:, 3:5], axis=0)) == len(np.unique(private, axis=0))
    assert hidden.shape == (50, dataset.spec.observation_size)


def ultimatums(rng, num_episodes=200):
    """One offers, the other, who has a value of its own, takes it or not: each looks once."""
    offer, value = rng.integers(4, size=num_episodes), rng.integers(3, size=num_episodes)
    seen = np.zeros((2 * num_episodes, 2))
    seen[::2, 0], seen[1::2, 0] = rng.integers(3, size=num_episodes), value
    seen[1::2, 1] = 10 * offer
    log = {"episode": np.repeat(np.arange(num_episodes), 2), "player": np.tile([0, 1], num_episodes)}
    action = np.stack([offer, 4 + rng.integers(2, size=num_episodes)], 1).ravel()
    return paid(log | {"action": action, "worth": seen[:, 0], "offer": seen[:, 1]}, rng.normal(size=num_episodes))


def test_what_comes_of_a_move_is_in_no_state_before_it():
    columns = {"observation": ["worth", "offer"]}
    for seed in range(5):
        dataset = read(None, ultimatums(np.random.default_rng(seed)), columns=columns)
        assert dataset.spec.log_columns["is_fixed"] == [True, False]
        assert len(np.unique(dataset.state[::2], axis=0)) == 9  # what each is worth, and nothing of the offer
        assert "depends on moves: offer" in dataset.spec.describe()
    few = {name: column[:40] for name, column in ultimatums(np.random.default_rng(0)).items()}
    assert read(None, few, columns=columns).spec.log_columns["is_fixed"][1] is False


def test_hidden_values_that_go_together_are_there_from_the_beginning():
    """Whoever moved knew its own value, which goes with the other's: that its move does so as well is no effect."""
    rng = np.random.default_rng(0)
    log = ultimatums(rng, 2000)
    first = rng.integers(3, size=2000)
    log["worth"][::2], log["worth"][1::2] = first, np.where(rng.random(2000) < 0.7, first, rng.integers(3, size=2000))
    log["action"][::2] = np.where(rng.random(2000) < 0.8, first, rng.integers(4, size=2000))
    log["offer"][1::2] = 10 * log["action"][::2]
    dataset = read(None, log, columns={"observation": ["worth", "offer"]})
    assert dataset.spec.log_columns["is_fixed"] == [True, False]


def test_moves_that_do_not_show_stay_hidden_and_own_ones_are_remembered():
    rng = np.random.default_rng(0)
    log = paid(turns(100, 4, rng), rng.normal(size=100))
    log |= {"value": rng.integers(3, size=(100, 2))[log["episode"], log["player"]]}
    dataset = read(None, log, columns={"observation": "value"})
    assert "does not show in the observation" in dataset.spec.describe()
    assert "a player's own moves so far" in dataset.spec.describe()
    known = dataset.information_states()
    by_step = np.arange(400) % 4
    for step in range(4):
        rows = np.flatnonzero(by_step == step)
        own_past = [tuple(log["action"][row - step + back] for back in range(step % 2, step, 2)) for row in rows]
        facts = [(int(log["value"][row]), *past) for row, past in zip(rows, own_past, strict=True)]
        assert len(set(facts)) == len({state.tobytes() for state in known[rows]})
        assert len(set(zip(facts, (state.tobytes() for state in known[rows]), strict=True))) == len(set(facts))
    seen = read(None, log, columns={"observation": "value"}, public_moves=True)
    assert "the moves seen so far" in seen.spec.describe()
    assert len(np.unique(seen.information_states()[by_step == 3], axis=0)) > len(np.unique(known[by_step == 3], axis=0))


def test_an_observation_that_tells_all_moves_is_left_as_it_is():
    rng = np.random.default_rng(0)
    log = paid(turns(200, 3, rng, num_actions=2), rng.normal(size=200))
    moves = log["action"].reshape(200, 3)
    seen = np.zeros((200, 3, 4))
    for step in range(1, 3):
        for before in range(step):
            seen[np.arange(200), step, 2 * before + moves[:, before]] = 1
    dataset = read(None, log | {"observation": seen.reshape(600, 4)})
    assert dataset.spec.history_start == dataset.spec.observation_size == 4
    assert "the observation, which tells all moves so far" in dataset.spec.describe()
    np.testing.assert_array_equal(dataset.information_states(), seen.reshape(600, 4))


def test_like_states_have_like_futures_even_where_only_moves_are_logged():
    rng = np.random.default_rng(0)
    log = turns(400, 5, rng, num_actions=2)
    moves = log["action"].reshape(400, 5)
    dataset = read(None, paid(log, 1.0 + (moves[:, 0] == moves[:, 4])))  # the first move counts in the end
    futures: dict[bytes, float] = {}
    for row in np.flatnonzero(dataset.terminal):
        key = dataset.state[row].tobytes() + dataset.action[row].tobytes()
        assert futures.setdefault(key, dataset.reward[row, 0]) == dataset.reward[row, 0]
    assert dataset.spec.log_columns["num_events"] >= 4
    forgetful = read(None, paid(log, 1.0 + moves[:, 4]))
    assert forgetful.spec.log_columns["num_events"] == 1


def test_noise_does_not_make_states_long():
    rng = np.random.default_rng(0)
    log = {"episode": np.repeat(np.arange(100), 8), "action": rng.integers(2, size=(800, 2))}
    dataset = read(None, log | {"reward": rng.normal(size=(800, 2)), "demand": rng.integers(2, size=800)}, columns={
        "observation": "demand"
    })  # fmt: skip
    assert dataset.spec.log_columns["num_events"] <= 1


def cards(num_hands=60, seed=0):
    """Two private cards are dealt, both players move, a public card, both move again."""
    rng = np.random.default_rng(seed)
    rows = []
    for hand in range(num_hands):
        first, second, public = rng.permutation(4)[:3]
        moves = iter(rng.integers(2, size=4).tolist())
        rows += [(hand, "deck", f"card {card}", "", "") for card in (first, second)]
        rows += [(hand, f"p{player}", next(moves), f"c{(first, second)[player]}", "no") for player in range(2)]
        rows.append((hand, "deck", f"card {public}", "", ""))
        rows += [(hand, f"p{player}", next(moves), f"c{(first, second)[player]}", f"c{public}") for player in range(2)]
    names = ("episode", "player", "action", "card", "public")
    log = {name: np.array(column, dtype=object) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
    win = rng.choice([-1.0, 1.0], size=num_hands)
    log["reward"] = np.zeros((len(rows), 2))
    log["reward"][6::7] = np.outer(win, [1, -1])
    return log


CARDS = {"observation": ["card", "public"]}


def test_moves_of_chance_are_rows_of_their_own():
    dataset = read(None, cards(), columns=CARDS, chance="deck")
    spec = dataset.spec
    assert (spec.num_players, spec.num_chance_actions, spec.turn_order) == (2, 4, "predicted")
    assert spec.chance_names == ("card 0", "card 1", "card 2", "card 3")
    assert dataset.acting_player[:7].tolist() == [-1, -1, 0, 1, -1, 0, 1]
    assert (dataset.legal_masks()[dataset.acting_player < 0] == 0).all()
    assert dataset.check().is_learnable
    numbered = cards()
    by_chance = numbered["player"] == "deck"
    numbered["player"] = np.where(by_chance, -1, numbered["player"] == "p1").astype(int)
    numbered["action"] = np.array([int(str(action)[-1]) for action in numbered["action"]])
    again = read(None, numbered, columns=CARDS)
    np.testing.assert_array_equal(again.state, dataset.state)
    np.testing.assert_array_equal(again.action, dataset.action)


def test_no_card_is_known_before_it_is_dealt():
    dataset = read(None, cards(), columns=CARDS, chance="deck")
    step = np.arange(dataset.num_transitions) % 7
    assert len(np.unique(dataset.state[step == 0], axis=0)) == 1
    assert len(np.unique(dataset.state[step == 1], axis=0)) == 4  # the first card
    assert len(np.unique(dataset.state[step == 2], axis=0)) == 12
    known = dataset.information_states()
    hands = {state.tobytes() for state in known[step == 2]}
    assert len(hands) == 4  # player 0 sees its own card alone


def test_who_sees_what_chance_does_must_be_said():
    log = {name: column for name, column in cards().items() if name not in ("card", "public")}
    with pytest.raises(cf.DatasetError, match="no column of observations tells who sees its outcomes"):
        read(None, log, chance="deck")
    dataset = read(None, log, chance="deck", public_moves=True)
    known = dataset.information_states()
    step = np.arange(dataset.num_transitions) % 7
    assert len(np.unique(known[step == 2], axis=0)) == 12


def test_episodes_that_broke_off_keep_what_is_known_of_them():
    rng = np.random.default_rng(0)
    log = paid(turns(40, 4, rng), rng.normal(size=40))
    log["truncated"] = np.zeros(160, dtype=int)
    log["truncated"][3] = log["truncated"][11] = 1
    log["reward"][[3, 11]] = np.nan
    dataset = read(None, log)
    assert np.flatnonzero(dataset.truncated).tolist() == [0, 2]
    assert np.diff(dataset.trajectory_offsets)[:4].tolist() == [3, 4, 3, 4]
    assert dataset.terminal.sum() == 38
    whole = read(None, log | {"truncated": np.zeros(160, dtype=int), "reward": np.nan_to_num(log["reward"])})
    last = dataset.trajectory_offsets[1] - 1
    np.testing.assert_array_equal(dataset.next_state[last], whole.state[3])
    assert dataset.check().is_learnable
    assert "2 episodes broke off" in dataset.spec.describe()
    by_episode = log | {"truncated": np.isin(log["episode"], [0, 2])}
    assert read(None, by_episode).fingerprint == dataset.fingerprint
    everywhere = read(None, log | {"truncated": np.ones(160, dtype=bool)})
    assert [finding.kind for finding in everywhere.check().refused] == ["no end"]
    with pytest.raises(cf.DatasetError, match=r"row 2: truncated is 1 inside an episode"):
        read(None, log | {"truncated": (np.arange(160) == 2).astype(int)})


def test_a_state_that_is_given_is_part_of_the_state():
    rng = np.random.default_rng(0)
    log = paid(turns(40, 4, rng), rng.normal(size=40))
    given = rng.normal(size=(160, 2))
    dataset = read(None, log | {"state": given, "observation": given[:, :1]})
    spread = (given - given.min(axis=0)) / np.ptp(given, axis=0)
    np.testing.assert_allclose(dataset.state[:, 3:5], spread, atol=1e-6)
    with pytest.raises(cf.DatasetError, match="the column 'observation' is missing, while there is a state"):
        read(None, log | {"state": given})


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("num_players", "moves"), list(itertools.product((1, 2, 3), ("turns", "simultaneous"))))
def test_random_logs_of_any_kind_make_datasets(seed, num_players, moves):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 5, size=30)
    T = int(lengths.sum())
    log = {"episode": np.repeat(np.arange(30), lengths), "reward": rng.normal(size=(T, num_players))}
    if moves == "turns":
        log |= {"player": rng.integers(num_players, size=T), "action": rng.choice(["a", "b", "c"], size=T)}
        log |= {"seen": rng.integers(2, size=T)}
    else:
        log |= {"action": rng.integers(3, size=(T, num_players)), "seen": rng.choice(["x", "y"], size=T)}
    known = {"player_names": [f"p{i}" for i in range(num_players)]} if moves == "turns" else {}
    log["player"] = np.array([f"p{i}" for i in log["player"]]) if moves == "turns" else None
    log = {name: column for name, column in log.items() if column is not None}
    dataset = read(None, log, columns={"observation": "seen"}, **known)
    check_arrays(dataset.spec, dataset.arrays)
    assert dataset.information_states().shape[1] == dataset.spec.information_state_size
    assert dataset.spec.describe()
    assert dataset.spec.moves == (moves if num_players > 1 else "turns")
