"""Strategic games in the files of Gambit (``.nfg``), as its documentation of the format describes them."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path

import numpy as np

from coffee_fast._gambit_text import GambitReader, quoted, without_gaps
from coffee_fast.empirical.csv_files import MAX_PLAYERS
from coffee_fast.empirical.payoff_table import PayoffTable
from coffee_fast.errors import InvalidGameError
from coffee_fast.typing import Float64

_MOST_STRATEGIES = 1_000_000  # of a player


def read_nfg(path: Path, text: str) -> PayoffTable:
    """Return the game that the text of a file describes, payoffs listed or by outcomes; ``path`` is for messages."""
    reader = GambitReader(path, text)
    if reader.is_next("word", "EFG"):
        reader.fail("NFG, a strategic game (an extensive game is a tree: name it .efg, and load_game('gambit:PATH'))")
    reader.take("word", "NFG, the first word of a strategic game of Gambit", "NFG")
    reader.take("number", "1, the version of the format", "1")
    reader.take("word", "R or D, the kind of numbers", "R", "D")
    reader.take("text", "the title in quotes")
    players = reader.take_texts("a player's name in quotes")
    if len(players) > MAX_PLAYERS:
        reader.fail(f"at most {MAX_PLAYERS} players")
    strategies = _take_strategies(reader, len(players))
    if reader.is_next("text"):
        reader.take("text", "a comment")
    sizes = [len(names) for names in strategies]
    if math.prod(sizes) * len(sizes) > len(text) and not reader.is_next("mark", "{"):
        reader.fail(f"{math.prod(sizes) * len(sizes)} payoffs")
    payoffs = _take_outcomes(reader, sizes) if reader.is_next("mark", "{") else _take_payoffs(reader, sizes)
    reader.take("end", "the end of the file, as all profiles have their payoffs")
    arrays = [column.reshape(sizes, order="F") for column in payoffs.T]
    try:
        return PayoffTable.from_arrays(
            arrays,
            player_names=without_gaps(players, "Player ") if any(players) else None,
            strategy_names=[without_gaps(names, "") for names in strategies],
        )
    except InvalidGameError as error:
        raise InvalidGameError(f"{path}: {error}") from error


def write_nfg(table: PayoffTable, title: str) -> str:
    """Return a table of one member as the text of a file in the payoff version."""
    if table.num_members > 1:
        raise InvalidGameError(
            f"save_payoffs: a .nfg file holds the payoffs of one member, got {table.num_members}; save table.mean()"
        )
    in_quotes = partial(quoted, "save_payoffs")
    table.kernel("save_payoffs")  # refuses unknown payoffs
    players = table.player_names or tuple(f"Player {i + 1}" for i in range(table.num_players))
    strategies = table.strategy_names or [tuple(str(s + 1) for s in range(size)) for size in table.num_strategies]
    lists = "\n".join(f"{{ {' '.join(map(in_quotes, names))} }}" for names in strategies)
    arrays = [table.payoffs(player)[0].ravel(order="F") for player in range(table.num_players)]
    numbers = [" ".join(np.format_float_positional(x, trim="-") for x in row) for row in np.stack(arrays, axis=1)]
    head = f"NFG 1 R {in_quotes(title)} {{ {' '.join(map(in_quotes, players))} }}"
    return f'{head}\n\n{{ {lists}\n}}\n""\n\n' + "\n".join(numbers) + "\n"


def _take_strategies(reader: GambitReader, num_players: int) -> list[list[str]]:
    """Return the names of each player's strategies: as listed, or of so many as are said the numbers from 1."""
    reader.take("mark", "{ before the players' strategies", "{")
    strategies: list[list[str]] = []
    is_counted = reader.is_next("number")
    for player in range(1, num_players + 1):
        if is_counted:
            count = reader.take_whole_number(f"the number of strategies of player {player}", 1, _MOST_STRATEGIES)
            strategies.append([str(number) for number in range(1, count + 1)])
        else:
            strategies.append(reader.take_texts(f"a name in quotes of a strategy of player {player}"))
    reader.take("mark", "} after the strategies of all players", "}")
    return strategies


def _take_payoffs(reader: GambitReader, sizes: list[int]) -> Float64:
    """Return ``[S1 * ... * Sn, n]``, the first player's strategy changing fastest."""
    values = [reader.take_number() for _ in range(math.prod(sizes) * len(sizes))]
    return np.array(values).reshape(-1, len(sizes))


def _take_outcomes(reader: GambitReader, sizes: list[int]) -> Float64:
    """Return the same where a list of outcomes and the number of the outcome of each profile say it; 0 pays nothing."""
    reader.take("mark", "{", "{")
    outcomes = [[0.0] * len(sizes)]
    while not reader.is_next("mark", "}"):
        reader.take("mark", "{ before an outcome, or } after the last one", "{")
        reader.take("text", "the outcome's name in quotes")
        outcomes.append(reader.take_payoffs(len(sizes)))
    reader.take("mark", "}", "}")
    wanted, most = "the outcome of a profile", len(outcomes) - 1
    if math.prod(sizes) > len(reader.text):
        reader.fail(f"the outcomes of {math.prod(sizes)} profiles")
    return np.array([outcomes[reader.take_whole_number(wanted, 0, most)] for _ in range(math.prod(sizes))])
