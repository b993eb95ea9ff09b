"""Logs of one's own: columns in many forms become one dataset, and what cannot be read is named by row and column."""

from __future__ import annotations

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.errors import DatasetError, InvalidArgumentError

SPEC = cf.GameSpec(
    "haggle", 2, 3, [[0], [1], [2]], state_size=2, observation_size=2, history_start=1, max_episode_length=4
)


def log(**changes):
    rng = np.random.default_rng(0)
    columns = {
        "trajectory": ["monday", "monday", "monday", "tuesday", "tuesday"],
        "state": rng.random((5, 2)).astype(np.float32),
        "observation": rng.random((5, 2, 2)).astype(np.float32),
        "action": [2, 0, 1, 0, 1],
        "acting_player": [0, 1, 0, 1, 0],
        "reward": [[0, 0], [0, 0], [1, 2], [0, 0], [2, 1]],
    }
    return {name: column for name, column in (columns | changes).items() if column is not None}


def same(first, second):
    return first.fingerprint == second.fingerprint


def test_what_is_not_given_is_worked_out():
    dataset = cf.TrajectoryDataset.from_transitions(SPEC, log())
    assert dataset.trajectory_offsets.tolist() == [0, 3, 5]
    assert dataset.terminal.tolist() == [0, 0, 1, 0, 1]
    np.testing.assert_array_equal(dataset.next_state[:2], dataset.state[1:3])
    assert (dataset.next_state[[2, 4]] == SPEC.terminal_state_value).all()
    assert (dataset.legal_masks() == 1).all()  # every action was taken at some time


def test_labels_and_ends_say_the_same():
    by_label = cf.TrajectoryDataset.from_transitions(SPEC, log())
    by_end = cf.TrajectoryDataset.from_transitions(SPEC, log(trajectory=None, terminal=[0, 0, 1, 0, 1]))
    assert same(by_label, by_end)


def test_data_frames_with_lists_or_numbered_columns_say_the_same():
    pandas = pytest.importorskip("pandas")
    columns = log()
    lists = pandas.DataFrame({name: list(column) for name, column in columns.items()})
    flat = {name: columns[name] for name in ("trajectory", "action", "acting_player")}
    flat |= {f"state_{i}": columns["state"][:, i] for i in range(2)}
    flat |= {f"reward_{i}": np.array(columns["reward"])[:, i] for i in range(2)}
    flat |= {f"observation_{p}_{i}": columns["observation"][:, p, i] for p in range(2) for i in range(2)}
    counted = {f"observation_{2 * p + i}": columns["observation"][:, p, i] for p in range(2) for i in range(2)}
    expected = cf.TrajectoryDataset.from_transitions(SPEC, columns)
    assert same(cf.TrajectoryDataset.from_transitions(SPEC, lists), expected)
    assert same(cf.TrajectoryDataset.from_transitions(SPEC, pandas.DataFrame(flat)), expected)
    without = {name: column for name, column in flat.items() if not name.startswith("observation")}
    assert same(cf.TrajectoryDataset.from_transitions(SPEC, pandas.DataFrame(without | counted)), expected)


