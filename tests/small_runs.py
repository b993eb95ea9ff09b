"""Whole runs that take a second or two, and what of their files the seed determines."""

from __future__ import annotations

import hashlib
from pathlib import Path

from coffee_fast.pipeline import RunConfig

SIZES = [
    "dataset.num_trajectories=60",
    "model.num_members=2",
    "model.hidden_sizes=[8, 8]",
    "model.num_steps=60",
    "model.num_reward_steps=60",
    "psro.num_iterations=3",
    "psro.num_simulations=30",
    "psro.response={hidden_sizes=[8, 8], num_steps=300, replay_capacity=300, min_replay=100, epsilon_decay_steps=200}",
    "evaluation.num_simulations=50",
    "evaluation.response={hidden_sizes=[8, 8], num_steps=300, replay_capacity=300, min_replay=100}",
]
SELF_PLAY_SIZES = [
    *SIZES[:5],
    *SIZES[-2:],
    "algorithm=self_play",
    "self_play.hidden_sizes=[8]",
    "self_play.num_updates=6",
    "self_play.num_episodes=30",
    "self_play.num_parallel_episodes=8",
    "self_play.batch_size=64",
    "self_play.num_snapshots=2",
    "self_play.num_simulations=40",
    'self_play.judge={kind="ddqn", hidden_sizes=[8], num_steps=300, replay_capacity=300, min_replay=100}',
]
PLAN_RESPONSE = (
    "{hidden_sizes = [8], num_steps = 300, replay_capacity = 300, min_replay = 100, num_parallel_episodes = 8}"
)
PLAN = f"""
name = "tiny"
[base]
dataset.num_trajectories = 60
model = {{num_members = 2, hidden_sizes = [8], num_steps = 60, num_reward_steps = 60}}
psro = {{num_simulations = 30, num_iterations = 2, response = {PLAN_RESPONSE}}}
evaluation = {{num_simulations = 50, response = {PLAN_RESPONSE}}}
[grid]
psro.meta_solver = [{{kind = "replicator", max_iterations = 100}}, {{kind = "uniform"}}]
"""
OF_THE_CLOCK = {"seconds.json", "results.json", "report.md", "report.html"}


def psro_run() -> RunConfig:
    """A run of COffeE-PSRO."""
    return RunConfig(seed=3).with_overrides(SIZES)


def self_play_run() -> RunConfig:
    """A run of self-play."""
    return RunConfig(seed=3).with_overrides(SELF_PLAY_SIZES)


def contents(folder: Path) -> dict[str, str]:
    """Return the sha256 of every file that the seed determines."""
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.name not in OF_THE_CLOCK
    }
