"""What a solver of tabular games is to runs and the command line: its options as a configuration."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from coffee_fast.errors import CoffeeError, ConfigError
from coffee_fast.tabular import TabularGame

PerPlayer = float | tuple[float, ...] | None
Schedule = float | tuple[float, ...]
_MOST_PLAYERS = 16


@dataclass(frozen=True)
class TableSolver:
    """A solver of tabular games and its options, those of the function of the same name."""

    kind: ClassVar[str]
    _PER_PLAYER: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        """Refuse what the function refuses: it is asked for the smallest game."""
        listed = [len(value) for name in self._PER_PLAYER if isinstance(value := getattr(self, name), tuple)]
        num_players = min(max(listed, default=2), _MOST_PLAYERS)
        try:
            self.try_out(num_players)
        except ConfigError:
            raise
        except CoffeeError as error:
            raise ConfigError(str(error)) from None

    def try_out(self, num_players: int) -> None:
        """Ask the function for the smallest game."""
        self.solve(TabularGame(np.zeros((num_players, 1, 1, *[1] * num_players))), seed=0)

    def options(self) -> dict[str, Any]:
        """Return the options by name."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    def to_config(self) -> dict[str, Any]:
        """Return ``{"kind": ..., **options}``, what :func:`from_config` reads."""
        return {"kind": self.kind, **self.options()}

    def solve(self, game: TabularGame, seed: int) -> Any:
        """Return what the function finds; the seed matters to those alone that draw something."""
        raise NotImplementedError

    def solve_log(self, game: TabularGame, rows: Callable[[], Mapping[str, Any]], seed: int) -> Any:
        """Return the same of a log; ``rows`` gives its rows to those that need more than its table, as arguments."""
        return self.solve(game, seed)


@dataclass(frozen=True)
class RiskAverse(TableSolver):
    """What solvers for players who answer softly and are averse to risk have in common.

    Attributes
    ----------
    temperature
        How soft answers are, in units of payoff, one or one a player; by default a tenth of the range of rewards.
    risk_aversion
        One or one a player, 0 for none; by default one over the temperature.
    unseen_value
        What legal cells that the log never shows are worth, with all that follows, one or one a player.
    """

    _PER_PLAYER: ClassVar[tuple[str, ...]] = ("temperature", "risk_aversion", "unseen_value")
    temperature: PerPlayer = None
    risk_aversion: PerPlayer = None
    unseen_value: PerPlayer = None
