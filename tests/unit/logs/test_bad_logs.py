"""What is wrong about a log is named by row and column, with what to do."""

from __future__ import annotations

import numpy as np
import pytest

import coffee_fast as cf

read = cf.TrajectoryDataset.from_transitions


def turns(**changes):
    """Three deals of two, two and three moves."""
    log = {
        "episode": ["a", "a", "b", "b", "c", "c", "c"],
        "player": ["s", "b", "s", "b", "s", "b", "s"],
        "action": ["hi", "no", "lo", "yes", "hi", "no", "lo"],
        "reward": [[0, 0], [1, 2], [0, 0], [3, 4], [0, 0], [0, 0], [5, 6]],
        "cost": [1.0, 2.0, 1.5, 2.5, 1.0, 2.0, 1.0],
    }
    return {name: column for name, column in (log | changes).items() if column is not None}


def rounds(**changes):
    log = {
        "episode": [1, 1, 2, 2],
        "action_0": [0, 1, 2, 1],
        "action_1": [1, 1, 0, 2],
        "reward_0": [0.0, 1.0, 2.0, 0.0],
        "reward_1": [1.0, 0.0, 0.0, 1.0],
    }
    return {name: column for name, column in (log | changes).items() if column is not None}


COST = {"observation": "cost"}
T = 7


def changed(name, row, value):
    column = list(turns()[name])
    column[row] = value
    return {name: column}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"player": None},
            r"'player' is missing, and needed unless num_players=1 says .* there are episode, action, reward, cost;",
        ),
        ({"reward": None}, r"the column 'reward' is missing; there are episode, player, action, cost"),
        ({"episode": None}, r"the column 'episode' is missing \(or a column 'terminal'"),
        (changed("player", 3, None), r"row 3: the player \(player\) is missing; .* chance is -1"),
        (changed("action", 3, None), r"row 3: the action \(action\) is missing"),
        (changed("episode", 3, None), r"row 3: the episode \(episode\) is missing"),
        (changed("episode", 5, "a"), r"row 5: episode 'a' comes up again"),
        (changed("reward", 2, [np.nan, 0]), r"row 2 \(trajectory 1, step 0\): the reward \(reward\) is missing"),
        (
            changed("reward", 2, [np.nan, 0]),
            "is missing; fill it in .*, or give it in the last row of each episode alone",
        ),
        (changed("reward", 3, [np.nan, np.nan]), r"row 3 \(trajectory 1, step 1\): the reward \(reward\) is missing"),
        (
            changed("reward", 3, [np.nan, np.nan]),
            "is missing; .* say in a column 'truncated' that the episode broke off",
        ),
        ({"reward": [[0, 0, 0]] * T}, "reward must have an entry for each of 2 players, got 3"),
        ({"reward": [1] * T, "player": ["s"] * 3 + [-1] + ["b"] * 3}, "pays at a move of chance"),
        ({"reward": [None, 2, None, 4, None, None, 6]}, "what the others are paid is not known"),
        ({"reward": [[0, "x"]] * T}, "the column 'reward' must hold numbers|reward"),
        (changed("cost", 2, np.nan), "row 2: the column 'cost' is missing where a player acts who sees it elsewhere"),
        (changed("cost", 2, np.inf), "row 2: the column 'cost' must be finite"),
        (changed("cost", 2, "n/a"), "row 2: the column 'cost' mixes text and numbers, here 'n/a'"),
        ({"cost": [None] * T}, "the column 'cost' has no value at all; leave it out"),
        ({"cost": np.array(["2026-01-01"] * T, "M8[D]")}, "row 0: the column 'cost' must hold numbers"),
        ({"cost": [1.0] * 6}, "columns must have equally many rows, got 7 in 'episode' and 6 in 'cost'"),
        (changed("action", 2, 3), None),  # words and numbers may be actions side by side
        ({"action": ["1", 1, 2, 3, 1, 2, 3]}, r"the column 'action' mixes '1' and 1; make them one type"),
        ({"action": [[1], [2]] * 3 + [[1]], "player": None}, "reward must have an entry for each of 1 players, got 2"),
        ({"player": [-1] * T}, "all rows are moves of chance; no player acts"),
        (
            {"terminal": [0, 1, 0, 0, 0, 0, 1]},
            "row 3: terminal is 0 in the last row of an episode; if it broke",
        ),
        ({"terminal": [1, 1, 0, 1, 0, 0, 1]}, "row 0: terminal is 1 inside an episode"),
        ({"terminal": [0, 1, 0, 2, 0, 0, 1]}, "row 3: terminal must be 0 or 1, got 2"),
        ({"truncated": [0, 1, 0, 0, 1, 0, 0]}, "row 4: truncated is 1 inside an episode"),
        ({"truncated": ["yes"] * T}, "row 0: the column 'truncated' must hold numbers, got 'yes'"),
        ({"step": [0, 1, 0, 1, 0, 0, 1]}, None),
        ({"step": [0, 1, 0, 1, 0, 1, 0]}, r"rows 4 and 6 are both of one player at one step of an episode"),
        ({"step": [0, 1, 0, None, 0, 1, 2]}, r"row 3: the step \(step\) is missing"),
        ({"legal_mask": [[1, 1]] * T}, "names 4 actions .*, but num_actions is 2; say action_names"),
        ({"legal_mask": [[1, 1, 1, 0.5]] * T}, "row 0: legal_mask must be 0 or 1, got 0.5"),
        ({"behavior_log_prob": [0.0] * 3 + [None] + [0.0] * 3}, "row 3: behavior_log_prob is missing"),
    ],
)
def test_a_log_of_turns(changes, message):
    log = turns(**changes)
    if message is None:
        assert read(None, log, columns=COST).num_transitions >= 4
        return
    with pytest.raises(cf.DatasetError, match=message) as error:
        read(None, log, columns=COST)
    assert len(str(error.value)) < 700


