"""What every response oracle must do; a new oracle is one entry of CASES."""

import os
import signal
import threading
import time
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

import coffee_fast as cf
from coffee_fast.errors import InvalidArgumentError
from coffee_fast.policies import Mixture, NetworkPolicy, as_mixture
from coffee_fast.responses import DDQN, RPQ, DDQNTorch, PolicyGradient, ResponseObjective

SMALL = {
    "hidden_sizes": (32,),
    "num_steps": 8000,
    "replay_capacity": 8000,
    "min_replay": 200,
    "learning_rate": 3e-3,
    "target_period": 200,
    "epsilon_decay_steps": 12_000,
}
TINY = SMALL | {"num_steps": 600, "hidden_sizes": (8,)}
SMALL_UPDATES = {
    "hidden_sizes": (32,),
    "num_updates": 80,
    "num_episodes": 500,
    "batch_size": 64,
    "num_epochs": 4,
    "learning_rate": 1e-2,
    "learning_rate_end": 1e-3,
    "kl_weight": 0.02,
    "kl_weight_end": 0.001,
}
SMALL_ROUNDS = {
    "weight": 10.0,
    "num_rounds": 3,
    "num_episodes": 2000,
    "num_iterations": 4,
    "num_steps": 200,
    "hidden_sizes": (32,),
    "learning_rate": 1e-2,
}
TINY_ROUNDS = {"num_rounds": 2, "num_episodes": 150, "num_iterations": 2, "num_steps": 20, "hidden_sizes": (8,)}
TINY_UPDATES = {"hidden_sizes": (8,), "num_updates": 6, "num_episodes": 60}


class Case(NamedTuple):
    """An oracle that learns an easy game, one that hardly begins and one that does not end, and what they tell."""

    small: Any
    tiny: Any
    endless: Any
    num_steps: int  # of the tiny one, as progress counts them
    figures: set[str]


FIGURES = {"mean_return", "loss", "epsilon", "steps_per_s"}
CASES = {
    **{
        oracle.__name__: Case(oracle(**SMALL), oracle(**TINY), oracle(**SMALL | {"num_steps": 10**7}), 600, FIGURES)
        for oracle in (DDQN, DDQNTorch)
    },
    "PolicyGradient": Case(
        PolicyGradient(**SMALL_UPDATES),
        PolicyGradient(**TINY_UPDATES),
        PolicyGradient(num_updates=10**6, num_episodes=10_000),
        6,
        {"mean_return", "entropy", "value_error", "steps_per_s"},
    ),
    "RPQ": Case(
        RPQ(**SMALL_ROUNDS), RPQ(**TINY_ROUNDS), RPQ(**TINY_ROUNDS | {"num_rounds": 10_000}), 2, {"change", "residual"}
    ),
}
GAME = cf.load_game("generalized_bargaining")
PLAIN = ResponseObjective()


def accepts_anything():
    """Accepts every offer; on the first move, where there is none, it keeps nothing."""
    num_features, num_actions = GAME.spec.information_state_size, GAME.spec.num_actions
    bias = np.zeros(num_actions, np.float32)
    bias[GAME.accept_action] = 1.0
    return NetworkPolicy(((np.zeros((num_actions, num_features), np.float32), bias),))


def respond(oracle, opponents="uniform_random", objective=PLAIN, seed=1, **options):
    options = {"reward_scale": 5.0} | options
    return oracle.respond(GAME, as_mixture(opponents), objective, seed=seed, **options)


def assert_same_policy(first, second):
    for (weights, bias), (other_weights, other_bias) in zip(first.policy.layers, second.policy.layers, strict=True):
        np.testing.assert_array_equal(weights, other_weights)
        np.testing.assert_array_equal(bias, other_bias)


def differ(first, second):
    return not np.array_equal(first.policy.layers[0][0], second.policy.layers[0][0])


@pytest.fixture(params=CASES.values(), ids=CASES)
def case(request):
    return request.param


