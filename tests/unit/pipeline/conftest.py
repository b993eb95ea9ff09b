from __future__ import annotations

import dataclasses

import pytest

import coffee_fast as cf
from coffee_fast.pipeline import DatasetConfig, EvaluationConfig, RunConfig, run_pipeline


@pytest.fixture(scope="session")
def tiny_run(tiny_ddqn) -> RunConfig:
    """A whole run that takes a second or two."""
    return RunConfig(
        dataset=DatasetConfig(num_trajectories=60),
        model=cf.EnsembleConfig(num_members=2, hidden_sizes=(8, 8), num_steps=60, num_reward_steps=60),
        psro=cf.PSROConfig(num_iterations=2, num_simulations=30, response=tiny_ddqn),
        evaluation=EvaluationConfig(num_simulations=50, response=dataclasses.replace(tiny_ddqn, num_steps=350)),
        seed=11,
    )


@pytest.fixture(scope="session")
def finished(tiny_run, tmp_path_factory):
    """A finished run: its folder and summary."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    return folder, run_pipeline(tiny_run, folder)
