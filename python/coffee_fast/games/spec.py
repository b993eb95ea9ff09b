"""What a log of a game must say about it so that a model of it can be learned and strategies be played."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np

from coffee_fast.checks import check_choice, check_flag, check_number, check_text
from coffee_fast.errors import InvalidGameError, shown
from coffee_fast.games.spec_fields import COUNTS, LARGEST, check_names, count, entries, plain_mapping, sizes, vectors
from coffee_fast.games.spec_words import in_words
from coffee_fast.typing import Float32

Moves = Literal["turns", "simultaneous"]
TurnOrder = Literal["cyclic", "predicted"]
Rewards = Literal["at_end", "every_step"]


class _UsualRoles(tuple[int, ...]):
    """Roles that nobody gave: they follow ``is_symmetric``, also where ``dataclasses.replace`` changes that."""


@dataclass(frozen=True, eq=False, repr=False)
class GameSpec:
    """Sizes and layout of a game, and who moves and is paid when.

    A player's information state is the part of its latest observation before ``history_start``, followed by the rest
    (what the last move showed) of its observations after the 1st, 2nd, ... move, zero padded to the longest episode.
    Moves of chance are counted among them.

    Attributes
    ----------
    name, parameters
        What :func:`coffee_fast.load_game` needs to build the true game; any name for a game known by its log alone.
    num_players, num_actions
        ``N`` and ``A``, the largest over players; masks say what is legal.
    action_vectors
        ``float32 [A, V]``: an action as the dynamics networks see it.
    state_size, observation_size
        ``D``, and ``O`` of one player.
    history_start
        First entry of an observation that describes the last move.
    max_episode_length
        Most actions, of all players and chance, in an episode.
    is_symmetric
        Whether all players are interchangeable, so that they can share strategies: one role with all seats.
    terminal_state_value
        What fills the state after the last action.
    state_swap, state_flip
        Of a symmetric two-player game: the state with the players exchanged is ``state[state_swap]``, entries
        ``state_flip`` then replaced by one minus themselves. Empty where there is no such exchange.
    roles
        Number of seats of each role, seats in order: ``(1, 3)`` is seat 0, then seats 1 to 3. Players of one role are
        interchangeable and share strategies. By default each player is a role, or all are one if ``is_symmetric``.
    moves
        ``"turns"``, or ``"simultaneous"``: in a round all players choose, seat by seat, earlier choices hidden until
        all have chosen. The last ``N * V`` entries of the state are then the round's choices so far, by seat:
        an action's vector, or zeros before the choice.
    turn_order
        ``"cyclic"``: the next seat is always next on move; ``"predicted"``: the state says who is.
    rewards
        ``"at_end"``: only the last action pays; ``"every_step"``: any action may.
    num_chance_actions
        Outcomes ``C`` of chance events (cards, dice) that are moves of their own, by player -1; 0 without such.
    chance_vectors
        ``float32 [C, W]``: an outcome as the dynamics networks see it; by default one-hot.
    player_names, role_names, action_names, chance_names
        Names for people to read, as many as there are players, roles, actions, outcomes; empty where they have none.
    log_columns
        How :meth:`from_log` made observations and states of a log's columns; empty of any other specification.
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
    roles: tuple[int, ...] = ()
    moves: Moves = "turns"
    turn_order: TurnOrder = "cyclic"
    rewards: Rewards = "at_end"
    num_chance_actions: int = 0
    chance_vectors: Float32 = field(default_factory=lambda: np.zeros((0, 0), dtype=np.float32))
    player_names: tuple[str, ...] = ()
    role_names: tuple[str, ...] = ()
    action_names: tuple[str, ...] = ()
    chance_names: tuple[str, ...] = ()
    log_columns: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, least in COUNTS.items():
            self._set(name, count(name, getattr(self, name), least))
        if self.history_start > self.observation_size:
            raise InvalidGameError(
                f"GameSpec: history_start must be at most observation_size ({self.observation_size}), "
                f"got {self.history_start}"
            )
        self._set("action_vectors", vectors("action_vectors", self.action_vectors, self.num_actions))
        self._set("name", check_text("GameSpec: name", self.name, error=InvalidGameError))
        self._set("is_symmetric", check_flag("GameSpec: is_symmetric", self.is_symmetric, error=InvalidGameError))
        value = check_number(
            "GameSpec: terminal_state_value",
            self.terminal_state_value,
            at_least=-LARGEST,
            at_most=LARGEST,
            error=InvalidGameError,
        )
        self._set("terminal_state_value", value)
        for name in ("parameters", "log_columns"):
            self._set(name, plain_mapping(name, getattr(self, name)))
        for name in ("state_swap", "state_flip"):
            self._set(name, entries(name, getattr(self, name), self.state_size))
        self._check_symmetry()
        self._set_roles()
        for name, kinds in _CHOICES.items():
            check_choice(f"GameSpec: {name}", getattr(self, name), get_args(kinds), error=InvalidGameError)
        self._set_chance()
        self._check_moves()
        counts = {"player": self.num_players, "role": self.num_roles, "action": self.num_actions}
        for name, number in (counts | {"chance": self.num_chance_actions}).items():
            self._set(f"{name}_names", check_names(f"{name}_names", getattr(self, f"{name}_names"), number))

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

    def _set_roles(self) -> None:
        N = self.num_players
        is_left_out = isinstance(self.roles, tuple | list) and len(self.roles) == 0
        if is_left_out or isinstance(self.roles, _UsualRoles):
            self._set("roles", _UsualRoles((N,) if self.is_symmetric else (1,) * N))
        else:
            self._set("roles", sizes("roles", self.roles, N))
        if self.is_symmetric and self.num_roles > 1:
            raise InvalidGameError(
                f"GameSpec: is_symmetric means one role of all {N} players, got roles {shown(list(self.roles))}"
            )
        self._set("is_symmetric", self.is_symmetric or (self.num_roles == 1 and N > 1))

    def _set_chance(self) -> None:
        C, given = self.num_chance_actions, self.chance_vectors
        if isinstance(given, tuple | list | np.ndarray) and len(given) == 0:
            given = np.eye(C, dtype=np.float32)
        self._set("chance_vectors", vectors("chance_vectors", given, C))

    def _check_moves(self) -> None:
        if self.num_chance_actions and self.turn_order == "cyclic" and self.moves == "turns":
            raise InvalidGameError(
                "GameSpec: turn_order must be 'predicted' where chance moves (num_chance_actions "
                f"{self.num_chance_actions}), since its moves lie between those of the players, got 'cyclic'"
            )
        pending = self.num_players * self.action_vectors.shape[1]
        if self.moves == "simultaneous" and self.state_size < pending:
            raise InvalidGameError(
                f"GameSpec: state_size must be at least {pending}, the entries of a round's choices with which states "
                f"of simultaneous moves end, got {self.state_size}"
            )

    @property
    def num_roles(self) -> int:
        """Number of roles."""
        return len(self.roles)

    @property
    def role_of(self) -> tuple[int, ...]:
        """The role of each seat, a number each."""
        return tuple(role for role, size in enumerate(self.roles) for _ in range(size))

    def seats_of(self, role: int) -> range:
        """The seats of a role."""
        first = sum(self.roles[:role])
        return range(first, first + self.roles[role])

    @property
    def information_state_size(self) -> int:
        """``I = history_start + (O - history_start) * max_episode_length``."""
        return self.history_start + (self.observation_size - self.history_start) * self.max_episode_length

    def to_json(self) -> dict[str, Any]:
        """The specification as plain numbers, lists and strings."""
        written: dict[str, Any] = {
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
        return written | {name: plain for name, plain in self._newer_fields() if plain is not None}

    def _newer_fields(self) -> Iterator[tuple[str, Any]]:
        """Fields that format 1 did not have; None where they say what it meant."""
        N, C = self.num_players, self.num_chance_actions
        yield "roles", None if self.roles == ((N,) if self.is_symmetric else (1,) * N) else list(self.roles)
        for name, usual in (("moves", "turns"), ("turn_order", "cyclic"), ("rewards", "at_end")):
            yield name, None if getattr(self, name) == usual else getattr(self, name)
        yield "num_chance_actions", C or None
        yield "chance_vectors", self.chance_vectors.tolist() if C else None
        for name in ("player_names", "role_names", "action_names", "chance_names"):
            yield name, list(getattr(self, name)) or None
        yield "log_columns", dict(self.log_columns) or None

    @classmethod
    def from_log(
        cls, table: Any, *, columns: Mapping[str, Any] | None = None, chance: Any = None, **known: Any
    ) -> GameSpec:
        """Work out the game from a log of it; :meth:`describe` says what was found and how.

        Players, actions and outcomes of chance are numbered, whatever they are called; who moves when, when it pays
        and how large everything is, is read off. Each player is a role of its own unless ``roles`` or ``is_symmetric``
        says that some are alike, which no log can tell.

        Parameters
        ----------
        table, columns, chance
            As of :meth:`coffee_fast.TrajectoryDataset.from_transitions`.
        known
            Fields that are known, such as ``name``, ``roles``, ``player_names``, ``action_names`` or
            ``max_episode_length``; they are believed, and a log that contradicts them is refused. ``public_moves`` says
            whether all players see each other's moves, where the log does not show it.

        Raises
        ------
        DatasetError
            For a log that cannot be read, naming row and column, and for what must be known and is not.

        Notes
        -----
        Cost: seconds for a million rows. :meth:`TrajectoryDataset.from_transitions` with None for the specification
        does this by itself.

        >>> log = {"episode": ["a", "a", "b", "b"], "player": ["seller", "buyer"] * 2, "action": ["high", "no"] +
        ...        ["low", "yes"], "reward": [[0, 0], [0, 0], [0, 0], [1, 2]]}
        >>> spec = GameSpec.from_log(log)
        >>> spec.player_names, spec.action_names, spec.turn_order
        (('seller', 'buyer'), ('high', 'low', 'no', 'yes'), 'cyclic')
        """
        from coffee_fast.logs import read_log

        return cls(**read_log(table, "from_log", columns=columns, chance=chance, known=known).fields)

    def __repr__(self) -> str:
        sizes = f"{self.num_players} players, {self.num_actions} actions, observations of {self.observation_size}"
        return f"GameSpec({self.name!r}, {sizes})"

    def describe(self) -> str:
        """Say in words what game this is and, where it was worked out from a log, how."""
        return in_words(self)

    @property
    def is_of_format_1(self) -> bool:
        """Whether every field says what files of format 1 meant: no roles of its own, no chance, pay at the end."""
        return all(plain is None for _, plain in self._newer_fields())

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


_CHOICES = {"moves": Moves, "turn_order": TurnOrder, "rewards": Rewards}
