"""Games of OpenSpiel, walked through whole: any number of players, explicit chance, moves at once made one by one.

It needs OpenSpiel: ``pip install 'coffee-fast[openspiel]'``.
"""

from __future__ import annotations

import hashlib
import random
from array import array
from collections.abc import Mapping
from typing import Any

from coffee_fast.checks import did_you_mean
from coffee_fast.errors import InvalidGameError, shown
from coffee_fast.games.bargaining import GeneralizedBargaining
from coffee_fast.games.tree_arrays import CHANCE, MOST_BYTES, NOBODY, Walk

try:
    import pyspiel
except ImportError:
    pyspiel = None

PREFIX = "openspiel:"
OWN_GAMES = "python_generalized_bargaining"  # registered where it is defined
BYTES_A_NODE = 160  # while it is made
NUM_GROUPS, NUM_PROBES = 8, 10  # random episodes by which the size of a game is guessed before it is walked through
FAR_TOO_LARGE = 10  # times the limit, at which a guess is believed
LONG = 64  # characters of a string of which the digest is kept
SMALLER = "take a smaller variant of the game (fewer cards, rounds or players, say)"

Moves = list[tuple[int, float]]


class NoTreeError(InvalidGameError):
    """The game can be played, but not be written down."""


def load(caller: str, name: str, parameters: Mapping[str, Any]) -> Any:
    """Return the game of OpenSpiel that ``"openspiel:leduc_poker(players=2)"`` names."""
    _check_there(caller)
    text = name.removeprefix(PREFIX)
    short, known = text.partition("(")[0], pyspiel.registered_names()
    if short == OWN_GAMES and short not in known:
        import coffee_fast.games.openspiel  # noqa: F401
    elif short not in known:
        hint = did_you_mean(short, known, PREFIX) or "; pyspiel.registered_names() lists them"
        raise InvalidGameError(f"{caller}: OpenSpiel has no game {shown(short)}{hint}")
    try:
        game = pyspiel.load_game(text)
        return pyspiel.load_game(short, game.get_parameters() | dict(parameters)) if parameters else game
    except Exception as error:
        raise InvalidGameError(f"{caller}: OpenSpiel does not load {shown(text)}: {_first_line(error)}") from None


def is_game(value: Any) -> bool:
    """Whether it is a game of OpenSpiel, loaded."""
    return pyspiel is not None and isinstance(value, pyspiel.Game)


def expected(caller: str, game: Any) -> str:
    """Return what to say to whom gives something else than a game of OpenSpiel."""
    if isinstance(game, GeneralizedBargaining):
        return (
            f"{caller}: generalized_bargaining has infinitely many deals, since valuations are real numbers; of a "
            "small variant there is a tree: "
            '"openspiel:python_generalized_bargaining(max_offers=3,num_valuations=2,pool=1 1 1)"'
        )
    return (
        f'{caller}: game must be "openspiel:" and the name of a game, such as "openspiel:leduc_poker", a game of '
        f'OpenSpiel, or "gambit:" and the path of an .efg file, got {shown(game)}'
    )


def name_of(game: Any) -> str:
    """The name by which :func:`load` finds the game again."""
    return PREFIX + str(game).removesuffix("()")


