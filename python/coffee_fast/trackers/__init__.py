"""Figures of a computation under way, written for experiment trackers.

Whatever takes ``progress=`` takes a tracker: it is called with ``(phase, done, total, figures)`` and writes each figure
as ``phase/figure`` at step ``done``.
"""

from coffee_fast.trackers.base import Tracker, tracked_by
from coffee_fast.trackers.mlflow import MLflow
from coffee_fast.trackers.tensorboard import TensorBoard
from coffee_fast.trackers.wandb import WandB

__all__ = ["MLflow", "TensorBoard", "Tracker", "WandB", "tracked_by"]
