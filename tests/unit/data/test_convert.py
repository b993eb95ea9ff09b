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


def test_what_is_no_table_is_refused():
    with pytest.raises(DatasetError, match="must be a mapping of columns or a data frame, got list"):
        cf.TrajectoryDataset.from_transitions(SPEC, [1, 2])
    with pytest.raises(DatasetError, match="the dataset is empty"):
        cf.TrajectoryDataset.from_transitions(SPEC, {name: column[:0] for name, column in log().items()})
    with pytest.raises(InvalidArgumentError, match="spec must be a GameSpec, got dict"):
        cf.TrajectoryDataset.from_transitions({}, log())
