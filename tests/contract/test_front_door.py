"""The front door: a public function that is given nonsense says so in a sentence, or takes it; it never breaks.

Every call starts from one that works and has one argument spoiled. Run as a script, this file prints what fails::

    PYTHONPATH=python python -m tests.contract.test_front_door [name ...]
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from tests.contract.front_door_calls import MAKERS, calls, world
from tests.contract.nonsense import nonsense_for

import coffee_fast as cf
from coffee_fast import evaluation, games, meta_solvers, plotting, regularized, reports, sweeps, teams

MAX_MESSAGE = 2000  # characters
SHARE = 11  # one kind of nonsense in so many is tried unless slow tests are asked for
SECONDS = 10  # that a call may take
FOREIGN_WORDS = ("pybind11", "std::", "__init__(): incompatible", "incompatible function arguments")

# Names that are made by the package, not by its users: errors, results, interfaces.
RESULTS = {
    *("RunRecord", "BestResponse"),
    *("CoffeeError", "InvalidArgumentError", "InvalidGameError", "DatasetError", "ConfigError", "CheckpointError"),
    *("NumericalError", "OutOfMemoryError", "__version__", "build_info", "get_cmake_dir", "UniformRandom"),
    *(
        "SimulationResult",
        "PSROResult",
        "Solution",
        "SelfPlaySnapshots",
        "TeamPolicies",
        "RegretFromLog",
        "RegretReport",
        "DatasetCard",
        "DynamicsEnsemble",
    ),
    *("DatasetCheck", "ExactRegret", "ModelWarning", "Player", "games.known_games", "meta_solvers.known_solvers"),
    *(
        "regularized.known_solvers",
        "teams.known_configs",
        "meta_solvers.CorrelatedSolution",
        "meta_solvers.MetaSolution",
    ),
    *("meta_solvers.MetaSolver", "meta_solvers.Uniform", "games.Bridge", "games.LaneRandom"),
    *("games.Simulator", "games.SimulatorGame"),
    *("evaluation.CombinedGame", "evaluation.Comparison", "evaluation.ComparisonRow", "evaluation.NearLogReport"),
    *("evaluation.ExactRegret", "evaluation.FidelityReport", "evaluation.RegretReport", "evaluation.Summary"),
    *(f"regularized.{name}" for name in regularized.__all__ if name[0].isupper()),
    *("reports.SweepReport", "reports.SweepResults", "sweeps.PlannedRun", "sweeps.RunState", "sweeps.SweepPlan"),
    "sweeps.SweepSummary",
}


class TooLong(BaseException):
    """A call that did not come back."""


@contextlib.contextmanager
def limit(seconds: int) -> Iterator[None]:
    """Raise within the block what nobody catches by mistake, once it has taken too long."""

    def interrupt(*_: object) -> None:
        raise TooLong

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def fault_of(function: Callable[..., Any], arguments: dict[str, Any]) -> str:
    """Return what is wrong about how the call ends, or nothing."""
    try:
        with limit(SECONDS), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            function(**arguments)
    except cf.CoffeeError as error:
        message = str(error)
        if len(message) > MAX_MESSAGE:
            return f"a message of {len(message)} characters"
        if any(word in message for word in FOREIGN_WORDS):
            return f"foreign words: {message[:200]}"
        return "" if message.strip() else "an empty message"
    except OSError as error:  # a folder that cannot be written, say
        return "" if error.strerror else f"OSError: {str(error)[:100]}"
    except TooLong:
        return f"more than {SECONDS} s"
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:100]}"
    return ""


def faults(name: str, share: int = 1) -> list[str]:
    """Return the faults of a call with each argument spoiled, by every ``share``-th kind of nonsense."""
    function, arguments = calls()[name]
    found = []
    for place, argument in enumerate(arguments):
        kinds = nonsense_for(arguments[argument])
        for value in kinds[place % share :: share]:
            # What a call changes must not reach the next one, and iterators are used up.
            value = iter([1, 2]) if isinstance(value, type(iter([]))) else value
            fault = fault_of(function, arguments | {argument: value})
            # None may ask for a default of full size; what a function that was handed in raises is its owner's.
            is_handed_in = callable(value) and argument in ("progress", "features", "model", "state_key", "gradient")
            is_meant = is_handed_in or (value is None and fault.startswith("more than"))
            if fault and not is_meant:
                found.append(f"{argument}={describe(value)}: {fault}")
    return found


def describe(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{type(value).__name__} {value.dtype.str} {value.shape} {'' if value.flags.aligned else 'misaligned'}"
    return repr(value)[:40]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """What a spoiled path makes is made in a folder of the test's own."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("make", MAKERS)
def test_nonsense_ends_in_a_sentence(make, tmp_path):
    names = list(make(world(), tmp_path))
    assert {name: found for name in names if (found := faults(name, SHARE))} == {}


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("make", MAKERS)
def test_all_nonsense_ends_in_a_sentence(make, tmp_path):
    names = list(make(world(), tmp_path))
    assert {name: found for name in names if (found := faults(name))} == {}


def test_every_public_name_is_called():
    called = {name.partition(" ")[0] for name in calls()}
    rooms = (meta_solvers, evaluation, games, regularized, plotting, reports, sweeps, teams)
    public = {f"{room.__name__.rpartition('.')[2]}.{name}" for room in rooms for name in room.__all__}
    again = {name for name in public if name.rpartition(".")[2] in {*called, *RESULTS}}  # also on the public face
    assert {*cf._FACE, *public} - called - again <= RESULTS


def main(wanted: list[str]) -> None:
    """Print the faults of the calls named, or of all, and how many there are of each kind."""
    os.chdir(tempfile.mkdtemp())
    total: Counter[str] = Counter()
    for name in wanted or calls():
        found = faults(name)
        print(f"{name}: {len(found)}", flush=True)
        for fault in found:
            print(f"    {fault}")
            total[fault.partition(": ")[2].partition(":")[0]] += 1
    print(dict(total))


if __name__ == "__main__":
    main(sys.argv[1:])
