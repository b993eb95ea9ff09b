"""The layouts of play made into one: a row an action, moves at once seat by seat, chance as player -1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast.checks import did_you_mean
from coffee_fast.errors import DatasetError, shown
from coffee_fast.logs.columns import ChosenColumns, Source
from coffee_fast.logs.episodes import Episodes
from coffee_fast.logs.labels import Labels, number_labels, text_of
from coffee_fast.logs.tables import is_missing, tell_apart
from coffee_fast.typing import Int64

Bools = NDArray[np.bool_]
NONE = "(none)"


@dataclass(frozen=True, eq=False)
class Steps:
    """One row a step: what each player did in it, or an outcome of chance.

    ``source [S, N]``: the row of the table that tells of a player at the step, -1 where none does; ``action [S, N]``,
    -1 where a player does not act; ``outcome [S]``, -1 where chance does not move; ``episode [S]``.
    """

    source: Int64
    action: Int64
    outcome: Int64
    episode: Int64
    layout: str
    num_players: int
    player_names: tuple[str, ...]
    actions: Labels
    chance: Labels | None

    def place(self, step: int | np.integer[Any]) -> str:
        """Where a step stands, in words."""
        first = int(np.searchsorted(self.episode, self.episode[step]))
        return f"row {self.row(step)} (trajectory {self.episode[step]}, step {step - first})"

    def row(self, step: int | np.integer[Any]) -> int:
        """A row of the table that tells of a step."""
        return int(self.source[step].max())

    def player(self, seat: int | np.integer[Any]) -> str:
        """A player as messages call it."""
        return shown(self.player_names[seat]) if self.player_names else str(seat)


def steps_of(columns: ChosenColumns, episodes: Episodes, known: Mapping[str, Any], chance: Any) -> Steps:
    """Read who did what from whichever layout the table has."""
    action = columns.require("action")
    is_joint = bool(action.by_player) or action.is_list or (action.column is not None and action.column.ndim == 2)
    found = _joint(columns, episodes, known, action) if is_joint else _rows(columns, episodes, known, chance)
    for what, names, count, given in (
        ("player", found.player_names, found.num_players, known["num_players"]),
        ("action", found.actions.names, found.actions.count, known["num_actions"]),
    ):
        if given is not None and (count > given or (names and len(names) != given)):
            where = columns.sources.get(what, action).name
            raise DatasetError(
                f"{columns.caller}: the column {where:.120} names {len(names) or count} {what}s "
                f"({', '.join(names)[:160]}), but num_{what}s is {given}; say {what}_names, in order"
            )
    nobody = np.flatnonzero((found.action < 0).all(axis=1) & (found.outcome < 0))
    if nobody.size:
        raise DatasetError(
            f"{columns.caller}: {found.place(nobody[0])}: nobody acts, the action is missing; fill it in, or leave the "
            "row out"
        )
    return found


def _joint(columns: ChosenColumns, episodes: Episodes, known: Mapping[str, Any], source: Source) -> Steps:
    """A row a step, with an entry for each player, missing where it does not act."""
    caller = columns.caller
    if "player" in columns:
        raise DatasetError(
            f"{caller}: there are a player ({columns.sources['player'].name}) and actions of all players "
            f"({source.name:.120}) in one row; say columns={{'player': None}} if each row is a step of all"
        )
    names, parts = columns_of_players(columns, source, "action", known)
    array = np.stack(parts, axis=1)[episodes.row]
    labels = number_labels(source.name, array, caller, names=known["action_names"], count=known["num_actions"])
    if (again := np.flatnonzero(np.diff(episodes.group) == 0)).size:
        raise DatasetError(
            f"{caller}: rows {episodes.row[again[0]]} and {episodes.row[again[0] + 1]} are the same step of an "
            "episode; remove the duplicate"
        )
    N = array.shape[1]
    return Steps(
        source=np.repeat(episodes.row[:, None], N, axis=1),
        action=labels.codes,
        outcome=np.full(len(array), -1, dtype=np.int64),
        episode=episodes.episode,
        layout="one row a joint step",
        num_players=N,
        player_names=names,
        actions=labels,
        chance=None,
    )


def columns_of_players(
    columns: ChosenColumns, source: Source, what: str, known: Mapping[str, Any]
) -> tuple[tuple[str, ...], list[NDArray[Any]]]:
    """The names of players and a column of each, as many as are known to be there."""
    caller, names, count = columns.caller, tuple(known["player_names"]), known["num_players"]
    if source.by_player:
        given = source.by_player
        is_numbered = set(given) == set(map(str, range(len(given))))
        is_numbered &= not set(names) & set(given)
        order = sorted(given, key=int) if is_numbered else list(names) or list(given)
        if missing := [player for player in order if player not in given]:
            raise DatasetError(
                f"{caller}: the column of player {shown(missing[0])} is missing for {what}; there are those of "
                f"{', '.join(given)[:200]}"
            )
        if unknown := [player for player in given if player not in order]:
            raise DatasetError(
                f"{caller}: {what} has a column of {shown(unknown[0])}, who is no player; they are "
                f"{', '.join(order)[:200]}{did_you_mean(unknown[0], order)}"
            )
        if any(len(given[player]) > 1 or given[player][0][1].ndim > 1 for player in order):
            raise DatasetError(f"{caller}: {what} must be one column of one entry a row for each player")
        return names or (() if is_numbered else tuple(order)), [given[player][0][1] for player in order]
    if source.is_list:
        columns_there = [name for name, _ in source.parts]
        parts = [array for _, array in source.parts]
        is_numbered = columns_there == [f"{what}_{i}" for i in range(len(parts))]
        own = () if is_numbered else _without_affixes(columns_there)
    else:
        columns_there, own = [source.name], ()
        parts = list(source.parts[0][1].T)
    if count is not None and len(parts) != count:
        is_short = len(parts) < count
        raise DatasetError(
            f"{caller}: {what} must have an entry for each of {count} players, got {len(parts)} "
            f"({', '.join(columns_there)[:160]}); {'a column is missing' if is_short else 'there are too many columns'}"
        )
    if any(part.ndim != 1 for part in parts):
        raise DatasetError(f"{caller}: {what} must be one entry a row for each player, got {source.name:.120}")
    return names or own, parts


def _without_affixes(names: list[str]) -> tuple[str, ...]:
    """``price_a``, ``price_b`` without the words they have in common, as long as something is left of each."""
    begin, end = _common_words(names), _common_words([name[::-1] for name in names])
    short = [name[begin : len(name) - end] for name in names]
    return tuple(short if all(short) and len(set(short)) == len(short) else dict.fromkeys(names))


def _common_words(names: list[str]) -> int:
    """How many letters all begin with, up to the last mark between words."""
    same = list(takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False)))
    return max((place + 1 for place, letters in enumerate(same) if letters[0] in "_. -"), default=0)


def _rows(columns: ChosenColumns, episodes: Episodes, known: Mapping[str, Any], chance: Any) -> Steps:
    """A row an action; rows that are one step of an episode are moves at once."""
    caller, row = columns.caller, episodes.row
    action = columns.single("action")
    assert action is not None
    seat, names = _seats(columns, known, chance)
    action, seat = action[row], seat[row]
    absent = is_missing(action)
    if absent.any():
        raise DatasetError(
            f"{caller}: row {row[np.argmax(absent)]}: the action ({columns.sources['action'].name}) is missing; fill "
            "it in, or leave the row out"
        )
    is_chance, name = seat < 0, columns.sources["action"].name
    if is_chance.all():
        raise DatasetError(f"{caller}: all rows are moves of chance; no player acts")
    options = {"names": known["action_names"], "count": known["num_actions"]}
    actions = number_labels(name, _only(action, ~is_chance), caller, **options)
    outcomes = None
    if is_chance.any():
        options = {"names": known["chance_names"], "count": known["num_chance_actions"] or None}
        outcomes = number_labels(f"{name} of chance", _only(action, is_chance), caller, **options)
    N = max(len(names), known["num_players"] or 0) or int(seat.max()) + 1
    _refuse_people(columns, episodes.episode[~is_chance], seat[~is_chance], N)
    steps, of_row = np.unique(episodes.group, return_inverse=True)
    _refuse_duplicates(columns, episodes, of_row, seat)
    S = len(steps)
    source, moves = np.full((S, N), -1, dtype=np.int64), np.full((S, N), -1, dtype=np.int64)
    outcome = np.full(S, -1, dtype=np.int64)
    own = np.flatnonzero(~is_chance)
    source[of_row[own], seat[own]] = row[own]
    moves[of_row[own], seat[own]] = actions.codes[own]
    if outcomes is not None:
        by_chance = np.flatnonzero(is_chance)
        if (mixed := np.flatnonzero((moves[of_row[by_chance]] >= 0).any(axis=1))).size:
            raise DatasetError(
                f"{caller}: row {row[by_chance[mixed[0]]]}: chance moves at the step of a player's move; give it a "
                "step of its own"
            )
        outcome[of_row[by_chance]] = outcomes.codes[by_chance]
        source[of_row[by_chance]] = row[by_chance, None]
    first = np.searchsorted(of_row, np.arange(S))
    layout = "one row an action" if len(row) == S else "one row a player and step"
    return Steps(source, moves, outcome, episodes.episode[first], layout, N, names, actions, outcomes)


def _refuse_people(columns: ChosenColumns, episode: Int64, seat: Int64, num_players: int) -> None:
    """A column of users' names says who played, not which seat of the game."""
    pairs = np.unique(episode * num_players + seat)
    most = int(np.bincount(pairs // num_players).max())
    if num_players > 127 or (num_players > 8 and 2 * most <= num_players):
        raise DatasetError(
            f"{columns.caller}: the column {columns.sources['player'].name} names {num_players} players, and at most "
            f"{most} act in an episode, so it names people and not seats of the game; give a column that says who sits "
            "where, such as 'buyer' and 'seller'"
        )


def _only(column: NDArray[Any], wanted: Bools) -> NDArray[Any]:
    """A column with what is not wanted missing."""
    if column.dtype.kind == "f" or wanted.all():
        kept = column.copy()
        kept[~wanted] = np.nan if column.dtype.kind == "f" else kept[~wanted]
        return kept
    kept = np.empty(len(column), dtype=object)
    kept[wanted] = column[wanted].tolist()
    return kept


def _seats(columns: ChosenColumns, known: Mapping[str, Any], chance: Any) -> tuple[Int64, tuple[str, ...]]:
    """Who acts in each row of the table, -1 where chance does, and the names of players."""
    caller = columns.caller
    if "player" not in columns and known["num_players"] == 1:
        return np.zeros(columns.num_rows, dtype=np.int64), tuple(known["player_names"])
    alone = ", and needed unless num_players=1 says that one player makes all moves"
    columns.require("player", "" if known["num_players"] else alone)
    column = columns.single("player")
    assert column is not None
    absent = is_missing(column)
    if absent.any() and chance is None:
        raise DatasetError(
            f"{caller}: row {np.argmax(absent)}: the player ({columns.sources['player'].name}) is missing; fill it in, "
            "or leave the row out; chance is -1"
        )
    is_chance = absent | _equals(column, "-1")
    if chance is not None:
        if isinstance(chance, list | tuple) and not chance:
            raise DatasetError(
                f"{caller}: chance must be what the player is called where chance moves, got {shown(chance)}"
            )
        wanted = {text_of(name) for name in (chance if isinstance(chance, list | tuple) else [chance])}
        for text in wanted:
            is_chance |= _equals(column, text)
        if not (is_chance & ~absent).any():
            found = sorted(map(text_of, set(column[~absent].tolist())))
            raise DatasetError(
                f"{caller}: chance is said to be {shown(chance)}, but the column {columns.sources['player'].name} "
                f"holds only {', '.join(found)[:200]}{did_you_mean(next(iter(wanted)), found)}"
            )
        if (absent & ~is_chance).any():
            raise DatasetError(f"{caller}: row {np.argmax(absent)}: the player is missing")
    if is_chance.all():
        raise DatasetError(f"{caller}: all rows are moves of chance; no player acts")
    labels = number_labels(
        columns.sources["player"].name,
        _only(column, ~is_chance),
        caller,
        names=known["player_names"],
        count=known["num_players"],
        by_appearance=column.dtype.kind in "OUS",
    )
    return labels.codes, labels.names


def _equals(column: NDArray[Any], text: str) -> Bools:
    if column.dtype.kind in "US":
        return np.asarray(column.astype(str) == text)
    if column.dtype.kind == "O":
        return tell_apart(column, lambda value: text_of(value) == text)
    try:
        return np.asarray(column == float(text))
    except ValueError:
        return np.zeros(len(column), dtype=bool)


def _refuse_duplicates(columns: ChosenColumns, episodes: Episodes, of_row: Int64, seat: Int64) -> None:
    """The same player twice at one step."""
    order = np.lexsort((seat, of_row))
    same = (np.diff(of_row[order]) == 0) & (np.diff(seat[order]) == 0)
    if same.any():
        place = int(np.argmax(same))
        first, second = sorted(episodes.row[order[place : place + 2]].tolist())
        raise DatasetError(
            f"{columns.caller}: rows {first} and {second} are both of one player at one step of an episode; remove the "
            "duplicate, or correct the column 'step'"
        )
