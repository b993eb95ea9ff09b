"""Building the wheel from the source tree, and its size."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_wheel(benchmark, tmp_path):
    benchmark.group = "pip wheel ."
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--quiet", "-w", str(tmp_path), str(ROOT)]
    command += ["--config-settings", f"build-dir={tmp_path / 'build'}"]
    benchmark.pedantic(subprocess.run, args=(command,), kwargs={"check": True}, rounds=1)
    (wheel,) = tmp_path.glob("*.whl")
    benchmark.extra_info["megabytes"] = wheel.stat().st_size / 1e6
    assert wheel.stat().st_size < 5e6
