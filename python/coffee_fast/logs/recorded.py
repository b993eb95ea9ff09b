"""A log as another library keeps it, worked out into a table and what its columns are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Recorded:
    """``table`` of columns by name, ``columns`` that says what they are, and ``known`` fields of the game."""

    table: dict[str, NDArray[Any]]
    columns: dict[str, Any]
    known: dict[str, Any]

    def known_with(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """Fields of the game, those that the caller said before those that were found."""
        unsaid = [name for name in self.known if _is_unsaid(said.get(name))]
        return dict(said) | {name: self.known[name] for name in unsaid}


def _is_unsaid(value: Any) -> bool:
    return value is None or (isinstance(value, tuple) and not value)
