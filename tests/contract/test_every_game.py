"""From a log of any kind of game to a solution, its regret and players that act it out."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from tests.games import GAMES

import coffee_fast as cf
from coffee_fast.games import registry
from coffee_fast.pipeline import DatasetConfig, EvaluationConfig, RunConfig, run_pipeline

ORACLE = cf.DDQN(hidden_sizes=(8, 8), num_steps=300, replay_capacity=300, min_replay=100, epsilon_decay_steps=200)
PSRO = cf.PSROConfig(num_iterations=2, num_simulations=24, meta_solver=cf.meta_solvers.Replicator(), response=ORACLE)
ENSEMBLE = cf.EnsembleConfig(num_members=2, hidden_sizes=(16,), num_steps=150, num_reward_steps=150)


@pytest.fixture(scope="module", params=GAMES)
def game(request):
    return GAMES[request.param]()


@pytest.fixture(scope="module")
def dataset(game):
    return cf.generate_dataset(game, num_trajectories=120, seed=1)


@pytest.fixture(scope="module")
def model(dataset):
    return cf.DynamicsEnsemble.fit(dataset, ENSEMBLE, seed=2)


@pytest.fixture(scope="module")
def result(model):
    return cf.coffee_psro(model, PSRO, seed=3)


def test_random_play_is_the_same_for_any_number_of_threads(game):
    players = ["uniform_random"] * game.spec.num_players
    plays = [cf.simulate(game, players, num_episodes=300, seed=1, num_threads=n, record=True) for n in (1, 3)]
    np.testing.assert_array_equal(plays[0].returns, plays[1].returns)
    for name, array in plays[0].trajectories.items():
        np.testing.assert_array_equal(array, plays[1].trajectories[name], err_msg=name)
    assert (plays[0].lengths <= game.spec.max_episode_length).all()


def test_a_log_of_the_game_passes_its_own_check_and_survives_its_folder(game, dataset, tmp_path):
    assert dataset.spec == game.spec
    dataset.check().require_learnable("fit")
    dataset.save(tmp_path / "log")
    again = cf.TrajectoryDataset.load(tmp_path / "log")
    for name, array in dataset.arrays.items():
        np.testing.assert_array_equal(array, again.arrays[name], err_msg=name)


def test_the_model_plays_what_the_game_plays(game, model):
    spec = game.spec
    players = ["uniform_random"] * spec.num_players
    played = cf.simulate(model, players, num_episodes=200, seed=1, record=True)
    assert played.returns.shape == (200, spec.num_players)
    assert (played.lengths <= spec.max_episode_length).all()
    movers = played.trajectories["acting_player"]
    assert ((movers >= -1) & (movers < spec.num_players)).all()
    assert (movers == -1).any() == (spec.num_chance_actions > 0)


def test_a_model_survives_its_folder(game, model, tmp_path):
    model.save(tmp_path / "model")
    again = cf.DynamicsEnsemble.load(tmp_path / "model")
    assert again.fingerprint == model.fingerprint
    players = ["uniform_random"] * game.spec.num_players
    plays = [cf.simulate(m, players, num_episodes=50, seed=1).member_returns for m in (model, again)]
    np.testing.assert_array_equal(*plays)


def test_the_search_keeps_a_strategy_a_role_and_iteration(game, result):
    assert [len(own) for own in result.strategies] == [3] * game.spec.num_roles
    assert result.table.num_strategies == (3,) * game.spec.num_players
    assert result.table.is_complete
    assert all(record.model_regret.shape == (game.spec.num_players,) for record in result.records)


def test_an_interrupted_search_ends_with_the_same_bits(model, result, tmp_path):
    class Stop(Exception):
        pass

    def stop(phase, done, *_):
        if phase == "psro" and done == 1:
            raise Stop

    with pytest.raises(Stop):
        cf.coffee_psro(model, PSRO, 3, tmp_path / "run", progress=stop)
    again = cf.coffee_psro(model, PSRO, 3, tmp_path / "run", resume=True, num_threads=2)
    assert again.fingerprint == result.fingerprint


def test_the_solution_is_played_judged_and_kept(game, result, tmp_path):
    solution = result.solve()
    assert cf.simulate(game, solution, num_episodes=20, seed=1).returns.shape == (20, game.spec.num_players)
    report = cf.true_regret(game, solution, 5, response=ORACLE, num_simulations=40)
    assert report.regret.shape == (game.spec.num_players,)
    assert (report.regret >= 0).all()
    assert report.is_exact == isinstance(game, cf.GameTree)
    solution.save(tmp_path / "solution")
    again = cf.Solution.load(tmp_path / "solution")
    played = [cf.simulate(game, one, num_episodes=20, seed=1).returns for one in (solution, again)]
    np.testing.assert_array_equal(*played)


def test_exact_regret_is_the_estimated_one_up_to_noise(game, result):
    if not isinstance(game, cf.GameTree):
        pytest.skip("no tree")
    solution = result.solve()
    exact = cf.exact_regret(game, solution)
    np.testing.assert_allclose(cf.true_regret(game, solution, 5).regret, exact.regret)
    played = cf.simulate(game, solution, num_episodes=20_000, seed=2).returns
    error = played.std(axis=0) / np.sqrt(len(played))
    assert (np.abs(played.mean(axis=0) - exact.values) < 5 * error).all()


def test_responses_train_in_every_role(game):
    uniform = [cf.policies.as_mixture("uniform_random")] * game.spec.num_players
    for role in range(game.spec.num_roles):
        seats = tuple(game.spec.seats_of(role))
        options = {"seed": 1, "reward_scale": game.reward_scale, "player": seats}
        objective = cf.responses.ResponseObjective(0.0, 0.0)
        first, second = (ORACLE.respond(game, uniform, objective, **options) for _ in range(2))
        for ours, theirs in zip(first.policy.layers, second.policy.layers, strict=True):
            np.testing.assert_array_equal(ours[0], theirs[0])


def test_a_whole_run_ends_with_a_solution_and_its_regret(game, dataset, tmp_path, monkeypatch):
    config = RunConfig(
        dataset=DatasetConfig(),
        model=ENSEMBLE,
        psro=PSRO,
        evaluation=EvaluationConfig(num_simulations=20, response=dataclasses.replace(ORACLE, num_steps=350)),
        seed=7,
    )
    dataset.save(tmp_path / "log")
    monkeypatch.setitem(registry._FACTORIES, game.spec.name, lambda **_: game)  # as register_game does
    summary = run_pipeline(config, tmp_path / "run", tmp_path / "log")
    assert (tmp_path / "run" / "report.md").stat().st_size > 500
    assert summary.evaluation == "done"
    assert summary.final_sum_regret is not None
