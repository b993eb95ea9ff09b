"""What carries out the runs of a sweep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from coffee_fast.typing import ProgressCallback


class WorkerLostError(Exception):
    """A worker came to its end without a verdict."""


class Engine(Protocol):
    """Carries out tasks (see :func:`coffee_fast.sweeps.worker.execute`), several at a time."""

    num_workers: int
    """How many tasks may run at a time."""

    def run(self, task: Mapping[str, Any], progress: ProgressCallback) -> dict[str, Any]:
        """Carry out one task and return its verdict; called from several threads.

        Raises
        ------
        WorkerLostError
            If the worker died; the message says how.
        """

    def stop(self) -> None:
        """Ask all workers to stop, and return when they have."""

    def close(self) -> None:
        """Give back what the engine holds."""
