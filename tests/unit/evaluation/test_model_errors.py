"""Model payoffs against true ones."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
from tests.unit.psro.test_roles import unlike
from tests.unit.psro.test_seats import ORACLE

import coffee_fast as cf
from coffee_fast.empirical import simulate_missing
from coffee_fast.evaluation import FidelityReport, fidelity
from coffee_fast.evaluation.model_errors import _payoffs
from coffee_fast.seeding import derive_seed

ROLES_CONFIG = cf.PSROConfig(num_iterations=1, num_simulations=60, response=ORACLE)


def test_a_perfect_model_errs_only_by_sampling(model, config):
    result = cf.coffee_psro(model, config, seed=3)
    report = fidelity(cf.load_game("generalized_bargaining"), result, 1, num_simulations=2000)
    assert report.profiles.tolist() == [[a, b] for b in range(4) for a in range(b + 1)]
    assert report.mean_disagreement == 0.0
    assert report.mean_utility_error < 3 * 5 / np.sqrt(20)
    assert np.isnan(report.correlation)
    again = FidelityReport.from_json(json.loads(json.dumps(report.to_json())))
    assert json.dumps(again.to_json()) == json.dumps(report.to_json())


def test_errors_are_those_of_the_two_tables(model, config):
    result = cf.coffee_psro(model, config, seed=3)
    report = fidelity(cf.load_game("generalized_bargaining"), result, 1, num_simulations=50)
    true = simulate_missing(cf.EmpiricalGame(1), model, result.strategies[0], 50, seed=derive_seed(1, "payoffs"))
    error = np.abs(true.table().payoffs(0) - result.table.payoffs(0))[0]
    expected = [(error[a, b] + error[b, a]) / 2 for a, b in report.profiles]
    np.testing.assert_allclose(report.utility_error, expected)
    other = cf.coffee_psro(model, config, seed=3)
    other.empirical_game.sums += 2.0 * 20  # every mean payoff of the model two higher
    shifted = fidelity(cf.load_game("generalized_bargaining"), other, 1, num_simulations=50)
    assert shifted.mean_utility_error == pytest.approx(2.0, abs=1.5)
    assert not np.allclose(shifted.utility_error, report.utility_error)


def test_reward_networks_are_asked_about_the_ends_of_true_play(tiny_model, config):
    game = cf.load_game("generalized_bargaining")
    result = cf.coffee_psro(tiny_model, config, seed=3)
    report = fidelity(game, result, 1, model=tiny_model, num_simulations=40)
    assert report.profiles[4].tolist() == [1, 2]
    figures = []
    for seated in ((1, 2), (2, 1)):
        players = [result.strategies[0][strategy] for strategy in seated]
        seed = derive_seed(1, "true_play", *seated)
        log = cf.simulate(game, players, num_episodes=20, seed=seed, record=True).trajectories
        errors, disagreements, predicted, true = [], [], [], []
        for end in log["trajectory_offsets"][1:] - 1:
            rewards, disagreement = tiny_model.core.rewards(log["state"][[end]], log["action"][[end]])
            true.append(log["reward"][end].astype(float))
            predicted.append(rewards[0].mean(axis=1))
            errors.append(np.abs(true[-1] - predicted[-1]).sum())
            disagreements.append(disagreement[0])
        distance = np.abs(np.mean(true, axis=0) - np.mean(predicted, axis=0)).mean()
        figures.append((np.mean(errors), np.mean(disagreements), distance))
    expected = np.mean(figures, axis=0)
    found = report.reward_error[4], report.reward_disagreement[4], report.reward_utility_error[4]
    np.testing.assert_allclose(found, expected)
    alone = fidelity(game, result, 1, num_simulations=40)
    assert alone.reward_error is None
    np.testing.assert_array_equal(alone.utility_error, report.utility_error)
    values = json.loads(json.dumps(report.to_json()))
    assert values["mean_reward_error"] == report.reward_error.mean()
    assert FidelityReport.from_json(values).to_json() == values


def test_of_roles_each_profile_has_its_figures(rng):
    """The model says one more to player 0, two more to player 1; both know the game else."""
    game = unlike()
    result = cf.coffee_psro(game, ROLES_CONFIG, seed=2)
    report = fidelity(game, result, 1, model=game, num_simulations=30)
    assert report.profiles.tolist() == result.empirical_game.profiles.tolist()
    assert report.mean_utility_error < 0.4
    assert report.reward_error.tolist() == [0.0] * 4
    result.empirical_game.sums += np.array([1.0, 2.0])[:, None] * result.empirical_game.counts[:, None, None]
    shifted = fidelity(game, result, 1, num_simulations=30)
    assert shifted.mean_utility_error == pytest.approx(1.5, abs=0.4)
    assert FidelityReport.from_json(shifted.to_json()).profiles.tolist() == report.profiles.tolist()
    with pytest.raises(cf.InvalidArgumentError, match=r"the roles of the run, \[1, 1\] seats, got \[2\]"):
        fidelity(cf.load_game("generalized_bargaining"), result, 1)
    with pytest.raises(cf.InvalidArgumentError, match="whose reward networks are asked.*leave it out for a tree"):
        fidelity(game, result, 1, model=cf.load_game("generalized_bargaining"), num_simulations=1)


@pytest.mark.parametrize(("rewards", "asked"), [("at_end", [1, 4]), ("every_step", [0, 1, 2, 3, 4])])
def test_reward_networks_are_asked_wherever_the_game_pays(rewards, asked):
    """Of every step that may pay, summed over an episode; else of its last step alone."""

    def predict(states, actions, players):
        np.testing.assert_array_equal(actions, asked)
        return np.stack([actions, -actions], axis=1)[:, :, None] * np.ones(3), actions / 10

    model = SimpleNamespace(spec=SimpleNamespace(rewards=rewards), core=SimpleNamespace(rewards=predict))
    log = {
        "trajectory_offsets": np.array([0, 2, 5]),
        "state": np.zeros((5, 1), np.float32),
        "action": np.arange(5, dtype=np.int32),
        "acting_player": np.zeros(5, np.int8),
        "reward": np.ones((5, 2), np.float32),
    }
    true, predicted, disagreement = _payoffs(model, log)
    sums = [1, 4] if rewards == "at_end" else [1, 9]
    np.testing.assert_array_equal(true[:, 0], [1, 1] if rewards == "at_end" else [2, 3])
    np.testing.assert_array_equal(predicted, np.stack([sums, np.negative(sums)], axis=1))
    np.testing.assert_allclose(disagreement, np.array(sums) / 10)
