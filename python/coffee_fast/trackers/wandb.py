"""Weights & Biases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from coffee_fast.checks import check_text
from coffee_fast.trackers.base import Tracker, needed, started


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
        If the package wandb is not installed, or nobody is logged in (``mode="offline"`` writes to a folder).
    """

    def __init__(self, project: str, **options: Any) -> None:
        check_text("WandB: project", project)
        wandb = needed("wandb", "wandb")
        self._run = started("WandB", lambda: wandb.init(project=project, **options))
        self._phases: set[str] = set()

    def write(self, name: str, value: float, step: int) -> None:
        self.write_all({name: value}, step)

    def write_all(self, figures: Mapping[str, float], step: int) -> None:
        phase = next(iter(figures)).rpartition("/")[0]
        if phase not in self._phases:
            self._phases.add(phase)
            self._run.define_metric(f"{phase}/*", step_metric=f"{phase}/step")
        self._run.log({**figures, f"{phase}/step": step})

    def close(self) -> None:
        self._run.finish(exit_code=int(self.is_broken_off))
