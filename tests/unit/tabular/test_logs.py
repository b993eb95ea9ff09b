"""What a log must say before a table is made of it: episodes, missing labels, what players know, what follows."""

import numpy as np
import pytest
from tests.unit.tabular.test_game import ultimatum_log

import coffee_fast as cf
from coffee_fast.errors import CoffeeError, DatasetError
from coffee_fast.regularized import CommonPayoffGame, alberdice, gamd, gane, inspo, rqe

WRONG_VALUES = [None, 1.5, "x", [], {}, -1, 10**30, float("nan"), object(), [10**400], np.array("x"), "y" * 10**6]
READERS = [cf.TabularGame.from_dataset, CommonPayoffGame.from_log, gane, inspo]


def episodes(**changes):
    """Two episodes of two steps, of teammates."""
    log = {
        "trajectory": [1, 1, 2, 2],
        "state": ["a", "b", "a", "b"],
        "action": [[0, 0], [1, 1], [0, 1], [1, 0]],
        "reward": [[0, 0], [1, 1], [0, 0], [2, 2]],
    }
    return {name: column for name, column in {**log, **changes}.items() if column is not None}


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"trajectory": [1, 2, 1, 2]}, "trajectory 1 comes again in row 2, .* sort the rows by trajectory, then by"),
        ({"trajectory": [1, 2, 1, 2], "terminal": [0, 0, 1, 1]}, "trajectory 1 comes again in row 2"),
        ({"trajectory": ["x", "x", None, "y"]}, "trajectory is missing in row 2"),
        ({"trajectory": np.array([1.0, np.nan, 2.0, 2.0])}, "trajectory is missing in row 1"),
        ({"trajectory": [(1, 0), (1, float("nan")), (2, 0), (2, 0)]}, "trajectory is missing in row 1"),
        ({"trajectory": np.array(["2020", "2020", "NaT", "2021"], dtype="M8[ns]")}, "trajectory is missing in row 2"),
        ({"trajectory": np.ma.array([1, 1, 2, 2], mask=[0, 0, 0, 1])}, "'trajectory' is masked in row 3"),
        ({"reward": np.ma.array(np.zeros((4, 2)), mask=[[0, 0], [0, 1], [0, 0], [0, 0]])}, "'reward' is masked in row"),
        ({"state": ["a", "b", float("nan"), "b"]}, "state is missing in row 2"),
        ({"terminal": [0, 0.5, 0, 1]}, "terminal must hold 0 or 1, got 0.5 in row 1"),
        ({"terminal": [1, 1, 0, 1]}, "terminal is 1 in row 0, but row 1 has the same trajectory 1"),
        ({"terminal": [[0], [1], [0], [1]]}, r"terminal must have shape \[4\], got \[4, 1\]"),
        ({"terminal": ["no", "yes", "no", "yes"]}, "column 'terminal' must hold numbers"),
        ({"reward": [["1", "1"]] * 4}, "column 'reward' must hold numbers, got .*'1'"),
        ({"action": [[0, 0], [1, 1], [0, "b"], [1, 0]]}, "column 'action' must hold numbers"),
        (
            {"action": [[0, 0], [1, 1], [0, 2**40], [1, 0]]},
            "action must lie below 2147483648, got 1.09951e.12 in row 2",
        ),
        ({"action": [[0, 0], [1, 1], [0, 10**6], [10**6, 0]]}, "would hold .* more than .*; tell fewer states or"),
        ({"state": "abab"}, "state must be one label a row, 4 in all, got str"),
        ({"state": 3}, "state must be one label a row, got int"),
        ({"price": [1, 2, 3, 4]}, "there is no column 'price'"),
    ],
)
def test_logs_that_would_be_misread_are_refused(read, changes, message):
    with pytest.raises(DatasetError, match=message):
        read(episodes(**changes))


