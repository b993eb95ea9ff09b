"""True games."""

from coffee_fast.games.bargaining import GeneralizedBargaining
from coffee_fast.games.bridge import Bridge
from coffee_fast.games.registry import Game, known_games, load_game, register_game
from coffee_fast.games.spec import GameSpec
from coffee_fast.games.tree import GameTree

__all__ = [
    "Bridge",
    "Game",
    "GameSpec",
    "GameTree",
    "GeneralizedBargaining",
    "known_games",
    "load_game",
    "register_game",
]
