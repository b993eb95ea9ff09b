"""Ctrl-C stops a long computation soon, as KeyboardInterrupt, and leaves an interpreter that works."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

SETTING = """
import sys, time
import numpy as np
import coffee_fast as cf
from coffee_fast import _core
game = cf.load_game("generalized_bargaining")
rng = np.random.default_rng(0)
sizes = ((41, 400), (400, 109))
layers = tuple((rng.normal(size=(o, i)).astype(np.float32), np.zeros(o, np.float32)) for i, o in sizes)
slow = cf.NetworkPolicy(layers, "softmax")
num_threads = int(sys.argv[1])

def run(num_episodes):
    {call}

run(10)
print("ready", flush=True)
try:
    run(4_000_000)
except KeyboardInterrupt:
    print(time.monotonic(), flush=True)
    run(10)
    print("still works", flush=True)
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
    command = [sys.executable, "-c", script, str(num_threads)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "ready\n"
            time.sleep(0.3)
            sent = time.monotonic()
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=20)
        finally:
            process.kill()
    assert process.returncode == 0, errors
    stopped, last = output.splitlines()
    assert last == "still works"
    assert float(stopped) - sent < 1.0  # as a rule within 0.1 s