def test_given_masks_and_probabilities_are_kept():
    masks = np.eye(3)[[2, 0, 1, 0, 1]]
    dataset = cf.TrajectoryDataset.from_transitions(SPEC, log(legal_mask=masks, behavior_log_prob=np.zeros(5)))
    np.testing.assert_array_equal(dataset.legal_masks(), masks)
    assert dataset.behavior_log_prob.tolist() == [0.0] * 5


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"action": None}, "the column 'action' is missing"),
        ({"trajectory": None}, "there must be a column 'trajectory' or a column 'terminal'"),
        ({"bid": [1] * 5}, "there is no column 'bid'; the columns are state, observation"),
        ({"action": [2, 0, 1.5, 0, 1]}, "row 2: action must be whole"),
        ({"action": [2, 0, np.nan, 0, 1]}, "row 2: action is missing"),
        ({"action": [2, 0, None, 0, 1]}, "row 2: action is missing"),
        ({"action": np.ma.masked_equal([2, 0, 1, 0, 7], 7)}, "row 4: action is missing"),
        ({"action": 3}, "action must hold numbers"),
        ({"action": [2, 0, 2**70, 0, 1]}, "row 2: action must be whole"),
        ({"action": np.array([2, 0, 1, 0, 1j])}, "action must hold numbers"),
        ({"action": np.array(["2026-01-01"] * 5, "M8[D]")}, "action must hold numbers"),
        ({"state": np.ma.masked_less(np.arange(10.0).reshape(5, 2), 1)}, "row 0: state is missing"),
        ({"state": [[0, 1], [2, None], [0, 1], [0, 1], [0, 1]]}, "row 1: state is missing"),
        ({"state": [[0, 1], [2], [0, 1], [0, 1], [0, 1]]}, "state must hold numbers, 2 in every row"),
        ({"reward": [[0, 0], [0, 0], [1, np.nan], [0, 0], [2, 1]]}, "row 2: reward is missing"),
        ({"terminal": [0, 0, 0.5, 0, 1]}, "row 2: terminal must be 0 or 1, got 0.5"),
        ({"trajectory": None, "terminal": [0, 0, 0.5, 0, 1]}, "row 2: terminal must be 0 or 1, got 0.5"),
        ({"trajectory": None, "terminal": [0, 0, 2, 0, 1]}, "row 2: terminal must be 0 or 1, got 2"),
        ({"legal_mask": np.full((5, 3), 0.5)}, "row 0: legal_mask must be 0 or 1, got 0.5"),
        ({"legal_mask": np.full((5, 3), 7)}, "row 0: legal_mask must be 0 or 1, got 7"),
        ({"trajectory": [[1], [1], [1], [2], [2]]}, "trajectory must hold one label a row"),
        ({"trajectory": np.array(7)}, "trajectory must have 5 rows, got 0"),
        ({"action": np.ma.masked}, "action must hold numbers"),
        ({"trajectory": 7}, "trajectory must have 5 rows, got 0"),
        ({"state": None, "state_0": np.zeros(5), "state_1": np.zeros(4)}, "'state' must hold a number a row, equally"),
        ({"state": None, "state_0": np.zeros(5), "state_999999999": np.zeros(5)}, "must run from 0 without a gap"),
        ({"state_" + "9" * 5000: np.zeros(5)}, "there is no column 'state_9999"),
        ({"state": None, "state_0": np.zeros(5), "state_00": np.zeros(5)}, "the column 'state_00' comes up twice"),
        ({"action": [2, 0, 7, 0, 1]}, "action"),
        ({"acting_player": [0, 1, 5, 1, 0]}, "acting_player"),
        ({"state": np.zeros((5, 3))}, r"state must have shape \[5, 2\], got \[5, 3\]"),
        ({"state": np.zeros((4, 2))}, r"state must have shape \[5, 2\], got \[4, 2\]"),
        ({"state": [["a", "b"]] * 5}, "state must hold numbers, 2 in every row"),
        ({"reward": [[0, np.nan]] * 5}, "reward"),
        ({"reward": [[0, 1e300]] * 5}, "reward"),
        ({"trajectory": ["a", "a", "b", "b", "a"]}, "row 4: trajectory 'a' comes up again"),
        ({"trajectory": ["a"] * 4}, "trajectory must have 5 rows, got 4"),
        ({"terminal": [0, 1, 0, 0, 1]}, "terminal"),
        ({"legal_mask": np.zeros((5, 3))}, "legal"),
        ({"state": None, "state_0": np.zeros(5), "state_2": np.zeros(5)}, "must run from 0 without a gap"),
        ({"state_0": np.zeros(5)}, "state must be one column or numbered columns, got both"),
    ],
)
def test_a_log_that_cannot_be_read_is_refused(changes, message):
    with pytest.raises(DatasetError, match=message):
        cf.TrajectoryDataset.from_transitions(SPEC, log(**changes))


@pytest.mark.parametrize(
    "label", [np.nan, None, np.datetime64("NaT"), np.ma.masked, "", "  ", np.float32("nan")], ids=repr
)
@pytest.mark.parametrize("row", [0, 2, 4])
def test_missing_labels_are_missing_and_not_new(label, row):
    labels = [1, 1, 1, 2, 2]
    labels[row] = label
    with pytest.raises(DatasetError, match=f"row {row}: the label of its trajectory is missing"):
        cf.TrajectoryDataset.from_transitions(SPEC, log(trajectory=labels))


