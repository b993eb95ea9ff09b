"""Arrays as they come: the compiled module reads them rightly or refuses them; none makes it read what is not there.

The calls run in a process of their own, so that one which breaks it is seen as such. Run as a module, this file prints
what fails.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.core.core_calls import ENORMOUS, OTHER, SAME, at, flat, forms, is_patient, limit_memory, places, put
from tests.core.learner_calls import all_calls
from tests.core.test_stub import BOUND

from coffee_fast.errors import CoffeeError

ROOT = Path(__file__).parents[2]
SECONDS = 5  # that a call may take


class TooLong(BaseException):
    """A call that did not come back."""


def interrupt(*_: object) -> None:
    raise TooLong


def outcome(function: Callable[..., Any], arguments: dict[str, Any]) -> tuple[str, Any]:
    """Return how the call ends, ``""`` where it ends well or in an error of its own, and its numbers."""
    signal.alarm(SECONDS)
    try:
        return "", flat(function(**arguments))
    except (CoffeeError, TypeError):
        return "", None
    except TooLong:
        return f"more than {SECONDS} s", None
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:120]}", None
    finally:
        signal.alarm(0)


def faults(name: str, trace: Path | None = None) -> list[str]:
    """Return what goes wrong with a call; ``trace`` is told of each step, for one that takes the process with it."""
    function, arguments = all_calls()[name]
    fault, expected = outcome(function, arguments)
    found = [f"as it is: {fault or 'refused'}"] if expected is None else []
    for path in places(arguments):
        value = at(arguments, path)
        where = ".".join(map(str, path))
        is_array = isinstance(value, np.ndarray) and value.size > 0
        spoiled = forms(value) if is_array else [(str(entry), OTHER, entry) for entry in ENORMOUS]
        for kind, values, entry in spoiled:
            if is_patient(path, entry):
                continue
            if trace is not None:
                trace.write_text(f"{name} {where} {kind}")
            fresh, same = all_calls()[name]
            fault, numbers = outcome(fresh, put(same, path, entry))
            if fault:
                found.append(f"{where} {kind}: {fault}")
            elif values == SAME and numbers is not None and not np.array_equal(numbers, expected, equal_nan=True):
                found.append(f"{where} {kind}: another result")
    return found


def main() -> None:
    """Print the faults of the calls named, or of all, as JSON."""
    signal.signal(signal.SIGALRM, interrupt)
    limit_memory()
    trace = Path(sys.argv[1])
    print(json.dumps({name: faults(name, trace) for name in sys.argv[2:] or all_calls()}))


NAMES = sorted(all_calls())


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """The faults of all calls, from a process of their own."""
    trace = tmp_path_factory.mktemp("arrays") / "trace"
    command = [sys.executable, "-W", "ignore", "-m", "tests.core.test_arrays", str(trace)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, f"the process ended at {trace.read_text()}: {done.stderr[-2000:]}"
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", NAMES)
def test_arrays_are_read_rightly_or_refused(found, name):
    assert found[name] == []


def test_everything_bound_is_called():
    assert {name.removesuffix(".__init__") for name, parameters in BOUND.items() if parameters} == set(NAMES)


if __name__ == "__main__":
    main()
