"""A small dataset and a model fitted to it for a moment."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import coffee_fast as cf


@pytest.fixture(scope="session")
def dataset():
    return cf.generate_dataset(cf.load_game("generalized_bargaining"), num_trajectories=60, seed=0)


@pytest.fixture(scope="session")
def config():
    return cf.EnsembleConfig(
        num_members=3,
        hidden_sizes=(16, 12),
        num_steps=60,
        num_reward_steps=40,
        learning_rate=3e-3,
        holdout_fraction=0.2,
    )


@pytest.fixture(scope="session")
def model(dataset, config):
    return cf.DynamicsEnsemble.fit(dataset, config, seed=4)


@pytest.fixture(scope="session")
def longer_log():
    return cf.generate_dataset(cf.load_game("generalized_bargaining"), num_trajectories=600, seed=0)


@pytest.fixture(scope="session")
def short_config():
    """For a fit of some seconds that shows the faults of the paper's model."""
    return cf.EnsembleConfig(
        num_members=1,
        hidden_sizes=(48, 48),
        num_steps=1200,
        num_reward_steps=50,
        learning_rate=2e-3,
        holdout_fraction=0.2,
    )


@pytest.fixture(scope="session")
def papers(longer_log, short_config):
    """The paper's model after a short fit."""
    return cf.DynamicsEnsemble.fit(longer_log, short_config, seed=2)


@pytest.fixture
def fit(dataset, config):
    """Fit the dataset with a few settings changed."""
    return lambda num_threads=1, **changes: cf.DynamicsEnsemble.fit(
        dataset, dataclasses.replace(config, **changes), seed=4, num_threads=num_threads
    )


@pytest.fixture(scope="session")
def toy_log():
    """Make a log of a game of four moves in turn among three numbers, arrays as people have them.

    After the second move a lamp goes on, or not: by a coin, or where the first number was not 0. The last player is
    paid for saying 2 if and only if it is on.
    """

    def make(num_games, *, is_random, is_continuous=False, **columns):
        rng = np.random.default_rng(0)
        rows = []
        for game in range(num_games):
            worth = rng.uniform(1, 2) if is_continuous else rng.choice([1.0, 2.0])
            actions, lamp = rng.integers(3, size=4), 0
            for move, action in enumerate(actions):
                last = actions[move - 1] if move else 0
                gain = 0.0 if move < 3 else worth * (1 if (action == 2) == lamp else -1)
                rows.append(
                    {
                        "trajectory": game,
                        "state": [move, last, lamp, actions[0] if move else 0, worth],
                        "observation": [[move, worth, last]] * 2,
                        "action": action,
                        "acting_player": move % 2,
                        "reward": [-gain, gain],
                    }
                )
                if move == 1:
                    lamp = int(rng.integers(2)) if is_random else int(actions[0] != 0)
        spec = cf.GameSpec(
            "lamp", 2, 3, np.eye(3), state_size=5, observation_size=3, history_start=2, max_episode_length=4
        )
        log = {name: np.array([row[name] for row in rows]) for name in rows[0]}
        log |= {name: change(log[name]) for name, change in columns.items()}
        return cf.TrajectoryDataset.from_transitions(spec, log, behavior="uniform_random")

    return make
