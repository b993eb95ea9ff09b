"""The demo as a user meets it, with the most memory it took."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest


def peak_memory_mb(process: subprocess.Popen[str]) -> float:
    """The largest resident memory of a process, in megabytes, as its kernel says at the end."""
    status, peak = Path(f"/proc/{process.pid}/status"), 0.0
    while process.poll() is None:
        try:
            lines = status.read_text().splitlines()
        except OSError:
            break
        peak = max([peak, *(float(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))])
        threading.Event().wait(0.2)
    return peak


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads peak memory from /proc")
def test_demo(benchmark, tmp_path):
    benchmark.group = "coffee-fast demo, two threads"
    found = {}

    def demo() -> None:
        command = [sys.executable, "-m", "coffee_fast", "demo", "--json", "--threads", "2", "--run-dir"]
        process = subprocess.Popen([*command, str(tmp_path / "run")], stdout=subprocess.PIPE, text=True)
        found["peak_memory_mb"] = peak_memory_mb(process)
        found.update(json.loads(process.communicate()[0].splitlines()[-1]))

    benchmark.pedantic(demo, rounds=1)
    assert found["final_sum_regret"] < found["initial_sum_regret"]
    names = ("peak_memory_mb", "initial_sum_regret", "final_sum_regret")
    benchmark.extra_info.update({name: found[name] for name in names})
