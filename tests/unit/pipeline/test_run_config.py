"""Configurations: presets, TOML, single fields."""

from __future__ import annotations

import json

import pytest

import coffee_fast as cf
from coffee_fast.pipeline import RunConfig
from coffee_fast.pipeline.config import EvaluationConfig


def test_the_paper_preset_has_the_papers_sizes():
    config = RunConfig.preset("paper")
    assert (config.psro.num_iterations, config.psro.num_simulations) == (40, 1000)
    assert (config.model.num_members, config.model.hidden_sizes) == (4, (250, 250))
    assert (config.model.num_steps, config.model.num_reward_steps) == (10_000, 10_000)
    assert (config.model.batch_size, config.model.learning_rate) == (64, 3e-4)
    assert (config.model.history_source, config.model.holdout_fraction) == ("observations", 0.0)
    assert (config.model.disagreement, config.model.normalization) == ("max_deviation", "scalar")
    assert config.psro.meta_solver == cf.meta_solvers.RobustReplicator()
    assert config.psro.objective == cf.ConservativeObjective(2.0, 0.1, 10)
    for response in (config.psro.response, config.evaluation.response):
        assert (response.hidden_sizes, response.num_steps, response.replay_capacity) == ((200, 200), 200_000, 50_000)
        assert (response.batch_size, response.learning_rate, response.discount) == (64, 1e-4, 0.99)
        assert (response.target_period, response.learn_period, response.min_replay) == (1000, 2, 50_000)
        assert (response.epsilon_start, response.epsilon_end, response.epsilon_decay_steps) == (1.0, 0.02, 200_000)
    assert (config.dataset.num_trajectories, config.dataset.behavior) == (1000, "uniform_random")
    assert (config.evaluation.num_simulations, config.evaluation.num_last_iterations) == (1000, 5)


@pytest.mark.parametrize("name", ["demo", "quick"])
def test_the_small_presets_have_the_best_model_and_networks_of_the_papers_widths(name):
    config = RunConfig.preset(name)
    assert config.model == cf.EnsembleConfig.preset("best")
    assert config.psro.response.hidden_sizes == (200, 200)
    assert config.dataset.num_trajectories == 1000


@pytest.mark.parametrize("name", ["demo", "quick", "paper"])
def test_a_configuration_survives_json(name):
    config = RunConfig.preset(name)
    assert RunConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


def test_an_unknown_preset_is_refused():
    with pytest.raises(cf.ConfigError, match="preset must be one of demo, quick, paper, got 'papre'"):
        RunConfig.preset("papre")


