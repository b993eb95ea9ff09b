"""How much play lies where the log has data."""

from __future__ import annotations

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.evaluation import play_near_log


@pytest.fixture(scope="module")
def game():
    return cf.load_game("generalized_bargaining")


@pytest.fixture(scope="module")
def dataset(game):
    return cf.generate_dataset(game, num_trajectories=300, seed=1)


def narrow(game):
    """A policy that makes one and the same offer for ever."""
    sizes = game.spec.num_actions, game.spec.information_state_size
    bias = np.zeros(sizes[0], np.float32)
    bias[0] = 1.0
    return cf.Mixture([cf.NetworkPolicy(((np.zeros(sizes, np.float32), bias),))], [1.0])


def test_play_like_the_logs_is_covered_as_the_log_is(game, dataset):
    report = play_near_log(game, dataset, "uniform_random", 3, num_episodes=300)
    assert report.share_of_actions == pytest.approx(0.95, abs=0.06)
    assert report.share_of_episodes < report.share_of_actions
    assert report.mean_distance == pytest.approx(report.logged_distance, rel=0.1)


def test_play_unlike_the_logs_is_not(game, dataset):
    one_sided = cf.generate_dataset(game, behavior=narrow(game), num_trajectories=300, seed=1)
    assert play_near_log(game, one_sided, narrow(game), 3, num_episodes=100).share_of_actions > 0.85
    assert play_near_log(game, one_sided, "uniform_random", 3, num_episodes=100).share_of_actions < 0.5


def test_it_repeats_whatever_the_threads(game, dataset):
    reports = [play_near_log(game, dataset, "uniform_random", 3, num_episodes=50, num_threads=n) for n in (1, 2)]
    assert reports[0] == reports[1]
    assert reports[0] != play_near_log(game, dataset, "uniform_random", 4, num_episodes=50)


def test_a_log_of_one_trajectory_says_nothing(game, dataset):
    with pytest.raises(cf.InvalidArgumentError, match="two trajectories or more, got 1"):
        play_near_log(game, dataset.select(np.array([0])), "uniform_random", 3)
