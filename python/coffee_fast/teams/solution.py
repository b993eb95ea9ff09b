"""Policies of a team that were learned from its log, with what the log says of them."""

from __future__ import annotations
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal
import numpy as np
from coffee_fast.games import GameSpec
from coffee_fast.policies import Mixture, NetworkPolicy
from coffee_fast.teams.config import TeamConfig
from coffee_fast.typing import Float64


@dataclass(frozen=True, eq=False)
class TeamPolicies:
    policies: tuple[NetworkPolicy, ...]
    clones: tuple[NetworkPolicy, ...]
    spec: GameSpec
    config: TeamConfig
    expected_return: Float64
    logged_return: float
    gap: Float64
    divergence: float
    off_log_probability: float
    effective_sample_size: Float64
    status: str
    history: Mapping[str, Float64]
    num_episodes: tuple[int, int]

    @cached_property
    def mixtures(self) -> tuple[Mixture, ...]:
        return tuple(Mixture((policy,), np.ones(1)) for policy in self.policies)
