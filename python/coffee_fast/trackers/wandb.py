"""Weights & Biases."""

from __future__ import annotations

from typing import Any

from coffee_fast.checks import check_text
from coffee_fast.trackers.base import Tracker, needed


class WandB(Tracker):
    """Writes to a run of Weights & Biases.

    Phases have steps of their own, so each figure is drawn over ``phase/step``.

    Parameters
    ----------
    project
        Its name there.
    options
        Whatever else ``wandb.init`` takes, as ``config=config.to_json()``, ``mode="offline"``.

    Raises
    ------
    ConfigError
        If the package wandb is not installed.
    """

    def __init__(self, project: str, **options: Any) -> None:
        check_text("WandB: project", project)
        self._run = needed("wandb", "wandb").init(project=project, **options)
        self._phases: set[str] = set()

    def write(self, name: str, value: float, step: int) -> None:
        phase = name.rpartition("/")[0]
        if phase not in self._phases:
            self._phases.add(phase)
            self._run.define_metric(f"{phase}/*", step_metric=f"{phase}/step")
        self._run.log({name: value, f"{phase}/step": step})

    def close(self) -> None:
        self._run.finish()
