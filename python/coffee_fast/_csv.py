"""Tables in text files as people write them: commas, semicolons, tabs or blanks, and points or commas in numbers."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path

from coffee_fast.errors import CoffeeError

SEPARATORS = "numbers are separated by commas, semicolons, tabs or blanks"
Lines = Sequence[tuple[int, list[str]]]
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+")


def split_lines(path: Path, text: str, error: type[CoffeeError]) -> Lines:
    """Return number and fields of each line that is not blank, numbers with a decimal point."""
    opening = next((line for line in text.splitlines() if line.strip()), "")
    separator = next((mark for mark in ";\t," if mark in opening), "," if len(opening.split()) < 2 else " ")
    if separator == " ":
        lines = [(number, line.split()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    else:
        reader = csv.reader(text.splitlines(), skipinitialspace=separator != "\t", delimiter=separator)
        try:
            lines = [(reader.line_num, [field.strip() for field in row]) for row in reader if any(map(str.strip, row))]
        except csv.Error as reason:
            raise error(f"{path}, line {reader.line_num}: {reason}") from None
    return lines if separator == "," else _with_points(path, lines, error)


def _with_points(path: Path, lines: Lines, error: type[CoffeeError]) -> Lines:
    """Replace decimal commas, if that is what the commas in numbers are."""
    fields = [field for _, found in lines for field in found]
    commas = [field for field in fields if _DECIMAL_COMMA.fullmatch(field) or _THOUSANDS.fullmatch(field)]
    if not commas:
        return lines
    if all(map(_THOUSANDS.fullmatch, commas)) or any("." in field and is_number(field) for field in fields):
        raise error(
            f"{path}: the comma in {commas[0]} may be a decimal point or part thousands; write decimal points and no "
            "marks between thousands"
        )
    return [(line, [f.replace(",", ".") if _DECIMAL_COMMA.fullmatch(f) else f for f in found]) for line, found in lines]


def is_number(field: str) -> bool:
    """Whether a field is a number as it is written in files.

    >>> is_number("1.5"), is_number("1_000"), is_number("")
    (True, False, False)
    """
    try:
        float(field)
    except ValueError:
        return False
    return "_" not in field
