"""One play, written in every layout people use, is one dataset."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import coffee_fast as cf

read = cf.TrajectoryDataset.from_transitions


def haggling(num_episodes=60, seed=0):
    """Buyer and seller name 0 to 2 in turn, two to four times; private limits, pay at the end. One row a move."""
    rng = np.random.default_rng(seed)
    rows = []
    for episode in range(num_episodes):
        limits, said = rng.integers(5, size=2), 0
        length = int(rng.integers(2, 5))
        for move in range(length):
            action = int(rng.integers(3))
            pay = [float(action), 3.0 - action] if move == length - 1 else [0.0, 0.0]
            rows.append((episode, move, move % 2, action, limits[move % 2], said, *pay))
            said = action + 1
    names = ("episode", "step", "player", "action", "limit", "said", "reward_0", "reward_1")
    return {name: np.array(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}


SEEN = {"observation": ["limit", "said"]}


def pricing(num_markets=40, num_weeks=4, seed=0):
    """Two firms, three prices at once, paid every week."""
    rng = np.random.default_rng(seed)
    price = rng.integers(3, size=(num_markets * num_weeks, 2))
    paid = np.stack([price[:, 0] * (price[:, 0] <= price[:, 1]), price[:, 1] * (price[:, 1] <= price[:, 0])], axis=1)
    return np.repeat(np.arange(num_markets), num_weeks), price, paid.astype(float)


def same(first, second):
    return first.fingerprint == second.fingerprint


def nameless(dataset):
    """The dataset without its specification's words."""
    fields = {"player_names": (), "action_names": (), "chance_names": (), "log_columns": {}}
    return cf.TrajectoryDataset(dataclasses.replace(dataset.spec, **fields), dataset.arrays)


def test_what_is_found_in_a_log_of_turns():
    dataset = read(None, haggling(), columns=SEEN)
    spec = dataset.spec
    assert (spec.num_players, spec.num_actions, spec.max_episode_length) == (2, 3, 4)
    assert (spec.roles, spec.moves, spec.turn_order, spec.rewards) == ((1, 1), "turns", "cyclic", "at_end")
    assert dataset.check().findings == ()
    assert dataset.num_trajectories == 60
    assert "strictly in turn" in spec.describe()
    assert "the player who acts" in spec.describe()


def test_labels_say_what_numbers_say():
    log = haggling()
    named = log | {
        "player": np.array(["seller", "buyer"])[log["player"]],
        "action": np.array(["ask", "bid", "call"])[log["action"]],
        "episode": np.array([f"deal {episode}" for episode in log["episode"]]),
    }
    dataset = read(None, named, columns=SEEN)
    assert dataset.spec.player_names == ("seller", "buyer")
    assert dataset.spec.action_names == ("ask", "bid", "call")
    assert same(nameless(dataset), nameless(read(None, log, columns=SEEN)))


def test_any_names_of_columns_say_the_same():
    log = haggling()
    other = {"game": log["episode"], "t": log["step"], "who": log["player"], "did": log["action"]}
    other |= {"x_limit": log["limit"], "x_said": log["said"], "pay 0": log["reward_0"], "pay 1": log["reward_1"]}
    other["weather"] = np.zeros(len(log["step"]))
    columns = {"trajectory": "game", "step": "t", "acting_player": "who", "action": "did", "observation": "x_"}
    dataset = read(None, other, columns=columns | {"reward": ["pay 0", "pay 1"]})
    assert "not used: weather" in dataset.spec.describe()
    assert same(nameless(dataset), nameless(read(None, log, columns=SEEN)))


def test_rows_in_any_order_say_the_same_where_a_step_is_given():
    log = haggling()
    mixed = np.random.default_rng(1).permutation(len(log["step"]))
    mixed = mixed[np.argsort(log["episode"][mixed] * 0, kind="stable")]
    shuffled = {name: column[mixed] for name, column in log.items()}
    found = read(None, shuffled, columns=SEEN)
    by_first = np.argsort([np.flatnonzero(shuffled["episode"] == episode)[0] for episode in range(60)])
    assert same(nameless(found), nameless(read(None, log, columns=SEEN).select(by_first)))
    assert "sorted by episode and step" in found.spec.describe()
    del shuffled["step"]
    with pytest.raises(cf.DatasetError, match=r"row \d+: episode \d+ comes up again"):
        read(None, shuffled, columns=SEEN)


