"""Where the compiled module cannot work, and what is told of memory that is not there."""

from __future__ import annotations

import subprocess
import sys

import pytest

from coffee_fast import _core
from coffee_fast.errors import CoffeeError, OutOfMemoryError

IN_SUBINTERPRETER = """
import sys, warnings
try:
    import _xxsubinterpreters as interpreters
except ImportError:
    sys.exit(77)
interpreter = interpreters.create()
try:
    interpreters.run_string(interpreter, f"import sys; sys.path[:] = {sys.path!r}; import coffee_fast._core")
except Exception as error:
    print(error)
"""


def test_a_subinterpreter_is_refused_at_once():
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", IN_SUBINTERPRETER], capture_output=True, timeout=60)
    if done.returncode == 77:
        pytest.skip("this Python has no subinterpreters")
    assert b"coffee_fast works in the main interpreter only" in done.stdout


def test_memory_that_is_not_there_is_named():
    game, uniform = _core.GeneralizedBargaining(), _core.Policy.uniform_random()
    with pytest.raises(OutOfMemoryError, match="more memory than there is; ask for less") as raised:
        _core.rollout(game, [([uniform], [1.0])] * 2, 2**60, 0)
    assert isinstance(raised.value, MemoryError)
    assert isinstance(raised.value, CoffeeError)
