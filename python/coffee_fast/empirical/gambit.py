"""Strategic games in the files of Gambit (``.nfg``), as its documentation of the format describes them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np

from coffee_fast.empirical.csv_files import MAX_PLAYERS
from coffee_fast.empirical.payoff_table import PayoffTable
from coffee_fast.errors import InvalidGameError, shown
from coffee_fast.typing import Float64

_TOKEN = re.compile(
    r"""\s*(?:
        "(?P<text>(?:[^"\\]|\\.)*)"
      | (?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?:/\d+)?)(?![\w.])
      | (?P<word>[A-Za-z]+)
      | (?P<mark>[{},])
      | (?P<end>\Z)
    )""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_LONGEST_NUMBER = 1000  # characters
_MOST_STRATEGIES = 1_000_000  # of a player
_A_PAYOFF = "a payoff, as -3, 0.5 or 1/3"


@dataclass(frozen=True)
class _Token:
    kind: str
    value: str
    place: int


class _Reader:
    """Takes the tokens of a file one after another; what is not as expected is an error with line and column."""

    def __init__(self, path: Path, text: str) -> None:
        self.path, self.text = path, text
        self._tokens = self._scan()
        self.next = next(self._tokens)

    def _scan(self) -> Iterator[_Token]:
        place, kind = 0, ""
        while kind != "end":
            found = _TOKEN.match(self.text, place)
            if found is None or found.lastgroup is None:
                rest = self.text[place:].lstrip()
                token = _Token("", rest[:20], len(self.text) - len(rest))
                self.fail("a text in quotes, a number or a brace", token)
            kind = found.lastgroup
            yield _Token(kind, found[kind], found.start(kind))
            place = found.end()

    def fail(self, wanted: str, token: _Token | None = None) -> NoReturn:
        """Say what was wanted where ``token`` stands, by default the next one."""
        token = token or self.next
        line = self.text.count("\n", 0, token.place) + 1
        column = token.place - self.text.rfind("\n", 0, token.place)
        got = "the end of the file" if token.kind == "end" else shown(token.value)
        raise InvalidGameError(f"{self.path}, line {line}, column {column}: expected {wanted}, got {got}")

    def take(self, kind: str, wanted: str, *values: str) -> str:
        """Return the value of the next token, which must be of this kind and, if there are any, one of these values."""
        token = self.next
        if token.kind != kind or (values and token.value not in values):
            self.fail(wanted)
        if kind != "end":
            self.next = next(self._tokens)
        return token.value

    def is_next(self, kind: str, value: str | None = None) -> bool:
        return self.next.kind == kind and value in (None, self.next.value)

    def take_texts(self, wanted: str) -> list[str]:
        """Return one or more texts in braces."""
        self.take("mark", f"{{ before {wanted}", "{")
        texts = [self.take("text", wanted)]
        while not self.is_next("mark", "}"):
            texts.append(self.take("text", f"{wanted}, or }}"))
        self.take("mark", "}", "}")
        return [text.replace('\\"', '"') for text in texts]

    def take_whole_number(self, wanted: str, least: int, most: int) -> int:
        value = self.next.value
        if not (self.is_next("number") and value.isdigit() and len(value) < 10 and least <= int(value) <= most):
            self.fail(f"{wanted}, a whole number from {least} to {most}")
        return int(self.take("number", wanted))

    def take_payoff(self) -> float:
        token = self.next
        if len(token.value) > _LONGEST_NUMBER:
            self.fail(f"a number of at most {_LONGEST_NUMBER} characters")
        above, _, below = self.take("number", _A_PAYOFF).partition("/")
        if below and not (above.lstrip("+-").isdigit() and int(below) > 0):
            self.fail(_A_PAYOFF, token)
        try:
            value = int(above) / int(below) if below else float(above)
        except OverflowError:
            value = math.inf
        if not math.isfinite(value):
            self.fail("a payoff that a floating-point number can hold", token)
        return value


def read_nfg(path: Path, text: str) -> PayoffTable:
    """Return the game that the text of a file describes, payoffs listed or by outcomes; ``path`` is for messages."""
    reader = _Reader(path, text)
    if reader.is_next("word", "EFG"):
        reader.fail("NFG, a strategic game (Gambit turns extensive games into such)")
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
            player_names=_without_gaps(players, "Player ") if any(players) else None,
            strategy_names=[_without_gaps(names, "") for names in strategies],
        )
    except InvalidGameError as error:
        raise InvalidGameError(f"{path}: {error}") from error


def write_nfg(table: PayoffTable, title: str) -> str:
    """Return a table of one member as the text of a file in the payoff version."""
    if table.num_members > 1:
        raise InvalidGameError(
            f"save_payoffs: a .nfg file holds the payoffs of one member, got {table.num_members}; save table.mean()"
        )
    table.kernel("save_payoffs")  # refuses unknown payoffs
    players = table.player_names or tuple(f"Player {i + 1}" for i in range(table.num_players))
    strategies = table.strategy_names or [tuple(str(s + 1) for s in range(size)) for size in table.num_strategies]
    lists = "\n".join(f"{{ {' '.join(map(_quoted, names))} }}" for names in strategies)
    arrays = [table.payoffs(player)[0].ravel(order="F") for player in range(table.num_players)]
    numbers = [" ".join(np.format_float_positional(x, trim="-") for x in row) for row in np.stack(arrays, axis=1)]
    head = f"NFG 1 R {_quoted(title)} {{ {' '.join(map(_quoted, players))} }}"
    return f'{head}\n\n{{ {lists}\n}}\n""\n\n' + "\n".join(numbers) + "\n"


def _take_strategies(reader: _Reader, num_players: int) -> list[list[str]]:
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


def _take_payoffs(reader: _Reader, sizes: list[int]) -> Float64:
    """Return ``[S1 * ... * Sn, n]``, the first player's strategy changing fastest."""
    values = [reader.take_payoff() for _ in range(math.prod(sizes) * len(sizes))]
    return np.array(values).reshape(-1, len(sizes))


def _take_outcomes(reader: _Reader, sizes: list[int]) -> Float64:
    """Return the same where a list of outcomes and the number of the outcome of each profile say it; 0 pays nothing."""
    reader.take("mark", "{", "{")
    outcomes = [[0.0] * len(sizes)]
    while not reader.is_next("mark", "}"):
        reader.take("mark", "{ before an outcome, or } after the last one", "{")
        reader.take("text", "the outcome's name in quotes")
        outcomes.append([])
        for _ in sizes:
            if reader.is_next("mark", ","):
                reader.take("mark", ",")
            outcomes[-1].append(reader.take_payoff())
        reader.take("mark", "} after one payoff a player", "}")
    reader.take("mark", "}", "}")
    wanted, most = "the outcome of a profile", len(outcomes) - 1
    if math.prod(sizes) > len(reader.text):
        reader.fail(f"the outcomes of {math.prod(sizes)} profiles")
    return np.array([outcomes[reader.take_whole_number(wanted, 0, most)] for _ in range(math.prod(sizes))])


def _without_gaps(names: list[str], prefix: str) -> list[str]:
    """Return names with a number for each that is empty."""
    return [name.strip() or f"{prefix}{number}" for number, name in enumerate(names, 1)]


def _quoted(name: str) -> str:
    if "\\" in name:
        raise InvalidGameError(f"save_payoffs: names in a .nfg file have no backslashes, got {shown(name)}")
    escaped = name.replace('"', '\\"')
    return f'"{escaped}"'