def test_rewards_in_any_form_say_the_same():
    log = haggling()
    expected = nameless(read(None, log, columns=SEEN))
    both = np.stack([log["reward_0"], log["reward_1"]], axis=1)
    rest = {name: column for name, column in log.items() if not name.startswith("reward")}
    last = np.append(np.diff(log["episode"]) != 0, True)
    forms = [both, both.tolist(), np.where(last[:, None], both, np.nan)]
    for form in forms:
        assert same(nameless(read(None, rest | {"reward": form}, columns=SEEN)), expected)


def test_one_column_of_rewards_pays_the_acting_player():
    log = haggling()
    own = np.where(log["player"] == 0, log["reward_0"], log["reward_1"])
    rest = {name: column for name, column in log.items() if not name.startswith("reward")}
    dataset = read(None, rest | {"reward": own}, columns=SEEN)
    ends = dataset.trajectory_offsets[1:] - 1
    assert (dataset.reward[ends, 1 - dataset.acting_player[ends]] == 0).all()
    np.testing.assert_array_equal(dataset.reward[ends, dataset.acting_player[ends]], own[ends])


def test_rounds_in_any_layout_say_the_same():
    market, price, paid = pricing()
    arrays = {"episode": market, "action": price, "reward": paid}
    expected = read(None, arrays)
    spec = expected.spec
    assert (spec.moves, spec.turn_order, spec.rewards, spec.max_episode_length) == (
        "simultaneous",
        "cyclic",
        "every_step",
        8,
    )
    columns = {"episode": market, "action_0": price[:, 0], "action_1": price[:, 1]}
    columns |= {"reward_0": paid[:, 0], "reward_1": paid[:, 1]}
    assert same(nameless(read(None, columns)), nameless(expected))
    by_name = {"m": market, "price_a": price[:, 0], "price_b": price[:, 1], "pay_a": paid[:, 0], "pay_b": paid[:, 1]}
    named = read(None, by_name, columns={"episode": "m", "action": "price_", "reward": "pay_"})
    assert named.spec.player_names == ("a", "b")
    assert same(nameless(named), nameless(expected))
    by_player = {"action": {"b": "price_b", "a": "price_a"}, "reward": {"a": "pay_a", "b": "pay_b"}}
    swapped = read(None, by_name, columns={"episode": "m", **by_player}, player_names=("a", "b"))
    assert same(nameless(swapped), nameless(expected))
    long = {
        "episode": np.repeat(market, 2),
        "step": np.repeat(np.tile(np.arange(4), 40), 2),
        "player": np.tile([0, 1], len(market)),
        "action": price.ravel(),
        "reward": paid.ravel(),
    }
    assert same(nameless(read(None, long)), nameless(expected))


def test_rounds_lie_seat_by_seat_and_hide_what_was_chosen():
    market, price, paid = pricing()
    dataset = read(None, {"episode": market, "action": price, "reward": paid})
    assert dataset.acting_player.tolist() == [0, 1] * len(market)
    np.testing.assert_array_equal(dataset.action.reshape(-1, 2), price)
    np.testing.assert_array_equal(dataset.reward[1::2], paid)
    assert (dataset.reward[::2] == 0).all()
    pending = dataset.state[:, -6:].reshape(-1, 2, 3)
    np.testing.assert_array_equal(pending[1::2, 0], np.eye(3)[price[:, 0]])
    assert (pending[::2] == 0).all()
    assert (pending[:, 1] == 0).all()
    known = dataset.information_states()
    assert same(dataset, cf.TrajectoryDataset(dataset.spec, dataset.arrays))
    rng = np.random.default_rng(3)  # another choice of the first seat in the last round shows the second one nothing
    other = price.copy()
    other[3::4, 0] = rng.integers(3, size=len(other[3::4]))
    changed = read(None, {"episode": market, "action": other, "reward": paid}).information_states()
    np.testing.assert_array_equal(changed, known)