@pytest.mark.parametrize(
    ("known", "message"),
    [
        ({"player_names": ["s", "x"]}, "row 1: the column 'player' holds 'b', which is none of s, x"),
        ({"action_names": ["hi", "no", "lo"]}, "row 3: the column 'action' holds 'yes', which is none of hi, no, lo"),
        ({"action_names": ["hi", "noo", "lo", "yes"]}, "holds 'no', which is none .*; did you mean 'noo'"),
        ({"num_players": 1}, r"the column player names 2 players \(s, b\), but num_players is 1; say player_names"),
        ({"num_players": 3}, r"the column player names 2 players \(s, b\), but num_players is 3; say player_names"),
        ({"num_actions": 7}, r"the column action names 4 actions \(hi, lo, no, yes\), but num_actions is 7"),
        ({"rewards": "at_end"}, None),
        ({"num_players": 3, "player_names": ["s", "b"]}, "num_players is 3, but there are 2 player_names"),
        ({"player_names": ["s", "s"]}, "player_names must differ"),
        ({"player_names": "sb"}, "player_names must be a list of names"),
        ({"rewards": "late"}, "rewards must be one of at_end, every_step"),
        ({"state_size": 3}, "state_size is worked out from the log; leave it out"),
        ({"rols": (2,)}, "there is no argument 'rols'; .* did you mean 'roles'"),
        ({"action_vectors": [[1.0]]}, "action_vectors must be finite, a row for each of 4 actions"),
        ({"roles": (3,)}, "roles must be the number of seats of each role, 2 in all"),
        ({"public_moves": "yes"}, "public_moves must be True or False"),
    ],
)
def test_what_is_said_of_a_game(known, message):
    if message is None:
        assert cf.GameSpec.from_log(turns(), columns=COST, **known).rewards == "at_end"
        return
    with pytest.raises(cf.CoffeeError, match=message):
        cf.GameSpec.from_log(turns(), columns=COST, **known)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"observation": "csot"}, "there is no column 'csot' for observation, .* did you mean 'cost'"),
        ({"observation": ["cost", "prize"]}, "there is no column 'prize' for observation; there are episode, player"),
        ({"observations": "cost"}, "columns says what 'observations' is, but a log has .* did you mean 'observation'"),
        ({"observation": 3}, r"columns\['observation'\] must be the name of a column, a list of names"),
        ({"observation": {}}, "names no player"),
        ({"observation": {"s": "cost"}}, "must have columns of each player, s, b, got those of s"),
        ({"reward": {"s": "cost"}}, "the column of player 'b' is missing for reward; there are those of s"),
        ({"reward": {"s": "cost", "b": "cost", "c": "cost"}}, "reward has a column of 'c', who is no player"),
        (3, "columns must be a mapping"),
        ({"player": ["player", "cost"]}, "player must be one column of one entry a row"),
    ],
)
def test_columns_that_are_not_there(columns, message):
    with pytest.raises(cf.CoffeeError, match=message):
        read(None, turns(), columns=columns)