def test_toml_reaches_into_every_part(tmp_path):
    file = tmp_path / "run.toml"
    file.write_text(
        """
        seed = 4
        algorithm = "oef_bc"
        cloning_weights = [0, 0.5]
        behavior_cloning = {num_steps = 300}
        [dataset]
        num_trajectories = 500
        behavior = "equilibrium_mixture"
        equilibrium = {num_profiles = 3, response = {num_steps = 70000}, meta_solver = {kind = "uniform"}}
        game_parameters = {discount = 1.0}
        [model]
        hidden_sizes = [32, 32]
        [psro]
        num_iterations = 7
        meta_solver = {kind = "replicator", regret_threshold = 1e-5}
        objective = {coverage_weight = 0.2}
        response = {num_steps = 60000}
        [evaluation]
        meta_solvers = [{kind = "robust_replicator"}, {kind = "replicator", regret_threshold = 1e-5}]
        """
    )
    config = RunConfig.preset("paper").with_toml(file)
    assert (config.seed, config.dataset.num_trajectories, config.psro.num_iterations) == (4, 500, 7)
    assert (config.algorithm, config.cloning_weights) == ("oef_bc", (0.0, 0.5))
    assert config.behavior_cloning == cf.BehaviorCloningConfig(num_steps=300)
    assert config.dataset.equilibrium.psro.num_iterations == 20
    assert config.dataset.equilibrium.response == cf.DDQN(num_steps=70_000)
    assert config.dataset.equilibrium.meta_solver == cf.meta_solvers.Uniform()
    assert RunConfig.from_json(json.loads(json.dumps(config.to_json()))) == config
    assert config.dataset.game_parameters == {"discount": 1.0}
    assert config.model.hidden_sizes == (32, 32)
    assert config.psro.meta_solver == cf.meta_solvers.Replicator(regret_threshold=1e-5)
    assert config.psro.objective == cf.ConservativeObjective(2.0, 0.2, 10)
    assert (config.psro.response.num_steps, config.psro.response.replay_capacity) == (60_000, 50_000)
    robust, plain = cf.meta_solvers.RobustReplicator(), cf.meta_solvers.Replicator(regret_threshold=1e-5)
    assert config.evaluation.meta_solvers == (robust, plain)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("psro.num_iteration=5", "no field 'psro.num_iteration'; did you mean 'psro.num_iterations'"),
        ("psro.num_iterations=many", "psro.num_iterations must be an integer, got 'many'"),
        ("psro.num_iterations=0", "num_iterations must be an integer >= 1, got 0"),
        ("psro.meta_solver.kind=nush", "did you mean 'nash'"),
        ("psro.response.kind=ppo", "kind must be one of ddqn, ddqn_torch, policy_gradient, rpq, got 'ppo'"),
        ("psro.objective.uncertainty_penalty=-1", "uncertainty_penalty must be a finite number >= 0"),
        ("evaluation.num_simulations=1", "num_simulations must be an integer >= 2"),
        ("evaluation.num_last_iterations=0", "num_last_iterations must be an integer >= 1"),
        ("dataset.num_trajectories=0", "num_trajectories must be an integer >= 1, got 0"),
        ("seed=-1", "seed must lie in"),
        (
            "algorithm=psro",
            "algorithm must be one of 'coffee_psro', .*, 'table', got 'psro'",
        ),
        ("cloning_weights=[0.2, 0.2]", r"cloning_weights must be different numbers in \[0, 1\]"),
        ("cloning_weights=[1.5]", r"cloning_weights must be a finite number >= 0 and <= 1, got 1.5"),
        ("behavior_cloning.num_stepz=3", "did you mean 'behavior_cloning.num_steps'"),
        ("dataset.equilibrium.num_profiles=0", "num_profiles must be an integer >= 1, got 0"),
        ("dataset.equilibrium.meta_solver.kind=nush", "did you mean 'nash'"),
        ("evaluation.meta_solvers=[3]", r"evaluation.meta_solvers\[0\] must be"),
        ('evaluation.meta_solvers=["nush"]', r"evaluation.meta_solvers\[0\]: .* did you mean 'nash'"),
        ("evaluation.meta_solvers=nash", r"must be a list of kinds or tables, as \['nash'\], got 'nash'"),
        ("psro.meta_solver=nush", "psro.meta_solver: .* did you mean 'nash'"),
        ("psro.response=ppo", "psro.response: .*kind must be one of ddqn, ddqn_torch, policy_gradient, rpq, got 'ppo'"),
        ("psro.objective=plain", "psro.objective: there is one kind of objective, 'conservative_objective'"),
        ("psro.objective={kind = 'plain'}", "psro.objective: there is one kind of objective"),
        ("psro.response.kind=[3]", "psro.response: .*kind must be one of"),
        ('evaluation.meta_solvers={kind="replicator"}', "evaluation.meta_solvers must be a list"),
        ('evaluation.meta_solvers=[{kind="uniform"}, {kind="uniform"}]', "meta_solvers must differ from each other"),
    ],
)
def test_impossible_fields_are_refused(override, message):
    with pytest.raises(cf.ConfigError, match=message):
        RunConfig().with_overrides([override])


BOTH = (cf.DDQN(num_steps=60_000), cf.PolicyGradient(num_updates=7))


def judged_by(override, response=BOTH):
    config = cf.RunConfig(evaluation=EvaluationConfig(response=response))
    return config.with_overrides([f"evaluation.response{override}"]).evaluation.response


def test_fields_without_a_kind_are_those_of_the_first_judge_and_a_kind_is_the_only_one():
    assert judged_by(".num_steps=70_000") == (cf.DDQN(num_steps=70_000), BOTH[1])
    assert judged_by("={num_steps=70_000}") == (cf.DDQN(num_steps=70_000), BOTH[1])
    assert judged_by("={kind='policy_gradient', num_episodes=9}") == cf.PolicyGradient(num_updates=7, num_episodes=9)
    assert judged_by("=policy_gradient") == cf.PolicyGradient()
    assert judged_by("=['ddqn']") == cf.DDQN()
    assert judged_by("=['ddqn', {kind='policy_gradient', num_updates=2}]", cf.DDQNTorch()) == (
        cf.DDQN(),
        cf.PolicyGradient(num_updates=2),
    )


@pytest.mark.parametrize("override", ["=[]", "=['ddqn', 'ddqn']", "=3", "=[3]", "=[['ddqn']]", "={num_updates=2}"])
def test_judges_that_are_none_are_refused(override):
    with pytest.raises(cf.ConfigError, match=r"evaluation.*response"):
        judged_by(override)


def test_one_judge_is_described_as_before_there_were_several():
    one, both = (EvaluationConfig(response=response) for response in (BOTH[:1], BOTH))
    assert cf.RunConfig(evaluation=one).to_json()["evaluation"]["response"] == BOTH[0].to_config()
    described = cf.RunConfig(evaluation=both).to_json()
    assert described["evaluation"]["response"] == [oracle.to_config() for oracle in BOTH]
    assert cf.RunConfig.from_json(json.loads(json.dumps(described))).evaluation == both
