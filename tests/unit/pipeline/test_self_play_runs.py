"""Whole runs of self-play: in the model, in the true game, and before COffeE-PSRO."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.pipeline import RunConfig, run_pipeline
from coffee_fast.psro import load_result
from coffee_fast.seeding import derive_seed


class Interrupt(Exception):
    """Stands for whatever ends a process."""


@pytest.fixture(scope="session")
def played_run(tiny_run, tiny_ddqn):
    sizes = {"hidden_sizes": (8,), "num_updates": 4, "num_episodes": 20, "num_snapshots": 2, "num_simulations": 40}
    return dataclasses.replace(
        tiny_run,
        algorithm="self_play",
        behavior_cloning=cf.BehaviorCloningConfig(hidden_sizes=(8,), num_steps=50),
        self_play=cf.SelfPlayConfig(**sizes, judge=tiny_ddqn),
    )


@pytest.fixture(scope="session")
def played(played_run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("played") / "run"
    return folder, run_pipeline(played_run, folder)


def evaluation(folder):
    return json.loads((folder / "results.json").read_text())["evaluation"]


def test_self_play_is_judged_and_told_like_any_other_run(played, played_run):
    folder, summary = played
    found = evaluation(folder)
    assert [(entry["meta_solver"], entry["iteration"]) for entry in found["regret"]] == [
        ({"kind": "self_play"}, 0),
        ({"kind": "self_play"}, 4),
    ]
    assert (found["regret"][1]["sum_regret"], summary.evaluation) == (summary.final_sum_regret, "done")
    assert 0.0 <= found["coverage"][0]["share_of_actions"] <= 1.0
    solution = cf.Solution.load(folder / "solution")
    assert found["solutions"][0]["model_regret"] == solution.model_regret.tolist()
    assert summary.model_regret == tuple(solution.model_regret)
    report = (folder / "report.md").read_text()
    for said in ("all players learned at once, inside a model", "## Self-play", "| chosen |", "self_play.png"):
        assert said in report
    for not_said in ("Iteration by iteration", "uniform random play | 100", "draws one strategy"):
        assert not_said not in report
    assert (folder / "self_play.png").exists()
    assert "self-play" in json.loads((folder / "seconds.json").read_text())


def test_the_solution_is_that_of_the_function(played, played_run):
    folder, _ = played
    model = cf.DynamicsEnsemble.load(folder / "model")
    by_hand = cf.anchored_self_play(model, played_run.self_play, derive_seed(played_run.seed, "self_play"))
    solution = cf.Solution.load(folder / "solution")
    np.testing.assert_array_equal(by_hand.history["returns"], solution.history["returns"])
    np.testing.assert_array_equal(by_hand.pessimistic_regret, solution.pessimistic_regret)


def test_an_interrupted_run_goes_on_to_the_same_results(played, played_run, tmp_path):
    moments = [("self-play", 3), ("best responses", 1), ("evaluation", 1)]
    for moment in moments:

        def stop(phase, done, *_, moment=moment):
            if (phase, done) == moment:
                raise Interrupt

        with pytest.raises(Interrupt):
            run_pipeline(played_run, tmp_path / "run", resume=True, progress=stop)
    run_pipeline(played_run, tmp_path / "run", resume=True)
    assert evaluation(tmp_path / "run") == evaluation(played[0])


def test_a_finished_run_is_no_other(played, played_run):
    other = dataclasses.replace(played_run, self_play=dataclasses.replace(played_run.self_play, clip=0.3))
    with pytest.raises(cf.CheckpointError, match="is another run: config.self_play.clip is 0.2 there and 0.3 here"):
        run_pipeline(other, played[0], resume=True)


def test_snapshots_are_the_first_strategies_of_psro(played, played_run, tmp_path):
    config = dataclasses.replace(played_run, algorithm="self_play_psro")
    config = dataclasses.replace(config, psro=dataclasses.replace(config.psro, num_iterations=3))
    run_pipeline(config, tmp_path / "run")
    result = load_result(tmp_path / "run" / "psro")
    model = cf.DynamicsEnsemble.load(tmp_path / "run" / "model")
    found = cf.self_play_snapshots(model, config.self_play, derive_seed(config.seed, "self_play"))
    for one, other in zip(result.strategies[0][1:3], found.by_role[0], strict=True):
        np.testing.assert_array_equal(one.layers[0][0], other.layers[0][0])
    entries = evaluation(tmp_path / "run")["regret"]
    assert [(entry["meta_solver"]["kind"], entry["iteration"]) for entry in entries] == [
        ("robust_replicator", 0),
        ("robust_replicator", 3),
    ]
    report = (tmp_path / "run" / "report.md").read_text()
    for said in ("1 strategy was learned, after 2 of self-play", "## Self-play", "## Iteration by iteration"):
        assert said in report


def test_self_play_in_the_true_game_needs_neither_dataset_nor_model(played_run, tmp_path):
    config = dataclasses.replace(played_run, algorithm="online_self_play")
    assert run_pipeline(config, tmp_path / "run").evaluation == "done"
    assert not {"dataset", "model", "psro"} & {entry.name for entry in (tmp_path / "run").iterdir()}
    assert "Online, all players learned at once, in the game" in (tmp_path / "run" / "report.md").read_text()
    log = cf.generate_dataset(cf.load_game("generalized_bargaining"), num_trajectories=20, seed=9)
    with pytest.raises(cf.InvalidArgumentError, match="online_self_play learns from none"):
        run_pipeline(config, tmp_path / "other", log)


def test_the_reference_may_be_cloned_from_the_log(played_run, tmp_path):
    wanted = dataclasses.replace(played_run.self_play, reference="cloned")
    run_pipeline(dataclasses.replace(played_run, self_play=wanted), tmp_path / "run")
    assert (tmp_path / "run" / "cloned_policy").exists()
    assert "each kept near the play of the log" in (tmp_path / "run" / "report.md").read_text()


def test_adversaries_are_told_of(played, played_run, tmp_path):
    wary = dataclasses.replace(played_run, self_play=dataclasses.replace(played_run.self_play, risk_aversion=1.0))
    run_pipeline(wary, tmp_path / "run")
    assert "Each player met adversaries in the others' places" in (tmp_path / "run" / "report.md").read_text()
    assert json.loads((tmp_path / "run" / "config.json").read_text())["config"]["self_play"]["risk_aversion"] == 1.0
    folder, _ = played
    assert "adversaries" not in (folder / "report.md").read_text()


def test_configurations_of_other_algorithms_say_nothing_of_self_play(tiny_run, played_run):
    for algorithm in ("coffee_psro", "oef", "oef_bc", "online_psro", "table"):
        assert "self_play" not in dataclasses.replace(tiny_run, algorithm=algorithm).to_json()
    assert RunConfig.from_json(json.loads(json.dumps(played_run.to_json()))) == played_run


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["self_play.clip=-1"], "self_play: .*clip must be a finite number > 0"),
        (["self_play.num_update=3"], "did you mean 'self_play.num_updates'"),
        (["self_play.judge=ppo"], "self_play.judge: .*kind must be one of"),
        (["algorithm=self_play_psro", "psro.num_iterations=2"], "num_snapshots must be at most psro.num_iterations 2"),
        (["algorithm=online_self_play", "self_play.reference=cloned"], "reference must be 'uniform' for online_self"),
        (["algorithm=online_self_play", "dataset.path=log"], "online_self_play learns from no dataset"),
    ],
)
def test_impossible_configurations_are_refused(overrides, message):
    with pytest.raises(cf.ConfigError, match=message):
        RunConfig().with_overrides(overrides)