def test_labels_that_pandas_does_not_know_are_missing():
    pd = pytest.importorskip("pandas")
    for labels in (
        pd.Series([1, 1, None, 2], dtype="Int64"),
        pd.Series(pd.to_datetime(["2020", "2020", None, "2021"])),
    ):
        for read in READERS:
            with pytest.raises(DatasetError, match="trajectory is missing in row 2"):
                read(episodes(trajectory=labels))
    frame = pd.DataFrame({"state": ["a", "b", "a", "b"], "trajectory": [1, 1, 2, 2]})
    game = cf.TabularGame.from_dataset(episodes(state=frame["state"], trajectory=frame["trajectory"]))
    np.testing.assert_array_equal(game.counts, cf.TabularGame.from_dataset(episodes()).counts)


def test_a_sorted_log_keeps_its_steps():
    interleaved = episodes(trajectory=[1, 2, 1, 2])
    order = np.argsort(interleaved["trajectory"], kind="stable")
    game = cf.TabularGame.from_dataset({name: np.asarray(column)[order] for name, column in interleaved.items()})
    assert game.horizon == 2
    assert cf.TabularGame.from_dataset(episodes(trajectory=None, terminal=[0, 1, 0, 1])).horizon == 2
    assert cf.TabularGame.from_dataset(episodes(trajectory=None)).horizon == 1


def test_an_episode_cut_off_early_has_no_known_rest():
    cut = episodes(trajectory=[1, 1, 1, 2], terminal=[0, 0, 1, 0])
    with pytest.raises(DatasetError, match="the episode that ends in row 3 is cut off .* after 1 of 3 steps"):
        cf.TabularGame.from_dataset(cut)
    # All of them cut off at the same step is a horizon.
    assert cf.TabularGame.from_dataset(episodes(terminal=[0, 0, 0, 0])).horizon == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"next_state": ["b", "c", "a", "c"]}, "next_state 'a' of row 2 is not the state 'b' of row 3"),
        ({"next_state": ["b", "c", None, "c"]}, "next_state is missing in row 2, after which the episode goes on"),
        ({"next_state": [1, 2, 1, 2]}, "next_state 1 of row 0 is not the state 'b' of row 1"),
        ({"next_state": ["b", "c", "b", "c"], "state": None}, ".*there must be a column 'state'"),
        ({"next_state": ["b"]}, "next_state must be one label a row, 4 in all, got 1"),
        (
            {"next_state": ["a"] * 4, "trajectory": None, "terminal": [0, 1, 0, 1]},
            ".*row 0 is not the state 'b' of row",
        ),
    ],
)
def test_what_follows_must_be_the_next_row(changes, message):
    with pytest.raises(DatasetError, match=f"from_log: {message}"):
        CommonPayoffGame.from_log(episodes(**changes))


def test_what_follows_an_end_is_not_read():
    game = CommonPayoffGame.from_log(episodes(next_state=["b", None, "b", float("nan")], terminal=[0, 1, 0, 1]))
    same = CommonPayoffGame.from_log(episodes())
    np.testing.assert_array_equal(game.transitions.toarray(), same.transitions.toarray())


def test_numbers_of_actions_are_whole(rng):
    log = episodes()
    for wrong in (2.7, [2, 2.5], [2], "22", True, 1, {0: 2, 1: 2}, np.array([2.0, 2.0])):
        for read in (cf.TabularGame.from_dataset, CommonPayoffGame.from_log):
            with pytest.raises(CoffeeError, match="num_actions"):
                read(log, num_actions=wrong)
    for right in (2, np.int64(2), [np.int32(2), 2], np.array([2, 2])):
        assert cf.TabularGame.from_dataset(log, num_actions=right).num_actions == (2, 2)
        assert CommonPayoffGame.from_log(log, num_actions=right).num_actions == (2, 2)
    numbered = episodes(state=[np.int64(0), 1, 0, np.int32(1)])
    assert cf.TabularGame.from_dataset(numbered, num_states=np.int64(3)).num_states == 3


