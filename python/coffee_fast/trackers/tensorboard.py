"""TensorBoard."""

from __future__ import annotations

import os

from coffee_fast.checks import check_path
from coffee_fast.trackers.base import Tracker, needed, started


class TensorBoard(Tracker):
    """Writes to a folder that ``tensorboard --logdir FOLDER`` shows.

    Parameters
    ----------
    folder
        Where; several runs side by side each have one of their own.

    Raises
    ------
    ConfigError
        If the package tensorboard is not installed, or the folder cannot be written to.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        place = check_path("TensorBoard: folder", folder)
        summary = needed("tensorboard.summary", "tensorboard")
        self._writer = started("TensorBoard", lambda: summary.Writer(str(place)))

    def write(self, name: str, value: float, step: int) -> None:
        self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        self._writer.close()