def test_a_column_without_a_use_is_named():
    with pytest.raises(cf.DatasetError, match=r"there is no column 'cost' in a log; .*say which of yours"):
        read(None, turns())


def test_movers_that_contradict_the_order_of_turns():
    log = turns(player=["s", "b", "s", "s", "s", "b", "s"])
    with pytest.raises(cf.DatasetError, match=r"contradict turn_order='cyclic': .*row 3 \(trajectory 1, step 1\)"):
        cf.GameSpec.from_log(log, columns=COST, turn_order="cyclic")
    spec = cf.GameSpec.from_log(log, columns=COST)
    assert spec.turn_order == "predicted"
    assert "player 's' moves after player 's', as in 1 of 7 rows; if that is a fault" in spec.describe()
    by_hand = cf.GameSpec("deal", 2, 4, np.eye(4), 2, 1, 1, 3, player_names=("s", "b"))
    with pytest.raises(cf.DatasetError, match="say turn_order='predicted'"):
        read(by_hand, log, columns=COST)


def test_rows_that_were_written_twice():
    log = {name: [*column[:4], *column[3:]] for name, column in turns().items()}
    with pytest.raises(cf.DatasetError, match="rows 3 and 4 are the same word for word, .*remove the duplicates"):
        read(None, log, columns=COST)
    log["cost"][4] = 7.0
    assert read(None, log, columns=COST).spec.turn_order == "predicted"


def test_rewards_that_come_too_early():
    log = turns(reward=[[0, 0], [1, 2], [7, 0], [3, 4], [0, 0], [0, 0], [5, 6]])
    with pytest.raises(cf.DatasetError, match=r"row 2 \(trajectory 1, step 0\): there is a reward before the end"):
        cf.GameSpec.from_log(log, columns=COST, rewards="at_end")
    assert cf.GameSpec.from_log(log, columns=COST).rewards == "every_step"


def test_two_players_at_once_in_a_game_of_turns():
    with pytest.raises(cf.DatasetError, match=r"row 0 \(trajectory 0, step 0\): players 0 and 1 act at once"):
        cf.GameSpec.from_log(rounds(), moves="turns")
    log = turns(step=[0, 1, 0, 0, 0, 1, 2])
    with pytest.raises(cf.DatasetError, match=r"row 3 \(trajectory 1, step 0\): players 's' and 'b' act at once"):
        cf.GameSpec.from_log(log, columns=COST, moves="turns")


def test_joint_rows_with_a_missing_column():
    log = {f"price_{shop}": [0, 1, 2, 1] for shop in "ab"} | {"game": [1, 1, 2, 2], "r": np.zeros((4, 3))}
    columns = {"episode": "game", "reward": "r"}
    with pytest.raises(cf.DatasetError, match="an entry for each of 3 players, got 2 .*; a column is missing"):
        read(None, log, columns={**columns, "action": "price_"}, num_players=3)
    by_name = {**columns, "action": {"a": "price_a", "b": "price_b"}}
    with pytest.raises(cf.DatasetError, match="column of player 'c' is missing for action; there are those of a, b"):
        read(None, log, columns=by_name, player_names=["a", "b", "c"])
    with pytest.raises(cf.DatasetError, match="numbered columns of 'action' must run from 0 without a gap"):
        read(None, rounds(action_1=None, action_2=[1, 1, 0, 2]))
    with pytest.raises(cf.DatasetError, match="reward must have an entry for each of 2 players, got 1"):
        read(None, rounds(reward_1=None))
    with pytest.raises(cf.DatasetError, match=r"row 1 \(trajectory 0, step 1\): nobody acts"):
        read(None, rounds(action_0=[0, None, 2, 1], action_1=[1, None, 0, 2]))
    with pytest.raises(cf.DatasetError, match="a player .* and actions of all players"):
        read(None, rounds(player=[0, 1, 0, 1]))
    log = rounds(reward_0=None, reward_1=None, gain=[1, 2, 3, 4])
    with pytest.raises(cf.DatasetError, match="reward must have a column for each of 2 players, got gain alone"):
        read(None, log, columns={"reward": "gain"})


