from __future__ import annotations

import pytest

import coffee_fast as cf


@pytest.fixture(scope="session")
def game():
    return cf.load_game("generalized_bargaining")


@pytest.fixture(scope="session")
def tiny(tiny_ddqn) -> cf.SelfPlayConfig:
    """Self-play of a moment."""
    sizes = {"hidden_sizes": (8,), "num_updates": 6, "num_episodes": 20, "num_parallel_episodes": 8, "batch_size": 64}
    return cf.SelfPlayConfig(**sizes, num_snapshots=2, num_simulations=40, judge=tiny_ddqn)
