"""However a command ends: one sentence and an exit code, never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import coffee_fast as cf
from coffee_fast.cli._endings import sentence

FULL = Path("/dev/full")


def run(*arguments, **options):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    environment.pop("COFFEE_FAST_TRACEBACK", None)
    command = [sys.executable, "-m", "coffee_fast", *arguments]
    return subprocess.run(command, env=environment, text=True, stderr=subprocess.PIPE, timeout=120, **options)


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here")
@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_a_full_standard_output_is_told(arguments):
    with FULL.open("w") as full:
        done = run(*arguments, stdout=full)
    assert done.returncode == 1
    assert done.stderr == "coffee-fast: the output: No space left on device\n"


def test_nobody_reads_on():
    reader, writer = os.pipe()
    os.close(reader)
    done = run("--help", stdout=writer)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize(
    ("error", "message", "code"),
    [
        (MemoryError("Unable to allocate 364. TiB"), "out of memory: Unable to allocate 364. TiB", 1),
        (MemoryError(), "out of memory: this asks for more than there is", 1),
        (
            RecursionError("deep"),
            "this is a fault of coffee_fast: RecursionError: deep; set COFFEE_FAST_TRACEBACK=1 to see where",
            1,
        ),
        (
            OverflowError("int too large"),
            "this is a fault of coffee_fast: OverflowError: int too large; set COFFEE_FAST_TRACEBACK=1 to see where",
            1,
        ),
        (cf.ConfigError("seed must be\n an integer"), "seed must be an integer", 2),
    ],
)
def test_every_error_is_one_sentence(invoke, monkeypatch, error, message, code):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(cf, "generate_dataset", fail)
    done = invoke("dataset", "generate", "nowhere")
    assert (done.exit_code, done.stderr) == (code, f"coffee-fast: {message}\n")


def test_a_long_message_is_cut():
    assert len(sentence(cf.ConfigError("x" * 10**6))) < 2000
    assert len(sentence(ValueError("x" * 10**6))) < 2000


def test_whoever_asks_sees_where(capsys, monkeypatch):
    monkeypatch.setenv("COFFEE_FAST_TRACEBACK", "1")
    sentence(ValueError("here"))
    assert "ValueError: here" in capsys.readouterr().err


@pytest.mark.parametrize("override", ["seed=18446744073709551616", "psro.num_iterations=" + "9" * 5000])
def test_numbers_beyond_all_bounds_are_wrong_usage(invoke, tmp_path, override):
    done = invoke("run", "--run-dir", tmp_path / "run", "--set", override)
    assert done.exit_code == 2
    assert "must be an integer" in done.stderr
    assert len(done.stderr) < 300
