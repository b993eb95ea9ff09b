"""The page of what the campaigns found."""

from __future__ import annotations

from pathlib import Path

from tests.soak.campaign import RESULTS


def page(folder: Path = RESULTS) -> str:
    return str(folder)
