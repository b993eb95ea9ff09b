"""Games by name."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable
from typing import Any, Protocol

from coffee_fast.errors import InvalidGameError
from coffee_fast.games.bargaining import GeneralizedBargaining
from coffee_fast.games.spec import GameSpec


class Game(Protocol):
    """A true game: its specification, and its dynamics for the compiled kernels."""

    spec: GameSpec
    core: Any


_FACTORIES: dict[str, Callable[..., Any]] = {"generalized_bargaining": GeneralizedBargaining}


def register_game(name: str, factory: Callable[..., Game]) -> None:
    """Let ``load_game(name, ...)`` call ``factory(...)``; a name that is taken is an error."""
    if name in _FACTORIES:
        raise InvalidGameError(f"register_game: there is already a game {name!r}")
    _FACTORIES[name] = factory


def known_games() -> dict[str, Callable[..., Any]]:
    """Return what builds each game that :func:`load_game` knows, by name."""
    return dict(_FACTORIES)


def load_game(name: str, **parameters: Any) -> Any:
    """Build a game by its name.

    Raises ``InvalidGameError`` for an unknown name, naming the nearest one, and for an unknown or impossible parameter.

    >>> load_game("generalized_bargaining", discount=0.99)
    load_game('generalized_bargaining', discount=0.99, only_feasible_offers=False)
    """
    if not isinstance(name, str) or name not in _FACTORIES:
        near = difflib.get_close_matches(str(name), _FACTORIES, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(sorted(_FACTORIES))}"
        raise InvalidGameError(f"load_game: there is no game {name!r}{hint}")
    factory = _FACTORIES[name]
    known = inspect.signature(factory).parameters
    for parameter in parameters:
        if parameter not in known:
            raise InvalidGameError(
                f"load_game: {name} has no parameter {parameter!r}; its parameters are {', '.join(known)}"
            )
    return factory(**parameters)
