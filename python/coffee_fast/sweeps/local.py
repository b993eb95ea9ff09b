"""Runs as processes of this machine."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

from coffee_fast.errors import InvalidArgumentError
from coffee_fast.sweeps.engine import WorkerLostError
from coffee_fast.sweeps.folder import SweepFolder
from coffee_fast.typing import ProgressCallback

SECONDS_TO_STOP = 30.0
COMMAND = (sys.executable, "-c", "from coffee_fast.sweeps.worker import main; main()")
# Each worker computes on the threads that it is given; libraries must not add threads of theirs.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1")


def num_cores() -> int:
    """Return the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class LocalEngine:
    """One process a run, ``num_workers`` at a time.

    Parameters
    ----------
    num_workers
        By default as many as there are cores for.
    threads_per_run
        Threads of each.

    Raises
    ------
    InvalidArgumentError
        If that were more threads than cores.
    """

    def __init__(self, num_workers: int | None = None, threads_per_run: int = 1) -> None:
        cores = num_cores()
        self.num_workers = max(1, cores // threads_per_run) if num_workers is None else num_workers
        if self.num_workers * threads_per_run > cores:
            raise InvalidArgumentError(
                f"run_sweep: num_workers x threads_per_run must be at most the {cores} cores of this machine, "
                f"got {self.num_workers} x {threads_per_run}"
            )
        self._processes: set[subprocess.Popen[str]] = set()
        self._guard = threading.Lock()
        self._is_stopping = False

    def run(self, task: Mapping[str, Any], progress: ProgressCallback) -> dict[str, Any]:
        """Carry out one task in a new process."""
        verdict = None
        with SweepFolder(task["sweep_dir"]).log(task["key"]).open("ab") as log, self._process(log) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            with contextlib.suppress(OSError, ValueError):  # dead or stopped already
                process.stdin.write(json.dumps(task) + "\n")
                process.stdin.flush()
            for line in process.stdout:
                message = _message(line)
                if "phase" in message:
                    progress(message["phase"], message["done"], message["total"], {})
                elif "verdict" in message:
                    verdict = message
            code = process.wait()
        if verdict is not None:
            return verdict
        if self._is_stopping:
            return {"verdict": "interrupted", "reason": "it was asked to stop"}
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"exited with code {code}"
        raise WorkerLostError(f"its process {how}; {log.name} may say more")

    def stop(self) -> None:
        """Close the workers' standard inputs, which asks them to stop; kill those that have not after half a minute."""
        with self._guard:
            self._is_stopping = True
            processes = list(self._processes)
        for process in processes:
            _close_input(process)
        deadline = time.monotonic() + SECONDS_TO_STOP
        try:
            for process in processes:
                process.wait(max(0.0, deadline - time.monotonic()))
        except (subprocess.TimeoutExpired, KeyboardInterrupt):  # a second Ctrl-C is meant
            for process in processes:
                process.kill()

    def close(self) -> None:
        """There is nothing to give back."""

    @contextlib.contextmanager
    def _process(self, log: Any) -> Any:
        """Lend a worker process; it is over when the block is."""
        # In a session of its own: a Ctrl-C is for the sweep, which asks its workers to stop.
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": log}
        environment = {**os.environ, **ONE_THREAD}
        process = subprocess.Popen(COMMAND, **pipes, text=True, env=environment, start_new_session=True)
        with self._guard:
            self._processes.add(process)
            is_stopping = self._is_stopping
        try:
            if is_stopping:
                _close_input(process)
            yield process
        finally:
            _close_input(process)
            process.wait()
            assert process.stdout is not None
            process.stdout.close()
            with self._guard:
                self._processes.discard(process)


def _close_input(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    with contextlib.suppress(OSError):
        process.stdin.close()


def _message(line: str) -> dict[str, Any]:
    try:
        message = json.loads(line)
    except ValueError:
        return {}  # some library's words
    return message if isinstance(message, dict) else {}
