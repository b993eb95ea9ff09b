"""Robust Q-iteration by networks: their duals are the exact ones, on one-hot observations they are the tables."""

import numpy as np
import pytest
import torch
from tests.unit.tabular.test_game import ultimatum_log

import coffee_fast as cf
from coffee_fast.errors import DatasetError, InvalidArgumentError, NumericalError
from coffee_fast.regularized import network_rpq, robust_expectation, rpq
from coffee_fast.regularized.robust._torch_fitting import worth
from coffee_fast.regularized.robust.decisions import END, UNKNOWN, decisions_of
from coffee_fast.regularized.robust.fitting import Fear

DISCOUNT = 0.5
QUICK = {"hidden_sizes": (16,), "num_iterations": 9, "num_steps": 100, "batch_size": 128, "learning_rate": 0.02}
QUICK |= {"tolerance": 0.12, "discount": DISCOUNT}


@pytest.mark.parametrize(
    ("distance", "radius", "weight"),
    [
        *((distance, None, weight) for distance in ("total_variation", "kl", "chi_squared") for weight in (0.3, 2.0)),
        *((distance, 0.25, None) for distance in ("contamination", "total_variation")),
    ],
)
def test_the_best_dual_is_the_worst_expectation(distance, radius, weight):
    values, nominal = np.array([0.2, 1.0, -0.5, 0.7]), np.array([0.4, 0.3, 0.1, 0.2])
    fear, unit = Fear.of("test", distance, radius, weight, has_fail_state=False), 1.7
    grid = torch.linspace(-3.0, 3.0, 60_001, dtype=torch.float64)[:, None]
    following = torch.from_numpy(values / unit)
    found = worth(fear, unit, grid, following, float(values.min() / unit)) @ torch.from_numpy(nominal)[:, None]
    expected = robust_expectation(values, nominal, distance, radius=radius, weight=weight)
    assert unit * found.max().item() == pytest.approx(float(expected), abs=2e-4)


@pytest.fixture(scope="module")
def chain():
    """A log of one player that broke off, and the discounted game of its averages."""
    rng = np.random.default_rng(0)
    S, A, T = 3, 2, 800
    moves, rewards = rng.dirichlet(np.ones(S) * 0.6, size=(S, A)), rng.uniform(size=(S, A))
    state, action = np.zeros(T, dtype=int), rng.integers(A, size=T)
    for t in range(T - 1):
        state[t + 1] = rng.choice(S, p=moves[state[t], action[t]])
    counts = np.zeros((S, A, S))
    np.add.at(counts, (state[:-1], action[:-1], state[1:]), 1)
    log = {
        "observation": np.eye(S)[state],
        "action": action[:, None],
        "reward": rewards[state, action][:, None],
        "terminal": np.zeros(T),
        "trajectory": np.zeros(T),
    }
    game = cf.TabularGame(rewards[None, None], (counts / counts.sum(axis=-1, keepdims=True))[None], np.eye(S)[0])
    return log, game


def values_of(found, size):
    return found.policy.network.forward(np.eye(size, dtype=np.float32)).max(axis=1)


@pytest.mark.parametrize(
    ("distance", "weight"), [("total_variation", 0.08), ("kl", 0.05), ("kl", 1e5), ("chi_squared", 0.1)]
)
def test_on_one_hot_observations_it_is_the_table(chain, distance, weight):
    """Large weights: plain fitted iteration."""
    log, game = chain
    found = network_rpq(log, distance=distance, weight=weight, **QUICK)
    exact = rpq(game, distance=distance, weight=weight, discount=DISCOUNT)
    np.testing.assert_allclose(values_of(found, 3), exact.values[0, 0], atol=0.02)
    assert found.status == "converged"
    assert found.change < 0.02
    assert found.distance == distance
    # What is feared is far more than the tolerance.
    if weight < 1e5:
        plain = rpq(game, weight=1e6, discount=DISCOUNT)
        assert np.abs(plain.values - exact.values).max() > 0.025
    np.testing.assert_array_equal(found.policy.probabilities(np.eye(3), np.ones((3, 2))), exact.policies[0][0])


def test_slow_progress_is_no_convergence():
    """Values of 1 for ever at 0.99 grow by less and less for hundreds of iterations."""
    log = {"observation": np.zeros((40, 1)), "action": np.zeros((40, 1)), "reward": np.ones((40, 1))}
    log |= {"terminal": np.zeros(40), "trajectory": np.zeros(40)}
    few = {"hidden_sizes": (), "num_iterations": 30, "num_steps": 20, "batch_size": 8, "learning_rate": 0.1}
    found = network_rpq(log, discount=0.99, **few)
    assert found.value < 60.0
    assert found.status == "max_iterations"


def test_a_small_weight_leaves_the_worst_state(chain):
    log, game = chain
    found = network_rpq(log, weight=1e-6, **QUICK)
    exact = rpq(game, weight=1e-6, discount=DISCOUNT).values[0, 0]
    best = game.rewards[0, 0].max(axis=1)
    np.testing.assert_allclose(exact, best + DISCOUNT * best.min() / (1 - DISCOUNT), atol=1e-5)
    np.testing.assert_allclose(values_of(found, 3), exact, atol=0.02)
    failing = network_rpq(log, weight=1e-6, has_fail_state=True, **QUICK)
    np.testing.assert_allclose(values_of(failing, 3), best, atol=0.02)


