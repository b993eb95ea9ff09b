"""Hidden luck: kinds of what state and action leave open."""

from __future__ import annotations

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.models.hidden_luck import Luck, Outcomes
from coffee_fast.models.inputs import network_inputs
from coffee_fast.models.normalization import Normalizers


class Climb:
    """Two players in turn go up by 0 or 1 steps, and by luck that no event shows; the last height is paid."""

    def __init__(self, luck, *, length=4):
        self.luck, self.length = np.array(luck, dtype=float), length

    def reset(self, random):
        return {"move": np.zeros(len(random), int), "height": random.uniform()}

    def player(self, state):
        return state["move"] % 2

    def legal_actions(self, state):
        return np.ones((len(state["move"]), 2), dtype=bool)

    def observe(self, state):
        return np.repeat(np.stack([state["move"], state["height"]], axis=1)[:, None], 2, axis=1)

    def step(self, state, actions, random):
        height = state["height"] + actions + self.luck[random.integers(len(self.luck))]
        after = {"move": state["move"] + 1, "height": height}
        is_over = after["move"] == self.length
        paid = height * is_over
        return after, np.stack([paid, -paid], axis=1), is_over


def climb(luck, num_games=300, *, seed=0):
    spec = cf.GameSpec(
        "climb", 2, 2, np.eye(2), state_size=4, observation_size=2, history_start=2, max_episode_length=4
    )
    return cf.generate_dataset(cf.games.from_simulator(spec, Climb(luck)), num_trajectories=num_games, seed=seed)


def regression(dataset, normalizers, outcomes):
    """Least squares, which are exact here but for luck."""
    inputs = network_inputs(dataset, normalizers, draws=True).astype(np.float64)
    inputs = np.concatenate([inputs, np.ones((len(inputs), 1))], axis=1)
    predicted = np.zeros(outcomes.values.shape)
    for entry in range(predicted.shape[1]):
        rows = outcomes.shows[:, entry] > 0
        weights = np.linalg.lstsq(inputs[rows], outcomes.values[rows, entry], rcond=None)[0]
        predicted[:, entry] = inputs @ weights
    return predicted


def luck_of(dataset, num):
    normalizers = Normalizers.of(dataset, "per_dimension")
    outcomes = Outcomes.of(dataset, normalizers, None)
    predicted = regression(dataset, normalizers, outcomes)
    return Luck.of(dataset, outcomes, predicted, num, 1), outcomes, predicted


def drawn(dataset):
    """What luck was in each row: how much more than the action the height went up."""
    goes_on = dataset.terminal == 0
    height = np.where(goes_on, dataset.next_state[:, 1], dataset.reward[:, 0])
    return np.round((height - dataset.state[:, 1] - dataset.action) * 4).astype(int)


@pytest.mark.parametrize("luck", [[0.0, 1.0], [-0.5, 0.0, 2.0]])
def test_each_kind_is_one_outcome(luck):
    dataset = climb(luck)
    found, outcomes, predicted = luck_of(dataset, len(luck))
    codes = found.codes(dataset, outcomes, predicted)
    for rows in (dataset.terminal == 0, dataset.terminal != 0):
        pairs = np.unique(np.stack([codes[rows], drawn(dataset)[rows]]), axis=1)
        assert pairs.shape[1] == len(luck) == len(set(pairs[0])) == len(set(pairs[1]))
    assert found.is_used
    assert len(found.sentences) == 2
    assert all("explain 99%" in words or "explain 100%" in words for words in found.sentences)


def test_too_few_kinds_are_said_to_be_too_few():
    found, _, _ = luck_of(climb([0.0, 1.0, 2.0]), 2)
    assert all("try more chance_codes" in words for words in found.sentences)
    one, _, _ = luck_of(climb([0.0, 1.0]), 1)
    assert all("1 kind explains 0%" in words for words in one.sentences)


def test_a_log_without_luck_has_no_kinds():
    found, outcomes, predicted = luck_of(climb([0.0]), 2)
    assert not found.is_used
    assert "chance_codes=2 is not used" in found.sentences[0]
    assert (found.codes(climb([0.0]), outcomes, predicted) == 0).all()


def test_like_moves_with_like_outcomes_are_no_luck_however_bad_the_regression():
    log = cf.generate_dataset(cf.load_game("openspiel:kuhn_poker"), num_trajectories=200, seed=0)
    outcomes = Outcomes.of(log, Normalizers.of(log, "per_dimension"), None)
    found = Luck.of(log, outcomes, np.zeros(outcomes.values.shape), 2, 1)
    assert not found.is_used
    assert "like ones led to the same" in found.sentences[0]


def test_codes_are_of_the_seed_alone_and_none_where_nothing_was_seen():
    dataset = climb([0.0, 1.0], 40)
    cut = cf.TrajectoryDataset(
        dataset.spec,
        dataset.arrays
        | {
            "terminal": np.where(np.arange(len(dataset.action)) == 3, 0, dataset.terminal).astype(np.uint8),
            "truncated": np.arange(40) == 0,
            "reward": np.where(np.arange(len(dataset.action))[:, None] == 3, 0, dataset.reward).astype(np.float32),
        },
    )
    one, outcomes, predicted = luck_of(cut, 2)
    again, _, _ = luck_of(cut, 2)
    codes = one.codes(cut, outcomes, predicted)
    np.testing.assert_array_equal(codes, again.codes(cut, outcomes, predicted))
    assert np.flatnonzero(codes < 0).tolist() == [3]
