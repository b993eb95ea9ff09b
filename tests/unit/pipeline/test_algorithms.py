"""Whole runs of the other algorithms, several solvers at once, and datasets of equilibrium play."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.pipeline import judge, run_pipeline
from coffee_fast.pipeline.run import CACHE_VARIABLE
from coffee_fast.pipeline.stages import Variant, Workplace
from coffee_fast.psro import load_result
from coffee_fast.seeding import derive_seed

SOLVERS = (cf.meta_solvers.Replicator(), cf.meta_solvers.RobustReplicator())


@pytest.fixture(scope="session")
def two_solvers(tiny_run):
    return dataclasses.replace(tiny_run.evaluation, meta_solvers=SOLVERS, num_last_iterations=2)


@pytest.fixture(scope="session")
def mixed_run(tiny_run, two_solvers, tmp_path_factory):
    cloning = cf.BehaviorCloningConfig(hidden_sizes=(8,), num_steps=50)
    config = dataclasses.replace(
        tiny_run, algorithm="oef_bc", evaluation=two_solvers, behavior_cloning=cloning, cloning_weights=(0.0, 0.4)
    )
    folder = tmp_path_factory.mktemp("mixed") / "run"
    return config, folder, run_pipeline(config, folder)


def results(folder):
    return json.loads((folder / "results.json").read_text())


def test_every_weight_solver_and_iteration_has_its_regret(mixed_run):
    _, folder, summary = mixed_run
    entries = results(folder)["evaluation"]["regret"]
    told_apart = [(entry["cloning_weight"], entry["meta_solver"]["kind"], entry["iteration"]) for entry in entries]
    kinds = ("replicator", "robust_replicator")
    assert told_apart == [(weight, kind, i) for weight in (0.0, 0.4) for kind in kinds for i in (0, 1, 2)]
    for entry in entries:
        assert entry["algorithm"] == "oef_bc"
        for figure in ("sum_regret", "debiased_sum_regret"):
            assert isinstance(entry[figure], float)
        for error in ("sum_regret_standard_error", "debiased_sum_standard_error"):
            assert entry[error] >= 0
    assert (entries[0]["sum_regret"], entries[2]["sum_regret"]) == (
        summary.initial_sum_regret,
        summary.final_sum_regret,
    )
    report = (folder / "report.md").read_text()
    assert "Every solution of the last iteration" in report
    assert "| 0.4 | robust_replicator | 2 |" in report


def test_fidelity_and_coverage_are_those_of_the_variant(mixed_run):
    config, folder, _ = mixed_run
    found = results(folder)["evaluation"]
    told_apart = [(entry["cloning_weight"], entry["meta_solver"]["kind"]) for entry in found["coverage"]]
    assert told_apart == [(w, kind) for w in (0.0, 0.4) for kind in ("replicator", "robust_replicator")]
    game, variant = cf.load_game("generalized_bargaining"), load_result(folder / "mixed" / "0.4")
    dataset, model = cf.TrajectoryDataset.load(folder / "dataset"), cf.DynamicsEnsemble.load(folder / "model")
    seed = derive_seed(config.seed, "coverage")
    by_hand = cf.evaluation.play_near_log(game, dataset, variant.solve(SOLVERS[1]), seed).to_json()
    assert {name: found["coverage"][3][name] for name in by_hand} == by_hand
    by_hand = cf.evaluation.fidelity(
        game,
        variant,
        derive_seed(config.seed, "fidelity"),
        model=model,
        num_simulations=config.evaluation.num_simulations,
    ).to_json()
    assert {name: found["fidelity"][1][name] for name in by_hand} == by_hand
    report = (folder / "report.md").read_text()
    assert f"{found['coverage'][0]['share_of_actions']:.0%} lie as near to logged ones" in report
    assert "Asked about the ends of episodes in the true game" in report


def test_each_weight_is_that_of_its_strategies(mixed_run):
    _, folder, _ = mixed_run
    assert [entry.name for entry in (folder / "mixed").iterdir()] == ["0.4"]
    assert {strategy.weights for strategy in load_result(folder / "mixed" / "0.4").strategies[0]} == {(0.4, 0.6)}


def test_each_regret_is_that_of_its_solver_and_iteration(monkeypatch, tiny_run, two_solvers, model, config, tmp_path):
    """Reports that say which mixture they are of."""

    class Report:
        def __init__(self, mixture):
            self.mixture = mixture

        def to_json(self):
            return {"given": self.mixture.probabilities.tolist()}

    monkeypatch.setattr(judge, "true_regret", lambda game, mixtures, *_, **__: tuple(map(Report, mixtures)))
    monkeypatch.setattr(judge, "fidelity", lambda *_, **__: Report(cf.Mixture((cf.UniformRandom(),), [1.0])))
    result = cf.coffee_psro(model, config, seed=7)
    at = Workplace(tmp_path, dataclasses.replace(tiny_run, evaluation=two_solvers), tmp_path, 1, None)
    judge.evaluate(at, model.spec, [Variant(None, result)])
    entries = json.loads((tmp_path / judge.EVALUATION).read_text())["regret"]
    for entry in entries:
        solver = cf.meta_solvers.from_config(entry["meta_solver"])
        given = result.solution_at(entry["iteration"], solver).probabilities
        np.testing.assert_allclose(entry["given"], given, rtol=1e-12)
    assert entries[2]["given"] != entries[5]["given"]


def test_all_weights_come_from_one_run_of_oef(mixed_run, tiny_run, tmp_path):
    config, folder, _ = mixed_run
    alone = dataclasses.replace(tiny_run, algorithm="oef", evaluation=config.evaluation)
    run_pipeline(alone, tmp_path / "oef")
    same = [entry | {"algorithm": "", "cloning_weight": None} for entry in results(folder)["evaluation"]["regret"]]
    oef = [entry | {"algorithm": ""} for entry in results(tmp_path / "oef")["evaluation"]["regret"]]
    assert same[: len(oef)] == oef


def test_an_interrupted_mixture_goes_on_to_the_same_results(mixed_run, tmp_path):
    config, folder, _ = mixed_run

    class Interrupt(Exception):
        pass

    judged = tmp_path / "run" / "evaluation" / "judged_0.0.json"
    moments = [
        lambda phase, done: (phase, done) == ("clone behavior", 50),
        lambda phase, done: (phase, done) == ("oef_bc", 1),
        lambda phase, done: (phase, done) == ("best responses", 3),
        lambda phase, _: phase == "fidelity" and judged.exists(),
    ]
    for moment in moments:

        def stop(phase, done, *_, moment=moment):
            if moment(phase, done):
                raise Interrupt

        with pytest.raises(Interrupt):
            run_pipeline(config, tmp_path / "run", resume=True, progress=stop)
    told = []
    run_pipeline(config, tmp_path / "run", resume=True, progress=lambda *call: told.append(call[:2]))
    assert told.count(("evaluation", 2)) == 1  # the first weight was judged already
    assert results(tmp_path / "run")["evaluation"] == results(folder)["evaluation"]


def test_a_run_in_the_true_game_needs_neither_dataset_nor_model(tiny_run, tmp_path):
    config = dataclasses.replace(tiny_run, algorithm="online_psro")
    summary = run_pipeline(config, tmp_path / "run")
    assert summary.evaluation == "done"
    assert not {"dataset", "model"} & {entry.name for entry in (tmp_path / "run").iterdir()}
    found = results(tmp_path / "run")
    assert (found["dataset"], found["model"], found["evaluation"]["fidelity"]) == (None, None, [])
    assert [entry["iteration"] for entry in found["evaluation"]["regret"]] == [0, 2]
    assert "strategies were learned, one after the other, in the game" in (tmp_path / "run" / "report.md").read_text()
    log = cf.generate_dataset(cf.load_game("generalized_bargaining"), num_trajectories=20, seed=9)
    with pytest.raises(cf.InvalidArgumentError, match="online_psro learns from none"):
        run_pipeline(config, tmp_path / "other", log)


@pytest.mark.parametrize("place", ["argument", "variable", "sibling"])
def test_runs_learn_from_the_play_of_the_same_equilibria(tiny_run, tiny_ddqn, tmp_path, monkeypatch, place):
    equilibria = cf.EquilibriumConfig(num_profiles=2, num_iterations=1, num_simulations=20, response=tiny_ddqn)
    wanted = dataclasses.replace(tiny_run.dataset, behavior="equilibrium_mixture", equilibrium=equilibria)
    cache = tmp_path / ("cache" if place == "sibling" else "elsewhere")
    if place == "variable":
        monkeypatch.setenv(CACHE_VARIABLE, str(cache))

    class Enough(Exception):
        pass

    cards, told = [], []
    for seed in (1, 2):

        def progress(phase, *_):
            told.append(phase)
            if phase == "dataset":
                raise Enough

        config = dataclasses.replace(tiny_run, dataset=wanted, seed=seed)
        argument = {"cache_dir": cache} if place == "argument" else {}
        with pytest.raises(Enough):
            run_pipeline(config, tmp_path / f"run{seed}", progress=progress, **argument)
        cards.append(str(cf.TrajectoryDataset.load(tmp_path / f"run{seed}" / "dataset").describe()))
    assert cards[0] != cards[1]
    said = "2 profiles of online PSRO (1 iterations, ddqn, replicator, seed 0), one drawn each episode"
    assert all(said in card for card in cards)
    assert len([entry for entry in cache.iterdir() if (entry / "solution").exists()]) == 2
    assert told.count("psro") == 4  # the first run alone looked for them: the start and one iteration, twice