def test_same_seed_same_bits_for_any_number_of_threads(chain):
    log, _ = chain
    few = QUICK | {"num_iterations": 2, "num_steps": 20}
    before = torch.get_num_threads()
    found = []
    try:
        for threads, seed in ((1, 3), (2, 3), (2, 4)):
            torch.set_num_threads(threads)
            found.append(network_rpq(log, distance="kl", weight=0.3, seed=seed, **few).policy.layers)
    finally:
        torch.set_num_threads(before)
    assert torch.get_num_threads() == before
    flat = [np.concatenate([part.ravel() for layer in layers for part in layer]) for layers in found]
    np.testing.assert_array_equal(flat[0], flat[1])
    assert (flat[0] != flat[2]).any()


def test_decisions_of_a_dataset_are_a_seats_own():
    log = ultimatum_log(30)
    for seat in range(2):
        decisions = decisions_of("test", log, seat)
        own = np.flatnonzero(log.acting_player == seat)
        np.testing.assert_array_equal(decisions.action, log.action[own])
        np.testing.assert_array_equal(decisions.observation, log.information_states()[own])
        assert (decisions.following == END).all()
        assert decisions.is_first.all()
        episode = np.repeat(np.arange(30), np.diff(log.trajectory_offsets))
        paid = np.bincount(episode, log.reward[:, seat])  # nothing is paid before the second moves
        np.testing.assert_allclose(decisions.reward, paid[episode[own]], atol=1e-6)
    both = decisions_of("test", log, (0, 1))
    assert len(both.action) == log.num_transitions
    assert (both.following[:30] == END).all()


def test_the_answer_plays_the_game_of_its_log():
    game = cf.load_game("generalized_bargaining")
    log = cf.generate_dataset(game, num_trajectories=30, seed=0)
    found = network_rpq(log, (0, 1), hidden_sizes=(8,), num_iterations=2, num_steps=20)
    assert (found.about, found.num_decisions) == ("the others as in 60 logged episodes", log.num_transitions)
    assert found.weight > 0.0
    assert cf.simulate(game, [found.policy, "uniform_random"], num_episodes=2, seed=0).returns.shape == (2, 2)


def test_episodes_that_broke_off_teach_all_but_what_followed():
    log = {
        "observation": np.zeros((5, 1, 1)),
        "action": [[0], [1], [0], [0], [1]],
        "reward": [[1.0], [2.0], [3.0], [4.0], [5.0]],
        "trajectory": [0, 0, 0, 1, 1],
        "terminal": [0, 0, 1, 0, 0],
    }
    decisions = decisions_of("test", log, 0)
    assert decisions.following.tolist() == [1, 2, END, 4, UNKNOWN]
    assert decisions.returns(0.5).tolist() == [1 + 0.5 * 3.5, 3.5, 3.0, 6.5, 5.0]
    assert decisions.known.tolist() == [0, 1, 2, 3]
    assert (decisions.reach(1.0), decisions.reach(0.9)) == (3.0, pytest.approx(10.0))


def test_actions_that_the_log_never_shows_are_not_played():
    log = {"observation": np.zeros((4, 1, 1)), "action": [[0], [2], [0], [2]], "reward": [[-9.0], [-5.0]] * 2}
    log["trajectory"] = range(4)
    found = network_rpq(log, **QUICK | {"num_steps": 60})
    assert found.policy.probabilities([[0.0]] * 2, [[1, 1, 1], [0, 1, 0]]).tolist() == [[0, 0, 1], [0, 1, 0]]
    np.testing.assert_allclose(
        found.policy.network.forward(np.zeros((1, 1), np.float32))[0, [0, 2]], [-9, -5], atol=0.1
    )
    assert found.value == pytest.approx(-5.0, abs=0.1)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"distance": "contamination"}, InvalidArgumentError, "network_rpq: distance must be one of"),
        ({"weight": 0.0}, InvalidArgumentError, "network_rpq: weight must be a finite number > 0, got 0"),
        ({"player": 1}, InvalidArgumentError, "network_rpq: player must be an integer >= 0 and <= 0, got 1"),
        ({"hidden_sizes": (0,)}, InvalidArgumentError, "network_rpq: hidden_sizes must be an integer >= 1"),
        ({"log": {"action": [[0]], "reward": [[1.0]]}}, DatasetError, "network_rpq: column 'observation' is missing"),
        ({"log": {"action": [[0]], "reward": [[1.0]], "observation": [1.0]}}, DatasetError, r"shape \[1, 1, D\]"),
        (
            {"log": {"action": [[0]], "reward": [[1.0]], "observation": [[1.0]], "terminal": [0]}},
            DatasetError,
            "must show what follows a decision",
        ),
        (
            {"log": {"action": [[0], [0]], "reward": [[1e300], [0]], "observation": [[1.0], [2.0]]}},
            NumericalError,
            "returns must be of a size that float32 holds",
        ),
    ],
)
def test_impossible_arguments_are_refused(chain, change, error, message):
    with pytest.raises(error, match=message):
        network_rpq(**{"log": chain[0]} | change)