def test_rounds_are_read_by_a_specification_by_hand():
    market, price, paid = pricing()
    week = np.tile(np.arange(4.0), 40)[:, None]
    log = {"trajectory": market, "action": price, "reward": paid, "state": week, "observation": week}
    log["observation"] = np.repeat(week[:, None], 2, axis=1)
    sizes = {"state_size": 7, "observation_size": 1, "history_start": 1, "max_episode_length": 8}
    kind = {"moves": "simultaneous", "rewards": "every_step"}
    spec = cf.GameSpec(name="prices", num_players=2, num_actions=3, action_vectors=np.eye(3), **sizes, **kind)
    dataset = read(spec, log)
    assert dataset.spec is spec
    np.testing.assert_array_equal(dataset.state[:, 0], np.repeat(week, 2))
    by_hand = {name: np.repeat(log[name], 2, axis=0) for name in ("trajectory", "observation")}
    by_hand |= {"state": dataset.state, "acting_player": dataset.acting_player, "action": price.ravel()}
    assert same(read(spec, by_hand | {"reward": dataset.reward}), dataset)


def test_joint_rows_in_which_one_acts_are_turns():
    log = haggling()
    T = len(log["step"])
    action = np.full((T, 2), np.nan)
    action[np.arange(T), log["player"]] = log["action"]
    seen = np.stack([log["limit"], log["said"]], axis=1)
    joint = {"episode": log["episode"], "action": action, "reward": np.stack([log["reward_0"], log["reward_1"]], 1)}
    dataset = read(None, joint | {"observation": np.repeat(seen[:, None], 2, axis=1)})
    assert (dataset.spec.moves, dataset.spec.turn_order) == ("turns", "cyclic")
    np.testing.assert_array_equal(dataset.acting_player, log["player"])
    np.testing.assert_array_equal(dataset.action, log["action"])


def test_who_does_not_act_in_a_round_has_one_action():
    market, price, paid = pricing()
    action = price.astype(float)
    action[::4, 1] = np.nan
    dataset = read(None, {"episode": market, "action": action, "reward": paid})
    assert dataset.spec.action_names == ("0", "1", "2", "(none)")
    idle = np.zeros(len(dataset.action), dtype=bool)
    idle[1::8] = True
    assert (dataset.action[idle] == 3).all()
    assert (dataset.legal_masks()[idle] == [0, 0, 0, 1]).all()
    assert (dataset.legal_masks()[~idle] == [1, 1, 1, 0]).all()
    again = read(dataset.spec, {"episode": market, "action": action, "reward": paid})
    assert same(again, dataset)


def test_arrow_tables_and_frames_of_any_type_say_the_same():
    pandas, pyarrow = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    log = haggling()
    log |= {"player": np.array(["seller", "buyer"])[log["player"]]}
    expected = read(None, log, columns=SEEN)
    frame = pandas.DataFrame(log)
    category = frame.assign(player=frame["player"].astype("category"), action=frame["action"].astype("Int64"))
    table = pyarrow.table(log)
    dictionary = table.set_column(
        table.column_names.index("player"), "player", table.column("player").dictionary_encode()
    )
    for form in (frame, category, table, dictionary, {name: column.tolist() for name, column in log.items()}):
        assert same(read(None, form, columns=SEEN), expected)


