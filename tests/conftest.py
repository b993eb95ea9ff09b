"""Fixtures shared by all tests; the suite is deterministic, so a failure repeats."""

from __future__ import annotations

import signal

import numpy as np
import pytest
from hypothesis import settings

# A process started in the background may ignore Ctrl-C, and its children with it; tests send it.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# No deadline: other processes share the machine. Derandomized: the same examples on every run.
settings.register_profile("default", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("default")


@pytest.fixture
def rng() -> np.random.Generator:
    """A generator of its own for each test, always with the same seed."""
    return np.random.default_rng(20260721)
