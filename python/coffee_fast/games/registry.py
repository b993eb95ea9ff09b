"""Games by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from coffee_fast.checks import check_text, did_you_mean
from coffee_fast.errors import InvalidGameError, shown
from coffee_fast.games import gambit_tree
from coffee_fast.games.bargaining import GeneralizedBargaining
from coffee_fast.games.tree import GameTree

MOST_NODES = 2_000_000  # of a tree that is made without being asked for: half a minute
_FACTORIES: dict[str, Callable[..., Any]] = {"generalized_bargaining": GeneralizedBargaining}


def register_game(name: str, factory: Callable[..., Any]) -> None:
    """Let ``load_game(name, ...)`` call ``factory(...)``, which makes a :class:`coffee_fast.dynamics.Dynamics`.

    A name that is taken is an error.
    """
    name = check_text("register_game: name", name, error=InvalidGameError)
    if name in _FACTORIES:
        raise InvalidGameError(f"register_game: there is already a game {shown(name)}")
    if not callable(factory):
        raise InvalidGameError(f"register_game: factory must be a function that makes the game, got {shown(factory)}")
    _FACTORIES[name] = factory


def known_games() -> dict[str, Callable[..., Any]]:
    """Return what builds each game that :func:`load_game` knows, by name."""
    return dict(_FACTORIES)


def load_game(name: str, **parameters: Any) -> Any:
    """Build a game by its name.

    ``"openspiel:leduc_poker"`` and the like are games of OpenSpiel, of any number of players, with chance and with
    moves at once; parameters are given as there, in the name or as arguments. Up to 2 million nodes they are a
    :class:`coffee_fast.GameTree`. Larger ones are played move by move by OpenSpiel itself, thousands of times as slow.

    ``"gambit:poker.efg"`` is the extensive game in a file of Gambit, as a :class:`coffee_fast.GameTree`.

    Raises ``InvalidGameError`` for an unknown name, naming the nearest one, for an unknown or impossible parameter, and
    for a game of OpenSpiel that only samples what chance does or does not say what players know.

    >>> load_game("generalized_bargaining", discount=0.99)
    load_game('generalized_bargaining', discount=0.99, only_feasible_offers=False)
    >>> load_game("openspiel:kuhn_poker(players=3)")
    GameTree('openspiel:kuhn_poker(players=3)', 617 nodes, 48 information sets)
    """
    if isinstance(name, str) and name.startswith("openspiel:"):
        return _game_of_openspiel(name, parameters)
    if gambit_tree.is_name(name):
        if parameters:
            raise InvalidGameError(f"load_game: a file of Gambit has no parameters, got {shown(sorted(parameters))}")
        return GameTree(name)
    if not isinstance(name, str) or name not in _FACTORIES:
        hint = did_you_mean(name, _FACTORIES) or f"; there are {', '.join(sorted(_FACTORIES))}"
        raise InvalidGameError(f"load_game: there is no game {shown(name)}{hint}")
    factory = _FACTORIES[name]
    known = _parameters(factory)
    for parameter in parameters:
        if known is not None and parameter not in known:
            raise InvalidGameError(
                f"load_game: {name} has no parameter {shown(parameter)}; its parameters are {', '.join(known)}"
            )
    return factory(**parameters)


def _game_of_openspiel(name: str, parameters: Mapping[str, Any]) -> Any:
    from coffee_fast.games import openspiel_tree  # which loads OpenSpiel

    return _made_of(openspiel_tree.name_of(openspiel_tree.load("load_game", name, parameters)))


@lru_cache(maxsize=1)
def _made_of(name: str) -> Any:
    """The game of that name; the last one is kept, since it never changes and a run asks for it at every stage."""
    from coffee_fast.games import openspiel_tree

    game = openspiel_tree.load("load_game", name, {})
    try:
        return GameTree(game, MOST_NODES)
    except openspiel_tree.NoTreeError:
        from coffee_fast.games.openspiel_moves import play_move_by_move

        return play_move_by_move(game)


def _parameters(factory: Callable[..., Any]) -> list[str] | None:
    """The names that the factory takes; None where it takes any, or does not say."""
    try:
        parameters = inspect.signature(factory).parameters
    except (TypeError, ValueError):  # some that are written in C
        return None
    is_open = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    return None if is_open else list(parameters)
