"""Payoff estimates against the twin, which rolls out one profile at a time."""

from __future__ import annotations

import numpy as np
import pytest

from coffee_fast import _core, load_game
from coffee_fast._reference import empirical_game as twin
from coffee_fast.errors import InvalidArgumentError

NUM_EPISODES = 300  # more than one chunk of 256
PROFILES = [[0, 0], [0, 1], [1, 0], [2, 1]]


@pytest.fixture(scope="module")
def game():
    return load_game("generalized_bargaining").core


@pytest.fixture(scope="module")
def policies(game):
    rng = np.random.default_rng(0)
    shape = (game.num_actions, game.information_state_size)
    networks = [_core.Mlp([(rng.normal(size=shape).astype(np.float32), np.zeros(shape[0], np.float32))]) for _ in "ab"]
    return [_core.Policy.uniform_random(), *map(_core.Policy.greedy, networks)]


def estimate(game, policies, profiles, **options):
    return _core.estimate_payoffs(game, policies, np.array(profiles, np.int32), NUM_EPISODES, 11, **options)


def test_sums_are_the_twins(game, policies):
    def simulate(profile, key):
        players = [([policies[strategy]], [1.0]) for strategy in profile]
        return _core.rollout(game, players, NUM_EPISODES, seed=11, profile=key)

    actual, expected = estimate(game, policies, PROFILES), twin.estimate_payoffs(PROFILES, simulate)
    assert actual["count"] == NUM_EPISODES
    for name, sums in expected.items():
        np.testing.assert_allclose(actual[name], sums, rtol=1e-12, err_msg=name)
    assert actual["sum"].shape == (4, 2, 1)


@pytest.mark.parametrize("num_threads", [1, 2, 3])
def test_a_profile_has_the_same_bits_whatever_else_is_asked_for(game, policies, num_threads):
    together = estimate(game, policies, PROFILES, num_threads=num_threads)
    for index, profile in reversed(list(enumerate(PROFILES))):
        alone = estimate(game, policies, [profile])
        for name in ("sum", "sum_of_squares", "sum_of_lengths", "sum_of_disagreement"):
            np.testing.assert_array_equal(together[name][index], alone[name][0])


def test_profiles_draw_their_episodes_independently(game, policies):
    same_play = estimate(game, [policies[0]] * 2, [[0, 0], [0, 1], [1, 0]])["sum"]
    assert len(np.unique(same_play[:, 0, 0])) == 3


def test_errors_name_the_argument(game, policies):
    with pytest.raises(InvalidArgumentError, match=r"profiles must have shape \[P, 2\], got \[1, 3\]"):
        estimate(game, policies, [[0, 1, 2]])
    with pytest.raises(InvalidArgumentError, match=r"strategies in profiles must lie in \[0, 3\), got 3"):
        estimate(game, policies, [[0, 3]])
    for num_episodes in (0, 2**64 - 1):
        with pytest.raises(InvalidArgumentError, match=rf"num_episodes must lie in \[1, {2**40}\], got {num_episodes}"):
            _core.estimate_payoffs(game, policies, np.zeros((1, 2), np.int32), num_episodes, 11)
    with pytest.raises(TypeError):
        _core.estimate_payoffs(game, policies, np.zeros((1, 2), np.int64), 10, 11)
