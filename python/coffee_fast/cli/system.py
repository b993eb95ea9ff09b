"""``coffee-fast doctor``: what this installation is, and what is wrong with it."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from collections.abc import Callable
from importlib import metadata
from typing import Any

import typer

import coffee_fast as cf
from coffee_fast.cli._endings import FAILURE
from coffee_fast.cli._options import Json
from coffee_fast.cli._report import finish, table

OPTIONAL = ("open_spiel", "pandas", "pyarrow", "ray")
LIBRARIES = ("numpy", "scipy", "torch", "safetensors", "typer", "rich", "matplotlib", *OPTIONAL)
GIBIBYTE = 2**30


def doctor(as_json: Json = False) -> None:
    """Say what this installation is and what is wrong with it.

    Versions, processor, memory, disk and a solver tried out; exits with 1 if something is wrong.
    """
    problems: list[str] = []

    def attempt(what: str, probe: Callable[[], Any]) -> Any:
        try:
            return probe()
        except Exception as error:  # whatever is broken is what this command is for
            problems.append(f"{what}: {error}")
            return None

    found: dict[str, Any] = {"python": platform.python_version(), "system": platform.platform()}
    found |= attempt("compiled kernels", cf.build_info) or {}
    found |= attempt("libraries", lambda: {name: _version(name, problems) for name in LIBRARIES}) or {}
    found["torch_threads"] = attempt("torch", _torch_threads)
    found["memory_gib"] = attempt("memory", _available_memory)
    found["temporary_folder_free_gib"] = attempt("temporary folder", _write_test)
    attempt("a solver", _solve_a_game)
    if found["memory_gib"] is not None and found["memory_gib"] < 1:
        problems.append(f"memory: {found['memory_gib']} GiB available, the demo needs about 1")
    result = {"ok": not problems, "problems": problems, **found}
    rows = [(name.replace("_", " "), "-" if value is None else str(value)) for name, value in found.items()]
    verdict = ["everything works"] if not problems else [f"WRONG  {problem}" for problem in problems]
    finish(result, "\n".join([table(rows), "", *verdict]), as_json)
    if problems:
        raise typer.Exit(FAILURE)


def _version(name: str, problems: list[str]) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        if name not in OPTIONAL:
            problems.append(f"{name}: not installed")
        return None


def _torch_threads() -> int:
    import torch

    return torch.get_num_threads()


def _available_memory() -> float:
    pages = os.sysconf("SC_AVPHYS_PAGES" if platform.system() == "Linux" else "SC_PHYS_PAGES")
    return round(pages * os.sysconf("SC_PAGE_SIZE") / GIBIBYTE, 1)


def _write_test() -> float:
    with tempfile.TemporaryFile() as file:
        file.write(b"coffee" * 1000)
        file.flush()
        os.fsync(file.fileno())
    return round(shutil.disk_usage(tempfile.gettempdir()).free / GIBIBYTE, 1)


def _solve_a_game() -> None:
    import numpy as np

    rock_paper_scissors = np.array([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]])
    found = cf.meta_solvers.Replicator().solve(cf.PayoffTable.symmetric(rock_paper_scissors))
    if not np.allclose(found.mixtures[0], 1 / 3):
        raise cf.NumericalError(f"rock-paper-scissors came out as {found.mixtures[0]}")
