"""Kill a run at random moments, resume it, and compare every file with those of a run that was never disturbed."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time

import pytest
from tests.small_runs import SIZES, contents, psro_run

import coffee_fast as cf
from coffee_fast.pipeline import RunConfig, run_pipeline

CONFIG = psro_run()

VICTIM = """
import sys
import torch, matplotlib.figure
from coffee_fast.pipeline import RunConfig, run_pipeline
from coffee_fast.responses import checkpoint

checkpoint.SECONDS_BETWEEN_WRITES = 0.01
config = RunConfig(seed=3).with_overrides(sys.argv[2:])
print("ready", flush=True)
try:
    run_pipeline(config, sys.argv[1], resume=True, num_threads=2)
except KeyboardInterrupt:
    sys.exit(75)
"""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Contents of an undisturbed run, and the seconds it takes once everything is loaded."""
    folder = tmp_path_factory.mktemp("undisturbed")
    run_pipeline(CONFIG, folder / "warm")
    start = time.perf_counter()
    run_pipeline(CONFIG, folder / "run")
    return contents(folder / "run"), time.perf_counter() - start


def start_and_send(number, run_dir, delay):
    """Start the run in a process of its own, send it a signal some seconds after its imports; return its exit code."""
    command = [sys.executable, "-c", VICTIM, str(run_dir), *SIZES]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        time.sleep(delay)
        process.send_signal(number)
        return process.wait()


def kill_and_resume(undisturbed, run_dir, delays):
    expected, _ = undisturbed
    for delay in delays:
        start_and_send(signal.SIGKILL, run_dir, delay)
    run_pipeline(CONFIG, run_dir, resume=True)
    assert contents(run_dir) == expected


@pytest.mark.parametrize("share", [0.15, 0.45, 0.75])
def test_a_killed_run_resumes_to_the_same_files(undisturbed, tmp_path, share):
    kill_and_resume(undisturbed, tmp_path / "run", [share * undisturbed[1]])


@pytest.mark.slow
@pytest.mark.parametrize("trial", range(20))
def test_a_run_that_is_killed_again_and_again_resumes_to_the_same_files(undisturbed, tmp_path, trial):
    rng = random.Random(trial)
    delays = [rng.uniform(0.0, undisturbed[1]) for _ in range(rng.randint(1, 3))]
    kill_and_resume(undisturbed, tmp_path / "run", delays)


def test_an_interrupt_from_the_keyboard_leaves_a_resumable_run(undisturbed, tmp_path):
    expected, seconds = undisturbed
    code = start_and_send(signal.SIGINT, tmp_path / "run", 0.3 * seconds)
    assert code in (75, 0)  # 0: it was done before the signal came
    run_pipeline(CONFIG, tmp_path / "run", resume=True)
    assert contents(tmp_path / "run") == expected


def test_a_model_from_another_fit_is_refused(undisturbed, tmp_path):
    """The psro folder remembers its model by fingerprint, wherever the model lies."""
    run_pipeline(CONFIG, tmp_path / "run")
    other = RunConfig(seed=4).with_overrides(SIZES)
    run_pipeline(other, tmp_path / "other")
    model = cf.DynamicsEnsemble.load(tmp_path / "other" / "model")
    seed = int(cf.psro.load_result(tmp_path / "run" / "psro").seed)
    with pytest.raises(cf.CheckpointError, match="model_fingerprint"):
        cf.coffee_psro(model, CONFIG.psro, seed, tmp_path / "run" / "psro", resume=True)
