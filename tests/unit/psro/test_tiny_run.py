"""Real runs in a fitted model, with networks of a few units."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.empirical import simulate_missing
from coffee_fast.responses import ResponseObjective
from coffee_fast.seeding import derive_seed


@pytest.fixture
def tiny_config(tiny_ddqn):
    return cf.PSROConfig(num_iterations=2, num_simulations=30, response=tiny_ddqn)


def plain_offline_psro(model, config, seed):
    """Offline equilibrium finding, written down once more and without any conservative objective."""
    strategies, game = [cf.UniformRandom()], cf.EmpiricalGame(model.num_members)
    for iteration in range(config.num_iterations + 1):
        if iteration:
            opponents = cf.Mixture(tuple(strategies), mixture)  # noqa: F821 - of the iteration before
            seed_of_response = derive_seed(seed, "response", iteration)
            response = config.response.respond(
                model, opponents, ResponseObjective(), seed=seed_of_response, reward_scale=model.reward_scale
            )
            strategies.append(response.policy)
        game = simulate_missing(game, model, strategies, config.num_simulations, seed=derive_seed(seed, "payoffs"))
        mixture = config.meta_solver.solve(game.table()).mixtures[0]
    return strategies, mixture


@pytest.mark.parametrize(
    "solver",
    [
        cf.meta_solvers.Replicator(),
        cf.meta_solvers.RobustReplicator(),
        cf.meta_solvers.GANE(risk_aversion=0.5),
        cf.meta_solvers.GAMD(num_iterations=100),
        cf.meta_solvers.RQE(environment_risk_aversion=0.5),
    ],
)
def test_without_penalty_and_coverage_it_is_offline_equilibrium_finding_bit_for_bit(tiny_model, tiny_config, solver):
    plain = cf.ConservativeObjective(uncertainty_penalty=0.0, coverage_weight=0.0)
    config = dataclasses.replace(tiny_config, objective=plain, meta_solver=solver)
    result = cf.coffee_psro(tiny_model, config, seed=5)
    strategies, mixture = plain_offline_psro(tiny_model, config, 5)
    np.testing.assert_array_equal(result.exploration_mixtures[-1], mixture)
    for ours, theirs in zip(result.strategies[0][1:], strategies[1:], strict=True):
        for (weight, bias), (other_weight, other_bias) in zip(ours.layers, theirs.layers, strict=True):
            np.testing.assert_array_equal(weight, other_weight)
            np.testing.assert_array_equal(bias, other_bias)


def test_the_penalty_changes_what_is_learned(tiny_model, tiny_config):
    plain = cf.ConservativeObjective(uncertainty_penalty=0.0, coverage_weight=0.0)
    result = cf.coffee_psro(tiny_model, dataclasses.replace(tiny_config, objective=plain), seed=5)
    assert result.fingerprint != cf.coffee_psro(tiny_model, tiny_config, seed=5).fingerprint


def test_penalty_and_coverage_never_touch_the_payoffs(tiny_model, tiny_config):
    """The empirical game is of the model's rewards alone: entry {0, 0} is plain simulation."""
    result = cf.coffee_psro(tiny_model, tiny_config, seed=5)
    game = simulate_missing(cf.EmpiricalGame(2), tiny_model, [cf.UniformRandom()], 30, seed=derive_seed(5, "payoffs"))
    np.testing.assert_array_equal(result.table.payoffs(0)[:, :1, :1], game.table().payoffs(0))


@pytest.mark.parametrize("num_threads", [2, 3, 7])
def test_threads_change_no_bit(tiny_model, tiny_config, num_threads):
    one = cf.coffee_psro(tiny_model, tiny_config, seed=5)
    assert cf.coffee_psro(tiny_model, tiny_config, seed=5, num_threads=num_threads).fingerprint == one.fingerprint


def test_global_generators_are_neither_read_nor_moved(tiny_model, tiny_config):
    import random

    import torch

    expected = cf.coffee_psro(tiny_model, tiny_config, seed=5).fingerprint
    random.seed(1), np.random.seed(1), torch.manual_seed(1)  # noqa: NPY002
    states = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # noqa: NPY002
    assert cf.coffee_psro(tiny_model, tiny_config, seed=5).fingerprint == expected
    assert states == (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist())  # noqa: NPY002


def test_a_solution_of_the_model_is_judged_in_the_true_game(tiny_model, tiny_config, tiny_ddqn):
    result = cf.coffee_psro(tiny_model, tiny_config, seed=5)
    game = cf.load_game("generalized_bargaining")
    report = cf.true_regret(game, result.solve(), 1, response=tiny_ddqn, num_simulations=200)
    assert (report.regret >= 0).all()
    assert report.response_report["num_gradient_steps"] > 0
    assert not [name for name in report.response_report if name.endswith(("_s", "_per_second"))]
