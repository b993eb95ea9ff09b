"""A game or a model as an environment of PettingZoo."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pettingzoo

from coffee_fast.dynamics import Dynamics
from coffee_fast.environments.episodes import OVER, Episodes
from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.seeding import check_seed
from coffee_fast.typing import UInt8

MASK, SEEN = "action_mask", "observation"


class AsPettingZoo(pettingzoo.AECEnv):  # type: ignore[misc]  # PettingZoo says no types
    """See :func:`coffee_fast.environments.to_pettingzoo`."""

    def __init__(self, game: Dynamics) -> None:
        super().__init__()
        spec = game.spec
        self.game = game
        self.metadata = {"name": spec.name, "render_modes": [], "is_parallelizable": False}
        self.render_mode = None
        self.possible_agents = list(spec.player_names or (f"player_{seat}" for seat in range(spec.num_players)))
        self._seats = {agent: seat for seat, agent in enumerate(self.possible_agents)}
        seen = gymnasium.spaces.Box(-np.inf, np.inf, (spec.information_state_size,), np.float32)
        mask = gymnasium.spaces.Box(0, 1, (spec.num_actions,), np.int8)
        # One a player: who draws from a space draws from its own.
        self.observation_spaces = {
            agent: gymnasium.spaces.Dict({SEEN: seen, MASK: mask}) for agent in self.possible_agents
        }
        self.action_spaces = {agent: gymnasium.spaces.Discrete(spec.num_actions) for agent in self.possible_agents}
        self._episodes, self._is_new = Episodes(game, 1, 0), True
        self.agents: list[str] = []

    def observation_space(self, agent: str) -> Any:
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Any:
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Begin an episode: the first of a seed, or the next one where none is given."""
        if seed is not None:
            self._episodes = Episodes(self.game, 1, check_seed(seed))
        elif not self._is_new:
            self._episodes.begin([0])
        self._is_new = False
        self.agents = list(self.possible_agents)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self.infos: dict[str, dict[str, Any]] = {agent: {} for agent in self.agents}
        nothing = np.zeros(self.game.spec.information_state_size, np.float32)
        self._seen = dict.fromkeys(self.agents, nothing)
        self._mask: UInt8 = np.zeros(self.game.spec.num_actions, np.int8)
        paid = self._episodes.returns[0]  # by chance, before anybody moved
        self.rewards = {agent: float(paid[self._seats[agent]]) for agent in self.agents}
        self._cumulative_rewards = dict(self.rewards)
        self._look()

    def observe(self, agent: str) -> dict[str, Any]:
        """What a player knew when it was last on move, and what it may do if it is now."""
        is_mover = agent == self.agent_selection and not self.terminations.get(agent, True)
        mask = self._mask if is_mover else np.zeros_like(self._mask)
        return {SEEN: self._seen[agent].copy(), MASK: mask.copy()}

    def step(self, action: int | None) -> None:
        """Play an action of the player on move; ``None`` for whoever's episode is over."""
        if not self.agents:
            raise InvalidArgumentError("step: no episode goes on; call reset first")
        agent = self.agent_selection
        if self.terminations[agent] or self.truncations[agent]:
            self._was_dead_step(action)
            return
        if isinstance(action, bool) or not isinstance(action, int | np.integer):
            raise InvalidArgumentError(f"step: action must be a number of an action, got {shown(action)}")
        self._cumulative_rewards[agent] = 0.0
        paid, disagreement = self._episodes.step([int(action)])
        self.rewards = {other: float(paid[0, self._seats[other]]) for other in self.agents}
        self.infos = {other: {"disagreement": float(disagreement[0])} for other in self.agents}
        self._accumulate_rewards()
        self._look()

    def _look(self) -> None:
        """Take note of who is on move, and of what it knows."""
        seat = int(self._episodes.players[0])
        if seat == OVER:
            self.terminations = dict.fromkeys(self.agents, True)
            self.agent_selection = self.agents[0]
            return
        self.agent_selection = self.possible_agents[seat]
        self._seen[self.agent_selection] = self._episodes.information_states[0]
        self._mask = self._episodes.legal_masks[0].astype(np.int8)

    def render(self) -> None:
        """Show nothing."""

    def close(self) -> None:
        """Keep nothing open."""
