"""Sweeps whose runs take no time: threads in the place of processes, and a pipeline that writes what it is told."""

from __future__ import annotations

import collections
import threading
import time

import pytest

from coffee_fast import _files
from coffee_fast.sweeps import SweepPlan
from coffee_fast.sweeps.engine import WorkerLostError
from coffee_fast.sweeps.worker import execute


class Death(BaseException):
    """Stands for the end of a worker."""


class Pipeline:
    """Stands for ``run_pipeline``; ``faults`` are raised one after another by the run of a seed."""

    def __init__(self) -> None:
        self.calls: collections.Counter[int] = collections.Counter()
        self.faults: dict[int, list[BaseException]] = {}
        self.seconds = 0.0
        self._guard = threading.Lock()

    def __call__(self, config, run_dir, dataset, *, resume, num_threads, progress):
        with self._guard:
            self.calls[config.seed] += 1
            faults = self.faults.get(config.seed)
        progress("psro", 0, 1, {})
        time.sleep(self.seconds)
        if faults:
            raise faults.pop(0)
        run_dir.mkdir(exist_ok=True)
        about = [{"algorithm": "oef_bc", "cloning_weight": weight} for weight in (0.0, 0.5)]
        evaluation = {
            "status": "done",
            "regret": [
                {
                    **variant,
                    "meta_solver": {"kind": kind},
                    "iteration": number,
                    "sum_regret": config.seed + number,
                }
                for variant in about
                for kind in ("nash", "uniform")
                for number in (0, 10, 9)
            ],
            "fidelity": [{**variant, "correlation": variant["cloning_weight"], "error": [1.0]} for variant in about],
            "solutions": [{**variant, "meta_solver": {"kind": "nash"}, "status": "converged"} for variant in about],
        }
        results = {"evaluation": evaluation, "model": None, "summary": {"seconds": time.time()}}
        _files.write_json(run_dir / "results.json", results)


class Threads:
    """An engine whose workers are threads of the test."""

    def __init__(self, num_workers=None, threads_per_run=1) -> None:
        self.num_workers = num_workers or 2

    def run(self, task, progress):
        try:
            return execute(task, progress)
        except Death as death:
            raise WorkerLostError(str(death)) from None

    def stop(self) -> None: ...

    def close(self) -> None: ...


@pytest.fixture
def pipeline(monkeypatch) -> Pipeline:
    stand_in = Pipeline()
    monkeypatch.setattr("coffee_fast.sweeps.worker.run_pipeline", stand_in)
    monkeypatch.setattr("coffee_fast.sweeps.schedule.LocalEngine", Threads)
    monkeypatch.setattr("coffee_fast.sweeps.schedule.SECONDS_UNTIL_LOOKING_AGAIN", 0.01)
    return stand_in


@pytest.fixture
def death() -> BaseException:
    return Death("struck by lightning")


@pytest.fixture
def plan() -> SweepPlan:
    return SweepPlan.from_mapping({"name": "test", "seeds": 6})
