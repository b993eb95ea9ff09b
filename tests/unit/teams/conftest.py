"""Logs of small teams, and configurations for a second of learning."""

from __future__ import annotations

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.data import xor_log

BRIEF = {"hidden_sizes": (8,), "num_sweeps": 2, "num_value_steps": 4, "num_policy_steps": 4, "batch_size": 16}
BRIEF |= {"num_cloning_steps": 20, "num_judging_steps": 10}
ENOUGH = {"hidden_sizes": (16,), "num_sweeps": 8, "num_value_steps": 30, "num_policy_steps": 50, "batch_size": 64}
ENOUGH |= {"num_cloning_steps": 400, "num_judging_steps": 200, "learning_rate": 5e-3}


def dataset_of(log, num_states=1):
    """A log of rows ``state, action, reward, trajectory`` of a game of two actions in which all see the state."""
    size, num_players = log["action"].shape
    state = np.eye(num_states)[log.get("state", np.zeros(size, int))]
    episode = log.get("trajectory", np.arange(size))
    spec = cf.GameSpec(
        name="team",
        num_players=num_players,
        num_actions=2,
        action_vectors=np.eye(2),
        state_size=num_players * (num_states + 2),
        observation_size=num_states,
        history_start=num_states,
        max_episode_length=num_players * int(np.bincount(episode).max()),
        moves="simultaneous",
        rewards="every_step",
        roles=(1,) * num_players,
    )
    seen = np.repeat(state[:, None], num_players, axis=1)
    columns = {"action": log["action"], "reward": log["reward"], "trajectory": episode, "observation": seen}
    return cf.TrajectoryDataset.from_transitions(spec, columns)


def chain_log(num_episodes=400, seed=3):
    """A random stochastic game of three states, two players, two actions, that ends with a chance of a quarter."""
    rng = np.random.default_rng(seed)
    rewards, moves = rng.normal(size=(3, 2, 2)).round(1), rng.dirichlet(np.ones(3), size=(3, 2, 2))
    behavior = rng.dirichlet(np.ones(4), size=3)
    rows = []
    for episode in range(num_episodes):
        state, is_over = rng.integers(3), False
        while not is_over:
            first, second = divmod(rng.choice(4, p=behavior[state]), 2)
            is_over = rng.random() < 0.25
            rows.append((episode, state, first, second, rewards[state, first, second], is_over))
            state = rng.choice(3, p=moves[state, first, second])
    table = np.array(rows)
    whole = {name: table[:, place].astype(int) for place, name in ((0, "trajectory"), (1, "state"), (5, "terminal"))}
    return whole | {"action": table[:, 2:4].astype(int), "reward": np.repeat(table[:, 4:5], 2, axis=1)}


@pytest.fixture(scope="session")
def xor_dataset():
    return dataset_of(xor_log("c"))


@pytest.fixture(scope="session")
def brief_team(xor_dataset):
    return cf.learn_team(xor_dataset, cf.InSPOConfig(**BRIEF), seed=1)
