"""What a log of a game must say about it so that a model of it can be learned and strategies be played."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from coffee_fast.checks import check_count, check_flag, check_number, check_text
from coffee_fast.errors import InvalidGameError, shown
from coffee_fast.typing import Float32

_MOST = 2**31 - 1
_LARGEST = float(np.finfo(np.float32).max)
_COUNTS = {
    "num_players": 1,
    "num_actions": 1,
    "state_size": 1,
    "observation_size": 1,
    "history_start": 0,
    "max_episode_length": 1,
}


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
        for name, least in _COUNTS.items():
            self._set(name, _count(name, getattr(self, name), least))
        if self.history_start > self.observation_size:
            raise InvalidGameError(
                f"GameSpec: history_start must be at most observation_size ({self.observation_size}), "
                f"got {self.history_start}"
            )
        self._set("action_vectors", _action_vectors(self.action_vectors, self.num_actions))
        self._set("name", check_text("GameSpec: name", self.name, error=InvalidGameError))
        self._set("is_symmetric", check_flag("GameSpec: is_symmetric", self.is_symmetric, error=InvalidGameError))
        value = check_number(
            "GameSpec: terminal_state_value",
            self.terminal_state_value,
            at_least=-_LARGEST,
            at_most=_LARGEST,
            error=InvalidGameError,
        )
        self._set("terminal_state_value", value)
        self._set("parameters", _parameters(self.parameters))
        for name in ("state_swap", "state_flip"):
            self._set(name, _entries(name, getattr(self, name), self.state_size))
        self._check_symmetry()

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def _check_symmetry(self) -> None:
        swap, flip = self.state_swap, set(self.state_flip)
        if not swap:
            return
        if sorted(swap) != list(range(self.state_size)):
            raise InvalidGameError(f"GameSpec: state_swap must be a permutation of 0 to {self.state_size - 1}")
        for entry, other in enumerate(swap):
            if swap[other] != entry or (entry in flip) != (other in flip):
                raise InvalidGameError(
                    "GameSpec: state_swap and state_flip must give the state back when players are exchanged twice, "
                    f"which they do not for entry {entry}"
                )

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
            return cls(**values)
        except TypeError as error:  # a field is missing or unknown
            raise InvalidGameError(f"GameSpec: malformed specification: {str(error)[:200]}") from None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GameSpec) and self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash((self.name, self.num_actions, self.state_size))


def _count(name: str, value: Any, least: int) -> int:
    most = 127 if name == "num_players" else _MOST
    return check_count(f"GameSpec: {name}", value, at_least=least, at_most=most, error=InvalidGameError)


def _entries(name: str, value: Any, state_size: int) -> tuple[int, ...]:
    """Entries of a state, by number."""
    try:
        entries = tuple(value)
    except TypeError:
        raise InvalidGameError(f"GameSpec: {name} must be a list of integers, got {shown(value)}") from None
    is_right = len(entries) <= state_size and all(
        isinstance(entry, int | np.integer) and not isinstance(entry, bool) and 0 <= entry < state_size
        for entry in entries
    )
    if not is_right:
        raise InvalidGameError(
            f"GameSpec: {name} must hold entries of the state, 0 to {state_size - 1}, got {shown(value)}"
        )
    return tuple(int(entry) for entry in entries)


def _parameters(value: Any) -> dict[str, Any]:
    """What JSON can hold, as plain numbers, lists and strings; NumPy's scalars and arrays become such."""
    if not isinstance(value, Mapping):
        raise InvalidGameError(f"GameSpec: parameters must be a mapping, got {shown(value)}")
    try:
        found: dict[str, Any] = json.loads(json.dumps(dict(value), allow_nan=False, default=_plain))
    except (TypeError, ValueError, RecursionError):
        raise InvalidGameError(
            f"GameSpec: parameters must hold finite numbers, text, lists and mappings, got {shown(value)}"
        ) from None
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError


def _action_vectors(vectors: Any, num_actions: int) -> Float32:
    try:
        if np.ma.is_masked(vectors) or np.iscomplexobj(vectors):
            raise TypeError
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
