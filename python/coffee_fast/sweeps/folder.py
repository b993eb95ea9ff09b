"""Where a sweep keeps what, and what state each run is in; the files alone say it.

::

    sweep/plan.json               cells and keys of the runs, and the configuration of each setting
    sweep/runs/KEY/               what ``run_pipeline`` writes
    sweep/runs/cache/             what runs share, and find by its content
    sweep/outcomes/KEY.json       how the run ended, once it has
    sweep/locks/KEY               held by the process that carries the run out
    sweep/logs/KEY.log            what that process said
    sweep/results.parquet         the table; times.parquet beside it holds what the clock decides
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from coffee_fast import _files
from coffee_fast._sealed import read_sealed_json, write_sealed_json
from coffee_fast.errors import CheckpointError
from coffee_fast.sweeps.plan import SweepPlan

_OUTCOME = {"state": str, "reason": str, "num_attempts": int, "nonce": str}
_RESULTS = {"summary?": dict, "evaluation?": dict, "machines?": [{...: str}], ...: object}
SECONDS_OF_A_WRITE = 60.0


@dataclass(frozen=True)
class RunState:
    """How far a run is: pending, running, done or failed, and if failed, why."""

    state: Literal["pending", "running", "done", "failed"]
    reason: str = ""
    is_damaged: bool = False
    """Whether its files cannot be read; such a run is left as it is, for a person to look at."""


class SweepFolder:
    """The paths of a sweep."""

    def __init__(self, root: str | Path) -> None:
        self.root = _files.as_path(root)

    def claim(self, plan: SweepPlan) -> None:
        """Write ``plan.json`` into a new folder or one of an earlier plan; other folders are refused."""
        file = self.root / "plan.json"
        self.root.mkdir(parents=True, exist_ok=True)
        others = any(not entry.name.startswith(".plan.json") for entry in self.root.iterdir())
        if others and not file.exists():  # it is the first that a sweep writes
            raise CheckpointError(f"sweep_dir: {self.root} is not an empty folder and holds no sweep; choose another")
        runs = [{"key": run.key, "setting": run.setting, "seed": run.seed, "cell": run.cell} for run in plan.runs]
        content = {"name": plan.name, "fields": plan.fields}
        settings = {run.setting: {**run.config.to_json(), "seed": None} for run in plan.runs}
        write_sealed_json(file, "coffee_fast_sweep", {**content, "runs": runs, "settings": settings})
        for name in ("runs", "outcomes", "locks", "logs"):
            (self.root / name).mkdir(exist_ok=True)
        for folder in (self.root, self.root / "outcomes"):
            _files.sweep(folder, age_s=SECONDS_OF_A_WRITE)  # not what another sweep is just writing

    @property
    def table(self) -> Path:
        """The table of results."""
        return self.root / "results.parquet"

    def run_dir(self, key: str) -> Path:
        """The folder of a run."""
        return self.root / "runs" / key

    def lock(self, key: str) -> Path:
        """The file that a run's process locks."""
        return self.root / "locks" / key

    def log(self, key: str) -> Path:
        """What a run's processes wrote to standard error."""
        return self.root / "logs" / f"{key}.log"

    def outcome(self, key: str) -> str | None:
        """The text of a run's outcome, None as long as there is none."""
        file = self._outcome(key)
        return _files.read_bytes(file).decode(errors="replace") if file.exists() else None

    def end(self, key: str, state: Literal["done", "failed"], reason: str, num_attempts: int) -> None:
        """Write down how a run ended; ``nonce`` tells one end from the next."""
        content = {"state": state, "reason": reason, "num_attempts": num_attempts, "nonce": os.urandom(8).hex()}
        write_sealed_json(self._outcome(key), "run_outcome", content)

    def results(self, key: str) -> dict[str, Any]:
        """The figures of a finished run; ``CheckpointError`` if they are damaged."""
        return read_sealed_json(self.run_dir(key) / "results.json", "run_results", _RESULTS)

    def state(self, key: str) -> RunState:
        """Return the state of a run."""
        ended = self.ended(key)
        if ended and (ended.state == "done" or ended.is_damaged):
            return ended
        return RunState("running") if self.is_locked(key) else ended or RunState("pending")

    def ended(self, key: str) -> RunState | None:
        """Return how a run ended last, None if it has not or has nothing left to show for it."""
        if not self._outcome(key).exists():
            return None
        try:
            outcome = read_sealed_json(self._outcome(key), "run_outcome", _OUTCOME)
        except CheckpointError as error:
            return RunState("failed", str(error))
        if outcome["state"] != "done":
            return RunState("failed", outcome["reason"])
        if not (self.run_dir(key) / "results.json").exists():
            return None
        try:
            self.results(key)
        except CheckpointError as error:
            return RunState("failed", f"{error}; remove the file to have it made anew", is_damaged=True)
        return RunState("done")

    def is_locked(self, key: str) -> bool:
        """Whether some process is carrying the run out."""
        if not self.lock(key).exists():
            return False
        try:
            with _files.lock(self.lock(key)):
                return False
        except _files.LockedError:
            return True

    def _outcome(self, key: str) -> Path:
        return self.root / "outcomes" / f"{key}.json"
