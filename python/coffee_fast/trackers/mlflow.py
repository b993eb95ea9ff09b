"""MLflow."""

from __future__ import annotations

import re

from coffee_fast.checks import check_text
from coffee_fast.trackers.base import Tracker, needed


class MLflow(Tracker):
    """Writes to a new run of MLflow, at the tracking server that its own settings name.

    Parameters
    ----------
    experiment
        The experiment's name; made if there is none.

    Raises
    ------
    ConfigError
        If the package mlflow is not installed.
    """

    def __init__(self, experiment: str) -> None:
        check_text("MLflow: experiment", experiment)
        mlflow = needed("mlflow", "mlflow")
        mlflow.set_experiment(experiment)
        self._client = mlflow.MlflowClient()
        self._run = self._client.create_run(mlflow.get_experiment_by_name(experiment).experiment_id)

    def write(self, name: str, value: float, step: int) -> None:
        self._client.log_metric(self._run.info.run_id, re.sub(r"[^\w\-. /]", "_", name), value, step=step)

    def close(self) -> None:
        self._client.set_terminated(self._run.info.run_id)
