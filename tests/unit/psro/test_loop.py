"""The loop: what is asked of whom, in which order, with which seeds."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.seeding import derive_seed


def test_strategy_zero_is_uniform_random_and_each_iteration_adds_one(model, config):
    result = cf.coffee_psro(model, config, seed=7)
    assert isinstance(result.strategies[0][0], cf.UniformRandom)
    assert len(result.strategies[0]) == 4
    assert [len(mixture) for mixture in result.exploration_mixtures] == [1, 2, 3, 4]
    assert [len(record.disagreement) for record in result.records] == [1, 2, 3, 4]
    assert result.status == "complete"
    assert result.num_iterations == 3


def test_every_profile_is_simulated_exactly_once(model, config):
    result = cf.coffee_psro(model, config, seed=7)
    assert result.empirical_game.counts.tolist() == [20] * 10
    assert not np.isnan(result.table.payoffs(0)).any()


def test_a_response_faces_the_previous_meta_strategy(model, config):
    result = cf.coffee_psro(model, config, seed=7)
    for iteration, asked in enumerate(config.response.asked, start=1):
        expected = cf.Mixture(result.strategies[0][:iteration], result.exploration_mixtures[iteration - 1])
        assert asked["opponents"].policies == expected.policies
        np.testing.assert_array_equal(asked["opponents"].probabilities, expected.probabilities)


def test_coverage_is_annealed_and_the_penalty_is_not(model, config):
    objective = cf.ConservativeObjective(uncertainty_penalty=3.0, coverage_weight=0.4, anneal_iterations=2)
    result = cf.coffee_psro(model, dataclasses.replace(config, objective=objective), seed=7)
    assert [a["objective"].coverage_weight for a in config.response.asked] == pytest.approx([0.4, 0.2, 0.0])
    assert [a["objective"].uncertainty_penalty for a in config.response.asked] == [3.0, 3.0, 3.0]
    assert result.records[0].objective == {}
    assert result.records[2].objective == {"uncertainty_penalty": 3.0, "coverage_weight": pytest.approx(0.2)}


def test_seeds_are_derived_from_purpose_and_iteration(model, config):
    cf.coffee_psro(model, config, seed=7)
    assert [a["seed"] for a in config.response.asked] == [derive_seed(7, "response", i) for i in (1, 2, 3)]
    assert {a["reward_scale"] for a in config.response.asked} == {model.reward_scale}


def test_a_longer_run_begins_like_a_shorter_one(model, config):
    short = cf.coffee_psro(model, dataclasses.replace(config, num_iterations=2), seed=7)
    long = cf.coffee_psro(model, config, seed=7)
    assert [r.to_json() for r in long.records[:3]] == [r.to_json() for r in short.records]


def test_the_result_depends_on_the_seed_alone(model, config):
    first, again = (cf.coffee_psro(model, config, seed=7) for _ in range(2))
    assert first.fingerprint == again.fingerprint
    assert cf.coffee_psro(model, config, seed=8).fingerprint != first.fingerprint
    assert cf.coffee_psro(model, config, seed=7, num_threads=2).fingerprint == first.fingerprint


def test_clock_figures_stay_out_of_the_fingerprint(model, config):
    record = cf.coffee_psro(model, config, seed=7).records[1]
    assert set(record.seconds) == {"response", "payoffs", "meta_solver", "steps_per_second"}
    assert set(record.response_report) == {"loss", "num_steps"}
    assert "seconds" not in record.to_json()


def test_progress_is_told_after_every_iteration(model, config):
    calls = []
    cf.coffee_psro(model, config, seed=7, progress=lambda *call: calls.append(call))
    assert [(phase, done, total) for phase, done, total, _ in calls] == [("psro", i, 3) for i in range(4)]
    assert set(calls[-1][3]) == {"model_regret", "disagreement"}


def test_a_table_that_would_be_too_large_is_refused_before_anything_is_trained(model, config):
    model.spec = dataclasses.replace(model.spec, num_players=8, roles=(1,) * 8, is_symmetric=False, state_swap=())
    with pytest.raises(cf.InvalidGameError, match=r"8 players with .* strategies make \d+ profiles, more than the"):
        cf.coffee_psro(model, dataclasses.replace(config, num_iterations=9), seed=7)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_iterations": 0}, "num_iterations must be an integer >= 1, got 0"),
        ({"num_simulations": 1.5}, "num_simulations must be an integer >= 1, got 1.5"),
        ({"num_iterations": True}, "num_iterations must be an integer >= 1, got True"),
        ({"meta_solver": "rd"}, r"meta_solver must be an object with a method solve\(...\), got 'rd'"),
        ({"response": cf.DDQN}, "response must be an object with a method respond"),
    ],
)
def test_impossible_configurations_are_refused(changes, message):
    with pytest.raises(cf.ConfigError, match=message):
        cf.PSROConfig(**changes)


def test_a_configuration_survives_json():
    config = cf.PSROConfig(num_iterations=5, meta_solver=cf.meta_solvers.Replicator(regret_threshold=1e-5))
    assert cf.PSROConfig.from_json(config.to_json()) == config
