"""Which column of a table is what: by its name, or by what the caller says."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from coffee_fast.checks import did_you_mean
from coffee_fast.errors import DatasetError, InvalidArgumentError, shown
from coffee_fast.logs.labels import text_of
from coffee_fast.logs.tables import Columns, columns_of

KNOWN = (
    "episode",
    "step",
    "player",
    "action",
    "reward",
    "observation",
    "state",
    "next_state",
    "legal_mask",
    "terminal",
    "truncated",
    "behavior_log_prob",
)
ALIASES = {"trajectory": "episode", "acting_player": "player"}
Parts = list[tuple[str, NDArray[Any]]]


@dataclass(frozen=True, eq=False)
class Source:
    """Where something stands: in one column, in several, or in some of each player's own."""

    parts: Parts
    by_player: dict[str, Parts] = field(default_factory=dict)
    is_list: bool = False

    @property
    def name(self) -> str:
        """How messages call it."""
        return self.parts[0][0] if len(self.parts) == 1 else f"{self.parts[0][0]} to {self.parts[-1][0]}"

    @property
    def column(self) -> NDArray[Any] | None:
        """The one column, or None if there are several."""
        return self.parts[0][1] if len(self.parts) == 1 and not self.by_player and not self.is_list else None


class ChosenColumns:
    """The columns of a table by what they are."""

    def __init__(self, table: Any, columns: Mapping[str, Any] | None, caller: str) -> None:
        self.caller = caller
        self.all: Columns = columns_of(table, caller)
        self.num_rows = len(next(iter(self.all.values())))
        self._used: set[str] = set()
        wanted = self._wanted(columns)
        self.sources: dict[str, Source] = {}
        for name in KNOWN:
            source = self._chosen(name, wanted[name]) if name in wanted else self._by_name(name)
            if source is not None:
                self.sources[name] = source
                self._used |= {part for part, _ in source.parts}
        self.unused = [name for name in self.all if name not in self._used]
        if columns is None and self.unused:
            raise DatasetError(
                f"{caller}: there is no column {shown(self.unused[0])} in a log; the columns are {', '.join(KNOWN)}"
                f"{did_you_mean(self.unused[0], KNOWN)}; say which of yours is what with columns={{...}}"
            )

    def __contains__(self, name: str) -> bool:
        return name in self.sources

    def get(self, name: str) -> Source | None:
        """Where something stands, or None if it is not there."""
        return self.sources.get(name)

    def require(self, name: str, why: str = "") -> Source:
        """Where something stands; if it is not there, the message says what is."""
        if name not in self.sources:
            raise DatasetError(
                f"{self.caller}: the column {name!r} is missing{why}; there are {self._there()}; "
                f"say which of them it is with columns={{{name!r}: ...}}"
            )
        return self.sources[name]

    def single(self, name: str) -> NDArray[Any] | None:
        """The one column ``[T]`` that says something, or None if it is not there."""
        source = self.get(name)
        if source is None:
            return None
        if source.column is None or source.column.ndim != 1:
            raise DatasetError(f"{self.caller}: {name} must be one column of one entry a row, got {source.name:.120}")
        return source.column

    def _wanted(self, columns: Any) -> dict[str, Any]:
        if columns is None:
            return {}
        if not isinstance(columns, Mapping):
            raise InvalidArgumentError(
                f"{self.caller}: columns must be a mapping of what to the names of columns, got {shown(columns)}"
            )
        wanted = {}
        for name, value in columns.items():
            known = ALIASES.get(name, name) if isinstance(name, str) else name
            if known not in KNOWN:
                raise InvalidArgumentError(
                    f"{self.caller}: columns says what {shown(name)} is, but a log has {', '.join(KNOWN)}"
                    f"{did_you_mean(name, KNOWN)}"
                )
            wanted[known] = value
        return wanted

    def _chosen(self, name: str, value: Any) -> Source | None:
        if value is None:
            return None
        if isinstance(value, Mapping):
            by_player = {text_of(player): self._parts(name, columns) for player, columns in value.items()}
            if not by_player:
                raise InvalidArgumentError(f"{self.caller}: columns[{name!r}] names no player")
            return Source([part for parts in by_player.values() for part in parts], by_player)
        parts = self._parts(name, value)
        return Source(parts, is_list=len(parts) > 1 or isinstance(value, list | tuple))

    def _parts(self, name: str, value: Any) -> Parts:
        if isinstance(value, str):
            if value in self.all:
                return [(value, self.all[value])]
            begun = [column for column in self.all if value and column.startswith(value)]
            if begun:
                return [(column, self.all[column]) for column in begun]
            raise DatasetError(
                f"{self.caller}: there is no column {shown(value)} for {name}, nor one that begins so; there are "
                f"{self._there()}{did_you_mean(value, self.all)}"
            )
        if isinstance(value, list | tuple) and value and all(isinstance(column, str) for column in value):
            for column in value:
                if column not in self.all:
                    raise DatasetError(
                        f"{self.caller}: there is no column {shown(column)} for {name}; there are {self._there()}"
                        f"{did_you_mean(column, self.all)}"
                    )
            return [(column, self.all[column]) for column in value]
        raise InvalidArgumentError(
            f"{self.caller}: columns[{name!r}] must be the name of a column, a list of names, or such of each player, "
            f"got {shown(value)}"
        )

    def _by_name(self, name: str) -> Source | None:
        """What stands under its own name, or in numbered columns: ``reward_0``, ``observation_0_1``."""
        names = [name, *(alias for alias, known in ALIASES.items() if known == name)]
        there = [column for column in names if column in self.all]
        if len(there) > 1:
            raise DatasetError(f"{self.caller}: the columns {' and '.join(there)} say the same; keep one")
        numbered = self._numbered(name)
        if there and numbered:
            raise DatasetError(f"{self.caller}: {name} must be one column or numbered columns, got both")
        if there:
            return Source([(there[0], self.all[there[0]])])
        if not numbered:
            return None
        parts = [(column, self.all[column]) for column in numbered.values()]
        if len({len(index) for index in numbered}) > 1 or not _runs_from_0(list(numbered)):
            raise DatasetError(f"{self.caller}: the numbered columns of {name!r} must run from 0 without a gap")
        if len(next(iter(numbered))) == 1:
            return Source(parts, is_list=True)
        by_player: dict[str, Parts] = {}
        for (player, *_), part in zip(numbered, parts, strict=True):
            by_player.setdefault(str(player), []).append(part)
        return Source(parts, by_player)

    def _numbered(self, name: str) -> dict[tuple[int, ...], str]:
        found = {}
        for column in self.all:
            if column.startswith(f"{name}_"):
                indices = column[len(name) + 1 :].split("_")
                if len(indices) <= 2 and all(i.isascii() and i.isdigit() and len(i) < 10 for i in indices):
                    found[tuple(map(int, indices))] = column
        return dict(sorted(found.items()))

    def _there(self) -> str:
        names = list(self.all)
        return f"{', '.join(names[:20])}{', ...' if len(names) > 20 else ''}"[:400]


def _runs_from_0(indices: list[tuple[int, ...]]) -> bool:
    sizes = [1 + max(axis) for axis in zip(*indices, strict=True)]
    return len(indices) < 10**6 and indices == list(itertools.product(*map(range, sizes)))