def walk(caller: str, game: Any, max_nodes: int) -> tuple[Walk, Any]:
    """Go through every node of a game; return them, and the game in which one player moves at a time.

    Raises ``InvalidGameError`` for a game whose chance is sampled, that has no information state tensors, or of more
    than ``max_nodes`` nodes.
    """
    name, kind = shown(name_of(game)), game.get_type()
    if kind.chance_mode == pyspiel.GameType.ChanceMode.SAMPLED_STOCHASTIC:
        raise InvalidGameError(
            f"{caller}: {name} only samples what chance does and does not list it, so it has no tree that could be "
            "written down; take a game, or parameters of it, with explicit chance"
        )
    if not (kind.provides_information_state_tensor and kind.provides_information_state_string):
        raise NoTreeError(
            f"{caller}: {name} does not say what its players know (information state tensor and string), which "
            "policies play by; take a game that provides them: pyspiel.registered_games() says which do"
        )
    if kind.dynamics == pyspiel.GameType.Dynamics.SIMULTANEOUS:
        game = pyspiel.convert_to_turn_based(game)
    elif kind.dynamics != pyspiel.GameType.Dynamics.SEQUENTIAL:
        raise InvalidGameError(f"{caller}: {name} is a mean-field game, which has no players to name")
    try:
        guess = _guess_size(game, FAR_TOO_LARGE * max_nodes)
        if guess > FAR_TOO_LARGE * max_nodes:
            raise NoTreeError(
                f"{caller}: {name} has about {guess:.0e} nodes by a guess from random episodes, more than "
                f"{max_nodes} (max_nodes): {SMALLER}"
            )
        return _Walker(caller, name, game, max_nodes).walk(), game
    except (InvalidGameError, MemoryError):
        raise
    except Exception as error:  # of OpenSpiel, or any at all of a game that is written in Python
        raise InvalidGameError(f"{caller}: {name} cannot be walked through: {_first_line(error)}") from None


class _Walker:
    """One walk; an object for the tables of what was met before."""

    def __init__(self, caller: str, name: str, game: Any, max_nodes: int) -> None:
        self.caller, self.name, self.game, self.max_nodes = caller, name, game, max_nodes
        self.players = range(game.num_players())
        self.size = int(game.information_state_tensor_size())
        self.nodes = Walk(len(self.players), self.size)
        self.pays_early = game.get_type().reward_model == pyspiel.GameType.RewardModel.REWARDS
        self.nothing, self.no_rows = (0.0,) * len(self.players), (0,) * len(self.players)
        self.payoff_rows: dict[tuple[float, ...], int] = {}
        self.sets: list[dict[str, int]] = [{} for _ in self.players]
        self.rows_of_tensors: dict[bytes, int] = {}  # by their digests
        self.rows_of_strings: list[dict[str | bytes, int]] = [{} for _ in self.players]  # ~row where met but once

    def walk(self) -> Walk:
        nodes = self.nodes
        stack = [(self.game.new_initial_state(), 0, 1.0, 0, self.nothing)]
        while stack:
            state, action, probability, depth, paid = stack.pop()
            nodes.depths.append(depth)
            nodes.actions.append(action)
            nodes.probabilities.append(probability)
            is_over = state.is_terminal()
            returns = tuple(state.returns()) if is_over or self.pays_early else self.nothing
            payoffs = returns if paid is self.nothing else _minus(returns, paid)
            nodes.payoff_rows.append(self.payoff_rows.setdefault(payoffs, len(self.payoff_rows)))
            if is_over:
                self._end()
                continue
            player = state.current_player()
            if player not in self.players and not state.is_chance_node():
                raise ValueError(f"player {player} is on move, of {len(self.players)}")
            self._observe(state, player)
            moves = _moves(state)
            nodes.players.append(CHANCE if player < 0 else player)
            nodes.num_children.append(len(moves))
            self._check_size(len(stack) + len(moves), depth)
            stack.extend((state.child(a), a, p, depth + 1, returns) for a, p in reversed(moves))
        nodes.payoffs = list(self.payoff_rows)
        return nodes

    def _end(self) -> None:
        nodes = self.nodes
        nodes.players.append(NOBODY)
        nodes.num_children.append(0)
        nodes.information_sets.append(-1)
        nodes.observation_rows.extend(self.no_rows)

    def _observe(self, state: Any, mover: int) -> None:
        strings = [state.information_state_string(player) for player in self.players]
        for player, text in enumerate(strings):
            rows, key = self.rows_of_strings[player], text if len(text) < LONG else _digest(text.encode())
            row = rows.get(key)
            if row is None:
                row = self._row(state, player)
                rows[key] = ~row
            elif row < 0:  # the second time
                row = rows[key] = ~row
                if self._row(state, player) != row:
                    raise InvalidGameError(
                        f"{self.caller}: {self.name} has two information state tensors for one information state "
                        f"string of player {player}, {shown(text)}"
                    )
            self.nodes.observation_rows.append(row)
        if mover < 0:
            self.nodes.information_sets.append(-1)
            return
        number = self.sets[mover].setdefault(strings[mover], len(self.nodes.set_names))
        if number == len(self.nodes.set_names):
            self.nodes.set_names.append(strings[mover])
        self.nodes.information_sets.append(number)

    def _row(self, state: Any, player: int) -> int:
        tensor = array("f", state.information_state_tensor(player))
        row = self.rows_of_tensors.setdefault(_digest(tensor.tobytes()), len(self.rows_of_tensors))
        if row * self.size == len(self.nodes.observations):
            self.nodes.observations.extend(tensor)
        return row

    def _check_size(self, num_waiting: int, depth: int) -> None:
        num_nodes = len(self.nodes.depths) + num_waiting
        num_bytes = num_nodes * BYTES_A_NODE + 2 * 4 * len(self.nodes.observations)  # ours and the kernel's
        if num_nodes > self.max_nodes:
            raise NoTreeError(
                f"{self.caller}: {self.name} has more than {self.max_nodes} nodes (max_nodes): {num_nodes} were met "
                f"when move {depth + 1} of an episode was looked at; {SMALLER}"
            )
        if num_bytes > MOST_BYTES:
            raise NoTreeError(
                f"{self.caller}: the tree of {self.name} takes more than {MOST_BYTES / 2**30:g} GB: {num_nodes} nodes "
                f"and {len(self.rows_of_tensors)} information state tensors of {self.size} numbers were met; {SMALLER}"
            )


