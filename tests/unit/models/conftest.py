"""A small dataset and a model fitted to it for a moment."""

from __future__ import annotations

import dataclasses

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


@pytest.fixture
def fit(dataset, config):
    """Fit the dataset with a few settings changed."""
    return lambda num_threads=1, **changes: cf.DynamicsEnsemble.fit(
        dataset, dataclasses.replace(config, **changes), seed=4, num_threads=num_threads
    )
