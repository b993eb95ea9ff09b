"""Batches of episodes from Python: shapes, what is refused, and play that can be worked out."""

from __future__ import annotations

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.errors import InvalidArgumentError

UNIFORM = ["uniform_random"] * 2


@pytest.fixture(scope="module")
def game():
    return cf.load_game("generalized_bargaining")


def always(action):
    """Plays `action` wherever it is legal, else the legal action of lowest number."""
    bias = -np.arange(109, dtype=np.float32)
    bias[action] = 1.0
    return cf.NetworkPolicy(((np.zeros((109, 41), np.float32), bias),))


def test_shapes_and_types(game):
    result = cf.simulate(game, UNIFORM, num_episodes=17, seed=0)
    assert (result.returns.shape, result.returns.dtype) == ((17, 2), np.float64)
    assert (result.member_returns.shape, result.member_returns.dtype) == ((17, 2, 1), np.float64)
    assert (result.lengths.shape, result.lengths.dtype) == ((17,), np.int32)
    assert (result.disagreement.shape, result.disagreement.dtype) == ((17,), np.float64)
    assert (result.strategies.shape, result.strategies.dtype) == ((17, 2), np.int32)
    assert result.trajectories is None


def test_who_accepts_at_once_gets_the_rest(game):
    """Both offer nothing for themselves first and then accept: the second to move gets the whole pool."""
    result = cf.simulate(game, [always(108)] * 2, num_episodes=200, seed=1, record=True)
    assert (result.lengths == 2).all()
    steps = result.trajectories
    first = steps["trajectory_offsets"][:-1]
    acceptor = 1 - steps["acting_player"][first]
    pools, episodes = steps["state"][first, 2:5], np.arange(200)
    valuations = steps["observation"][first, acceptor, 5:8]
    np.testing.assert_allclose(result.returns[episodes, acceptor], 0.99 * (pools * valuations).sum(1), rtol=1e-6)
    assert (result.returns[episodes, 1 - acceptor] == 0.0).all()


def test_who_never_accepts_gets_nothing(game):
    result = cf.simulate(game, [always(0)] * 2, num_episodes=50, seed=1)
    assert (result.lengths == 11).all()
    assert (result.returns == 0.0).all()


@pytest.mark.parametrize("name", ["num_episodes", "num_threads"])
@pytest.mark.parametrize("value", [-1, 1.5, "2", None, 2**40])
def test_impossible_counts(game, name, value):
    arguments = {"num_episodes": 3, "seed": 0, name: value}
    with pytest.raises(InvalidArgumentError, match=f"simulate: {name} must be an integer >= [01]"):
        cf.simulate(game, UNIFORM, **arguments)


def test_no_episodes_and_far_too_many_threads(game):
    with pytest.raises(InvalidArgumentError, match="num_episodes must be an integer >= 1, got 0"):
        cf.simulate(game, UNIFORM, num_episodes=0, seed=0)
    with pytest.raises(InvalidArgumentError, match=r"num_threads must lie in \[0, 1024\], got 1025"):
        cf.simulate(game, UNIFORM, num_episodes=1, seed=0, num_threads=1025)


@pytest.mark.parametrize("seed", [-1, 2**63, 0.5, True, None])
def test_impossible_seeds(game, seed):
    with pytest.raises(InvalidArgumentError, match="seed must"):
        cf.simulate(game, UNIFORM, num_episodes=1, seed=seed)


def test_what_is_no_game():
    with pytest.raises(InvalidArgumentError, match="dynamics must be a game or a DynamicsEnsemble, got 'gen"):
        cf.simulate("generalized_bargaining", UNIFORM, num_episodes=1, seed=0)


@pytest.mark.parametrize("policies", [UNIFORM[:1], UNIFORM * 2, "uniform_random"])
def test_wrong_numbers_of_policies(game, policies):
    with pytest.raises(InvalidArgumentError, match="one strategy a player, 2 in all"):
        cf.simulate(game, policies, num_episodes=1, seed=0)


@pytest.mark.parametrize(
    ("inputs", "outputs", "message"),
    [
        (40, 109, "must take information states of 41 features, got a network of 40 inputs"),
        (41, 108, "must have 109 outputs, one an action, got 108"),
    ],
)
def test_policies_of_another_game(game, inputs, outputs, message):
    policy = cf.NetworkPolicy(((np.zeros((outputs, inputs), np.float32), np.zeros(outputs, np.float32)),))
    for wrong in (policy, cf.PerStepMixture((policy,), (1.0,)), cf.Mixture((cf.UniformRandom(), policy), [1.0, 0.0])):
        with pytest.raises(InvalidArgumentError, match=message):
            cf.simulate(game, ["uniform_random", wrong], num_episodes=1, seed=0)


WRONG = [None, 1.5, "x" * 10**6, [], {}, -1, 10**30, 10**5000, float("nan"), object(), cf.UniformRandom()]


@pytest.mark.parametrize("value", WRONG, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("name", ["dynamics", "policies", "num_episodes", "seed", "num_threads", "record"])
def test_what_is_wrong_is_said_in_a_sentence(game, name, value):
    arguments = {"dynamics": game, "policies": UNIFORM, "num_episodes": 3, "seed": 0, name: value}
    with pytest.raises(cf.CoffeeError) as caught:
        cf.simulate(arguments.pop("dynamics"), arguments.pop("policies"), **arguments)
    assert len(str(caught.value)) < 500
