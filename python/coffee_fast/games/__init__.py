"""True games."""

from coffee_fast.games.bargaining import GeneralizedBargaining
from coffee_fast.games.bridge import Bridge
from coffee_fast.games.gambit_files import save_efg
from coffee_fast.games.lane_random import LaneRandom
from coffee_fast.games.registry import known_games, load_game, register_game
from coffee_fast.games.simulator import Simulator, SimulatorGame, from_simulator
from coffee_fast.games.spec import GameSpec
from coffee_fast.games.tree import GameTree

__all__ = [
    "Bridge",
    "GameSpec",
    "GameTree",
    "GeneralizedBargaining",
    "LaneRandom",
    "Simulator",
    "SimulatorGame",
    "from_simulator",
    "known_games",
    "load_game",
    "register_game",
    "save_efg",
]
