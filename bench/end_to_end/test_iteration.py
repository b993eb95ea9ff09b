"""Where the time of a COffeE-PSRO iteration goes, at the paper's sizes: what is not arithmetic must stay small."""

from __future__ import annotations

import time

import pytest

import coffee_fast as cf
from coffee_fast.pipeline import RunConfig
from coffee_fast.psro import PSROConfig
from coffee_fast.seeding import derive_seed

NUM_ITERATIONS = 2


@pytest.fixture(scope="module")
def model():
    """A model of the paper's widths; how long it was trained changes no step's cost."""
    dataset = cf.generate_dataset(cf.load_game("generalized_bargaining"), num_trajectories=1000, seed=0)
    return cf.DynamicsEnsemble.fit(dataset, cf.EnsembleConfig(num_steps=1500, num_reward_steps=1500), seed=0)


def phases(result: cf.PSROResult, wall: float) -> dict[str, float]:
    """Seconds of all iterations together; `rest` is files and everything between."""
    seconds = [record.seconds for record in result.records]
    total = {part: sum(s.get(part, 0.0) for s in seconds) for part in ("response", "payoffs", "meta_solver")}
    learning = sum(s.get("learning_s", 0.0) for s in seconds)
    return {
        "learning_s": learning,
        "acting_s": total["response"] - learning,
        "payoff_table_s": total["payoffs"],
        "solver_s": total["meta_solver"],
        "rest_s": wall - sum(total.values()),
    }


@pytest.mark.slow
def test_iteration(benchmark, model, tmp_path):
    benchmark.group = f"{NUM_ITERATIONS} iterations of COffeE-PSRO at the paper's sizes, checkpoints written"
    paper = RunConfig.preset("paper").psro
    config = PSROConfig(
        num_iterations=NUM_ITERATIONS,
        num_simulations=paper.num_simulations,
        meta_solver=paper.meta_solver,
        objective=paper.objective,
        response=paper.response,
    )
    found = {}

    def run() -> None:
        start = time.perf_counter()
        result = cf.coffee_psro(model, config, seed=derive_seed(0, "bench"), run_dir=tmp_path / "run")
        found.update(phases(result, time.perf_counter() - start), result=result)

    benchmark.pedantic(run, rounds=1)
    result = found.pop("result")
    assert len(result.strategies[0]) == NUM_ITERATIONS + 1
    assert cf.psro.load_result(tmp_path / "run").fingerprint == result.fingerprint
    total = sum(found.values())
    benchmark.extra_info.update(found)
    benchmark.extra_info["share_of_rest"] = found["rest_s"] / total
    assert found["rest_s"] < 0.05 * total
