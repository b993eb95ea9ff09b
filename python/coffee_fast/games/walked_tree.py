"""The tree of a game of OpenSpiel, all of which was walked through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from coffee_fast.errors import InvalidGameError
from coffee_fast.games import openspiel_tree
from coffee_fast.games.spec import GameSpec
from coffee_fast.games.tree_arrays import Levels, move_vectors


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
    if isinstance(game, str) and game.startswith(openspiel_tree.PREFIX):
        game = openspiel_tree.load("GameTree", game, {})
    if not openspiel_tree.is_game(game):
        raise InvalidGameError(openspiel_tree.expected("GameTree", game))
    walk, played = openspiel_tree.walk("GameTree", game, max_nodes)
    arrays = walk.breadth_first()  # which puts the names in order as well
    num_players, size, set_names = walk.num_players, walk.observation_size, tuple(walk.set_names)
    del walk  # the arrays are there in their order
    num_outcomes = max(played.max_chance_outcomes(), 0) if (arrays["players"] == -1).any() else 0
    actions, outcomes = move_vectors(played.num_distinct_actions()), move_vectors(num_outcomes)
    levels = Levels(arrays)
    hidden_rows, hidden, is_markov = levels.hidden(actions, outcomes)
    spec = GameSpec(
        name=openspiel_tree.name_of(game),
        num_players=num_players,
        num_actions=len(actions),
        action_vectors=actions,
        state_size=num_players * size + hidden.shape[1],
        observation_size=size,
        history_start=size,
        max_episode_length=levels.max_episode_length,
        turn_order=levels.turn_order(),
        rewards="every_step" if levels.pays_early() else "at_end",
        num_chance_actions=num_outcomes,
        chance_vectors=outcomes,
    )
    arrays |= {"hidden_rows": hidden_rows if hidden.shape[1] else hidden_rows[:0], "hidden": hidden}
    return WalkedTree(spec, arrays, is_markov, levels.reward_scale(), set_names)
