"""MLflow."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

from coffee_fast.checks import check_text
from coffee_fast.trackers.base import Tracker, needed, started


class MLflow(Tracker):
    """Writes to a new run of MLflow, at the tracking server that its own settings name.

    Parameters
    ----------
    experiment
        The experiment's name; made if there is none.

    Raises
    ------
    ConfigError
        If the package mlflow is not installed, or the server cannot be written to.
    """

    def __init__(self, experiment: str) -> None:
        check_text("MLflow: experiment", experiment)
        mlflow = needed("mlflow", "mlflow")
        self._metric = needed("mlflow.entities", "mlflow").Metric

        def start() -> Any:
            mlflow.set_experiment(experiment)
            self._client = mlflow.MlflowClient()
            return self._client.create_run(mlflow.get_experiment_by_name(experiment).experiment_id)

        self._run = started("MLflow", start)

    def write(self, name: str, value: float, step: int) -> None:
        self.write_all({name: value}, step)

    def write_all(self, figures: Mapping[str, float], step: int) -> None:
        now = int(1000 * time.time())
        names = {name: re.sub(r"[^\w\-. /]", "_", name) for name in figures}
        metrics = [self._metric(names[name], value, now, step) for name, value in figures.items()]
        self._client.log_batch(self._run.info.run_id, metrics=metrics)

    def close(self) -> None:
        self._client.set_terminated(self._run.info.run_id, "FAILED" if self.is_broken_off else "FINISHED")
