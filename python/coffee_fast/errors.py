"""The exceptions coffee_fast raises. Each message names the function or file, what was expected and what came."""

from __future__ import annotations

import reprlib
from typing import Any


class CoffeeError(Exception):
    """Base of every error that coffee_fast raises on purpose."""


class ModelWarning(UserWarning):
    """A fitted model is not to be trusted; the message says why and what to do."""


class InvalidArgumentError(CoffeeError, ValueError):
    """An argument breaks the contract of a function."""


class InvalidGameError(CoffeeError, ValueError):
    """Payoffs or game parameters that do not describe a game."""


class DatasetError(CoffeeError, ValueError):
    """A dataset, or a file of one, that is malformed; the message says trajectory and step where there is one."""


class ConfigError(CoffeeError, ValueError):
    """A configuration with an unknown field or an impossible value."""


class CheckpointError(CoffeeError):
    """A run folder or weight file that is damaged, incomplete or of another configuration."""


class NumericalError(CoffeeError, ArithmeticError):
    """A computation that left the numbers it can work with."""


class OutOfMemoryError(CoffeeError, MemoryError):
    """A computation that asked for more memory than there is."""


_SHOWN = 80  # characters of a value in a message


class _Brief(reprlib.Repr):
    """``repr`` that looks at the beginning of a value alone, whatever its size."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring, self.maxother, self.maxlevel = 60, _SHOWN, 3

    def repr_int(self, value: int, level: int) -> str:
        return repr(value) if value.bit_length() <= 128 else f"an integer of {value.bit_length()} bits"

    def repr_bytes(self, value: bytes, level: int) -> str:
        return repr(value[: self.maxstring])


def shown(value: Any) -> str:
    """Return ``value`` as a message shows it: in at most 80 characters, an array by its shape.

    >>> shown("x" * 10**6), shown(list(range(10**6)))
    ("'xxxxxxxxxxxxxxxxxxxxxxxxxxx...xxxxxxxxxxxxxxxxxxxxxxxxxxxx'", '[0, 1, 2, 3, 4, 5, ...]')
    """
    try:
        shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
        if isinstance(shape, tuple) and dtype is not None:
            text = f"an array of shape {list(shape)} and dtype {dtype}" if shape else repr(value.item())
        else:
            text = _Brief().repr(value)
    except Exception:  # a value's own ``repr`` may do anything
        text = f"a {type(value).__name__}"
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."
