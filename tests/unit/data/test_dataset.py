"""Datasets: what they hold, what they refuse, how they are cut."""

from __future__ import annotations

import time

import numpy as np
import pytest

import coffee_fast as cf


def test_a_dataset_holds_what_it_was_given(dataset, arrays):
    for name, array in arrays.items():
        np.testing.assert_array_equal(getattr(dataset, name), array)
    assert (dataset.num_trajectories, dataset.num_transitions, dataset.num_independent_episodes) == (4, 10, 2)
    assert dataset.legal_masks().tolist() == [[1, 1, 1]] * 10
    assert repr(dataset) == "TrajectoryDataset(tiny, 4 trajectories, 10 transitions)"
    dataset.validate()


def test_a_dataset_does_not_change_with_the_arrays_it_came_from(dataset, arrays):
    before = dataset.fingerprint
    arrays["reward"][:] = 9
    assert dataset.reward.max() == 1
    with pytest.raises(ValueError, match="read-only"):
        dataset.reward[0, 0] = 1
    assert dataset.fingerprint == before


def test_the_behavior_probabilities_may_be_unknown(spec, arrays):
    del arrays["behavior_log_prob"]
    dataset = cf.TrajectoryDataset(spec, arrays)
    assert dataset.behavior_log_prob is None
    assert "behavior_log_prob" not in dataset.arrays


def test_the_fingerprint_is_of_game_and_content(spec, arrays, dataset):
    same = cf.TrajectoryDataset(spec, arrays, behavior="somebody else", seed=6, is_mirrored=True)
    assert same.fingerprint == dataset.fingerprint
    plain = cf.TrajectoryDataset(spec, arrays)
    arrays["reward"][1, 0] = 2
    changed = cf.TrajectoryDataset(spec, arrays)
    assert len({dataset.fingerprint, plain.fingerprint, changed.fingerprint}) == 3
    assert len(dataset.fingerprint) == 64


def put(name, place, value):
    def change(arrays):
        arrays[name][place] = value

    return change


def replace(name, value):
    def change(arrays):
        arrays[name] = value(arrays[name]) if callable(value) else value

    return change


def empty(arrays):
    for name in arrays:
        arrays[name] = arrays[name][:0]
    arrays["trajectory_offsets"] = np.zeros(1, dtype=np.int64)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (empty, "the dataset is empty"),
        (put("terminal", slice(None), 0), "no terminal transition"),
        (replace("state", None), "the array 'state' is missing"),
        (replace("stat", np.zeros(3)), "there is no array 'stat' in a dataset"),
        (replace("action", lambda a: a.astype(np.int64)), r"action must be int32 of shape \[10\], got int64"),
        (replace("reward", lambda a: a.astype(">f4")), r"reward must be float32 of shape \[10, 2\], got >f4"),
        (replace("state", lambda a: a[:9]), r"state must be float32 of shape \[10, 3\], got float32 of shape \[9, 3\]"),
        (replace("observation", lambda a: a[:, 0]), r"observation must be float32 of shape \[10, 2, 2\]"),
        (replace("legal_mask", lambda a: np.repeat(a, 2, axis=1)), r"legal_mask must be uint8 of shape \[10, 1\]"),
        (replace("behavior_log_prob", lambda a: a[:4]), r"behavior_log_prob must be float32 of shape \[10\]"),
        (replace("trajectory_offsets", lambda a: a.astype(np.int32)), "trajectory_offsets must be int64"),
        (replace("trajectory_offsets", lambda a: a[:1]), "trajectory_offsets must be int64"),
        (put("trajectory_offsets", 0, 1), "must run from 0 to the 10 transitions, got 1 to 10"),
        (put("trajectory_offsets", 4, 9), "must run from 0 to the 10 transitions, got 0 to 9"),
        (put("trajectory_offsets", 2, 2), "trajectory 1: trajectory_offsets must increase"),
        (put("trajectory_offsets", 2, 9), "trajectory 2: trajectory_offsets must increase"),
        (put("state", (5, 1), np.nan), "trajectory 2, step 1: state must be finite"),
        (put("next_state", (2, 0), np.inf), "trajectory 1, step 0: next_state must be finite"),
        (put("observation", (9, 1, 0), np.nan), "trajectory 3, step 2: observation must be finite"),
        (put("reward", (0, 1), -np.inf), "trajectory 0, step 0: reward must be finite"),
        (put("behavior_log_prob", 3, np.nan), "trajectory 1, step 1: behavior_log_prob must be finite"),
        (put("behavior_log_prob", 3, 0.1), "trajectory 1, step 1: behavior_log_prob must be 0 or less"),
        (put("action", 1, 3), r"trajectory 0, step 1: action must lie in \[0, 3\)"),
        (put("action", 1, -1), r"trajectory 0, step 1: action must lie in \[0, 3\)"),
        (put("acting_player", 4, 2), r"trajectory 2, step 0: acting_player must lie in \[0, 2\)"),
        (put("acting_player", 4, -1), r"trajectory 2, step 0: acting_player must lie in \[0, 2\)"),
        (put("legal_mask", 8, 0b101), "trajectory 3, step 1: the action is not legal"),
        (put("legal_mask", 8, 0b1111), "trajectory 3, step 1: legal_mask has bits set beyond the last action"),
        (put("terminal", 6, 2), "trajectory 2, step 2: terminal must be 0 or 1"),
        (put("terminal", 6, 0), "trajectory 2, step 2: the last transition of a trajectory must be terminal"),
        (put("terminal", 5, 1), "trajectory 2, step 1: a transition inside a trajectory must not be terminal"),
        (put("next_state", (3, 2), 0), "trajectory 1, step 1: next_state of a terminal transition must be -1.0"),
        (put("next_state", (2, 2), 9), "trajectory 1, step 0: next_state must be the state of the next transition"),
    ],
)
def test_a_malformed_dataset_is_refused_and_the_place_named(spec, arrays, change, message):
    change(arrays)
    with pytest.raises(cf.DatasetError, match=message):
        cf.TrajectoryDataset(spec, arrays)


