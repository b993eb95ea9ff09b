"""Ctrl-C stops a long computation soon, as KeyboardInterrupt, and leaves an interpreter that works."""

from __future__ import annotations

import subprocess
import sys

import pytest

SETTING = """
import os, signal, sys, threading, time
import numpy as np
import coffee_fast as cf
from coffee_fast import _core
game = cf.load_game("generalized_bargaining")
rng = np.random.default_rng(0)
sizes = ((41, 400), (400, 109))
layers = tuple((rng.normal(size=(o, i)).astype(np.float32), np.zeros(o, np.float32)) for i, o in sizes)
slow = cf.NetworkPolicy(layers, "softmax")
num_threads = int(sys.argv[1])
sent = []

def run(num_episodes):
    {call}

def interrupt():
    sent.append(time.process_time())
    os.kill(os.getpid(), signal.SIGINT)

run(10)
threading.Timer(0.3, interrupt).start()
try:
    run(4_000_000)
except KeyboardInterrupt:
    print((time.process_time() - sent[0]) / num_threads)
    run(10)
    print("still works")
"""
CALLS = {
    "simulate": "cf.simulate(game, [slow, slow], num_episodes=num_episodes, seed=0, num_threads=num_threads)",
    "estimate_payoffs": (
        "_core.estimate_payoffs("
        "game.core, [slow.core], np.zeros((1, 2), np.int32), num_episodes, 0, num_threads=num_threads)"
    ),
}


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT for one process")
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("num_threads", [1, 2])
def test_ctrl_c_stops_within_a_second(call, num_threads):
    script = SETTING.replace("{call}", CALLS[call])
    process = subprocess.run(
        [sys.executable, "-c", script, str(num_threads)], capture_output=True, text=True, timeout=60
    )
    assert process.returncode == 0, process.stderr
    seconds, last = process.stdout.splitlines()
    assert last == "still works"
    # As a rule within 0.1 s. Of the processor, so that a busy machine may take longer.
    assert float(seconds) < 1.0
