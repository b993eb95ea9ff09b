"""What players and strategies are called, so that what is printed can be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from coffee_fast.errors import InvalidGameError, shown

LONGEST_NAME = 200  # characters
StrategyNames = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Names:
    """The names of players, and of each player's strategies; empty where there are none."""

    players: tuple[str, ...] = ()
    strategies: StrategyNames = ()

    @classmethod
    def of(cls, caller: str, players: Any, strategies: Any, sizes: Sequence[int]) -> Names:
        """Check names of players, and one list of names a player, for a table of these sizes; None for no names."""
        if strategies is not None and not isinstance(strategies, list | tuple):
            raise InvalidGameError(f"{caller}: strategy_names must be a list of names, got {shown(strategies)}")
        if strategies is not None and len(strategies) != len(sizes):
            raise InvalidGameError(
                f"{caller}: strategy_names must be one list a player, {len(sizes)} in all, got {len(strategies)}"
            )
        return cls(
            () if players is None else check_names(f"{caller}: player_names", players, len(sizes)),
            tuple(
                check_names(f"{caller}: strategy_names of player {player}", names, sizes[player])
                for player, names in enumerate(strategies or ())
            ),
        )


def check_names(name: str, values: Any, count: int) -> tuple[str, ...]:
    """Return ``count`` different names: texts of 1 to 200 characters that can be printed on one line."""
    if not isinstance(values, list | tuple) or len(values) != count:
        got = f"{len(values)}" if isinstance(values, list | tuple) else shown(values)
        raise InvalidGameError(f"{name} must be a list of {count} different names, got {got}")
    for value in values:
        is_name = isinstance(value, str) and 0 < len(value) <= LONGEST_NAME and value.isprintable()
        if not is_name or value != value.strip():
            raise InvalidGameError(
                f"{name} must be texts of 1 to {LONGEST_NAME} printable characters, without blanks around them, "
                f"got {shown(value)}"
            )
    if len(set(values)) < count:
        twice = next(value for value in values if values.count(value) > 1)
        raise InvalidGameError(f"{name} must differ from each other, got {shown(twice)} twice")
    return tuple(map(str, values))
