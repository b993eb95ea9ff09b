"""The examples run as they stand. The one in C++ is built and run by tests/embed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").rglob("*.py"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.stem)
def test_an_example_runs(example, tmp_path):
    pytest.importorskip("pandas")
    if "openspiel" in example.stem:
        pytest.importorskip("pyspiel")
    ended = subprocess.run([sys.executable, str(example), str(tmp_path / "log")], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout
