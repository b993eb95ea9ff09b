"""Environments of PettingZoo as games."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from coffee_fast.checks import check_count, check_text
from coffee_fast.environments.exports import check_there
from coffee_fast.errors import InvalidArgumentError, InvalidGameError, shown
from coffee_fast.games import GameSpec, SimulatorGame, from_simulator
from coffee_fast.simulation import LARGEST_INT
from coffee_fast.typing import Float32

try:
    import gymnasium
    import pettingzoo
except ImportError:
    gymnasium = pettingzoo = None  # type: ignore[assignment]

MASK = "action_mask"


def from_pettingzoo(make: Callable[[], Any], *, name: str, max_episode_length: int) -> SimulatorGame:
    """Make a game of an environment of PettingZoo, in turns (AEC) or at once (parallel).

    Parameters
    ----------
    make
        Makes an environment; called once for each episode that goes on at the same time. It has finitely many actions,
        the same agents in all episodes, and observations of numbers. An ``action_mask``, in the observation or the
        info, says what is legal.
    name
        What the game is called.
    max_episode_length
        Most moves of an episode, each agent's counted.

    Returns
    -------
    SimulatorGame
        Players are the agents in the order of ``possible_agents``. An episode is over when no agent is left; one that
        is done before makes moves that change nothing where all move at once, and none where they take turns.

    Raises
    ------
    InvalidGameError
        For continuous actions or observations that are not numbers.
    InvalidArgumentError
        For something that makes no such environment, or if PettingZoo is not installed.

    Notes
    -----
    Same seed, same bits, as far as the environment keeps that promise for ``reset(seed=...)``. It plays as fast as the
    environment does. ``fingerprint`` tells environments apart by what ``make`` is.
    """
    check_there("from_pettingzoo")
    name = check_text("from_pettingzoo: name", name)
    length = check_count("from_pettingzoo: max_episode_length", max_episode_length, at_least=1, at_most=LARGEST_INT)
    if not callable(make):
        raise InvalidArgumentError(f"from_pettingzoo: make must be a function, got {shown(make)}")
    environment = make()
    is_joint, agents = _kind(environment)
    actions = [_num_actions(environment.action_space(agent), agent) for agent in agents]
    width = max(_flat_size(environment.observation_space(agent), agent) for agent in agents)
    choices = len(agents) * max(actions) if is_joint else 0
    spec = GameSpec(
        name=name,
        num_players=len(agents),
        num_actions=max(actions),
        action_vectors=np.eye(max(actions), dtype=np.float32),
        state_size=len(agents) * width + choices,
        observation_size=width,
        history_start=width,
        max_episode_length=length,
        player_names=tuple(map(str, agents)),
        moves="simultaneous" if is_joint else "turns",
        turn_order="predicted",
        rewards="every_step",
    )
    episode = _ParallelEpisode if is_joint else _EpisodeInTurn
    return from_simulator(spec, partial(episode, make, tuple(agents), width))


class _Episode:
    """One environment as an episode of :func:`coffee_fast.games.from_simulator`; agents are called by their seats."""

    def __init__(self, make: Callable[[], Any], agents: tuple[Any, ...], width: int) -> None:
        self.environment, self.agents, self.width = make(), agents, width

    def _padded(self, agent: Any, observation: Any) -> Float32:
        """What an agent sees, flat, and zeros where others see more; zeros alone once it is done."""
        row = np.zeros(self.width, np.float32)
        if observation is not None:
            space = _seen(self.environment.observation_space(agent))
            flat: Any = gymnasium.spaces.flatten(space, _without_mask(observation))
            row[: len(flat)] = flat
        return row

    def _legal(self, agent: Any, observation: Any, info: Any) -> list[int]:
        for holder in (observation, info):
            if isinstance(holder, dict) and holder.get(MASK) is not None:
                return np.flatnonzero(np.asarray(holder[MASK])).tolist()
        return list(range(int(self.environment.action_space(agent).n)))

    def _action(self, agent: Any, action: int) -> int:
        return action + int(self.environment.action_space(agent).start)


class _EpisodeInTurn(_Episode):
    """An AEC environment."""

    def reset(self, seed: int) -> list[Float32]:
        self.environment.reset(seed=seed)
        return self._observations()

    @property
    def player(self) -> int:
        return self.agents.index(self.environment.agent_selection)

    @property
    def legal_actions(self) -> list[int]:
        agent = self.environment.agent_selection
        return self._legal(agent, self.environment.observe(agent), self.environment.infos.get(agent))

    def step(self, action: int) -> tuple[list[Float32], list[float], bool]:
        environment, before = self.environment, set(self.environment.agents)
        environment.step(self._action(environment.agent_selection, action))
        rewards = [float(environment.rewards.get(agent, 0.0)) if agent in before else 0.0 for agent in self.agents]
        while environment.agents and self._is_done(environment.agent_selection):
            environment.step(None)  # as PettingZoo wants it of whoever is done
        return self._observations(), rewards, not environment.agents

    def _is_done(self, agent: Any) -> bool:
        return bool(self.environment.terminations[agent] or self.environment.truncations[agent])

    def _observations(self) -> list[Float32]:
        there = set(self.environment.agents)
        return [self._padded(a, self.environment.observe(a) if a in there else None) for a in self.agents]


class _ParallelEpisode(_Episode):
    """A parallel environment."""

    def reset(self, seed: int) -> list[Float32]:
        self.seen, self.infos = self.environment.reset(seed=seed)
        return self._observations()

    @property
    def legal_actions(self) -> list[list[int]]:
        there = set(self.environment.agents)
        return [self._legal(a, self.seen.get(a), self.infos.get(a)) if a in there else [0] for a in self.agents]

    def step(self, actions: Sequence[int]) -> tuple[list[Float32], list[float], bool]:
        there = set(self.environment.agents)
        chosen = {a: self._action(a, action) for a, action in zip(self.agents, actions, strict=True) if a in there}
        self.seen, rewards, _, _, self.infos = self.environment.step(chosen)
        return self._observations(), [float(rewards.get(a, 0.0)) for a in self.agents], not self.environment.agents

    def _observations(self) -> list[Float32]:
        return [self._padded(agent, self.seen.get(agent)) for agent in self.agents]


def _kind(environment: Any) -> tuple[bool, list[Any]]:
    """Whether all move at once, and the agents."""
    is_joint = isinstance(environment, pettingzoo.ParallelEnv)
    if not is_joint and not isinstance(environment, pettingzoo.AECEnv):
        raise InvalidArgumentError(
            f"from_pettingzoo: make must make an AECEnv or a ParallelEnv of PettingZoo, got {shown(environment)}"
        )
    agents = list(getattr(environment, "possible_agents", ()))
    if not agents:
        raise InvalidGameError("from_pettingzoo: the environment must say its possible_agents, got none")
    return is_joint, agents


def _num_actions(space: Any, agent: Any) -> int:
    if not isinstance(space, gymnasium.spaces.Discrete):
        raise InvalidGameError(
            f"from_pettingzoo: actions must be Discrete, of agent {shown(agent)} they are {shown(space)}; put "
            "continuous ones into levels, several into one number"
        )
    return int(space.n)


def _seen(space: Any) -> Any:
    """The space of what is seen, without the mask."""
    if not isinstance(space, gymnasium.spaces.Dict) or MASK not in space.spaces:
        return space
    return gymnasium.spaces.Dict({name: part for name, part in space.spaces.items() if name != MASK})


def _without_mask(observation: Any) -> Any:
    if not isinstance(observation, dict):
        return observation
    return {name: part for name, part in observation.items() if name != MASK}


def _flat_size(space: Any, agent: Any) -> int:
    try:
        return int(gymnasium.spaces.flatdim(_seen(space)))
    except (NotImplementedError, ValueError, TypeError):
        raise InvalidGameError(
            f"from_pettingzoo: observations must be numbers of a fixed size, of agent {shown(agent)} they are "
            f"{shown(space)}"
        ) from None