def test_chance_in_a_game_without():
    log = turns(player=["s", "b", "nature", "s", "b", "s", "b"])
    by_hand = cf.GameSpec("deal", 2, 4, np.eye(4), 2, 1, 1, 3, player_names=("s", "b"), turn_order="predicted")
    with pytest.raises(cf.DatasetError, match=r"row 2 \(trajectory 1, step 0\): chance moves .* say num_chance"):
        read(by_hand, log, columns=COST, chance="nature")
    with pytest.raises(cf.DatasetError, match="chance is said to be 'natur', .* holds only b, nature, s; did you mean"):
        read(None, log, columns=COST, chance="natur")
    with pytest.raises(cf.DatasetError, match=r"chance moves at the step of a player's move"):
        read(None, turns(player=["s", "b", "nature", "s", "b", "s", "b"], step=[0, 1, 0, 0, 0, 1, 2]), columns=COST,
             chance="nature")  # fmt: skip
    spec = cf.GameSpec("deal", 2, 4, np.eye(4), 1, 1, 1, 3)
    arrays = {"episode": [0, 0], "player": [-1, 0], "action": [0, 1], "reward": [[0, 0], [1, 1]]}
    with pytest.raises(cf.DatasetError, match="say num_chance_actions, and turn_order='predicted'"):
        read(spec, arrays | {"state": [[0], [1]], "observation": np.zeros((2, 2, 1))})


def test_users_are_not_seats():
    rng = np.random.default_rng(0)
    users = np.array([f"user {number}" for number in rng.permutation(200)])
    log = {"episode": np.repeat(np.arange(100), 2), "player": users, "action": [0, 1] * 100, "reward": [0.0, 1.0] * 100}
    with pytest.raises(cf.DatasetError, match="names 200 players, and at most 2 act in an episode, so it names people"):
        read(None, log)


def test_an_empty_log_and_what_is_no_log():
    for table, message in (
        ({}, "the log has no columns"),
        ({name: [] for name in turns()}, "the log is empty"),
        ([1, 2], "must be given a mapping of columns or a data frame, got list"),
        ({"episode": 3}, "the column 'episode' must hold one entry a row"),
        ("no such file.csv", "no such file.csv: cannot be read"),
        ("log.xls", "a log must be a file that ends in .csv"),
    ):
        with pytest.raises(cf.DatasetError, match=message):
            cf.GameSpec.from_log(table)


def test_episodes_of_one_row():
    log = {"episode": [1, 2, 3, 4], "action": [[0, 1], [1, 1], [1, 0], [0, 0]], "reward": np.eye(4)[:, :2]}
    spec = cf.GameSpec.from_log(log)
    assert (spec.moves, spec.max_episode_length) == ("simultaneous", 2)
    with pytest.raises(cf.DatasetError, match="all episodes broke off in their first step"):
        read(None, log | {"truncated": [1] * 4})


def test_a_specification_of_another_layout_is_named():
    spec = cf.GameSpec("deal", 2, 4, np.eye(4), 5, 1, 1, 3, player_names=("s", "b"))
    with pytest.raises(cf.DatasetError, match="side by side, as there is no state, must have 5 entries"):
        read(spec, turns(), columns={**COST, "action": "action"})
    with pytest.raises(cf.DatasetError, match="observation must have 1 entries, as observation_size says, got 2"):
        read(spec, turns(more=[0] * T), columns={"observation": ["cost", "more"]})


def test_messages_are_of_bounded_length():
    huge = "x" * 10**6
    for changes in (changed("action", 2, huge), changed("player", 2, huge), changed("episode", 5, huge)):
        for known in ({}, {"action_names": ["hi", "lo", "no", "yes"], "player_names": ["s", "b"]}):
            try:
                read(None, turns(**changes), columns=COST, **known)
            except cf.CoffeeError as error:
                assert len(str(error)) < 1000


def test_rows_that_stand_last_to_first_are_refused_once_there_are_enough_to_tell():
    moves = {"deal": np.repeat(np.arange(8), 3), "who": np.tile(["seller", "buyer", "seller"], 8)}
    moves |= {"said": np.tile(["ask", "bid", "yes"], 8), "gain": np.tile([0.0, 0.0, 1.0], 8)}
    moves["gain"] = moves["gain"] * (1.0 + np.arange(24))  # no two deals pay alike
    columns = {"episode": "deal", "player": "who", "action": "said", "reward": "gain"}
    backwards = {name: values[::-1] for name, values in moves.items()}
    for log, is_refused in ((moves, False), (backwards, True)):
        check = cf.TrajectoryDataset.from_transitions(None, log, columns=columns).check()
        assert ("order of rows" in str(check)) == is_refused
        assert bool(check.refused) == is_refused
