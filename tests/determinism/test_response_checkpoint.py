"""Runs killed within a response go on within it, to the bits of a run that was never disturbed.

Run as a script, this file is the victim: it kills itself when it has been told of a response's progress so often.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.errors import CheckpointError
from coffee_fast.evaluation.best_responses import train_best_responses
from coffee_fast.psro.execution import Execution
from coffee_fast.responses import checkpoint, from_config

SIZES = {
    "hidden_sizes": (12, 8),
    "num_steps": 1200,
    "replay_capacity": 400,
    "min_replay": 200,
    "batch_size": 16,
    "epsilon_decay_steps": 900,
    "learning_rate": 1e-3,
}
UPDATES = {"hidden_sizes": (12,), "num_updates": 40, "num_episodes": 40, "batch_size": 32}
GAME = cf.load_game("generalized_bargaining")


class Model:
    """The true game with the attributes of a model."""

    core, spec, fingerprint, reward_scale = GAME.core, GAME.spec, "the game", 4.5


def oracle_of(kind):
    return from_config({"kind": kind, **(UPDATES if kind == "policy_gradient" else SIZES)})


def run_psro(folder, kind="ddqn", progress=None, seed=5):
    config = cf.PSROConfig(num_iterations=2, num_simulations=20, response=oracle_of(kind))
    return cf.coffee_psro(Model(), config, seed, folder, resume=True, progress=progress)


def evaluate(folder, kind="ddqn", progress=None):
    profiles = [[cf.Mixture((cf.UniformRandom(),), np.ones(1))] * 2] * 3
    execution = Execution.of("evaluate", folder, False, 2, progress)
    (found,) = train_best_responses(GAME, profiles, 5, oracles=[oracle_of(kind)], execution=execution).values()
    return [own[0] for own in found]


RUNS = {"psro": run_psro, "evaluation": evaluate}


def main(what, folder, kind, num_calls):
    calls = []

    def progress(phase, *_):
        if phase.startswith("response"):
            calls.append(phase)
        if len(calls) == int(num_calls):
            os.kill(os.getpid(), signal.SIGKILL)

    checkpoint.SECONDS_BETWEEN_WRITES = 0.0
    RUNS[what](folder, kind, progress)


def run_and_kill(what, folder, kind, num_calls):
    command = [sys.executable, __file__, what, str(folder), kind, str(num_calls)]
    victim = subprocess.run(command, capture_output=True, text=True, check=False)
    assert victim.returncode == -signal.SIGKILL, victim.stderr


class Calls:
    """A progress callback that keeps how many steps were done at each call within a response."""

    def __init__(self):
        self.dones = []

    def __call__(self, phase, done, total, figures):
        if phase.startswith("response"):
            self.dones.append(done)


def bits(responses):
    return [array.tobytes() for response in responses for layer in response.policy.layers for array in layer]


@pytest.mark.parametrize(
    ("kind", "share"),
    [("ddqn", 0.0), ("ddqn", 0.3), ("ddqn", 0.98), ("ddqn_torch", 0.7), ("policy_gradient", 0.7)],
)
def test_a_psro_killed_within_a_response_goes_on_within_it(tmp_path, kind, share):
    resumed, whole = Calls(), Calls()
    expected = run_psro(None, kind, whole).fingerprint
    num_calls = 1 + int(share * len(whole.dones))
    run_and_kill("psro", tmp_path / "run", kind, num_calls)
    iteration = 1 if share < 0.5 else 2
    assert [file.name for file in tmp_path.glob("run/response-*")] == [f"response-{iteration:04d}.safetensors"]
    assert run_psro(tmp_path / "run", kind, resumed).fingerprint == expected
    assert resumed.dones == whole.dones[num_calls:]  # nothing is done twice
    assert list(tmp_path.glob("run/response-*")) == []


@pytest.mark.parametrize(("kind", "share"), [("ddqn", 0.2), ("ddqn", 0.8), ("policy_gradient", 0.5)])
def test_an_evaluation_killed_within_its_responses_goes_on_within_them(tmp_path, kind, share):
    resumed, whole = Calls(), Calls()
    expected = evaluate(None, kind, whole)
    num_calls = int(share * len(whole.dones))
    run_and_kill("evaluation", tmp_path / "kept", kind, num_calls)
    responses = evaluate(tmp_path / "kept", kind, resumed)
    assert bits(responses) == bits(expected)
    assert [response.report for response in responses] == [response.report for response in expected]
    # Threads may have gone on by a few calls that the calling one had not been told of when it was killed.
    assert len(resumed.dones) <= len(whole.dones) - num_calls
    assert list((tmp_path / "kept").glob("[!.]*.training.*")) == []


def test_a_run_refuses_the_training_of_another_one(tmp_path):
    run_and_kill("psro", tmp_path / "run", "ddqn", 20)
    (file,) = tmp_path.glob("run/response-*")
    run_psro(tmp_path / "other", seed=6)
    (tmp_path / "other" / "latest.json").unlink()  # back to its beginning
    file.rename(tmp_path / "other" / file.name)
    with pytest.raises(CheckpointError, match=r"response-0001\.safetensors: is of another training: seed is"):
        run_psro(tmp_path / "other", seed=6)


def test_a_training_left_of_a_complete_iteration_is_swept(tmp_path):
    whole = run_psro(tmp_path / "run")
    (tmp_path / "run" / "response-0002.safetensors").write_bytes(b"left over")
    assert run_psro(tmp_path / "run").fingerprint == whole.fingerprint
    assert list(tmp_path.glob("run/response-*")) == []


if __name__ == "__main__":
    main(*sys.argv[1:])
