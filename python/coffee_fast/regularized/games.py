"""What solvers take as a game: payoff tables, tabular games, or logs of play, which become tables."""

from __future__ import annotations

from collections.abc import Mapping

from numpy.typing import ArrayLike

from coffee_fast.empirical.payoff_arrays import is_listed
from coffee_fast.empirical.payoff_table import PayoffLike, PayoffTable, as_payoff_table
from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.tabular.common_payoff import CommonPayoffGame
from coffee_fast.tabular.common_payoff_checks import check_discount
from coffee_fast.tabular.game import TabularGame

CommonPayoffSource = CommonPayoffGame | TabularGame | Mapping[str, ArrayLike]


def as_game(caller: str, game: PayoffLike | TabularGame | Mapping[str, ArrayLike]) -> PayoffTable | TabularGame:
    """Return what a solver takes as one of the two kinds of games; a log of play as the game of its averages."""
    if isinstance(game, PayoffTable | TabularGame):
        return game
    if isinstance(game, Mapping):
        return TabularGame.from_dataset(game)
    if is_listed(game):
        return as_payoff_table(caller, game, "game")
    raise InvalidArgumentError(
        f"{caller}: game must be a PayoffTable or what makes one, a TabularGame or a log as arrays, got {shown(game)}"
    )


def as_common_payoff(caller: str, game: CommonPayoffSource, discount: float | None) -> CommonPayoffGame:
    """Return ``game`` as a common-payoff game; its discount is its own, and 0.99 of others if None."""
    if isinstance(game, CommonPayoffGame):
        if discount is not None and check_discount(discount) != game.discount:
            raise InvalidArgumentError(f"{caller}: discount is the game's own, {game.discount:g}; leave it out")
        return game
    gamma = 0.99 if discount is None else discount
    if isinstance(game, TabularGame):
        return CommonPayoffGame.from_tabular(game, discount=gamma)
    if isinstance(game, Mapping):
        return CommonPayoffGame.from_log(game, discount=gamma)
    raise InvalidArgumentError(
        f"{caller}: game must be a CommonPayoffGame, a TabularGame or a log as arrays, got {type(game).__name__}"
    )