def test_a_specification_reads_the_next_log_as_it_read_the_first():
    log = haggling(200)
    log |= {"mood": np.array(["calm", "cross", "gay"])[np.random.default_rng(0).integers(3, size=len(log["step"]))]}
    columns = {"observation": ["limit", "said", "mood"]}
    spec = cf.GameSpec.from_log(log, columns=columns, name="haggling")
    assert cf.GameSpec.from_json(spec.to_json()) == spec
    whole = read(spec, log, columns=columns)
    assert same(whole, read(None, log, columns=columns, name="haggling"))
    part = log["episode"] < 30
    some = read(spec, {name: column[part] for name, column in log.items()}, columns=columns)
    assert same(some, whole.select(np.arange(30)))
    for changes in ({"low": [0.0]}, {"low": ["x"]}, {"kind": "x"}, {"horizon": 0}, {"features": 3}, {"found": [1]}):
        broken = dataclasses.replace(spec, log_columns=dict(spec.log_columns) | changes)
        assert broken.describe()
        with pytest.raises(cf.InvalidGameError, match="log_columns of the specification"):
            read(broken, log, columns=columns)
    strange = log | {"mood": np.where(np.arange(len(part)) == 7, "sad", log["mood"])}
    with pytest.raises(cf.DatasetError, match="row 7: the column 'mood' holds 'sad', which is none of calm, cross"):
        read(spec, strange, columns=columns)


def test_a_frame_of_a_dataset_is_the_dataset_again():
    pytest.importorskip("pandas")
    log = haggling()
    names = {"player": np.array(["seller", "buyer"])[log["player"]], "action": np.array(["x", "y", "z"])[log["action"]]}
    for table in (log, log | names):
        dataset = read(None, table, columns=SEEN)
        frame = dataset.to_frame()
        assert list(frame.columns[:4]) == ["episode", "step", "player", "action"]
        assert frame["player"].tolist() == np.asarray(table["player"]).tolist()
        assert frame["action"].tolist() == np.asarray(table["action"]).tolist()
        again = read(dataset.spec, dataset.to_frame(features=True), columns={"reward": "reward_"})
        assert same(again, dataset)


def test_what_is_legal_is_what_the_role_took_at_first_and_later():
    log = haggling()
    named = np.array([["ask 0", "bid 0"], ["ask 1", "bid 1"], ["ask 2", "bid 2"]])[log["action"], log["player"]]
    named = np.where((log["step"] > 0) & (log["action"] == 2), "accept", named)
    dataset = read(None, log | {"action": named}, columns=SEEN)
    names, legal = np.array(dataset.spec.action_names), dataset.legal_masks() == 1
    step = np.asarray(log["step"])
    assert set(names[legal[step == 0][0]]) == {"ask 0", "ask 1", "ask 2"}
    assert set(names[legal[step == 1][0]]) == {"bid 0", "bid 1", "accept"}
    assert set(names[legal[step == 2][0]]) == {"ask 0", "ask 1", "accept"}
    few = {name: column[:8] for name, column in (log | {"action": named}).items()}
    assert len(np.unique(read(None, few, columns=SEEN).legal_masks()[[0, 2]], axis=0)) == 1


def test_text_in_observations_is_one_hot_and_yes_or_no_a_number():
    log = haggling()
    log |= {"mood": np.array(["calm", "cross"])[log["said"] % 2], "late": log["step"] > 1}
    spec = cf.GameSpec.from_log(log, columns={"observation": ["mood", "late"]}, public_moves=False)
    assert "mood = calm; mood = cross; late" in spec.describe()
    assert "one-hot: mood" in spec.describe()


def test_roles_that_are_told_are_kept_and_exchanged():
    log = haggling()
    first = np.random.default_rng(0).integers(2, size=60)[log["episode"]]
    log |= {"player": (log["player"] + first) % 2}
    dataset = read(None, log, columns=SEEN, roles=(2,))
    assert dataset.spec.is_symmetric
    both = dataset.mirrored()
    assert both.num_trajectories == 120
    own, other = (both.state[both.trajectory_offsets[i] : both.trajectory_offsets[i + 1]] for i in (0, 1))
    assert not (own == other).all()
    with pytest.raises(cf.InvalidGameError, match=r"whose roles are \[1, 1\]: unlike players"):
        read(None, log, columns=SEEN).mirrored()
