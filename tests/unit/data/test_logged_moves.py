"""Distances from some play to a log: to the nearest move of it, whoever made it."""

from __future__ import annotations

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.data.logged_moves import LoggedMoves


@pytest.fixture(scope="module", params=["generalized_bargaining", "openspiel:kuhn_poker"])
def dataset(request):
    return cf.generate_dataset(cf.load_game(request.param), num_trajectories=40, seed=1)


def moves(dataset):
    """Moves in deviations of their entries, and their trajectories, written out."""
    rows = [row for row, player in enumerate(dataset.acting_player) if player >= 0]
    vectors = dataset.spec.action_vectors[dataset.action[rows]]
    features = np.concatenate([dataset.state[rows], vectors], axis=1).astype(np.float64)
    deviations = np.array([deviation or 1.0 for deviation in features.std(axis=0)])
    lengths = np.diff(dataset.trajectory_offsets)
    return features / deviations, np.repeat(np.arange(len(lengths)), lengths)[rows]


def test_logged_moves_are_at_no_distance_and_others_at_that_of_the_nearest(dataset):
    logged, (features, _) = LoggedMoves.of(dataset), moves(dataset)
    rows = np.flatnonzero(dataset.acting_player >= 0)
    states, actions = dataset.state[rows], dataset.action[rows]
    np.testing.assert_array_equal(logged.distances(states, actions), 0.0)
    shifted = states.copy()
    shifted[:, 0] += 0.3
    met = np.concatenate([shifted, dataset.spec.action_vectors[actions]], axis=1) / logged.scale
    expected = np.linalg.norm(met[:, None] - features[None], axis=2).min(axis=1)
    np.testing.assert_allclose(logged.distances(shifted, actions), expected, rtol=1e-6, atol=1e-9)


def test_what_is_not_finite_is_far_from_everything(dataset):
    rows = np.flatnonzero(dataset.acting_player >= 0)[:3]
    states = dataset.state[rows].copy()
    states[1, 0], states[2, 0] = np.nan, np.inf
    np.testing.assert_array_equal(LoggedMoves.of(dataset).distances(states, dataset.action[rows]), [0, np.inf, np.inf])


def test_distances_within_are_to_moves_of_other_trajectories(dataset):
    features, owner = moves(dataset)
    apart = np.linalg.norm(features[:, None] - features[None], axis=2)
    expected = np.where(owner[:, None] == owner[None], np.inf, apart).min(axis=1)
    found = LoggedMoves.of(dataset).distances_within(len(owner), seed=3)
    np.testing.assert_allclose(np.sort(found), np.sort(expected), rtol=1e-9, atol=1e-9)


def test_fewer_moves_are_some_of_all(dataset):
    whole = LoggedMoves.of(dataset)
    some = whole.thinned(10, seed=2)
    assert {tuple(move) for move in some.moves} < {tuple(move) for move in whole.moves}
    assert len(some.moves) == 10
    rows = np.flatnonzero(dataset.acting_player >= 0)
    far = some.distances(dataset.state[rows], dataset.action[rows])
    assert (far == 0).sum() == len(some.owner) < len(rows)
    assert np.isfinite(some.distances_within(100, seed=1)).all()
    assert whole.thinned(len(whole.moves), seed=2) is whole
