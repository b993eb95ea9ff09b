"""Checks of numbers that people pass in; a message says what was expected and what came."""

from __future__ import annotations

import sys

import numpy as np

from coffee_fast.errors import InvalidArgumentError

_LARGEST = sys.float_info.max  # integers may be larger


def check_number(name: str, value: float, *, at_least: float = 0.0, is_open: bool = False) -> None:
    """Raise unless ``value`` is a finite real number ``>= at_least`` (``>`` if ``is_open``)."""
    wanted = f"a finite number {'>' if is_open else '>='} {at_least:g}"
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise InvalidArgumentError(f"{name} must be {wanted}, got {shown(value)}")
    if not abs(value) <= _LARGEST or value < at_least or (is_open and value == at_least):
        raise InvalidArgumentError(f"{name} must be {wanted}, got {shown(value)}")


def check_count(name: str, value: int, *, at_least: int) -> None:
    """Raise unless ``value`` is an integer ``>= at_least``."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < at_least:
        raise InvalidArgumentError(f"{name} must be an integer >= {at_least}, got {shown(value)}")


def shown(value: object, most: int = 80) -> str:
    """``repr(value)`` for a message: never longer than ``most`` characters, never an error of its own."""
    try:
        text = repr(value)
    except Exception:  # an integer of too many digits, or a repr of somebody else's that fails
        text = f"a {type(value).__name__}"
    return text if len(text) <= most else f"{text[: most - 3]}..."
