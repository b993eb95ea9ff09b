"""Payoff tables as CSV: square, or long with a line a profile."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from coffee_fast._csv import SEPARATORS, Lines, is_number, split_lines
from coffee_fast.empirical.payoff_table import PayoffTable
from coffee_fast.errors import InvalidGameError, shown
from coffee_fast.typing import Float64

MAX_PLAYERS = 24
"""Of a file: arrays have few more axes."""
_PAYOFF, _MEMBER = "payoff", "member"


def read_csv(path: Path, text: str) -> PayoffTable:
    """Return the table that the text of a file describes; ``path`` is for messages."""
    lines = split_lines(path, text, InvalidGameError)
    if not lines:
        raise InvalidGameError(f"{path}: the file is empty")
    header = lines[0][1]
    if any(name in ("row", _PAYOFF) or name.endswith(f"_{_PAYOFF}") for name in header):
        return _long_table(path, lines)
    return _square_table(path, lines)


def write_csv(table: PayoffTable) -> str:
    """Return a table as the text of a long CSV file; ``InvalidGameError`` for names that it cannot hold."""
    sizes, num_members = table.num_strategies, table.num_members
    two = ("row", "column")
    players = table.player_names or (two if len(sizes) == 2 else tuple(f"player_{i}" for i in range(len(sizes))))
    strategies = table.strategy_names or [tuple(_numbers(size)) for size in sizes]
    payoffs = [_PAYOFF] if table.is_symmetric else [f"{player}_{_PAYOFF}" for player in players]
    header = [*players, *([_MEMBER] if num_members > 1 else []), *payoffs]
    if len(set(header)) < len(header) or any(";" in name for names in (header, *strategies) for name in names):
        raise InvalidGameError(
            f"save_payoffs: a CSV file has columns {', '.join(header):.200}, which must differ from each other, and no "
            "names with semicolons; choose other names, or a .json file"
        )
    if any(_in_order(names) != list(names) for names in strategies):
        raise InvalidGameError("save_payoffs: strategies named by numbers from 0 must have their order in a CSV file")
    stored = [table.payoffs(player) for player in range(1 if table.is_symmetric else len(sizes))]
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(header)
    for member in range(num_members):
        for profile in np.ndindex(*sizes):
            names = [strategies[player][strategy] for player, strategy in enumerate(profile)]
            values = [float(array[(member, *profile)]) for array in stored]
            numbers = ["" if math.isnan(value) else repr(value) for value in values]
            writer.writerow([*names, *([member] if num_members > 1 else []), *numbers])
    return lines.getvalue()


def _square_table(path: Path, lines: Lines) -> PayoffTable:
    names, lines = _without_labels(path, lines)
    size = len(lines)
    for line, fields in lines:
        if len(fields) != size:
            raise InvalidGameError(
                f"{path}, line {line}: a square table of {size} lines must have {size} numbers in each, "
                f"got {len(fields)} ({SEPARATORS}; any other table needs a header of row, column and payoff, or "
                "row_payoff and column_payoff)"
            )
    payoffs = [[_number(path, line, field, column) for column, field in enumerate(fields, 1)] for line, fields in lines]
    return PayoffTable.symmetric(payoffs, strategy_names=names)


def _without_labels(path: Path, lines: Lines) -> tuple[list[str] | None, Lines]:
    """Take off the column names and row labels with which data frames are written; refuse what may be such or not."""
    (first, header), *rest = lines
    counted = _numbers(len(header))
    if len(rest) == len(header) and header == counted:
        return None, rest
    if len(rest) == len(header) and not any(map(is_number, header)):
        return header, rest
    if len(lines) != len(header):
        return None, lines
    if header == counted and len(header) > 2:
        raise InvalidGameError(
            f"{path}, line {first}: {', '.join(header)} may be names of columns or payoffs; leave out the names (of a "
            f"table that is not square, write lines of row, column and payoff), or write payoffs as {header[0]}.0"
        )
    names, labels = header[1:], [fields[0] for _, fields in rest]
    has_names = bool(names) and not any(map(is_number, names))
    if not is_number(header[0]) and (names == labels or (has_names and labels == counted[:-1])) and names:
        return None if names == counted[:-1] else names, [(line, fields[1:]) for line, fields in rest]
    if has_names and any(names):
        raise InvalidGameError(
            f"{path}, line {first}: rows and columns must have the same names in the same order, got columns "
            f"{', '.join(names):.80} and rows {', '.join(labels):.80}"
        )
    return None, lines


def _long_table(path: Path, lines: Lines) -> PayoffTable:
    first_line, header = lines[0]
    players, payoffs = _columns(path, first_line, header)
    has_members = _MEMBER in header and _MEMBER not in players
    profiles: list[list[str]] = []
    members: list[int] = []
    values: list[list[float]] = []
    for line, fields in lines[1:]:
        if len(fields) != len(header):
            raise InvalidGameError(f"{path}, line {line}: must have {len(header)} fields, got {len(fields)}")
        named = dict(zip(header, fields, strict=True))
        profiles.append([_strategy(path, line, name, named[name]) for name in players])
        members.append(_whole_number(path, line, _MEMBER, named[_MEMBER]) if has_members else 0)
        values.append([_number(path, line, named[name], name) for name in payoffs])
    if not profiles:
        raise InvalidGameError(f"{path}: there are no payoffs under the header")
    columns, is_symmetric = list(zip(*profiles, strict=True)), payoffs == [_PAYOFF]
    strategies = [_in_order([*columns[0], *columns[1]])] * 2 if is_symmetric else [_in_order(c) for c in columns]
    sizes = [max(members) + 1, *map(len, strategies)]
    if math.prod(sizes) > 100 * len(profiles) + 10_000:
        raise InvalidGameError(
            f"{path}: {len(profiles)} lines are too few for {sizes[0]} members and strategies {tuple(sizes[1:])}"
        )
    places = [{name: place for place, name in enumerate(names)} for names in strategies]
    arrays = [np.full(sizes, np.nan) for _ in payoffs]
    seen = set()
    for (line, _), profile, member, payoff in zip(lines[1:], profiles, members, values, strict=True):
        key = (member, *(places[player][name] for player, name in enumerate(profile)))
        if key in seen:
            entry = ", ".join(f"{player} {name}" for player, name in zip(players, profile, strict=True))
            raise InvalidGameError(f"{path}, line {line}: the entry of {entry:.200} came before")
        seen.add(key)
        for array, value in zip(arrays, payoff, strict=True):
            array[key] = value
    return _named_table(path, arrays, players, strategies, is_symmetric)


def _columns(path: Path, line: int, header: list[str]) -> tuple[list[str], list[str]]:
    """Return the columns of the players' strategies, the row player's first, and of payoffs."""
    players = [name for name in header if f"{name}_{_PAYOFF}" in header]
    payoffs = [f"{name}_{_PAYOFF}" for name in players]
    if not players and _PAYOFF in header:
        players, payoffs = [name for name in header if name not in (_PAYOFF, _MEMBER)], [_PAYOFF]
        players = ["row", "column"] if sorted(players) == ["column", "row"] else players
    members = [_MEMBER] if _MEMBER in header and _MEMBER not in players else []
    wanted = len(players) == 2 if payoffs == [_PAYOFF] else 1 <= len(players) <= MAX_PLAYERS
    if not wanted or len(set(header)) < len(header) or {*header} != {*players, *members, *payoffs}:
        raise InvalidGameError(
            f"{path}, line {line}: columns must be row, column, optionally member, and payoff (of a symmetric game) or "
            f"row_payoff and column_payoff; other players than row and column, at most {MAX_PLAYERS}, have their own "
            f"names there, got {', '.join(header):.200}"
        )
    return players, payoffs


def _named_table(
    path: Path, arrays: list[Float64], players: list[str], strategies: list[list[str]], is_symmetric: bool
) -> PayoffTable:
    has_names = any(names != _numbers(len(names)) for names in strategies)
    try:
        if is_symmetric:
            names = strategies[0] if has_names else None
            return PayoffTable.symmetric(arrays[0], player_names=players, strategy_names=names)
        return PayoffTable.from_arrays(arrays, player_names=players, strategy_names=strategies if has_names else None)
    except InvalidGameError as error:
        raise InvalidGameError(f"{path}: {error}") from error


def _in_order(names: Iterable[str]) -> list[str]:
    """Return different names as they come, but for the numbers from 0 on."""
    different = list(dict.fromkeys(names))
    numbers = _numbers(len(different))
    return numbers if set(different) == set(numbers) else different


def _numbers(size: int) -> list[str]:
    return [str(number) for number in range(size)]


def _strategy(path: Path, line: int, player: str, field: str) -> str:
    if not field:
        raise InvalidGameError(f"{path}, line {line}: the strategy of {player:.80} is missing")
    return field


def _number(path: Path, line: int, field: str, column: int | str) -> float:
    if field and not is_number(field):
        hint = f" ({SEPARATORS})" if re.fullmatch(r"[\d.,;:|\s+-]+", field) else ""
        raise InvalidGameError(f"{path}, line {line}, column {column}: expected a number, got {shown(field)}{hint}")
    value = float(field) if field else np.nan
    if np.isinf(value):
        raise InvalidGameError(f"{path}, line {line}, column {column}: payoffs must be finite, got {field:.80}")
    return value


def _whole_number(path: Path, line: int, name: str, field: str) -> int:
    if not (field.isascii() and field.isdigit() and len(field) <= 9):
        raise InvalidGameError(f"{path}, line {line}: {name} must be a whole number from 0, got {shown(field)}")
    return int(field)
