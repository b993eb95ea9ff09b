"""Payoff tables from and to CSV, JSON and Gambit's files."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from coffee_fast._files import as_path, read_text, write_atomically
from coffee_fast._strict_json import parse_json
from coffee_fast.empirical.csv_files import read_csv, write_csv
from coffee_fast.empirical.gambit import read_nfg, write_nfg
from coffee_fast.empirical.payoff_table import PayoffTable
from coffee_fast.errors import InvalidArgumentError, InvalidGameError, shown

_LARGEST = 64 << 20
_PAYOFFS, _NAMES = ("symmetric", "players"), ("player_names", "strategy_names")


def load_payoffs(path: str | os.PathLike[str]) -> PayoffTable:
    """Return the payoff table that a CSV, JSON or Gambit file describes; the name's ending says which.

    A CSV file is either

    - *square*: ``S`` lines of ``S`` numbers, the row player's payoffs in a symmetric game, under the names of the
      columns and beside those of the rows if there are any, as a data frame is written; or
    - *long*, a line a profile: a header with a column for each player, by its name, that holds the strategy it plays,
      and one of its payoff, ``NAME_payoff``, as ``row``, ``column``, ``row_payoff``, ``column_payoff``; optionally
      ``member``, numbered from 0. With two players and one column ``payoff`` it is a symmetric game, and the row
      player's payoff. Strategies are called by any words or numbers, lines come in any order, and what no line says is
      not known (NaN).

    Semicolons, tabs or blanks may stand for the commas that separate numbers, and then a comma for the decimal point.

    A JSON file is an object with ``{"symmetric": [[...]]}`` for ``[S, S]`` or ``[E, S, S]``, or
    ``{"players": [[[...]], ...]}`` with one array a player, and optionally ``"player_names"`` and ``"strategy_names"``,
    all as :meth:`PayoffTable.symmetric` and :meth:`PayoffTable.from_arrays` take them. ``null`` is an unknown payoff;
    in CSV an empty field or ``nan`` is.

    A ``.nfg`` file is a strategic game of Gambit, with payoffs listed or by outcomes.

    Raises
    ------
    InvalidGameError
        The file cannot be read or is not of that form; the message names it, the line and the column.
    """
    path = as_path(path, InvalidGameError)
    suffix = _suffix(path)
    text = read_text(path, InvalidGameError, _LARGEST)
    if suffix == ".csv":
        return read_csv(path, text)
    return _read_json(path, text) if suffix == ".json" else read_nfg(path, text)


def save_payoffs(table: PayoffTable, path: str | os.PathLike[str]) -> None:
    """Write a table to a file that :func:`load_payoffs` reads; the name's ending says which kind.

    A file of that name gives way. Payoffs come back to the last bit, and so do names; in CSV and Gambit's files players
    without names get some. Gambit's, in their payoff version, hold a table of one member with all payoffs known, and do
    not say whether it is symmetric.

    Parameters
    ----------
    table
        The payoffs.
    path
        A name that ends in ``.csv``, ``.json`` or ``.nfg``.

    Raises
    ------
    InvalidGameError
        A table that such a file cannot hold.
    """
    if not isinstance(table, PayoffTable):
        raise InvalidArgumentError(f"save_payoffs: table must be a PayoffTable, got {shown(table)}")
    path = as_path(path, InvalidArgumentError)
    suffix = _suffix(path)
    if suffix == ".csv":
        text = write_csv(table)
    else:
        text = _write_json(table) if suffix == ".json" else write_nfg(table, path.stem.replace("\\", "/"))
    write_atomically(path, text.encode())


def _suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in (".csv", ".json", ".nfg"):
        hint = f"; this one is a tree: load_game({f'gambit:{path.name}'!r})" if suffix == ".efg" else ""
        raise InvalidGameError(f"{path}: a payoff file must end in .csv, .json or .nfg{hint}")
    return suffix


def _read_json(path: Path, text: str) -> PayoffTable:
    try:
        content = parse_json(text)
    except ValueError as error:  # a JSONDecodeError says line and column
        raise InvalidGameError(f"{path}: not valid JSON: {error}") from None
    keys = [key for key in content if key not in _NAMES] if isinstance(content, dict) else []
    if len(keys) != 1 or keys[0] not in _PAYOFFS:
        raise InvalidGameError(
            f'{path}: must be an object with one key, "symmetric" or "players", besides "player_names" and '
            '"strategy_names"'
        )
    names = {key: content[key] for key in _NAMES if key in content}
    value = content[keys[0]]
    try:
        if keys[0] == "symmetric":
            return PayoffTable.symmetric(_without_nulls(value), **names)
        if not isinstance(value, list):
            raise InvalidGameError('"players" must be a list of one array a player')
        return PayoffTable.from_arrays([_without_nulls(array) for array in value], **names)
    except InvalidGameError as error:
        raise InvalidGameError(f"{path}: {error}") from error


def _without_nulls(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return np.nan if value is None else value


def _with_nulls(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_nulls(item) for item in value]
    return None if np.isnan(value) else value


def _write_json(table: PayoffTable) -> str:
    players = range(1 if table.is_symmetric else table.num_players)
    arrays = [_with_nulls(table.payoffs(player).tolist()) for player in players]
    content: dict[str, Any] = {"symmetric": arrays[0]} if table.is_symmetric else {"players": arrays}
    if table.player_names:
        content["player_names"] = table.player_names
    if table.strategy_names:
        content["strategy_names"] = table.strategy_names[0] if table.is_symmetric else table.strategy_names
    return json.dumps(content, allow_nan=False) + "\n"