def auction_columns(num_rounds=300, seed=0):
    """Three bidders in a first-price auction bid 0 to 3, each up to a value of 1 to 3 that only it knows."""
    rng = np.random.default_rng(seed)
    value = rng.integers(1, 4, size=(num_rounds, 3))
    bid = rng.integers(0, value + 1)
    won = bid == bid.max(axis=1, keepdims=True)
    reward = won / won.sum(axis=1, keepdims=True) * (value - bid)
    return value, bid, reward


@pytest.mark.parametrize("solve", [gane, gamd, rqe, inspo])
def test_an_auction_among_bidders_with_private_values_is_no_table(solve):
    value, bid, reward = auction_columns()
    if solve is inspo:
        reward = np.repeat(reward.sum(axis=1, keepdims=True), 3, axis=1)
    log = {"action": bid, "reward": reward, "observation": value}
    with pytest.raises(
        DatasetError, match=r"player 0 knows more than the table's state 0 at step 0: it saw .* in row 0"
    ):
        solve(log)
    # A state that holds all values is what no bidder knows.
    full = {**log, "state": [tuple(row) for row in value.tolist()]}
    with pytest.raises(DatasetError, match=r"player 0 does not know the table's state: it saw .* at step 0 in row"):
        solve(full)
    with pytest.raises(
        DatasetError, match="DynamicsEnsemble.fit and coffee_psro.* or leave the column 'observation' out"
    ):
        solve({**log, "observation": value[..., None].astype(float)})


def test_players_who_all_see_the_state_are_a_table():
    value, bid, reward = auction_columns()
    public = np.repeat(value[:, :1], 3, axis=1)  # all know how much bidder 0 would pay
    log = {"action": bid, "reward": reward, "state": value[:, 0], "observation": public}
    game = cf.TabularGame.from_dataset(log)
    np.testing.assert_array_equal(game.counts, cf.TabularGame.from_dataset({**log, "observation": public * 10}).counts)
    mixed = {**log, "observation": value}
    with pytest.raises(DatasetError, match="player 1 (knows more than|does not know) the table's state"):
        cf.TabularGame.from_dataset(mixed)
    assert cf.TabularGame.from_dataset(mixed, is_fully_observed=True).num_states == 3
    for wrong in (value[:, 0], value[:, :2], value[:5], "abc", 3):
        with pytest.raises(DatasetError, match="observation"):
            cf.TabularGame.from_dataset({**log, "observation": wrong})


def test_a_solution_says_what_its_gap_is_about():
    value, bid, reward = auction_columns()
    for solve in (gane, gamd, rqe):
        found = solve({"action": bid, "reward": reward}, unseen_value=0.0)
        assert found.about == "the table of 300 logged steps, in which nobody knows anything before acting"
        assert found.about in repr(found)
    game = cf.TabularGame.from_dataset({"action": bid, "reward": reward, "state": value[:, 0]})
    assert game.about.endswith("every player sees the state and nothing else")
    assert game.about in repr(game)
    assert cf.TabularGame(np.zeros((1, 1, 1, 2))).about.startswith("the given game")


def sealed_bids(num_rounds=60, seed=0):
    """Three bidders bid one after another without seeing what others bid, each for a value of its own."""
    value, bid, reward = auction_columns(num_rounds, seed)
    columns = {name: [] for name in ("trajectory", "state", "observation", "action", "acting_player", "reward")}
    masks = []
    for episode in range(num_rounds):
        for mover in range(3):
            columns["trajectory"].append(episode)
            columns["state"].append([mover, *value[episode]])
            columns["observation"].append([[mover, v] for v in value[episode]])
            columns["action"].append(bid[episode, mover])
            columns["acting_player"].append(mover)
            columns["reward"].append(reward[episode] if mover == 2 else [0, 0, 0])
            masks.append([1, 1, 1, 1])
    spec = cf.GameSpec("sealed_bids", 3, 4, np.eye(4), 4, 2, 2, 3)
    return cf.TrajectoryDataset.from_transitions(spec, {**columns, "legal_mask": masks})