@pytest.mark.parametrize("player", [0, 1])
def test_learns_an_exact_best_response(case, player):
    """Against one who accepts anything the whole pool can be had: at once, or by accepting an offer of all of it."""
    response = respond(case.small, accepts_anything(), player=player)
    seats = [accepts_anything(), accepts_anything()]
    seats[player] = response.policy
    returns = cf.simulate(GAME, seats, num_episodes=4000, seed=5).returns[:, player]
    states = [GAME.core.new_state(seed=5, rollout=rollout) for rollout in range(4000)]
    best = 0.99 * np.mean([np.dot(state.pool, state.valuations[player]) for state in states])
    assert 0.98 * best <= returns.mean() <= best * (1 + 1e-9)


def test_returns_a_greedy_network_policy_and_finite_figures(case):
    response = respond(case.tiny)
    assert isinstance(response.policy, NetworkPolicy)
    assert response.policy.kind == "greedy"
    assert [weights.shape for weights, _ in response.policy.layers] == [(8, 41), (109, 8)]
    assert response.report["num_steps"] >= 300
    assert all(np.isfinite(value) for value in response.report.values())


def test_equal_arguments_give_equal_bits_and_other_seeds_others(case):
    first, second, other = (respond(case.tiny, seed=seed) for seed in (1, 1, 2))
    assert_same_policy(first, second)
    assert differ(first, other)


def test_a_plain_objective_is_no_penalty_and_no_coverage(case):
    """In a game without disagreement a penalty alone changes nothing either."""
    plain = respond(case.tiny)
    assert_same_policy(plain, respond(case.tiny, objective=ResponseObjective(0.0, 0.0)))
    assert_same_policy(plain, respond(case.tiny, objective=ResponseObjective(2.0, 0.0)))
    assert differ(plain, respond(case.tiny, objective=ResponseObjective(2.0, 0.5)))


def test_coverage_episodes_are_against_uniform_play_and_pay_nothing(case):
    """With coverage alone it does not matter who the opponents are, nor in which unit rewards are."""
    objective = ResponseObjective(uncertainty_penalty=1.0, coverage_weight=1.0)
    first = respond(case.tiny, "uniform_random", objective)
    assert_same_policy(first, respond(case.tiny, accepts_anything(), objective, reward_scale=1.0))
    assert differ(first, respond(case.tiny, "uniform_random"))


def test_opponents_are_drawn_by_their_probabilities(case):
    pair = (accepts_anything(), cf.UniformRandom())
    sure = respond(case.tiny, Mixture(pair, np.array([1.0, 0.0])))
    assert_same_policy(sure, respond(case.tiny, accepts_anything()))
    assert differ(sure, respond(case.tiny, Mixture(pair, np.array([0.5, 0.5]))))


def test_progress_counts_up_to_the_end(case):
    calls = []
    respond(case.tiny, progress=lambda *call: calls.append(call))
    assert {phase for phase, _, _, _ in calls} == {"response"}
    assert {total for _, _, total, _ in calls} == {case.num_steps}
    steps = [done for _, done, _, _ in calls]
    assert steps == sorted(set(steps))
    assert steps[-1] == case.num_steps
    assert case.figures <= set(calls[-1][3])


def test_ctrl_c_ends_it_soon(case):
    sent = []

    def interrupt():
        sent.append(time.process_time())
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(0.3, interrupt)
    num_threads = torch.get_num_threads()
    oracle = case.endless
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        respond(oracle)
    assert time.process_time() - sent[0] < 0.5  # of the processor; 0.2 as a rule
    assert torch.get_num_threads() == num_threads


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"reward_scale": 0.0}, "reward_scale must be a finite number > 0, got 0.0"),
        ({"player": 2}, "player must be an integer >= 0 and <= 1, got 2"),
        ({"seed": -1}, "seed must lie in"),
    ],
)
def test_impossible_arguments_are_refused(case, changes, message):
    with pytest.raises(InvalidArgumentError, match=message):
        respond(case.tiny, **changes)
