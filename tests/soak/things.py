"""Small things of every kind that is kept on disk, and what is the same about two of them."""

from __future__ import annotations

import functools
import hashlib
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.games import negotiation
from tests.small_runs import contents, self_play_run
from tests.unit.data.conftest import SPEC, tiny_arrays

import coffee_fast as cf
from coffee_fast.pipeline import run_pipeline
from coffee_fast.psro import PSROResult, load_result
from coffee_fast.responses.checkpoint import read_checkpoint
from coffee_fast.sweeps.folder import SweepFolder


@functools.cache
def world() -> dict[str, Any]:
    """Return a dataset, a model, the configuration of a run, its solution."""
    log = cf.generate_dataset(negotiation(), num_trajectories=40, seed=1)
    sizes = {"num_members": 2, "hidden_sizes": (3,), "num_steps": 5, "num_reward_steps": 5}
    oracle = {"hidden_sizes": (3,), "num_steps": 64, "replay_capacity": 32, "min_replay": 16, "batch_size": 8}
    response = cf.DDQN(**oracle, epsilon_decay_steps=16, num_parallel_episodes=4)
    config = cf.PSROConfig(num_iterations=1, num_simulations=4, response=response)
    model = cf.DynamicsEnsemble.fit(log, cf.EnsembleConfig(**sizes), seed=0)
    return {
        "dataset": cf.TrajectoryDataset(SPEC, tiny_arrays(), behavior="by hand", seed=5, is_mirrored=True),
        "model": model,
        "config": config,
        "solution": cf.coffee_psro(model, config, seed=0).solve(),
    }


def digest(thing: Any) -> str:
    """Return what is the same for things that are the same: what they save, or say of themselves."""
    if isinstance(thing, PSROResult):
        return f"{thing.fingerprint} {thing.seed} {thing.config} {thing.spec} {thing.model_fingerprint} {thing.status}"
    if isinstance(thing, str):
        return thing
    if hasattr(thing, "save"):
        with tempfile.TemporaryDirectory() as folder:
            thing.save(Path(folder) / "thing")
            return json.dumps(contents(Path(folder)))
    identity, arrays = thing
    parts = [f"{name} {array.dtype} {array.shape} ".encode() + array.tobytes() for name, array in arrays.items()]
    return hashlib.sha256(b"".join([identity.encode(), *parts])).hexdigest()


def _of_run(folder: Path) -> str:
    """Return a run as lists of runs and the table of a sweep say it; what they call damaged is refused."""
    (record,) = cf.list_runs(folder)
    if record.state == "damaged":
        raise cf.CheckpointError(record.reason)
    return f"{record.state} {record.config} {record.summary} {SweepFolder(folder.parents[1]).results(folder.name)}"


def kept(folder: Path) -> dict[str, tuple[Path, Callable[[Path], Any]]]:
    """Make one of each kind in a folder; returns by name where it lies and what reads it."""
    made = world()
    for name in ("dataset", "model", "solution"):
        made[name].save(folder / name)
    cf.coffee_psro(made["model"], made["config"], 0, folder / "psro")
    run = folder / "runs" / "run"  # as a sweep has it
    run_pipeline(self_play_run().with_overrides(["self_play.num_updates=2", "self_play.num_snapshots=1"]), run)
    return {
        "dataset": (folder / "dataset", cf.TrajectoryDataset.load),
        "model": (folder / "model", cf.DynamicsEnsemble.load),
        "solution": (folder / "solution", cf.Solution.load),
        "psro": (folder / "psro", load_result),
        "run": (run, _of_run),
        "self_play": (run / "self_play", lambda path: read_checkpoint(path / "training.safetensors")),
    }
