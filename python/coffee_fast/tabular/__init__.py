"""Games of few states as arrays: from logs, from models, or known."""

from coffee_fast.tabular.common_payoff import CommonPayoffGame
from coffee_fast.tabular.game import TabularGame
from coffee_fast.tabular.linear_game import LinearGame, one_hot_features

__all__ = ["CommonPayoffGame", "LinearGame", "TabularGame", "one_hot_features"]
