"""What a log of a game must say about it so that a model of it can be learned and strategies be played."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from coffee_fast.errors import InvalidGameError
from coffee_fast.typing import Float32

_MOST = 2**31 - 1
_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, eq=False)
class GameSpec:
    """Sizes and layout of a game in which players move in turn.

    A player's information state is the part of its latest observation before ``history_start``, followed by the rest
    (what the last move showed) of its observations after the 1st, 2nd, ... move, zero padded to the longest episode.

    Attributes
    ----------
    name, parameters
        What :func:`coffee_fast.load_game` needs to build the true game; any name for a game known by its log alone.
    num_players, num_actions
        ``N`` and ``A``.
    action_vectors
        ``float32 [A, V]``: an action as the dynamics networks see it.
    state_size, observation_size
        ``D``, and ``O`` of one player.
    history_start
        First entry of an observation that describes the last move.
    max_episode_length
        Most actions, of all players, in an episode.
    is_symmetric
        Whether players are interchangeable, so that they can share strategies.
    terminal_state_value
        What fills the state after the last action.
    state_swap, state_flip
        Of a symmetric two-player game: the state with the players exchanged is ``state[state_swap]``, entries
        ``state_flip`` then replaced by one minus themselves. Empty where there is no such exchange.
    """

    name: str
    num_players: int
    num_actions: int
    action_vectors: Float32
    state_size: int
    observation_size: int
    history_start: int
    max_episode_length: int
    is_symmetric: bool = False
    terminal_state_value: float = -1.0
    state_swap: tuple[int, ...] = ()
    state_flip: tuple[int, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, least, most in (
            ("num_players", 1, 127),
            ("num_actions", 1, _MOST),
            ("state_size", 1, _MOST),
            ("observation_size", 1, _MOST),
            ("history_start", 0, _MOST),
            ("max_episode_length", 1, _MOST),
        ):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
                raise InvalidGameError(f"GameSpec: {name} must be an integer from {least} to {most}, got {value!r}")
        if self.history_start > self.observation_size:
            raise InvalidGameError(
                f"GameSpec: history_start must be at most observation_size ({self.observation_size}), "
                f"got {self.history_start}"
            )
        object.__setattr__(self, "action_vectors", _action_vectors(self.action_vectors, self.num_actions))
        self._check_symmetry()
        for name, kind, wanted in (
            ("name", str, "text"),
            ("parameters", Mapping, "a mapping"),
            ("is_symmetric", bool, "true or false"),
        ):
            if not isinstance(getattr(self, name), kind):
                raise InvalidGameError(f"GameSpec: {name} must be {wanted}, got {getattr(self, name)!r}")
        value = self.terminal_state_value
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _LARGEST:
            raise InvalidGameError(f"GameSpec: terminal_state_value must be a finite number, got {value!r}")

    def _check_symmetry(self) -> None:
        swap, flip = self.state_swap, self.state_flip
        if len(swap) and (len(swap) != self.state_size or sorted(swap) != list(range(self.state_size))):
            raise InvalidGameError(f"GameSpec: state_swap must be a permutation of 0 to {self.state_size - 1}")
        if len(flip) > self.state_size or not all(0 <= index < self.state_size for index in flip):
            raise InvalidGameError(f"GameSpec: state_flip must hold entries of the state, 0 to {self.state_size - 1}")

    @property
    def information_state_size(self) -> int:
        """``I = history_start + (O - history_start) * max_episode_length``."""
        return self.history_start + (self.observation_size - self.history_start) * self.max_episode_length

    def to_json(self) -> dict[str, Any]:
        """The specification as plain numbers, lists and strings."""
        return {
            "name": self.name,
            "parameters": dict(self.parameters),
            "num_players": self.num_players,
            "num_actions": self.num_actions,
            "action_vectors": self.action_vectors.tolist(),
            "state_size": self.state_size,
            "observation_size": self.observation_size,
            "history_start": self.history_start,
            "max_episode_length": self.max_episode_length,
            "is_symmetric": self.is_symmetric,
            "terminal_state_value": self.terminal_state_value,
            "state_swap": list(self.state_swap),
            "state_flip": list(self.state_flip),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> GameSpec:
        """The specification that :meth:`to_json` wrote; ``InvalidGameError`` where fields are missing or wrong."""
        try:
            arguments = dict(values)
            for name in ("state_swap", "state_flip"):
                arguments[name] = tuple(int(index) for index in arguments.get(name, ()))
            return cls(**arguments)
        except (TypeError, ValueError, OverflowError) as error:
            if isinstance(error, InvalidGameError):
                raise
            raise InvalidGameError(f"GameSpec: malformed specification: {error}") from None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GameSpec) and self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash((self.name, self.num_actions, self.state_size))


def _action_vectors(vectors: Any, num_actions: int) -> Float32:
    try:
        with np.errstate(over="ignore"):
            array = np.array(vectors, dtype=np.float32)
    except (TypeError, ValueError, OverflowError):
        raise InvalidGameError("GameSpec: action_vectors must be numbers, as many for every action") from None
    if array.ndim != 2 or len(array) != num_actions or not np.isfinite(array).all():
        raise InvalidGameError(
            f"GameSpec: action_vectors must be finite of shape [{num_actions}, V], got shape {list(array.shape)}"
        )
    array.flags.writeable = False
    return array