def test_labels_missing_in_arrays_and_data_frames_are_refused():
    pandas = pytest.importorskip("pandas")
    columns = [
        np.array([1.0, 1.0, np.nan, np.nan, 2.0]),
        np.ma.masked_equal([1, 1, 0, 0, 2], 0),
        pandas.Series([1, 1, None, None, 2]),
        pandas.Series([1, 1, None, None, 2], dtype="Int64"),
        pandas.Series(["a", "a", None, None, "b"]),
        pandas.to_datetime(pandas.Series(["2026-01-01", "2026-01-01", None, None, "2026-01-02"])),
    ]
    for column in columns:
        with pytest.raises(DatasetError, match="row 2: the label of its trajectory is missing"):
            cf.TrajectoryDataset.from_transitions(SPEC, log(trajectory=column))
    frame = pandas.DataFrame({name: list(column) for name, column in log().items()})
    with pytest.raises(DatasetError, match="row 3: action is missing"):
        cf.TrajectoryDataset.from_transitions(SPEC, frame.assign(action=pandas.array([2, 0, 1, None, 1], "Int64")))
    with pytest.raises(DatasetError, match="the column 'action' comes up twice"):
        cf.TrajectoryDataset.from_transitions(SPEC, pandas.concat([frame, frame[["action"]]], axis=1))


def test_nobody_needs_a_next_state_at_the_end():
    expected = cf.TrajectoryDataset.from_transitions(SPEC, log())
    after = np.roll(log()["state"], -1, axis=0).astype(float)
    after[[2, 4]] = np.nan
    for column in (after, np.ma.masked_invalid(after)):
        assert same(cf.TrajectoryDataset.from_transitions(SPEC, log(next_state=column)), expected)
    after[0] = np.nan
    with pytest.raises(DatasetError, match="trajectory 0, step 0: next_state must be finite"):
        cf.TrajectoryDataset.from_transitions(SPEC, log(next_state=after))
    after[0] = 7
    with pytest.raises(DatasetError, match="trajectory 0, step 0: next_state must be the state of the next transition"):
        cf.TrajectoryDataset.from_transitions(SPEC, log(next_state=after))


def test_numbers_of_any_kind_say_the_same():
    expected = cf.TrajectoryDataset.from_transitions(SPEC, log())
    changes = {"action": [np.int64(a) for a in log()["action"]], "acting_player": np.array([0, 1, 0, 1, 0], np.uint64)}
    changes["terminal"] = [np.bool_(x) for x in (0, 0, 1, 0, 1)]
    about = {"seed": np.int64(3), "is_mirrored": np.bool_(False), "num_independent_episodes": np.int64(2)}
    dataset = cf.TrajectoryDataset.from_transitions(SPEC, log(**changes), **about)
    assert same(dataset, expected)
    assert [type(getattr(dataset, name)) for name in about] == [int, bool, int]


def test_masks_that_no_machine_holds_are_refused():
    spec = cf.GameSpec("wide", 1, 10**7, np.zeros((10**7, 1), np.float32), 1, 1, 1, 10**6)
    rows = np.zeros((10**6, 1))
    columns = {"state": rows, "observation": rows[:, None], "action": rows[:, 0], "acting_player": rows[:, 0]}
    columns |= {"reward": rows, "trajectory": rows[:, 0].astype(int)}
    with pytest.raises(DatasetError, match=r"legal actions of 1000000 rows, .* would take 1e\+04 GB"):
        cf.TrajectoryDataset.from_transitions(spec, columns)


def test_messages_are_of_bounded_length():
    huge = "x" * 10**6
    for changes in ({huge: [1] * 5}, {"trajectory": [huge, "b", huge, "c", "c"]}, {"action": [huge] * 5}):
        with pytest.raises(DatasetError) as error:
            cf.TrajectoryDataset.from_transitions(SPEC, log(**changes))
        assert len(str(error.value)) < 400


def test_arguments_are_known():
    with pytest.raises(InvalidArgumentError, match="there is no argument 'behaviour'; there are behavior, seed"):
        cf.TrajectoryDataset.from_transitions(SPEC, log(), behaviour="people")


def test_what_is_no_table_is_refused():
    with pytest.raises(DatasetError, match="must be a mapping of columns or a data frame, got list"):
        cf.TrajectoryDataset.from_transitions(SPEC, [1, 2])
    with pytest.raises(DatasetError, match="the dataset is empty"):
        cf.TrajectoryDataset.from_transitions(SPEC, {name: column[:0] for name, column in log().items()})
    with pytest.raises(InvalidArgumentError, match="spec must be a GameSpec or None, got dict"):
        cf.TrajectoryDataset.from_transitions({}, log())
