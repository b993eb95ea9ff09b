"""A seat against given policies is worth in Gymnasium what it is worth here."""

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.environments import to_gymnasium
from coffee_fast.errors import InvalidArgumentError
from coffee_fast.policies import Mixture, NetworkPolicy, UniformRandom
from coffee_fast.responses._initial_weights import initial_layers

pytest.importorskip("gymnasium")


def greedy(spec, seed):
    return NetworkPolicy(initial_layers((spec.information_state_size, 8, spec.num_actions), seed, "torch"))


def returns_of(environment, policy, num_episodes, seed):
    """What the seat earns in as many episodes, by the greedy policy."""
    states, infos = environment.reset(seed=seed)
    earned, total = [], np.zeros(environment.num_envs)
    begins = np.zeros(environment.num_envs, bool)
    while len(earned) < num_episodes:
        logits = np.where(infos["action_mask"] != 0, policy.network.forward(states), -np.inf)
        states, rewards, is_over, _, infos = environment.step(logits.argmax(axis=1))
        assert (rewards[begins] == 0.0).all()  # the step after the end begins the next episode
        total += rewards
        earned += total[is_over].tolist()
        total[is_over] = 0.0
        begins = is_over
    return np.array(earned)


@pytest.mark.parametrize(("name", "player"), [("openspiel:leduc_poker", 1), ("generalized_bargaining", 0)])
def test_returns_are_those_of_a_simulation(name, player):
    game = cf.load_game(name)
    own, other = greedy(game.spec, 1), greedy(game.spec, 2)
    mixture = Mixture((other, UniformRandom()), np.array([0.25, 0.75]))
    environment = to_gymnasium(game, player, mixture, num_envs=200)
    found = returns_of(environment, own, 4000, seed=3)
    seats = [mixture, mixture]
    seats[player] = own
    wanted = cf.simulate(game, seats, num_episodes=20_000, seed=0).returns[:, player]
    error = np.hypot(found.std() / np.sqrt(len(found)), wanted.std() / np.sqrt(len(wanted)))
    assert abs(found.mean() - wanted.mean()) < 4 * error


def test_a_seed_is_an_episode_and_none_the_next():
    game = cf.load_game("openspiel:kuhn_poker")
    one, two = (to_gymnasium(game, 1, "uniform_random", num_envs=8) for _ in range(2))
    for environment in (one, two):
        environment.reset(seed=4)
    for _ in range(5):
        first, second = (environment.step(np.zeros(8, int)) for environment in (one, two))
        np.testing.assert_array_equal(first[0], second[0])
        np.testing.assert_array_equal(first[1], second[1])
    again, _ = one.reset(seed=4)
    other, _ = one.reset()
    assert not np.array_equal(again, other)


def test_what_does_not_fit_is_refused():
    game = cf.load_game("openspiel:kuhn_poker")
    with pytest.raises(InvalidArgumentError, match="player must be an integer >= 0 and <= 1"):
        to_gymnasium(game, 2, "uniform_random", num_envs=2)
    environment = to_gymnasium(game, 0, "uniform_random", num_envs=2)
    environment.reset(seed=0)
    with pytest.raises(InvalidArgumentError, match="actions must be legal, got 7"):
        environment.step([0, 7])
