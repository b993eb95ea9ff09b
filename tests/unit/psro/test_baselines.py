"""OEF, OEF-BC and PSRO in the true game: what sets them apart from the main method, and what does not."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.psro import load_result
from coffee_fast.psro.baselines import game_fingerprint
from coffee_fast.responses import ResponseObjective


class Interrupt(Exception):
    """Stands for whatever ends a process."""


@pytest.fixture(scope="session")
def game():
    return cf.load_game("generalized_bargaining")


@pytest.fixture(scope="session")
def learned(game):
    """A model in which episodes end, some with a deal."""
    dataset = cf.generate_dataset(game, num_trajectories=300, seed=1)
    sizes = {"num_members": 2, "hidden_sizes": (64, 64), "num_steps": 2000, "num_reward_steps": 300}
    return cf.DynamicsEnsemble.fit(dataset, cf.EnsembleConfig(**sizes, learning_rate=5e-3), seed=2)


@pytest.fixture(scope="session")
def oef_config(tiny_ddqn):
    return cf.PSROConfig(num_iterations=2, num_simulations=400, response=tiny_ddqn)


@pytest.fixture(scope="session")
def oef_run(learned, oef_config):
    return cf.oef(learned, oef_config, seed=5)


@pytest.fixture(scope="session")
def cloned():
    rng = np.random.default_rng(3)
    layers = [(rng.normal(scale=0.1, size=(b, a)), np.zeros(b)) for a, b in itertools.pairwise((41, 8, 109))]
    return cf.NetworkPolicy(tuple(layers), kind="softmax")


def test_oef_is_the_main_method_without_penalty_and_coverage_to_the_bit(learned, oef_config, oef_run):
    plain = cf.ConservativeObjective(uncertainty_penalty=0, coverage_weight=0)
    same = cf.coffee_psro(learned, dataclasses.replace(oef_config, objective=plain), seed=5)
    conservative = cf.coffee_psro(learned, oef_config, seed=5)
    assert oef_run.fingerprint == same.fingerprint != conservative.fingerprint
    assert oef_run.table.payoffs(0).tobytes() == same.table.payoffs(0).tobytes()
    assert {tuple(record.objective.values()) for record in oef_run.records[1:]} == {(0.0, 0.0)}


def test_online_psro_plays_the_true_game_for_plain_returns(game, config):
    result = cf.online_psro(game, config, seed=7)
    assert result.model_fingerprint == game_fingerprint(game)
    assert {asked["objective"] for asked in config.response.asked} == {ResponseObjective(0.0, 0.0)}
    assert [asked["reward_scale"] for asked in config.response.asked] == pytest.approx([4.85] * 3, rel=0.05)
    assert result.table.num_members == 1
    assert all((record.disagreement == 0).all() for record in result.records)
    start = result.table.payoffs(0)[0, 0, 0]
    uniform = cf.simulate(game, ["uniform_random"] * 2, num_episodes=4000, seed=1).returns
    assert start == pytest.approx(uniform.mean(), abs=4 * uniform.std() / np.sqrt(2 * config.num_simulations))


def test_online_psro_resumes_and_knows_its_game(game, config, tmp_path):
    def stop(phase, done, *_):
        if done == 2:
            raise Interrupt

    whole = cf.online_psro(game, config, seed=7)
    with pytest.raises(Interrupt):
        cf.online_psro(game, config, 7, tmp_path / "run", progress=stop)
    other = cf.load_game("generalized_bargaining", discount=0.5)
    with pytest.raises(cf.CheckpointError, match="model_fingerprint"):
        cf.online_psro(other, config, 7, tmp_path / "run", resume=True)
    assert cf.online_psro(game, config, 7, tmp_path / "run", resume=True).fingerprint == whole.fingerprint
    assert load_result(tmp_path / "run").fingerprint == whole.fingerprint


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda config: cf.online_psro("bargaining", config, 0),
            "online_psro: game must be a game or a DynamicsEnsemble, got 'bargaining'",
        ),
        (
            lambda config: cf.online_psro(cf.load_game("generalized_bargaining"), {}, 0),
            "online_psro: config must be a PSROConfig, got {}",
        ),
    ],
)
def test_wrong_arguments_are_named(config, call, message):
    with pytest.raises(cf.InvalidArgumentError, match=message):
        call(config)


def test_weight_zero_is_oef(oef_run, learned, cloned):
    assert cf.oef_bc(oef_run, learned, cloned, 0).fingerprint == oef_run.fingerprint


def test_weight_one_makes_all_strategies_alike(oef_run, learned, cloned):
    mixed = cf.oef_bc(oef_run, learned, cloned, 1.0)
    payoffs, errors = mixed.table.payoffs(0).mean(axis=0), mixed.empirical_game.standard_errors()[0].mean(axis=0)
    assert (np.abs(payoffs - payoffs.mean()) < 4 * errors).all()
    assert np.ptp(oef_run.table.payoffs(0).mean(axis=0)) > 4 * errors.max()


def test_strategies_are_mixed_at_every_decision_and_their_game_is_simulated_anew(oef_run, learned, cloned):
    mixed = cf.oef_bc(oef_run, learned, cloned, 0.4)
    assert mixed.strategies[0][1] == cf.PerStepMixture((cloned, oef_run.strategies[0][1]), (0.4, 0.6))
    assert mixed.empirical_game.counts.tolist() == [400] * 6
    assert not np.array_equal(mixed.table.payoffs(0), oef_run.table.payoffs(0))
    solved = oef_run.config.meta_solver.solve(mixed.table)
    np.testing.assert_array_equal(mixed.records[-1].mixture, solved.mixtures[0])
    solution = mixed.solve(cf.meta_solvers.Replicator())
    np.testing.assert_array_equal(solution.table.payoffs(0), mixed.table.payoffs(0))
    assert solution.mixture.policies == mixed.strategies[0]


def test_oef_bc_resumes_and_tells_weights_apart(oef_run, learned, cloned, tmp_path):
    def stop(phase, done, *_):
        if done == 1:
            raise Interrupt

    whole = cf.oef_bc(oef_run, learned, cloned, 0.4)
    with pytest.raises(Interrupt):
        cf.oef_bc(oef_run, learned, cloned, 0.4, tmp_path / "run", progress=stop)
    with pytest.raises(cf.CheckpointError, match="is another run"):
        cf.oef_bc(oef_run, learned, cloned, 0.6, tmp_path / "run", resume=True)
    assert cf.oef_bc(oef_run, learned, cloned, 0.4, tmp_path / "run", resume=True).fingerprint == whole.fingerprint
    assert load_result(tmp_path / "run").fingerprint == whole.fingerprint


@pytest.mark.parametrize("weight", [-0.1, 1.1, "0.5", True, float("nan")])
def test_impossible_weights_are_refused(oef_run, learned, cloned, weight):
    with pytest.raises(cf.InvalidArgumentError, match="oef_bc: weight must be a finite number >= 0 and <= 1"):
        cf.oef_bc(oef_run, learned, cloned, weight)


def test_another_model_is_refused(oef_run, model, cloned):
    with pytest.raises(cf.InvalidArgumentError, match="model must be the one that result was made in"):
        cf.oef_bc(oef_run, model, cloned, 0.5)