def _digest(value: bytes) -> bytes:
    return hashlib.blake2b(value, digest_size=16).digest()


def _moves(state: Any) -> Moves:
    """What can happen, ascending, with the probability of chance; 1 for a player's moves."""
    if not state.is_chance_node():
        moves = [(action, 1.0) for action in sorted(state.legal_actions())]
        if not moves:
            raise ValueError(f"there is no legal action after {state.history()}")
        return moves
    outcomes = sorted((outcome, p) for outcome, p in state.chance_outcomes() if p > 0.0)
    total = sum(p for _, p in outcomes)
    if not abs(total - 1.0) <= 1e-6:
        raise ValueError(f"the probabilities of chance sum to {total} after {state.history()}")
    return [(outcome, p / total) for outcome, p in outcomes]


def _minus(returns: tuple[float, ...], paid: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(a - b for a, b in zip(returns, paid, strict=True))


def _guess_size(game: Any, enough: float) -> float:
    """Guess the number of nodes by random episodes (Knuth 1975): unbiased, and seldom far too large.

    The smallest of several means, so that a guess far above the truth is out of the question; ``enough`` ends it early.
    """
    draw = random.Random(0)
    return min(
        sum(_probe(game, draw, enough * NUM_PROBES) for _ in range(NUM_PROBES)) / NUM_PROBES for _ in range(NUM_GROUPS)
    )


def _probe(game: Any, draw: random.Random, enough: float) -> float:
    state, width, size = game.new_initial_state(), 1.0, 1.0
    while not state.is_terminal() and size < enough:
        moves = _moves(state)
        width *= len(moves)
        size += width
        state.apply_action(draw.choice(moves)[0])
    return size


def _check_there(caller: str) -> None:
    if pyspiel is None:
        raise InvalidGameError(
            f"{caller}: games of OpenSpiel need OpenSpiel, which is not installed: pip install 'coffee-fast[openspiel]'"
        )


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:200]
