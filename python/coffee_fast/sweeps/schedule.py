"""The sweep itself: runs handed out to workers until all have ended, and what is known put into the table."""

from __future__ import annotations

import collections
import threading
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from coffee_fast import _files
from coffee_fast.checks import check_choice, check_count, check_flag, check_progress, check_text
from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.sweeps.engine import Engine, WorkerLostError
from coffee_fast.sweeps.folder import RunState, SweepFolder
from coffee_fast.sweeps.local import LocalEngine
from coffee_fast.sweeps.plan import PlannedRun, SweepPlan
from coffee_fast.sweeps.table import Table
from coffee_fast.typing import ProgressCallback, Resume

SECONDS_UNTIL_LOOKING_AGAIN = 0.5


@dataclass(frozen=True)
class SweepSummary:
    """How a sweep ended.

    Attributes
    ----------
    sweep_dir, table
        The folder and the Parquet file in it.
    states
        By key of a run, in the plan's order.
    """

    sweep_dir: str
    table: str
    states: Mapping[str, RunState]

    def count(self, state: str) -> int:
        """Return how many runs are in a state."""
        return sum(one.state == state for one in self.states.values())

    @property
    def is_complete(self) -> bool:
        """Whether every run is done."""
        return self.count("done") == len(self.states)

    def to_json(self) -> dict[str, Any]:
        """Return the summary as plain JSON values."""
        return asdict(self)


def run_sweep(
    plan: SweepPlan | str | Path,
    sweep_dir: str | Path,
    *,
    num_workers: int | None = None,
    threads_per_run: int = 1,
    retries: int = 1,
    keep_going: bool = False,
    engine: Literal["local", "ray"] = "local",
    address: str | None = None,
    resume_anyway: bool = False,
    progress: ProgressCallback | None = None,
) -> SweepSummary:
    """Carry out all runs of a plan that are not done yet; interrupted in any way, the same call goes on.

    Parameters
    ----------
    plan
        A plan or its TOML file.
    sweep_dir
        Folder for runs and table. Runs already there are taken up, whatever plan they came from. Several sweeps may
        work in one folder: each run is carried out once.
    num_workers
        Runs at a time, by default as many as there are cores for. With ``engine="local"`` workers times threads must
        not exceed the cores.
    threads_per_run
        Threads of each; no result depends on them.
    retries
        How often a run is tried again whose worker died or which ended in an error of the machine, such as a full
        disk. Errors that would come again are not tried again. The next sweep tries every failed run anew.
    keep_going
        Go on after a run has failed; otherwise runs under way are finished and no new one is started.
    engine, address
        ``"local"`` processes, or ``"ray"``: tasks on the Ray cluster at ``address`` (by default one started for the
        purpose), whose machines must share ``sweep_dir``.
    resume_anyway
        Go on also with runs that were begun on an unlike machine or build. Otherwise such a run fails and says so; runs
        that are done are as they are, and the table's column ``machine`` tells unlike ones apart.
    progress
        Called as ``("sweep", ended, total, {...})`` and ``("KEY: phase", done, total, {})``, from several threads.

    Raises
    ------
    ConfigError
        If the plan has unknown fields or impossible values; nothing is started then.
    CheckpointError
        If ``sweep_dir`` holds something else.
    """
    threads_per_run = check_count("run_sweep: threads_per_run", threads_per_run, at_least=1)
    retries = check_count("run_sweep: retries", retries)
    if num_workers is not None:
        num_workers = check_count("run_sweep: num_workers", num_workers, at_least=1)
    if address is not None:
        check_text("run_sweep: address", address)
    keep_going = check_flag("run_sweep: keep_going", keep_going)
    resume_anyway = check_flag("run_sweep: resume_anyway", resume_anyway)
    check_choice("run_sweep: engine", engine, ("local", "ray"))
    check_progress("run_sweep: progress", progress)
    plan = plan if isinstance(plan, SweepPlan) else SweepPlan.read(plan)
    folder = SweepFolder(_files.as_path(sweep_dir).absolute())
    workers = _engine(engine, address, num_workers, threads_per_run)
    try:
        folder.claim(plan)
        table = Table(plan, folder)
        resume: Resume = "anyway" if resume_anyway else True
        _Sweep(plan, folder, table, workers, threads_per_run, retries, keep_going, resume, progress or _ignore).work()
    finally:
        workers.close()
    return SweepSummary(str(sweep_dir), str(folder.table), states(plan, sweep_dir))


def states(plan: SweepPlan, sweep_dir: str | Path) -> dict[str, RunState]:
    """Return how far each run of a plan is, by key; a folder that does not exist yet has all of them pending."""
    if not isinstance(plan, SweepPlan):
        raise InvalidArgumentError(f"states: plan must be a SweepPlan, got {shown(plan)}")
    folder = SweepFolder(_files.as_path(sweep_dir))
    return {run.key: folder.state(run.key) for run in plan.runs}


