"""Runs as tasks of a Ray cluster."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from coffee_fast.errors import InvalidArgumentError
from coffee_fast.sweeps.engine import WorkerLostError
from coffee_fast.typing import ProgressCallback

SECONDS_TO_STOP = 30.0


class RayEngine:
    """One Ray task a run; all machines of the cluster must have coffee_fast and see the sweep's folder.

    Parameters
    ----------
    address
        The cluster's, as ``ray.init`` takes it; by default the one this program is connected to already, else one
        started on this machine.
    num_workers
        Runs at a time, by default as many as the cluster has processors for.
    threads_per_run
        Processors that each task takes.

    Raises
    ------
    InvalidArgumentError
        If ray is not installed.
    """

    def __init__(self, address: str | None = None, num_workers: int | None = None, threads_per_run: int = 1) -> None:
        try:
            import ray
        except ImportError:
            raise InvalidArgumentError("engine='ray' needs ray: pip install 'coffee-fast[ray]'") from None
        from coffee_fast.sweeps.worker import execute

        self._ray: Any = ray
        self._is_ours = not ray.is_initialized()
        if self._is_ours:
            with _keeping_sigterm():
                ray.init(address=address, log_to_driver=False)
        processors = int(self._ray.cluster_resources().get("CPU", 1))
        self.num_workers = max(1, processors // threads_per_run) if num_workers is None else num_workers
        self._execute = ray.remote(execute).options(num_cpus=threads_per_run, max_retries=0)
        self._tasks: set[Any] = set()
        self._guard = threading.Lock()

    def run(self, task: Mapping[str, Any], progress: ProgressCallback) -> dict[str, Any]:
        """Carry out one task somewhere in the cluster."""
        with self._guard:
            reference = self._execute.remote(dict(task))
            self._tasks.add(reference)
        try:
            verdict: dict[str, Any] = self._ray.get(reference)
            return verdict
        except self._ray.exceptions.TaskCancelledError:
            return {"verdict": "interrupted", "reason": "it was asked to stop"}
        except self._ray.exceptions.RayError as error:
            raise WorkerLostError(f"its Ray worker was lost: {str(error).strip().splitlines()[0]}") from None
        finally:
            with self._guard:
                self._tasks.discard(reference)

    def stop(self) -> None:
        """Cancel all tasks, which interrupts them as Ctrl-C would; kill those that go on after half a minute."""
        with self._guard:
            tasks = list(self._tasks)
        for is_second, patience in ((False, SECONDS_TO_STOP), (True, 1.0)):
            for task in tasks:
                self._ray.cancel(task, force=is_second)
            _, tasks = self._ray.wait(tasks, num_returns=len(tasks), timeout=patience) if tasks else ([], [])

    def close(self) -> None:
        """Leave the cluster, or end it if it was started here."""
        if self._is_ours:
            self._ray.shutdown()


@contextlib.contextmanager
def _keeping_sigterm() -> Iterator[None]:
    """Undo that Ray answers SIGTERM by leaving at once: the sweep stops its runs first."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)
