"""What all trackers do."""

from __future__ import annotations

import importlib
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar

from coffee_fast.errors import ConfigError, InvalidArgumentError, shown
from coffee_fast.typing import ProgressCallback

_Run = TypeVar("_Run")
_LONGEST = 400  # characters of what a library says


class Tracker(ABC):
    """A progress callback that writes figures somewhere; one of your own has :meth:`write` and perhaps :meth:`close`.

    It may stand in a ``with`` block, after which it is closed; ``is_broken_off`` then says whether an error ended it.

    >>> class Printed(Tracker):
    ...     def write(self, name, value, step):
    ...         print(name, value, step)
    >>> Printed()("self-play", 3, 120, {"entropy": 2.5})
    self-play/entropy 2.5 3
    """

    is_broken_off = False

    @abstractmethod
    def write(self, name: str, value: float, step: int) -> None:
        """Write one figure."""

    def write_all(self, figures: Mapping[str, float], step: int) -> None:
        """Write the figures of one step, whose names begin with the same phase; at once, where that is cheaper."""
        for name, value in figures.items():
            self.write(name, value, step)

    def close(self) -> None:  # noqa: B027  # most have nothing to do
        """Write what is left."""

    def __call__(self, phase: str, done: int, total: int, figures: Mapping[str, float]) -> None:
        """Write all finite figures of a phase."""
        finite = {f"{phase}/{name}": float(value) for name, value in figures.items() if math.isfinite(value)}
        if finite:
            self.write_all(finite, done)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.is_broken_off = kind is not None
        self.close()


def tracked_by(*callbacks: ProgressCallback) -> ProgressCallback:
    """Return one progress callback that calls several.

    Raises
    ------
    InvalidArgumentError
        For something that cannot be called.

    >>> both = tracked_by(lambda *told: print(told[0]), lambda *told: print(told[1]))
    >>> both("fit", 1, 2, {})
    fit
    1
    """
    for callback in callbacks:
        if not callable(callback):
            raise InvalidArgumentError(f"tracked_by: callbacks must be functions, got {shown(callback)}")

    def progress(phase: str, done: int, total: int, figures: Mapping[str, float]) -> None:
        for callback in callbacks:
            callback(phase, done, total, figures)

    return progress


def started(name: str, start: Callable[[], _Run]) -> _Run:
    """Begin to write; ``ConfigError`` says what the library says where it cannot."""
    try:
        return start()
    except Exception as error:  # each library has errors of its own, and those of the network
        said = " ".join(str(error).split())
        raise ConfigError(f"{name}: cannot be written to: {said[:_LONGEST]}") from None


def needed(module: str, package: str) -> Any:
    """Import what a tracker writes with; ``ConfigError`` if it is not there."""
    try:
        return importlib.import_module(module)
    except ImportError:
        raise ConfigError(f"trackers: needs {package}, which is not installed: pip install {package}") from None