def test_a_trajectory_longer_than_the_game_is_refused(spec, arrays):
    arrays["trajectory_offsets"] = np.array([0, 5, 10])
    arrays["terminal"][:] = 0
    arrays["terminal"][[4, 9]] = 1
    arrays["next_state"][:-1] = arrays["state"][1:]
    arrays["next_state"][[4, 9]] = -1
    with pytest.raises(cf.DatasetError, match="trajectory 0: must have at most 4 transitions, got 5"):
        cf.TrajectoryDataset(spec, arrays)


@pytest.mark.parametrize(
    ("about", "message"),
    [
        ({"behavior": 3}, "behavior must be text, got 3"),
        ({"seed": -1}, "seed must lie in"),
        ({"seed": 0.5}, "seed must be an integer"),
        ({"is_mirrored": 1}, "is_mirrored must be True or False, got 1"),
        ({"is_mirrored": np.zeros(3)}, "is_mirrored must be True or False"),
        ({"num_independent_episodes": 0}, "must be an integer >= 1 and <= 4, got 0"),
        ({"num_independent_episodes": 5}, "must be an integer >= 1 and <= 4, got 5"),
        ({"num_independent_episodes": 3, "is_mirrored": True}, "must be an integer >= 1 and <= 2, got 3"),
        ({"num_independent_episodes": True}, "must be an integer >= 1 and <= 4, got True"),
    ],
)
def test_what_is_said_of_a_dataset_must_be_possible(spec, arrays, about, message):
    with pytest.raises(cf.DatasetError, match=message):
        cf.TrajectoryDataset(spec, arrays, **about)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put("reward", (3, 0), 0.4), "trajectory 1, step 1: reward must mirror that of the trajectory before"),
        (put("action", 8, 2), "trajectory 3, step 1: action must mirror"),
        (put("legal_mask", 2, 0b011), "trajectory 1, step 0: legal_mask must mirror"),
        (put("observation", (9, 0, 0), 7), "trajectory 3, step 2: observation must mirror"),
        (put("acting_player", 2, 0), "trajectory 1, step 0: acting_player must mirror"),
        (put("state", (7, 2), 1), "trajectory 3, step 0: state must mirror"),
    ],
)
def test_a_false_mirror_image_is_refused(spec, arrays, change, message):
    change(arrays)
    cf.TrajectoryDataset(spec, arrays)  # nothing is wrong with it otherwise
    with pytest.raises(cf.DatasetError, match=message):
        cf.TrajectoryDataset(spec, arrays, is_mirrored=True)


def test_mirror_images_come_in_pairs_of_equal_length(spec, dataset):
    odd = dataset.select([0, 1, 2])
    with pytest.raises(cf.DatasetError, match="must have an even number of trajectories, got 3"):
        cf.TrajectoryDataset(spec, odd.arrays, is_mirrored=True)
    with pytest.raises(cf.DatasetError, match="trajectory 1: must be as long as the one before it"):
        cf.TrajectoryDataset(spec, dataset.select([0, 2]).arrays, is_mirrored=True)


