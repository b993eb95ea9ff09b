"""Laws of mirroring and splitting: no play is lost, invented or torn from its mirror image."""

from __future__ import annotations

import functools
import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import coffee_fast as cf
from coffee_fast.data.dataset import ARRAYS
from coffee_fast.data.mirror import mirror_arrays

SEEDS = st.integers(0, 5)
NUM_TRAJECTORIES = st.sampled_from([2, 8, 30])


@functools.cache
def play(seed, num_trajectories, mirrored):
    game = cf.load_game("generalized_bargaining")
    return cf.generate_dataset(game, num_trajectories=num_trajectories, seed=seed, mirrored=mirrored)


def arrays_of(dataset):
    return {name: getattr(dataset, name) for name in ARRAYS if getattr(dataset, name) is not None}


def trajectories(dataset):
    """Each trajectory as bytes."""
    ends = dataset.trajectory_offsets
    names = [name for name in arrays_of(dataset) if name != "trajectory_offsets"]
    return [
        b"".join(getattr(dataset, name)[start:end].tobytes() for name in names)
        for start, end in itertools.pairwise(ends)
    ]


@given(SEEDS, NUM_TRAJECTORIES)
@settings(max_examples=15, deadline=None)
def test_the_mirror_image_of_the_mirror_image_is_the_play(seed, num_trajectories):
    dataset = play(seed, num_trajectories, mirrored=False)
    arrays = arrays_of(dataset)
    twice = mirror_arrays(dataset.spec, mirror_arrays(dataset.spec, arrays))
    for name, array in arrays.items():
        np.testing.assert_array_equal(twice[name], array)


@given(SEEDS, NUM_TRAJECTORIES)
@settings(max_examples=15, deadline=None)
def test_mirrored_play_is_fair_to_the_bit(seed, num_trajectories):
    dataset = play(seed, num_trajectories, mirrored=True)
    rewards = dataset.reward.astype(np.float64)
    assert sorted(rewards[:, 0]) == sorted(rewards[:, 1])
    assert dataset.num_independent_episodes == num_trajectories // 2


@given(SEEDS, NUM_TRAJECTORIES)
@settings(max_examples=10, deadline=None)
def test_mirroring_a_log_is_to_generate_it_mirrored(seed, num_trajectories):
    mirrored = play(seed, num_trajectories, mirrored=False).mirrored()
    assert mirrored.fingerprint == play(seed, 2 * num_trajectories, mirrored=True).fingerprint
    assert mirrored.num_independent_episodes == num_trajectories


@given(SEEDS, st.sampled_from([60, 120]), st.booleans())
@settings(max_examples=15, deadline=None)
def test_a_check_of_honest_play_or_of_part_of_it_finds_nothing(seed, num_trajectories, mirrored):
    dataset = play(seed, num_trajectories, mirrored)
    for log in (dataset, *dataset.split(0.5, seed)):
        assert log.check().findings == ()


@given(SEEDS, NUM_TRAJECTORIES.filter(lambda count: count > 2), st.floats(0.1, 0.9), st.integers(0, 100))
@settings(max_examples=40, deadline=None)
def test_a_split_loses_nothing_and_keeps_pairs_together(seed, num_trajectories, fraction, split_seed):
    dataset = play(seed, num_trajectories, mirrored=True)
    whole, parts = trajectories(dataset), [trajectories(part) for part in dataset.split(fraction, split_seed)]
    assert sorted(parts[0] + parts[1]) == sorted(whole)
    pair_of = {trajectory: index // 2 for index, trajectory in enumerate(whole)}
    pairs = [{pair_of[trajectory] for trajectory in part} for part in parts]
    assert not pairs[0] & pairs[1]
    assert [len(part) for part in parts] == [2 * len(pair) for pair in pairs]


@given(SEEDS, st.floats(0.1, 0.9), st.integers(0, 100))
@settings(max_examples=15, deadline=None)
def test_equal_seeds_split_alike(seed, fraction, split_seed):
    dataset = play(seed, 30, mirrored=True)
    first, second = ([trajectories(p) for p in dataset.split(fraction, split_seed)] for _ in range(2))
    assert first == second
