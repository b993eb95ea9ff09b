"""What every use pays before it starts: a new interpreter that imports the package or prints the help."""

from __future__ import annotations

import subprocess
import sys

import pytest

STATEMENTS = {"bare_interpreter": "pass", "coffee_fast": "import coffee_fast", "numpy": "import numpy"}


def run(*arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize("implementation", STATEMENTS)
def test_import(benchmark, implementation):
    benchmark.group = "start an interpreter and import"
    if implementation == "coffee_fast":
        run("-c", "import coffee_fast, sys; sys.exit('torch' in sys.modules)")
    benchmark.pedantic(run, args=("-c", STATEMENTS[implementation]), rounds=20, warmup_rounds=2)


def test_command_line_help(benchmark):
    benchmark.group = "coffee-fast --help"
    benchmark.pedantic(run, args=("-m", "coffee_fast", "--help"), rounds=10, warmup_rounds=1)
