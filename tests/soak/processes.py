"""Processes that cases may break: a worker that is asked for blocks of cases, and children for single deeds."""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import json
import mmap
import os
import select
import signal
import struct
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parents[2]
WAITS = 20  # how many times as long as it may work a case may wait
_MAIN = "import sys; from tests.soak.processes import main; main(*sys.argv[1:])"


class Died(Exception):
    """The process that worked on a case ended, or had to be ended."""

    def __init__(self, case: int, how: str) -> None:
        super().__init__(how)
        self.case = case


def _cpu_seconds(pid: int) -> float:
    """Return what a process and its children that have ended have worked."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    return 0.0


class Worker:
    """A process that carries out cases of a campaign; replaced when one has ended it."""

    def __init__(self, name: str, place: str | None = None) -> None:
        self.name, self._where = name, place
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="soak-")
        self._place = Path(self._folder.name) / "place"
        self._errors = Path(self._folder.name) / "errors"
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
        self._folder.cleanup()

    def work(self, first: int, end: int, seconds: float, patience: float) -> dict[str, Any]:
        """Return the block of cases from ``first``, up to ``end`` or until the seconds are over; `Died` if it died."""
        process = self._process or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(f"{first} {end} {seconds}\n")
            process.stdin.flush()
        case, since, spent, started = first, time.monotonic(), _cpu_seconds(process.pid), False
        while not select.select([process.stdout], [], [], 0.2)[0]:
            now, ticks = self._at()
            if (now, ticks > 0) != (case, started):
                case, since, spent, started = now, time.monotonic(), _cpu_seconds(process.pid), ticks > 0
            # A machine that has much else to do makes all slow: what counts is the time that was had.
            is_busy = _cpu_seconds(process.pid) - spent > patience
            if started and (is_busy or time.monotonic() - since > WAITS * patience):
                self._end()
                raise Died(case, f"did not come back within {patience:g} s of work")
        line = process.stdout.readline()
        if line.startswith("{"):
            block: dict[str, Any] = json.loads(line)
            return block
        code = process.wait()
        case, ticks = self._at()
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"exited with code {code}"
        last = self._errors.read_text(errors="replace").strip()[-1500:]
        self._end()
        if not ticks:
            raise RuntimeError(f"{self.name}: could not begin, it {how}: {last}")
        raise Died(case, f"its process {how}: {last}")

    def _at(self) -> tuple[int, int]:
        content = self._place.read_bytes()
        place: tuple[int, int] = struct.unpack("<qq", content) if len(content) == 16 else (0, 0)
        return place

    def _start(self) -> subprocess.Popen[str]:
        self._place.write_bytes(bytes(16))
        self._room = tempfile.TemporaryDirectory(prefix=f"soak-{self.name}-", dir=self._where)
        command = [sys.executable, "-c", _MAIN, self.name, str(self._place), self._room.name]
        # With one thread no library has others of its own, which a fork would lose.
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]), "OMP_NUM_THREADS": "1"}
        with self._errors.open("w") as errors:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment
            )
        return self._process

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None
            self._room.cleanup()


def work_in(folder: str) -> None:
    """Let a folder be the working one, and the one for whatever is temporary."""
    os.chdir(folder)
    tempfile.tempdir = folder


def main(name: str, place: str, folder: str) -> None:
    """Be a worker: a line of standard input asks for a block, a line of standard output is its answer."""
    faulthandler.enable()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a case prints
    warnings.simplefilter("ignore")
    campaign = importlib.import_module(f"tests.soak.{name}").CAMPAIGN
    work_in(folder)
    with open(place, "r+b") as file:
        at = mmap.mmap(file.fileno(), 16)
        check, count = campaign.prepared()
        for line in sys.stdin:
            first, end, seconds = line.split()
            block = _block(check, int(first), min(int(end), count), float(seconds), at)
            answers.write(json.dumps({**block, "count": count}) + "\n")
            answers.flush()


def _block(check: Callable[[int], str], first: int, end: int, seconds: float, at: mmap.mmap) -> dict[str, Any]:
    start = time.monotonic()
    outcomes: Counter[str] = Counter()
    faults = []
    case = first
    while case < end and (case == first or time.monotonic() - start < seconds):
        at[:] = struct.pack("<qq", case, 1)
        try:
            outcomes[check(case)] += 1
        except Exception as error:
            outcomes["mismatch"] += 1
            faults.append({"case": case, "ended": "mismatch", "what": in_words(error)})
        case += 1
    spent = round(time.monotonic() - start, 3)
    return {"first": first, "end": case, "outcomes": outcomes, "faults": faults, "seconds": spent}


def in_words(error: BaseException) -> str:
    """Return an exception in a line, with the place that it comes from."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {str(error)[:600]}{where}"


class Child:
    """A fork that does one thing, while its parent watches, waits or kills it."""

    def __init__(self, deed: Callable[[], Any]) -> None:
        read, write = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(read)
            os._exit(self._do(deed, write))
        os.close(write)
        self._answer = os.fdopen(read, "rb")
        self._status: int | None = None

    @staticmethod
    def _do(deed: Callable[[], Any], write: int) -> int:
        try:
            answer: dict[str, Any] = {"answer": deed()}
        except BaseException as error:
            answer = {"error": in_words(error), "type": type(error).__name__, "errno": getattr(error, "errno", None)}
        with contextlib.suppress(OSError), os.fdopen(write, "wb") as pipe:
            pipe.write(json.dumps(answer).encode())
        return 0

    def is_over_within(self, seconds: float) -> bool:
        """Wait so long at most; returns whether it has answered or died."""
        return bool(select.select([self._answer], [], [], seconds)[0])

    def kill(self) -> bool:
        """End it at once, as nothing can be prevented from; returns whether it was still at work."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self._wait()
        return os.WIFSIGNALED(self._status or 0)

    def end(self) -> dict[str, Any]:
        """Wait for it and return its answer or error, or how it died."""
        content = self._answer.read()
        self._wait()
        status = self._status or 0
        if os.WIFSIGNALED(status):
            return {"died": signal.Signals(os.WTERMSIG(status)).name}
        return json.loads(content) if content else {"died": f"exit {os.WEXITSTATUS(status)}"}

    def _wait(self) -> None:
        if self._status is None:
            _, self._status = os.waitpid(self.pid, 0)
        if self._answer.closed is False and os.WIFSIGNALED(self._status):
            self._answer.close()


def in_child(deed: Callable[[], Any]) -> dict[str, Any]:
    """Return what `Child` answers."""
    return Child(deed).end()
