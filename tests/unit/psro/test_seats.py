"""A game of two moves, each seat's its own: what a seat is worth is no merit of who sits in it."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast import _core
from coffee_fast.empirical import simulate_missing
from coffee_fast.policies import as_mixture
from coffee_fast.responses import ResponseObjective, ResponseRequest

DDQN = {"hidden_sizes": (16,), "num_steps": 1500, "replay_capacity": 1500, "min_replay": 100, "learning_rate": 1e-2}
ORACLE = cf.DDQN(**DDQN, epsilon_decay_steps=1000, target_period=100, num_parallel_episodes=8)


class TwoMoves:
    """Player 0 moves first, always, and earns 2 by action 1; player 1 moves then and earns 1 by action 0.

    A learned model whose networks are written down: a state for the start and one after either first action, a hidden
    unit for each state and action.
    """

    fingerprint, reward_scale = "two moves", 1.0

    def __init__(self) -> None:
        pairs = list(itertools.product(range(3), range(2)))
        fires = np.zeros((6, 5), np.float32)
        change, rewards = np.zeros((3, 6), np.float32), np.zeros((2, 6), np.float32)
        for unit, (state, action) in enumerate(pairs):
            fires[unit, [state, 3 + action]] = 1.0
            change[:, unit] = np.eye(3)[1 + action] if state == 0 else -1.0
            change[state, unit] -= 1.0
            if state > 0:
                rewards[:, unit] = 2.0 * (state == 2), float(action == 0)
        hidden = (fires, np.full(6, -1.0, np.float32))
        # Both observe whether a move was made; of which nothing is told. All actions are legal.
        shared = np.zeros((6, 3), np.float32)
        shared[[0, 2], 1:] = 1.0
        ends = {"mean": np.zeros, "scale": np.ones}
        sizes = {"state": 3, "action": 2, "observation": 4}
        self.core = _core.DynamicsEnsemble(
            num_players=2,
            history_start=1,
            max_episode_length=2,
            terminal_state_value=-1.0,
            terminal_threshold=0.5,
            reward_scale=1.0,
            disagreement="max_deviation",
            history_source="observations",
            delta=[_core.Mlp([hidden, (change, np.zeros(3, np.float32))])],
            reward=[_core.Mlp([hidden, (rewards, np.zeros(2, np.float32))])],
            shared=_core.Mlp([(shared, np.array([0, 0, 0, 0, 1, 1], np.float32))]),
            action_vectors=np.eye(2, dtype=np.float32),
            initial_states=np.eye(3, dtype=np.float32)[:1],
            initial_observations=np.zeros((1, 4), np.float32),
            initial_legal_masks=np.ones((1, 2), np.uint8),
            initial_players=np.zeros(1, np.int32),
            **{f"{name}_{part}": make(sizes[name], np.float32) for name in sizes for part, make in ends.items()},
        )
        self.spec = cf.GameSpec("two moves", 2, 2, np.eye(2, dtype=np.float32), 3, 2, 1, 2, is_symmetric=True)


GAME = TwoMoves()


def plays(first, second):
    """The policy that plays ``first`` where it begins and ``second`` where it does not."""
    weights = np.zeros((2, 3), np.float32)
    weights[:, 0] = 2.0 * (np.eye(2)[second] - np.eye(2)[first])
    return cf.NetworkPolicy(((weights, np.eye(2, dtype=np.float32)[first]),))


STRATEGIES = {pair: plays(*pair) for pair in itertools.product(range(2), range(2))}


def worth(first, second):
    """Mean over the seats, whoever the other player is."""
    return (2.0 * (first == 1) + 1.0 * (second == 0)) / 2


def table(strategies, num_simulations=10, **options):
    game = simulate_missing(cf.EmpiricalGame(1), GAME, strategies, num_simulations, seed=1, **options)
    return game.table().payoffs(0)[0]


@pytest.mark.parametrize("order", list(itertools.permutations(STRATEGIES)))
def test_a_payoff_is_the_mean_over_the_seats_in_any_order_of_strategies(order):
    expected = np.repeat([[worth(*pair)] for pair in order], 4, axis=1)
    np.testing.assert_array_equal(table([STRATEGIES[pair] for pair in order]), expected)


@pytest.mark.parametrize(("num_simulations", "count"), [(1, 2), (2, 2), (7, 8), (600, 600)])
def test_seatings_are_of_equal_number(num_simulations, count):
    game = simulate_missing(cf.EmpiricalGame(1), GAME, list(STRATEGIES.values()), num_simulations, seed=1)
    assert game.counts.tolist() == [count] * 10
    np.testing.assert_array_equal(game.table().payoffs(0)[0][:, 0], [worth(*pair) for pair in STRATEGIES])


def test_threads_and_growing_change_no_bit():
    strategies = [cf.UniformRandom(), *STRATEGIES.values()]
    whole = table(strategies, 700)
    np.testing.assert_array_equal(table(strategies, 700, num_threads=3), whole)
    some = simulate_missing(cf.EmpiricalGame(1), GAME, strategies[:2], 700, seed=1)
    grown = simulate_missing(some, GAME, strategies, 700, seed=1)
    np.testing.assert_array_equal(grown.table().payoffs(0)[0], whole)


def test_what_moving_first_is_worth_is_not_hidden_from_regret():
    """Strategy 1 gains by what it does in seat 0, where a pair {0, 1} in one seating never has it."""
    payoffs = cf.PayoffTable.symmetric(table([plays(0, 0), plays(1, 0)]))
    np.testing.assert_array_equal(payoffs.regret([[1.0, 0.0]] * 2), [1.0, 1.0])


def test_a_response_without_a_seat_learns_to_play_both():
    request = ResponseRequest(ORACLE, GAME, as_mixture("uniform_random"), ResponseObjective(), 3, 1.0)
    response = request.train()
    np.testing.assert_array_equal(table([response.policy]), [[1.5]])
    assert response.report["num_steps"] < 1.1 * response.report["num_episodes"] < 1.2 * response.report["num_steps"]


def test_the_loop_finds_what_is_best_in_both_seats():
    config = cf.PSROConfig(num_iterations=1, num_simulations=200, response=ORACLE)
    solution = cf.coffee_psro(GAME, config, seed=2).solve()
    np.testing.assert_allclose(solution.probabilities, [0.0, 1.0], atol=0.01)
    assert solution.table.payoffs(0)[0, 1, 1] == 1.5


def test_the_regret_in_the_game_counts_both_seats():
    options = {"response": ORACLE, "num_simulations": 400}
    report = cf.true_regret(GAME, "uniform_random", 1, **options)
    np.testing.assert_allclose(report.regret, [0.75, 0.75], atol=0.15)  # 1 in seat 0, 1/2 in seat 1
    best = cf.true_regret(GAME, plays(1, 0), 1, **options)
    np.testing.assert_array_equal(best.regret, [0.0, 0.0])


def test_a_game_that_is_not_symmetric_needs_the_seat():
    game = TwoMoves()
    game.spec = dataclasses.replace(game.spec, is_symmetric=False)
    arguments = game, as_mixture("uniform_random"), ResponseObjective()
    with pytest.raises(cf.InvalidArgumentError, match=r"the learner's seat .* in \[0, 2\), .*, got None"):
        ORACLE.respond(*arguments, seed=1, reward_scale=1.0)
    first, second = (ORACLE.respond(*arguments, seed=1, reward_scale=1.0, player=seat) for seat in (0, 1))
    seats = [first.policy, second.policy]
    np.testing.assert_array_equal(cf.simulate(game, seats, num_episodes=5, seed=1).returns, [[2.0, 1.0]] * 5)