def test_a_game_without_a_mirror_has_no_mirrored_dataset(spec, arrays):
    plain = cf.GameSpec.from_json(spec.to_json() | {"state_swap": [], "state_flip": []})
    with pytest.raises(cf.DatasetError, match="symmetric two-player game"):
        cf.TrajectoryDataset(plain, arrays, is_mirrored=True)


def test_a_specification_is_required(arrays):
    with pytest.raises(cf.InvalidArgumentError, match="spec must be a GameSpec, got str"):
        cf.TrajectoryDataset("tiny", arrays)


@pytest.mark.parametrize(
    ("trajectories", "is_mirrored", "num_independent"),
    [([2, 3], True, 1), ([2, 3, 0, 1], True, 2), ([3, 2], False, 1), ([0, 1, 2], False, 2), ([0, 1, 0, 1], False, 1)],
)
def test_a_selection_knows_whether_it_is_mirrored(dataset, trajectories, is_mirrored, num_independent):
    selection = dataset.select(trajectories)
    assert (selection.is_mirrored, selection.num_independent_episodes) == (is_mirrored, num_independent)
    for place, trajectory in enumerate(trajectories):
        first, last = dataset.trajectory_offsets[trajectory : trajectory + 2]
        start = selection.trajectory_offsets[place]
        np.testing.assert_array_equal(selection.state[start : start + last - first], dataset.state[first:last])


@pytest.mark.parametrize("fraction", [0, 1, -0.1, float("nan")])
def test_a_split_needs_a_fraction(dataset, fraction):
    with pytest.raises(cf.InvalidArgumentError, match=r"fraction must lie in \(0, 1\)"):
        dataset.split(fraction, 0)


def test_a_split_needs_two_episodes(dataset):
    with pytest.raises(cf.InvalidArgumentError, match="two episodes or more"):
        dataset.select([0, 1]).split(0.5, 0)


def test_validation_takes_milliseconds():
    dataset = cf.generate_dataset(cf.load_game("generalized_bargaining"), num_trajectories=1000, seed=0)
    times = []
    for _ in range(3):
        start = time.process_time()
        dataset.validate()
        times.append(time.process_time() - start)
    assert min(times) < 0.2  # about 0.01 on a quiet machine


def test_masked_entries_and_what_is_no_array_are_refused(spec, arrays):
    for name in ("reward", "action", "trajectory_offsets"):
        masked = np.ma.array(arrays[name])
        masked[3] = np.ma.masked
        with pytest.raises(cf.DatasetError, match=f"^{name}: row 3 is masked"):
            cf.TrajectoryDataset(spec, arrays | {name: masked})
    whole = cf.TrajectoryDataset(spec, {name: np.ma.array(array) for name, array in arrays.items()})
    assert whole.fingerprint == cf.TrajectoryDataset(spec, arrays).fingerprint
    for wrong, message in (
        (None, "arrays must be a mapping"),
        ([1], "arrays must be a mapping"),
        ({3: 1}, "names of arrays must be text, got 3"),
        (arrays | {"state": [[1], [1, 2]]}, "state must be an array of numbers"),
        (arrays | {"x" * 10**6: np.zeros(3)}, "there is no array 'xxx"),
    ):
        with pytest.raises(cf.DatasetError, match=message) as error:
            cf.TrajectoryDataset(spec, wrong)
        assert len(str(error.value)) < 400


@pytest.mark.parametrize("chosen", [[4], [-1], [], [0.5], [[0]], "a", None, [True], [[0], [1, 2]]])
def test_only_trajectories_that_are_there_can_be_selected(dataset, chosen):
    with pytest.raises(cf.InvalidArgumentError, match="select: trajectories must"):
        dataset.select(chosen)


def test_folders_are_paths(dataset):
    for path in (3, None, "", ["a"]):
        with pytest.raises(cf.InvalidArgumentError, match="path must be a path"):
            dataset.save(path)
        with pytest.raises(cf.DatasetError, match="must be a path"):
            cf.TrajectoryDataset.load(path)
    for fraction in ("a", None, [0.5]):
        with pytest.raises(cf.InvalidArgumentError, match="split: fraction must lie in"):
            dataset.split(fraction, 1)
