"""Figures saved as what they show: to render them is most of a small run's work, and touches no file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure


def unrendered() -> None:
    """Let all figures of this process be saved so."""
    Figure.savefig = _save  # type: ignore[method-assign]


def _save(figure: Figure, file: IO[bytes], **_: Any) -> None:
    for axes in figure.axes:
        for part in shown(axes):
            file.write(part)


def shown(axes: Axes) -> Iterator[bytes]:
    """Yield the words and numbers that are drawn."""
    yield f"{axes.get_title()}, {axes.get_xlabel()}, {axes.get_ylabel()}\n".encode()
    yield from (f"{text.get_text()}\n".encode() for text in axes.texts)
    yield from (_bytes(line.get_xydata()) for line in axes.lines)
    yield from (_bytes(patch.get_extents().bounds) for patch in axes.patches)
    yield from (_bytes(path.vertices) for collection in axes.collections for path in collection.get_paths())
    yield from (_bytes(drawn.get_array()) for drawn in (*axes.images, *axes.collections))


def _bytes(numbers: Any) -> bytes:
    return b"" if numbers is None else np.ascontiguousarray(np.ma.filled(numbers, np.nan), "f8").tobytes()
