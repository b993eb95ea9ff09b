"""Episodes are held to the twin's by test_policy_learner; here is what each seat's decisions are paid."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from tests.parity.test_actor import BargainingEpisode

from coffee_fast._reference.actor import choose_uniformly
from coffee_fast._reference.experience import ExperienceOptions, play_episode


@pytest.mark.parametrize("number", range(6))
def test_rewards_of_a_seat_are_its_return(number):
    options = ExperienceOptions(5, [[(0, 0, None), (1, 0, None)]], [([choose_uniformly], np.ones(1))] * 2)
    own, returns, _, _, _ = play_episode(BargainingEpisode, options, [choose_uniformly], number)
    for (seat, _, _), decisions in own.items():
        if decisions.actions:
            assert sum(decisions.rewards) == returns[seat]
            assert decisions.is_last == [0] * (len(decisions.actions) - 1) + [1]


def test_coverage_pays_nothing_and_seats_take_turns():
    options = ExperienceOptions(
        5,
        [[(0, 0, None), (1, 0, None)]],
        [([choose_uniformly], np.ones(1))] * 2,
        uncertainty_penalty=1.0,
        coverage_weight=1.0,
    )
    learning = []
    for number in range(4):
        own, _, _, is_coverage, _ = play_episode(BargainingEpisode, options, [choose_uniformly], number)
        assert is_coverage
        learning += [seat for seat, _, _ in own]
        for decisions in own.values():
            assert_allclose(decisions.rewards, 0.0)
    assert learning == [0, 1, 0, 1]


@pytest.mark.parametrize("number", range(6))
def test_an_adversary_is_paid_what_its_victim_loses(number):
    options = ExperienceOptions(5, [[(0, 0, None), (1, 1, 0)]], [([choose_uniformly], np.ones(1))] * 2)
    own, returns, _, _, _ = play_episode(BargainingEpisode, options, [choose_uniformly] * 2, number)
    decisions = own[1, 1, 0]
    if decisions.actions:
        assert sum(decisions.rewards) == -returns[0]
