"""A tiny run: the bargaining game in the place of the model, and an oracle that learns nothing but is quick."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from tests.unit.scripted_games import scripted_game  # noqa: F401

import coffee_fast as cf
from coffee_fast.responses import Response, ResponseObjective


@dataclass(frozen=True)
class StubOracle:
    """Answers with a small random network and keeps what it was asked."""

    width: int = 3
    asked: list[dict[str, Any]] = field(default_factory=list, compare=False)

    def to_config(self) -> dict[str, Any]:
        return {"kind": "stub", "width": self.width}

    def respond(
        self,
        dynamics: Any,
        opponents: cf.Mixture,
        objective: ResponseObjective,
        *,
        seed: int,
        reward_scale: float,
        player: int = 0,
        progress: Any = None,
    ) -> Response:
        self.asked.append({"opponents": opponents, "objective": objective, "seed": seed, "reward_scale": reward_scale})
        rng = np.random.default_rng(seed)
        sizes = (dynamics.spec.information_state_size, self.width, dynamics.spec.num_actions)
        layers = tuple(
            (rng.normal(size=(outputs, inputs)).astype(np.float32), np.zeros(outputs, np.float32))
            for inputs, outputs in itertools.pairwise(sizes)
        )
        report = {"loss": float("nan"), "steps_per_second": rng.random(), "num_steps": 5.0}
        return Response(cf.NetworkPolicy(layers), report)


class GameAsModel:
    """The true game with the attributes of a model."""

    def __init__(self, fingerprint: str = "model") -> None:
        game = cf.load_game("generalized_bargaining")
        self.core, self.spec, self.fingerprint, self.reward_scale = game.core, game.spec, fingerprint, 4.5


@pytest.fixture
def model() -> GameAsModel:
    return GameAsModel()


@pytest.fixture
def config() -> cf.PSROConfig:
    return cf.PSROConfig(num_iterations=3, num_simulations=20, response=StubOracle())


@pytest.fixture(scope="session")
def tiny_model() -> cf.DynamicsEnsemble:
    """A fitted ensemble whose networks are far too small."""
    dataset = cf.generate_dataset(cf.load_game("generalized_bargaining"), num_trajectories=60, seed=1)
    sizes = {"num_members": 2, "hidden_sizes": (8, 8), "num_steps": 60, "num_reward_steps": 60}
    return cf.DynamicsEnsemble.fit(dataset, cf.EnsembleConfig(**sizes), seed=2)


@pytest.fixture(scope="session")
def tiny_ddqn() -> cf.DDQN:
    """A double DQN that is trained for a moment."""
    sizes = {"hidden_sizes": (8, 8), "num_steps": 300, "replay_capacity": 300, "min_replay": 100}
    return cf.DDQN(**sizes, epsilon_decay_steps=200, num_parallel_episodes=8)
