"""What runs lie in a folder, and in what they differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from coffee_fast import _files
from coffee_fast._sealed import read_sealed_json
from coffee_fast.errors import CheckpointError, CoffeeError
from coffee_fast.pipeline.judge import EVALUATION, read_evaluation
from coffee_fast.pipeline.run import CONFIG, CONFIG_FORM, CONFIG_KIND
from coffee_fast.pipeline.summary import RunSummary

DEPTH = 2  # folders between the one that is asked for and a run's


@dataclass(frozen=True)
class RunRecord:
    """A run as it lies in its folder.

    Attributes
    ----------
    folder
        Where, as seen from the folder that was asked for.
    state
        ``"done"``, ``"unfinished"``, or ``"damaged"``.
    config
        The fields of its configuration, by dotted names; of a dataset of one's own ``own_dataset`` is its fingerprint.
    summary
        The figures of a finished run; else None.
    reason
        What is wrong with a damaged one; else empty.
    """

    folder: str
    state: Literal["done", "unfinished", "damaged"]
    config: Mapping[str, Any]
    summary: RunSummary | None
    reason: str = ""


def list_runs(folder: str | Path) -> tuple[RunRecord, ...]:
    """Return the runs in a folder, those of a sweep too, by the names of their folders.

    Parameters
    ----------
    folder
        A run's folder, one that holds such, or a sweep's.

    Raises
    ------
    CheckpointError
        If there is no such folder.

    Notes
    -----
    Cost: two small files a run are read; nothing is changed. A run that is under way is unfinished.
    """
    root = _files.as_path(folder)
    if not root.is_dir():
        raise CheckpointError(f"list_runs: {root} is no folder")
    patterns = ("/".join(["*"] * depth + [CONFIG]) for depth in range(DEPTH + 1))
    found = sorted({file.parent for pattern in patterns for file in root.glob(pattern)})
    return tuple(record for run in found if (record := _record(run, run.relative_to(root).as_posix())))


def _record(run: Path, name: str) -> RunRecord | None:
    """None for a configuration that is not a run's."""
    try:
        about = read_sealed_json(run / CONFIG, CONFIG_KIND, CONFIG_FORM)
    except CoffeeError as error:
        is_ours = any((run / part).exists() for part in ("dataset.json", "seconds.json", "results.json"))
        return RunRecord(name, "damaged", {}, None, str(error)) if is_ours else None
    config = dict(_flat({**about["config"], "own_dataset": about["own_dataset"]}))
    if not (run / EVALUATION).exists():
        return RunRecord(name, "unfinished", config, None)
    try:
        return RunRecord(name, "done", config, RunSummary.of(run, read_evaluation(run)))
    except CoffeeError as error:
        return RunRecord(name, "damaged", config, None, str(error))


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
