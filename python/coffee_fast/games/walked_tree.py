"""The tree of a game of OpenSpiel or of a file of Gambit, all of which was walked through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from coffee_fast.errors import InvalidGameError
from coffee_fast.games import gambit_tree
from coffee_fast.games.spec import GameSpec
from coffee_fast.games.tree_arrays import Levels, Walk, move_vectors


@dataclass(frozen=True, eq=False)
class WalkedTree:
    """What a :class:`GameTree` of a game is made of.

    Attributes
    ----------
    spec, arrays
        The game's sizes, and the arrays that :class:`coffee_fast._core.GameTree` takes.
    is_markov, reward_scale, set_names
        As of the tree.
    """

    spec: GameSpec
    arrays: dict[str, Any]
    is_markov: bool
    reward_scale: float
    set_names: tuple[str, ...]


def read(game: Any, max_nodes: int) -> WalkedTree:
    """Walk through a game, or the one of that name; ``InvalidGameError`` if it has no tree of so few nodes."""
    if gambit_tree.is_name(game):
        return _read_gambit(game, max_nodes)
    from coffee_fast.games import openspiel_tree  # which loads OpenSpiel

    if isinstance(game, str) and game.startswith(openspiel_tree.PREFIX):
        game = openspiel_tree.load("GameTree", game, {})
    if not openspiel_tree.is_game(game):
        raise InvalidGameError(openspiel_tree.expected("GameTree", game))
    walk, played = openspiel_tree.walk("GameTree", game, max_nodes)
    num_outcomes = max(played.max_chance_outcomes(), 0) if -1 in walk.players else 0
    return _of_walk(openspiel_tree.name_of(game), walk, played.num_distinct_actions(), num_outcomes)


def _read_gambit(name: str, max_nodes: int) -> WalkedTree:
    found = gambit_tree.read(name, max_nodes)
    names = {"player_names": found.players, "action_names": found.actions, "chance_names": found.outcomes}
    return _of_walk(name, found.walk, len(found.actions), len(found.outcomes), **names)


def _of_walk(name: str, walk: Walk, num_actions: int, num_outcomes: int, **names: Any) -> WalkedTree:
    """``walk`` is no more needed where it came from, and gives way to the arrays."""
    arrays = walk.breadth_first()  # which puts the names in order as well
    num_players, size, set_names = walk.num_players, walk.observation_size, tuple(walk.set_names)
    actions, outcomes = move_vectors(num_actions), move_vectors(num_outcomes)
    levels = Levels(arrays)
    hidden_rows, hidden, is_markov = levels.hidden(actions, outcomes)
    spec = GameSpec(
        name=name,
        num_players=num_players,
        num_actions=num_actions,
        action_vectors=actions,
        state_size=num_players * size + hidden.shape[1],
        observation_size=size,
        history_start=size,
        max_episode_length=levels.max_episode_length,
        turn_order=levels.turn_order(),
        rewards="every_step" if levels.pays_early() else "at_end",
        num_chance_actions=num_outcomes,
        chance_vectors=outcomes,
        **names,
    )
    arrays |= {"hidden_rows": hidden_rows if hidden.shape[1] else hidden_rows[:0], "hidden": hidden}
    return WalkedTree(spec, arrays, is_markov, levels.reward_scale(), set_names)
