"""What true games have in common."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from typing import Any

from coffee_fast import _core
from coffee_fast.games.spec import GameSpec

REWARD_SCALE_EPISODES = 2000


class TrueGame:
    """A game that is at hand itself: ``core`` and ``spec`` make it a :class:`coffee_fast.dynamics.Dynamics`."""

    core: Any
    spec: GameSpec

    @cached_property
    def fingerprint(self) -> str:
        """The sha256 (hex) of the specification, its parameters included."""
        return hashlib.sha256(json.dumps(self.spec.to_json(), sort_keys=True).encode()).hexdigest()

    @cached_property
    def reward_scale(self) -> float:
        """The standard deviation of payoffs in 2000 episodes of uniform random play; 1 where all are equal."""
        players = [([_core.Policy.uniform_random()], [1.0])] * self.spec.num_players
        played = _core.rollout(self.core, players, REWARD_SCALE_EPISODES, seed=0)
        return float(played["returns"].std()) or 1.0
