"""Simulators that play one episode at a time, many of them side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast.errors import InvalidGameError, shown
from coffee_fast.games.lane_random import LaneRandom
from coffee_fast.games.spec import GameSpec
from coffee_fast.typing import Float32, Float64, Int64

Bools = NDArray[np.bool_]
State = dict[str, NDArray[Any]]


class OneAtATime:
    """A vectorized simulator of objects that each play an episode; see :func:`coffee_fast.games.from_simulator`.

    ``row`` is the episode being asked, for messages.
    """

    def __init__(self, spec: GameSpec, make: Callable[[], Any]) -> None:
        self.spec, self.make, self.row = spec, make, 0
        if spec.num_chance_actions:
            self.chance_probabilities = self._chance_probabilities

    def reset(self, random: LaneRandom) -> State:
        count = len(random)
        episodes, seen = np.empty(count, dtype=object), self._no_observations(count)
        for row, seed in self._each(random.seeds()):
            episodes[row] = self.make()
            if not all(callable(getattr(episodes[row], name, None)) for name in ("reset", "step")):
                raise InvalidGameError(
                    f"the simulator's function must make an object with reset and step, got {shown(episodes[row])}"
                )
            seen[row] = self._observations("reset", episodes[row].reset(int(seed)))
        return {"episode": episodes, "observations": seen}

    def player(self, state: State) -> Int64:
        return np.array([self._player(episode) for _, episode in self._each(state["episode"])], dtype=np.int64)

    def legal_actions(self, state: State) -> Bools:
        spec = self.spec
        is_joint = spec.moves == "simultaneous"
        masks = np.zeros((len(state["episode"]), *((spec.num_players,) if is_joint else ()), spec.num_actions), bool)
        for row, episode in self._each(state["episode"]):
            if spec.num_chance_actions and self._player(episode) == -1:
                continue
            if is_joint and len(episode.legal_actions) != spec.num_players:
                raise InvalidGameError(
                    f"legal_actions must hold those of {spec.num_players} players, got {shown(episode.legal_actions)}"
                )
            for seat, legal in enumerate(episode.legal_actions if is_joint else [episode.legal_actions]):
                masks[(row, seat) if is_joint else row] = self._mask(legal)
        return masks

    def observe(self, state: State) -> Float32:
        return state["observations"]

    def step(self, state: State, actions: Int64, random: LaneRandom) -> tuple[State, Float64, Bools]:
        count = len(actions)
        seen, done = self._no_observations(count), np.zeros(count, dtype=bool)
        rewards = np.zeros((count, self.spec.num_players))
        for row, episode in self._each(state["episode"]):
            action = actions[row].tolist()
            is_joint = isinstance(action, list) and not (self.spec.num_chance_actions and self._player(episode) == -1)
            alone = action[0] if isinstance(action, list) else action
            result = episode.step(tuple(action) if is_joint else alone)
            if not isinstance(result, tuple) or len(result) != 3:
                raise InvalidGameError(f"step must return (observations, rewards, done), got {shown(result)}")
            seen[row] = self._observations("step", result[0])
            paid = _numbers(result[1])
            if paid is None or paid.shape != (self.spec.num_players,):
                raise InvalidGameError(
                    f"step must return {self.spec.num_players} rewards, one a player, got {shown(result[1])}"
                )
            if not isinstance(result[2], bool | np.bool_):
                raise InvalidGameError(f"step must say True or False for done, got {shown(result[2])}")
            rewards[row], done[row] = paid, result[2]
        return {"episode": state["episode"], "observations": seen}, rewards, done

    def _chance_probabilities(self, state: State) -> Float64:
        wanted = (self.spec.num_chance_actions,)
        rows = []
        for _, episode in self._each(state["episode"]):
            numbers = _numbers(episode.chance_probabilities)
            if numbers is None or numbers.shape != wanted:
                raise InvalidGameError(
                    f"chance_probabilities must be {wanted[0]} numbers, got {shown(episode.chance_probabilities)}"
                )
            rows.append(numbers)
        return np.array(rows).reshape(-1, *wanted)

    def _each(self, values: NDArray[Any]) -> Iterator[tuple[int, Any]]:
        for row, value in enumerate(values):
            self.row = row
            yield row, value

    def _player(self, episode: Any) -> int:
        player = episode.player
        if isinstance(player, bool) or not isinstance(player, int | np.integer):
            raise InvalidGameError(f"player must be a seat's number, got {shown(player)}")
        return int(player)

    def _no_observations(self, count: int) -> Float32:
        return np.zeros((count, self.spec.num_players, self.spec.observation_size), dtype=np.float32)

    def _observations(self, method: str, value: Any) -> Float64:
        wanted = (self.spec.num_players, self.spec.observation_size)
        numbers = _numbers(value)
        if numbers is None or numbers.shape != wanted:
            raise InvalidGameError(
                f"{method} must return the observations of all players, of shape {list(wanted)}, got {shown(value)}"
            )
        return numbers

    def _mask(self, legal: Any) -> Bools:
        """What a mask of booleans or a list of actions allows."""
        size, array = self.spec.num_actions, np.asarray(legal)
        if array.dtype == bool and array.shape == (size,):
            return array
        numbers = array if array.dtype.kind in "iu" and array.ndim == 1 else np.array([-1])
        if array.size and not ((numbers >= 0) & (numbers < size)).all():
            raise InvalidGameError(
                f"legal_actions must be actions in [0, {size}), or {size} booleans, got {shown(legal)}"
            )
        mask = np.zeros(size, dtype=bool)
        mask[numbers if array.size else []] = True
        return mask


def _numbers(value: Any) -> Float64 | None:
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        return None