def _engine(engine: str, address: str | None, num_workers: int | None, threads_per_run: int) -> Engine:
    if engine == "local":
        if address is not None:
            raise InvalidArgumentError("run_sweep: address is for engine='ray'")
        return LocalEngine(num_workers, threads_per_run)
    from coffee_fast.sweeps.ray import RayEngine

    return RayEngine(address, num_workers, threads_per_run)


def _ignore(*_: object) -> None:
    """Progress that nobody wants."""


class _Sweep:
    """Hands out runs, one thread a worker."""

    def __init__(
        self,
        plan: SweepPlan,
        folder: SweepFolder,
        table: Table,
        engine: Engine,
        threads_per_run: int,
        retries: int,
        keep_going: bool,
        resume: Resume,
        progress: ProgressCallback,
    ) -> None:
        self._plan, self._folder, self._table, self._engine = plan, folder, table, engine
        self._threads_per_run, self._num_attempts, self._keep_going = threads_per_run, retries + 1, keep_going
        self._resume, self._progress = resume, progress
        self._is_stopping = threading.Event()
        states = {run.key: folder.state(run.key) for run in plan.runs}
        self._num_ended = sum(state.state == "done" or state.is_damaged for state in states.values())
        self._num_failed = sum(state.is_damaged for state in states.values())
        waiting = (run for run in plan.runs if states[run.key].state != "done" and not states[run.key].is_damaged)
        # With the outcome that each has now: if that changes, another sweep has settled the run.
        self._waiting = collections.deque((run, folder.outcome(run.key)) for run in waiting)

    def work(self) -> None:
        """Carry out the runs, until all have ended or none may start any more."""
        self._tell()
        running: dict[Future[str], tuple[PlannedRun, str | None]] = {}
        with ThreadPoolExecutor(self._engine.num_workers) as threads:
            try:
                while running or (self._waiting and self._may_start()):
                    while self._waiting and len(running) < self._engine.num_workers and self._may_start():
                        run = self._waiting.popleft()
                        running[threads.submit(self._carry_out, *run)] = run
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        run = running.pop(future)
                        if future.result() == "busy":
                            self._waiting.append(run)
                        else:
                            self._count(run[0], future.result())
            except BaseException:
                self._is_stopping.set()
                self._engine.stop()
                raise
            finally:
                self._table.write()

    def _may_start(self) -> bool:
        return self._keep_going or not self._num_failed

    def _carry_out(self, run: PlannedRun, outcome: str | None) -> str:
        """Attempt a run until there is a verdict, and return that."""
        log = run.config.dataset.path
        task = {
            "sweep_dir": str(self._folder.root),
            "key": run.key,
            "dataset": None if log is None else str(Path(log).absolute()),  # a worker may start elsewhere
            "config": run.config.to_json(),
            "num_threads": self._threads_per_run,
            "resume": self._resume,
            "outcome": outcome,
            "num_attempts": self._num_attempts,
        }
        for attempt in range(1, self._num_attempts + 1):
            if self._is_stopping.is_set():
                return "interrupted"
            if self._folder.is_locked(run.key):
                verdict, reason = "busy", ""
            else:
                verdict, reason = self._attempt(run, {**task, "attempt": attempt})
            if verdict == "busy":
                self._is_stopping.wait(SECONDS_UNTIL_LOOKING_AGAIN)
            if verdict != "again":
                return verdict
        self._end_as_failed(run, reason)
        return "failed"

    def _attempt(self, run: PlannedRun, task: Mapping[str, Any]) -> tuple[str, str]:
        def progress(phase: str, done: int, total: int, figures: Mapping[str, float]) -> None:
            self._progress(f"{run.key}: {phase}", done, total, figures)

        try:
            answer = self._engine.run(task, progress)
        except WorkerLostError as error:
            return "again", str(error)
        if answer["verdict"] == "interrupted" and not self._is_stopping.is_set():
            return "again", f"its process was interrupted, not by the sweep; {answer['reason']}"
        return answer["verdict"], answer["reason"]

    def _end_as_failed(self, run: PlannedRun, reason: str) -> None:
        try:
            with _files.lock(self._folder.lock(run.key)):
                self._folder.end(run.key, "failed", f"{reason} ({self._num_attempts} attempts)", self._num_attempts)
        except _files.LockedError:
            pass  # another sweep has it now

    def _count(self, run: PlannedRun, verdict: str) -> None:
        self._num_ended += 1
        self._num_failed += verdict == "failed"
        self._progress(f"{run.key}: {verdict}", 1, 1, {})
        self._table.write()
        self._tell()

    def _tell(self) -> None:
        self._progress("sweep", self._num_ended, len(self._plan.runs), {"failed": float(self._num_failed)})
