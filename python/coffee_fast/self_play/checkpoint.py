"""The folder of a run of self-play.

::

    run.json               what is run: configuration, seed, fingerprints of model and references, versions, machines
    training.safetensors   the training: learner, history and snapshots so far, verified in full before it is used
    judge/                 responses trained against the snapshots, finished and under way

``training.safetensors`` is written every half minute, at every snapshot and at the end, each time by one rename; so a
process that is killed at any moment loses half a minute at most.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coffee_fast import _files
from coffee_fast._provenance import first_difference, machine, same_machine, versions
from coffee_fast._sealed import read_sealed_json, write_sealed_json
from coffee_fast.errors import CheckpointError
from coffee_fast.responses.checkpoint import ResponseCheckpoint, read_checkpoint
from coffee_fast.typing import Float64, Resume

if TYPE_CHECKING:
    from coffee_fast.games import GameSpec

TRAINING, JUDGE = "training.safetensors", "judge"
_KIND = "self_play"
_FORM = {
    "config": dict,
    "seed": int,
    "model_fingerprint": str,
    "references": [str],
    "game": dict,
    "versions": {...: str},
    "machines": [{...: str}],
}


@dataclass(frozen=True)
class SelfPlayIdentity:
    """What makes two runs the same run."""

    config: Mapping[str, Any]
    seed: int
    model_fingerprint: str
    references: list[str]


def open_folder(path: Path, identity: SelfPlayIdentity, spec: GameSpec, resume: Resume) -> ResponseCheckpoint:
    """Begin a run in an empty or new folder, or with ``resume`` take up the one that is there.

    Another run there that has not trained anything gives way.

    Raises
    ------
    CheckpointError
        If the folder holds anything and ``resume`` is false, or holds another run (the message says which field
        differs) or one of an unlike machine (unless ``resume`` is ``"anyway"``), or is damaged (it names the file).
    """
    if path.exists() and not path.is_dir():
        raise CheckpointError(f"run_dir: {path} is a file, expected a folder")
    here: dict[str, Any] = asdict(identity)
    machines = [machine()]
    if (path / "run.json").exists():
        there = read_sealed_json(path / "run.json", _KIND, _FORM)
        difference = first_difference({name: there[name] for name in here}, here)
        if has_trained(path) or not difference:
            if not resume:
                raise CheckpointError(f"run_dir: {path} holds a run already; pass resume=True or another folder")
            if difference:
                raise CheckpointError(f"run_dir: {path} is another run: {difference}")
            machines = same_machine(there, f"run_dir: {path}", resume)
    elif path.exists() and any(entry.suffix != ".tmp" for entry in path.iterdir()):
        raise CheckpointError(f"run_dir: {path} is not empty and holds no run.json; choose a new folder")
    path.mkdir(parents=True, exist_ok=True)
    _files.sweep(path)
    about = {**here, "game": spec.to_json(), "versions": versions(), "machines": machines}
    write_sealed_json(path / "run.json", _KIND, about)
    return ResponseCheckpoint(path / TRAINING, here)


def has_trained(path: Path) -> bool:
    """Whether a run folder holds any training."""
    return (path / TRAINING).exists()


def load_history(path: Path) -> dict[str, Float64]:
    """Read the figures of the updates so far from a run folder, without the model that it plays in."""
    _, arrays = read_checkpoint(path / TRAINING)
    return {name.removeprefix("history."): array for name, array in arrays.items() if name.startswith("history.")}
