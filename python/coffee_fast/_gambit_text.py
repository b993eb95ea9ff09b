"""The words of Gambit's files, one after another; what is not as expected is an error with line and column."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from coffee_fast.errors import InvalidGameError, shown

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
A_PAYOFF = "a payoff, as -3, 0.5 or 1/3"


@dataclass(frozen=True)
class Token:
    kind: str
    value: str
    place: int


class GambitReader:
    """Takes the tokens of a text; ``path`` is for messages."""

    def __init__(self, path: Path, text: str) -> None:
        self.path, self.text = path, text
        self._tokens = self._scan()
        self.next = next(self._tokens)

    def _scan(self) -> Iterator[Token]:
        place, kind = 0, ""
        while kind != "end":
            found = _TOKEN.match(self.text, place)
            if found is None or found.lastgroup is None:
                rest = self.text[place:].lstrip()
                token = Token("", rest[:20], len(self.text) - len(rest))
                self.fail("a text in quotes, a number or a brace", token)
            kind = found.lastgroup
            yield Token(kind, found[kind], found.start(kind))
            place = found.end()

    def fail(self, wanted: str, token: Token | None = None) -> NoReturn:
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

    def take_number(self, wanted: str = A_PAYOFF) -> float:
        """Return a decimal or a fraction."""
        token = self.next
        if len(token.value) > _LONGEST_NUMBER:
            self.fail(f"a number of at most {_LONGEST_NUMBER} characters")
        above, _, below = self.take("number", wanted).partition("/")
        if below and not (above.lstrip("+-").isdigit() and int(below) > 0):
            self.fail(wanted, token)
        try:
            value = int(above) / int(below) if below else float(above)
        except OverflowError:
            value = math.inf
        if not math.isfinite(value):
            self.fail("a payoff that a floating-point number can hold", token)
        return value

    def take_payoffs(self, count: int) -> list[float]:
        """Return one payoff a player, with or without commas between them, and take the brace after them."""
        payoffs: list[float] = []
        for _ in range(count):
            if self.is_next("mark", ","):
                self.take("mark", ",")
            payoffs.append(self.take_number())
        self.take("mark", "} after one payoff a player", "}")
        return payoffs


def without_gaps(names: list[str], prefix: str) -> list[str]:
    """Return names with a number for each that is empty."""
    return [name.strip() or f"{prefix}{number}" for number, name in enumerate(names, 1)]


def quoted(caller: str, name: str) -> str:
    """Return a name as Gambit's files hold it."""
    if "\\" in name:
        raise InvalidGameError(f"{caller}: names in Gambit's files have no backslashes, got {shown(name)}")
    escaped = name.replace('"', '\\"')
    return f'"{escaped}"'