def test_a_dataset_in_which_players_see_different_things_is_no_table():
    dataset = sealed_bids()
    with pytest.raises(
        DatasetError, match=r"players know different things in cell 0.0 at step 0: .* is_fully_observed"
    ):
        cf.TabularGame.from_dataset(dataset, state_key=lambda state: float(state[0]))
    with pytest.raises(DatasetError, match=r"player 0 cannot tell cell \(0.0, .*\) \(row 0\) from .* by what it saw"):
        cf.TabularGame.from_dataset(dataset, state_key=lambda state: tuple(state.tolist()))
    told = cf.TabularGame.from_dataset(dataset, state_key=lambda state: float(state[0]), is_fully_observed=True)
    assert told.num_states == 3


def test_bargainers_with_values_of_their_own_are_no_table():
    dataset = cf.generate_dataset(cf.load_game("generalized_bargaining"), num_trajectories=20, seed=0)
    with pytest.raises(DatasetError, match="from_dataset: players know different things in cell 0 at step 0"):
        cf.TabularGame.from_dataset(dataset, state_key=lambda state: 0)


def test_what_all_see_alike_may_be_told_apart_or_not():
    dataset = ultimatum_log(100)
    coarse = cf.TabularGame.from_dataset(dataset, state_key=lambda state: float(state[0]))
    assert coarse.num_states == 2


def is_answer_or_sentence(call):
    try:
        call()
    except CoffeeError as error:
        return len(str(error)) < 2000
    return True


@pytest.mark.parametrize("value", WRONG_VALUES, ids=lambda value: type(value).__name__)
def test_wrong_values_are_answered_or_refused_with_a_sentence(value):
    log, arrays = episodes(), {"rewards": np.zeros((2, 1, 1, 2, 2)), "transitions": np.zeros((1, 1, 2, 2, 1))}
    calls = [lambda solve=solve: solve(value) for solve in (cf.TabularGame, *READERS, alberdice)]
    calls += [lambda: CommonPayoffGame.from_arrays(value), lambda: CommonPayoffGame.from_tabular(value)]
    for name in ("action", "reward", "state", "trajectory", "terminal", "next_state", "observation"):
        calls += [lambda read=read, name=name: read({**log, name: value}) for read in READERS]
    for name in ("transitions", "initial", "legal", "counts", "reward_variance", "state_keys"):
        calls.append(lambda name=name: cf.TabularGame(**{**arrays, name: value}))
    for name in ("num_actions", "num_states", "is_fully_observed"):
        calls.append(lambda name=name: cf.TabularGame.from_dataset(log, **{name: value}))
    calls.append(lambda: cf.TabularGame.from_dataset(ultimatum_log(3), state_key=value))
    model = {"model": lambda *cell: ([0.0], [1.0]), "horizon": 1, "num_actions": [1], "initial": [1.0], "legal": None}
    calls += [lambda name=name: cf.TabularGame.from_model(**{**model, name: value}) for name in model]
    calls.append(lambda: cf.TabularGame.from_model(**{**model, "model": lambda *cell: value}))
    calls.append(lambda: cf.TabularGame.from_model(**{**model, "model": lambda *cell: (value, value)}))
    for name in ("discount", "num_actions", "floor"):
        calls.append(lambda name=name: CommonPayoffGame.from_log(log, **{name: value}))
    for name in ("behavior", "transitions", "initial", "discount", "floor"):
        calls.append(lambda name=name: CommonPayoffGame.from_arrays(np.zeros((2, 2)), **{name: value}))
    search = ("kl_weight", "discount", "perturbation", "has_random_order", "seed", "tolerance", "max_iterations")
    for name in search:
        calls += [lambda solve=solve, name=name: solve(log, **{name: value}) for solve in (inspo, alberdice)]
    calls += [lambda: inspo(log, entropy_weight=value), lambda: alberdice(log, end_share=value)]
    calls += [lambda: cf.data.xor_log(value), lambda: cf.data.bridge_log(value), lambda: cf.data.bridge_log(seed=value)]
    calls += [lambda: cf.data.bridge_log(num_episodes=value), lambda: cf.data.bridge_log(max_steps=value)]
    for call in calls:
        assert is_answer_or_sentence(call)
