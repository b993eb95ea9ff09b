"""Every step of every writer that touches the disk: it fails or is the last one, and nothing is lost or half there."""

from __future__ import annotations

import dataclasses
import errno
import os
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.disk_faults import break_step, cut_power, end
from tests.small_runs import contents, psro_run, self_play_run
from tests.soak import things
from tests.soak.campaign import Campaign, Check, Mismatch
from tests.soak.figures import unrendered
from tests.soak.processes import in_child
from tests.unit.sweeps.conftest import Pipeline, Threads

import coffee_fast as cf
from coffee_fast.pipeline import run_pipeline
from coffee_fast.responses import checkpoint
from coffee_fast.sweeps import SweepPlan, run_sweep

SHORT_FIT = ["model.num_steps=5", "model.num_reward_steps=5"]  # in which nothing is written
FAILURES = ("crash", "power cut", "ENOSPC", "EIO")


@dataclass(frozen=True)
class Writer:
    """What writes into a folder, what was there before, and what is to be read there in the end.

    ``write`` goes on where it was left; ``read`` returns what can be compared, or None if nothing is there.
    """

    write: Callable[[Path], Any]
    read: Callable[[Path], Any]
    before: Callable[[Path], Any] = lambda _: None
    tidies: bool = False  # whether an error leaves nothing behind


def saver(thing: Any, load: Callable[[Path], Any], old: Any = None) -> Writer:
    """Return the writer that saves a thing, over an old one if there is one."""

    def write(folder: Path) -> None:
        if old is not None or not (folder / "thing").exists():
            thing.save(folder / "thing", overwrite=old is not None)

    def read(folder: Path) -> Any:
        return things.digest(load(folder / "thing")) if (folder / "thing").exists() else None

    return Writer(write, read, (lambda folder: old.save(folder / "thing")) if old is not None else lambda _: None, True)


def writers() -> dict[str, Writer]:
    """Return the writers of all that is kept on disk."""
    made = things.world()
    dataset, model, solution = made["dataset"], made["model"], made["solution"]
    config = dataclasses.replace(made["config"], num_iterations=2)

    def run(settings: Any) -> Writer:
        return Writer(
            lambda folder: run_pipeline(settings, folder / "run", resume=True),
            lambda folder: contents(folder / "run"),
        )

    def sweep(folder: Path) -> bool:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("coffee_fast.sweeps.worker.run_pipeline", Pipeline())
            patch.setattr("coffee_fast.sweeps.schedule.LocalEngine", Threads)
            plan = SweepPlan.from_mapping({"name": "test", "seeds": 2})
            return run_sweep(plan, folder / "sweep", num_workers=1, retries=0).is_complete

    return {
        "dataset": saver(dataset, cf.TrajectoryDataset.load),
        "dataset over another": saver(dataset, cf.TrajectoryDataset.load, dataset.select([0, 1])),
        "model": saver(model, cf.DynamicsEnsemble.load),
        "solution": saver(solution, cf.Solution.load),
        "psro": Writer(
            lambda folder: cf.coffee_psro(model, config, 0, folder / "psro", resume=True),
            lambda folder: contents(folder / "psro"),
        ),
        "sweep": Writer(sweep, lambda folder: contents(folder / "sweep").get("results.parquet")),
        "run": run(psro_run().with_overrides([*SHORT_FIT, "psro.num_iterations=1"])),
        "run of self-play": run(self_play_run().with_overrides(SHORT_FIT)),
    }


def prepare() -> tuple[Check, int]:
    checkpoint.SECONDS_BETWEEN_WRITES = 1e9  # self-play writes the same file at every snapshot
    unrendered()
    all_writers = writers()
    expected: dict[str, Any] = {}
    cases: list[tuple[str, int, str]] = []
    for name, writer in all_writers.items():
        folder = _new_folder()
        num_steps = len(_broken(writer, folder, -1, "none"))
        expected[name] = writer.read(folder)
        cases += [(name, step, failure) for step in range(num_steps) for failure in FAILURES]
    random.Random(0).shuffle(cases)  # any number in a row is spread over all writers

    def check(case: int) -> str:
        name, step, failure = cases[case]
        writer, folder = all_writers[name], _new_folder()
        where = f"{name}, step {step}, {failure}"
        writer.before(folder)
        before = writer.read(folder) if writer.tidies else None
        outcome = in_child(lambda: _broken(writer, folder, step, failure))
        _well_ended(outcome, failure, where)
        if writer.tidies:
            if failure in ("ENOSPC", "EIO") and (left := {entry.name for entry in folder.iterdir()} - {"thing"}):
                raise Mismatch(f"{where}: left behind {left}")
            if writer.read(folder) not in (before, expected[name]):
                raise Mismatch(f"{where}: neither the old nor the new")
        writer.write(folder)
        if (found := writer.read(folder)) != expected[name]:
            raise Mismatch(f"{where}: gone on with, it ends in something else{_difference(found, expected[name])}")
        return f"{name}: {failure}"

    return check, len(cases)


def _new_folder() -> Path:
    folder = Path("written").absolute()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def _broken(writer: Writer, folder: Path, step: int, failure: str) -> list[str]:
    """Write with one step that fails, or none for a negative one; returns the steps."""
    if step < 0:
        writer.before(folder)
    codes = {"ENOSPC": errno.ENOSPC, "EIO": errno.EIO}
    ends = {"crash": end, "power cut": cut_power}
    with pytest.MonkeyPatch.context() as patch:
        code = codes.get(failure, 0)
        taken = break_step(patch, step, ends.get(failure) or OSError(code, os.strerror(code)))
        writer.write(folder)
    return taken


def _difference(found: Any, expected: Any) -> str:
    if not isinstance(found, dict):
        return ""
    names = sorted(name for name in {*found, *expected} if found.get(name) != expected.get(name))
    return f": {names[:5]}"


def _well_ended(outcome: dict[str, Any], failure: str, where: str) -> None:
    """A step that fails is an error of the machine or of ours, or is made up for; a crash is a crash."""
    if failure in ("ENOSPC", "EIO"):
        kind = outcome.get("type", "OSError")
        is_ours = isinstance(getattr(cf, kind, None), type) and issubclass(getattr(cf, kind), cf.CoffeeError)
        if "died" in outcome or not (is_ours or kind in ("OSError", "PermissionError")):
            raise Mismatch(f"{where}: ends as {outcome}")
    elif outcome.get("died") != "exit 9":
        raise Mismatch(f"{where}: ends as {outcome}")


CAMPAIGN = Campaign(
    "boundaries",
    "every write, fsync and rename of datasets, models, solutions, runs, self-play and sweeps: a crash, a loss of what "
    "was not flushed, ENOSPC or EIO there; the old or the new is read after it, and what is gone on with ends the same "
    "(figures unrendered)",
    prepare,
    None,
    patience=300.0,
)
