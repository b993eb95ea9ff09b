"""True games."""

from coffee_fast.games.bargaining import GeneralizedBargaining
from coffee_fast.games.bridge import Bridge
from coffee_fast.games.registry import known_games, load_game, register_game
from coffee_fast.games.spec import GameSpec

__all__ = ["Bridge", "GameSpec", "GeneralizedBargaining", "known_games", "load_game", "register_game"]
