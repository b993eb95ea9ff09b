"""Runs that are killed at any moment and gone on with, until their files are those of a run that nobody disturbed."""

from __future__ import annotations

import contextlib
import importlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.small_runs import PLAN, contents, psro_run, self_play_run
from tests.soak.campaign import Campaign, Check, Mismatch
from tests.soak.figures import unrendered
from tests.soak.processes import Child, in_child

from coffee_fast.pipeline import RunConfig, run_pipeline
from coffee_fast.responses import checkpoint
from coffee_fast.sweeps import local, run_sweep, worker

TURNS = ("psro", "self_play", "psro", "self_play", "psro", "self_play", "psro", "sweep")
MOST_KILLS = 3  # of one run


def runs() -> dict[str, Callable[[Path], bool]]:
    """Return what begins a run in a folder or goes on with it."""

    def run(config: RunConfig, folder: Path) -> bool:
        run_pipeline(config, folder / "run", resume=True)
        return True

    def sweep(folder: Path) -> bool:
        (folder / "plan.toml").write_text(PLAN)
        return run_sweep(folder / "plan.toml", folder / "sweep", num_workers=1, retries=MOST_KILLS).is_complete

    return {"psro": partial(run, psro_run()), "self_play": partial(run, self_play_run()), "sweep": sweep}


def made(kind: str, folder: Path) -> dict[str, str]:
    """Return what a finished run is compared by."""
    if kind != "sweep":
        return contents(folder / "run")
    found = contents(folder / "sweep")
    return {name: digest for name, digest in found.items() if name == "results.parquet" or name.startswith("runs/")}


def prepare() -> Check:
    for name in ("torch", "coffee_fast.plotting", "scipy.spatial", "safetensors.numpy", "pandas", "pyarrow.parquet"):
        importlib.import_module(name)  # so that a child begins at once
    checkpoint.SECONDS_BETWEEN_WRITES = 0.0  # so that much of the time is within a training that is kept
    unrendered()
    kept = {name: getattr(subprocess, name) for name in ("PIPE", "TimeoutExpired")}
    forking = SimpleNamespace(**kept, Popen=partial(subprocess.Popen, preexec_fn=_be_a_worker))
    local.subprocess = forking  # type: ignore[assignment]
    undisturbed: dict[str, tuple[dict[str, str], float]] = {}

    def expected(kind: str) -> tuple[dict[str, str], float]:
        if kind not in undisturbed:
            folder = Path(f"undisturbed-{kind}").absolute()
            folder.mkdir()
            start = time.monotonic()
            _ended(in_child(lambda: runs()[kind](folder)))
            undisturbed[kind] = made(kind, folder), time.monotonic() - start
        return undisturbed[kind]

    def check(case: int) -> str:
        kind, rng = TURNS[case % len(TURNS)], random.Random(case)
        files, seconds = expected(kind)
        folder = Path("killed").absolute()
        folder.mkdir()
        num_kills = 0
        left = seconds  # of work, about
        for _ in range(rng.randint(1, MOST_KILLS)):
            child = Child(lambda: runs()[kind](folder))
            moment = rng.uniform(0.0, left)
            is_over = child.is_over_within(moment)
            if not is_over and kind == "sweep" and rng.random() < 0.5:
                _kill_a_worker(rng, child.pid)
                is_over = child.is_over_within(rng.uniform(0.0, 0.2 * seconds))
            if is_over:
                _ended(child.end())
            else:
                num_kills += child.kill()
                left -= 0.8 * moment  # what was done since it was last kept is done again
        _ended(in_child(lambda: runs()[kind](folder)))
        found = made(kind, folder)
        if found != files:
            others = sorted(name for name in {*found, *files} if found.get(name) != files.get(name))
            raise Mismatch(f"{kind} after {num_kills} kills: other files {others[:5]}")
        shutil.rmtree(folder)
        return f"{kind}: killed {num_kills} times"

    def tidy(case: int) -> str:
        shutil.rmtree("killed", ignore_errors=True)
        return check(case)

    return tidy


def _be_a_worker() -> None:
    """Be the worker of a sweep in the fork that was to become one: its imports took most of its time."""
    os.closerange(3, 1024)  # with them the pipe that says that another program was begun
    sys.stdin = open(0)  # noqa: SIM115
    code = 1
    try:
        worker.main()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _ended(outcome: dict[str, Any]) -> None:
    if outcome.get("answer") is not True:
        raise Mismatch(f"undisturbed, it does not end well: {outcome}")


def _kill_a_worker(rng: random.Random, pid: int) -> None:
    with contextlib.suppress(OSError, IndexError):
        tasks = sorted(Path(f"/proc/{pid}/task").iterdir())
        workers = [int(number) for task in tasks for number in (task / "children").read_text().split()]
        os.kill(rng.choice(workers), signal.SIGKILL)


CAMPAIGN = Campaign(
    "kills",
    f"kill -9, up to {MOST_KILLS} times a run, of COffeE-PSRO, self-play and sweeps (or of their workers), then gone "
    "on with: every file that the seed determines is that of a run nobody disturbed (figures unrendered)",
    prepare,
    500,
    patience=600.0,
    on_disk=True,
)
