"""One run of a sweep, in a process of its own."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

from coffee_fast import _files
from coffee_fast.errors import CoffeeError
from coffee_fast.pipeline import RunConfig, run_pipeline
from coffee_fast.sweeps.folder import SweepFolder
from coffee_fast.typing import ProgressCallback

SECONDS_BETWEEN_REPORTS = 0.5


def execute(task: Mapping[str, Any], progress: ProgressCallback | None = None) -> dict[str, Any]:
    """Carry out or continue one run, and write down how it ended.

    Parameters
    ----------
    task
        Plain JSON values: ``sweep_dir``, ``key``, ``config``, ``dataset``, ``num_threads``, ``resume``; ``outcome``,
        the text of the outcome that made the caller hand out the run; ``attempt``, from 1, and ``num_attempts``.
    progress
        Passed on to the run.

    Returns
    -------
    dict
        ``verdict``: ``"done"``; ``"failed"``, for good; ``"again"``, worth another attempt; ``"busy"``, if another
        process has the run; ``"interrupted"``. With ``reason``.
    """
    folder, key = SweepFolder(task["sweep_dir"]), task["key"]
    if not (folder.root / "plan.json").exists():
        reason = f"{folder.root} is not here: the machines of a cluster must share the sweep's folder"
        return {"verdict": "failed", "reason": reason}
    try:
        with _files.lock(folder.lock(key)):
            if folder.outcome(key) != task["outcome"] and (settled := folder.ended(key)):  # by another sweep
                return {"verdict": settled.state, "reason": settled.reason}
            return _attempt(folder, key, task, progress)
    except _files.LockedError as error:
        return {"verdict": "busy", "reason": str(error)}
    except KeyboardInterrupt:
        return {"verdict": "interrupted", "reason": "it was asked to stop"}


def _attempt(
    folder: SweepFolder, key: str, task: Mapping[str, Any], progress: ProgressCallback | None
) -> dict[str, Any]:
    attempt: int = task["attempt"]
    try:
        config, threads = RunConfig.from_json(task["config"]), task["num_threads"]
        resume, where = task.get("resume", True), folder.run_dir(key)
        run_pipeline(config, where, task["dataset"], resume=resume, num_threads=threads, progress=progress)
    except Exception as error:
        logging.getLogger(__name__).exception("%s, attempt %d", key, attempt)
        is_expected = isinstance(error, CoffeeError)  # the same would come again
        reason = str(error) if is_expected else f"{type(error).__name__}: {error}"
        if not is_expected and attempt < task["num_attempts"]:
            return {"verdict": "again", "reason": reason}
        folder.end(key, "failed", reason, attempt)
        return {"verdict": "failed", "reason": reason}
    folder.end(key, "done", "", attempt)
    return {"verdict": "done", "reason": ""}


def main() -> None:
    """Carry out the task on standard input; tell progress and the verdict on standard output, a line each.

    The run is asked to stop by SIGTERM, SIGINT or the end of standard input, so it stops too when its parent is gone.
    """
    task = json.loads(sys.stdin.readline())
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    threading.Thread(target=_stop_at_end_of_input, daemon=True).start()
    _say(execute(task, _Progress()))


class _Progress:
    """Tells each phase's progress twice a second at most, and its end."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}

    def __call__(self, phase: str, done: int, total: int, figures: Mapping[str, float]) -> None:
        now = time.monotonic()
        if done >= total or now - self._last.get(phase, -1e9) >= SECONDS_BETWEEN_REPORTS:
            self._last[phase] = now
            _say({"phase": phase, "done": done, "total": total})


def _say(message: Mapping[str, Any]) -> None:
    with contextlib.suppress(BrokenPipeError):  # the parent is gone; that is no failure of the run
        os.write(1, (json.dumps(message) + "\n").encode())


def _stop_at_end_of_input() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGINT)
