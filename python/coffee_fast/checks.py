"""Checks of what people pass in. Each returns the plain Python value; a message says what was expected and what came.

``name`` is how the message calls the argument, as in ``"simulate: num_episodes"``; NumPy's scalars pass as Python's do.
"""

from __future__ import annotations

import difflib
import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from coffee_fast.errors import CoffeeError, InvalidArgumentError, shown
from coffee_fast.typing import ProgressCallback, Resume

LARGEST_COUNT = 2**63 - 1
LONGEST_PATH = 4096  # characters, as on Linux


def check_number(
    name: str,
    value: Any,
    *,
    at_least: float = 0.0,
    at_most: float = math.inf,
    is_open: bool = False,
    error: type[CoffeeError] = InvalidArgumentError,
) -> float:
    """Return a finite real number in ``[at_least, at_most]`` (above ``at_least`` if ``is_open``)."""
    if isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:  # an integer beyond all floats
            number = math.inf
        if math.isfinite(number) and at_least <= number <= at_most and not (is_open and number == at_least):
            return number
    bounds = [f"{'>' if is_open else '>='} {at_least:g}"] * (at_least > -math.inf)
    bounds += [f"<= {at_most:g}"] * (at_most < math.inf)
    wanted = " ".join(["a finite number", " and ".join(bounds)]).rstrip()
    raise error(f"{name} must be {wanted}, got {shown(value)}")


def check_count(
    name: str,
    value: Any,
    *,
    at_least: int = 0,
    at_most: int = LARGEST_COUNT,
    error: type[CoffeeError] = InvalidArgumentError,
) -> int:
    """Return an integer in ``[at_least, at_most]``; no float passes, not even a whole one."""
    if isinstance(value, int | np.integer) and not isinstance(value, bool) and at_least <= value <= at_most:
        return int(value)
    is_too_large = isinstance(value, int | np.integer) and value > at_most
    wanted = f">= {at_least}" + (f" and <= {at_most}" if at_most < 2**31 - 1 or is_too_large else "")
    raise error(f"{name} must be an integer {wanted}, got {shown(value)}")


def check_flag(name: str, value: Any, *, error: type[CoffeeError] = InvalidArgumentError) -> bool:
    """Return a truth value; 0 and 1 are none."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    raise error(f"{name} must be True or False, got {shown(value)}")


def check_resume(name: str, value: Any) -> Resume:
    """Return whether to continue a run: a truth value or ``"anyway"``."""
    if isinstance(value, str) and value == "anyway":
        return "anyway"
    if isinstance(value, bool | np.bool_):
        return bool(value)
    raise InvalidArgumentError(f"{name} must be True, False or 'anyway', got {shown(value)}")


def check_progress(name: str, value: Any) -> ProgressCallback | None:
    """Return something to call, or None."""
    if not (value is None or callable(value)):
        raise InvalidArgumentError(f"{name} must be a function or None, got {shown(value)}")
    callback: ProgressCallback | None = value
    return callback


def check_text(name: str, value: Any, *, error: type[CoffeeError] = InvalidArgumentError) -> str:
    """Return a string."""
    if isinstance(value, str):
        return str(value)
    raise error(f"{name} must be a string, got {shown(value)}")


def check_choice(
    name: str, value: Any, choices: Iterable[str], *, error: type[CoffeeError] = InvalidArgumentError
) -> str:
    """Return one of ``choices``; the message has the nearest one."""
    known = list(choices)
    if isinstance(value, str) and value in known:
        return str(value)
    raise error(f"{name} must be one of {', '.join(known)}, got {shown(value)}{did_you_mean(value, known)}")


def check_path(name: str, value: Any, *, error: type[CoffeeError] = InvalidArgumentError) -> Path:
    """Return a path; whether something is there is another question."""
    if isinstance(value, str | os.PathLike):
        text = os.fspath(value)
        if isinstance(text, str) and 0 < len(text) <= LONGEST_PATH and "\0" not in text:
            return Path(text)
    raise error(f"{name} must be a path, got {shown(value)}")


def first_masked(values: Any) -> tuple[int, ...] | None:
    """Return the first place that a masked array hides, or None: arrays without a mask hide nothing."""
    if not isinstance(values, np.ma.MaskedArray):  # the module is loaded here, not at start-up
        return None
    hidden = np.argwhere(np.ma.getmaskarray(values))
    return tuple(hidden[0].tolist()) if len(hidden) else None


def did_you_mean(value: Any, known: Iterable[str], prefix: str = "") -> str:
    """Return ``"; did you mean 'width'?"``, with ``prefix`` before the name, or nothing where no known name is near.

    >>> did_you_mean("widht", ["width", "height"])
    "; did you mean 'width'?"
    """
    near = difflib.get_close_matches(value[:100], list(known), n=1, cutoff=0.5) if isinstance(value, str) else []
    return f"; did you mean {prefix + near[0]!r}?" if near else ""
