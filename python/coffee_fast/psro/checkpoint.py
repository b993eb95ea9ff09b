"""The folder of a run: written after every iteration, whole at every moment, verified in full before it is used.

::

    run.json                        what is run: configuration, seed, model fingerprint, versions
    latest.json                     the switch: the last complete iteration and the sha256 of every file up to it
    iterations/0007/strategy.safetensors   weights of the strategy that iteration 7 trained
    iterations/0007/payoffs.safetensors    the empirical game after it
    iterations/0007/record.json            all else that the seed determines
    iterations/0007/seconds.json           wall-clock times, of which nothing depends
    response-0008.safetensors       the training of iteration 8's strategy, while it goes on; response-0008-1 of role 1

An iteration's folder appears by one rename, and counts only once ``latest.json`` names it; so a process that is killed
at any moment loses at most what it did since, and of a long response no more than half a minute.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from coffee_fast import _files
from coffee_fast._provenance import first_difference, machine, same_machine
from coffee_fast._sealed import check_form, read_sealed_json, write_sealed_json
from coffee_fast.empirical import EmpiricalGame
from coffee_fast.errors import CheckpointError, CoffeeError, shown
from coffee_fast.games import GameSpec
from coffee_fast.policies import Policy
from coffee_fast.policy_files import policy_arrays, policy_from_arrays
from coffee_fast.psro.result import IterationRecord
from coffee_fast.typing import Resume

_TENSORS_AND_RECORD = ("strategy.safetensors", "payoffs.safetensors", "record.json")
_RUN = {
    "config": dict,
    "seed": int,
    "model_fingerprint": str,
    "game?": (dict, None),
    "start?": [[str]],
    "versions": {...: str},
    "machines?": [{...: str}],
}
_LATEST = {"iteration": int, "files": {...: str}}
_RECORD = {
    "policy?": dict,
    "policies?": [dict],
    "iteration": int,
    "objective": {...: float},
    "response_report": {...: (float, None)},
    "mixture?": [float],
    "mixtures?": [[float]],
    "model_regret": [float],
    "solver_status": str,
    "solver_iterations": int,
    "disagreement": [(float, None)],
}


@dataclass(frozen=True)
class RunIdentity:
    """What makes two runs the same run."""

    config: Mapping[str, Any]
    seed: int
    model_fingerprint: str
    start: list[list[str]] | None = None
    """Fingerprints of the strategies that were given, if there are any."""

    def to_json(self) -> dict[str, Any]:
        """Return what is not None as plain JSON values: runs of before there was a field are the same run."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True)
class RunState:
    """Everything that the next iteration needs; ``strategies`` are one tuple a role."""

    strategies: tuple[tuple[Policy, ...], ...]
    empirical_game: EmpiricalGame
    records: tuple[IterationRecord, ...]


class RunFolder:
    """Reads and writes one run folder; construct with :meth:`open` or :meth:`read`."""

    def __init__(self, path: Path, manifest: Mapping[str, Any], files: dict[str, str], latest: int) -> None:
        self.path = path
        self.manifest = manifest
        self._files = files
        self._latest = latest

    @classmethod
    def open(
        cls,
        path: str | Path,
        identity: RunIdentity,
        versions: Mapping[str, str],
        *,
        resume: Resume,
        spec: GameSpec | None = None,
    ) -> RunFolder:
        """Begin a run in an empty or new folder, or with ``resume`` take up the one that is there.

        Another run there that has not trained anything, since its configuration failed, say, gives way.

        Raises
        ------
        CheckpointError
            If the folder holds anything and ``resume`` is false, or holds another run (the message says which field
            differs) or one of an unlike machine (unless ``resume`` is ``"anyway"``), or is damaged (it names the file).
        """
        path = _files.as_path(path)
        if path.exists() and not path.is_dir():
            raise CheckpointError(f"run_dir: {path} is a file, expected a folder")
        if (path / "run.json").exists():
            folder = cls.read(path)
            difference = folder._difference(identity)
            if has_trained(path) or not difference:
                if not resume:
                    raise CheckpointError(f"run_dir: {path} holds a run already; pass resume=True or another folder")
                if difference:
                    raise CheckpointError(f"run_dir: {path} is another run: {difference}")
                folder._discard_unfinished()
                folder._check_machine(resume)
                return folder
            _clear(path)
        if path.exists() and resume:
            _files.sweep(path)
        if path.exists() and any(path.iterdir()):
            raise CheckpointError(f"run_dir: {path} is not empty and holds no run.json; choose a new folder")
        manifest = {
            **identity.to_json(),
            "game": spec.to_json() if spec else None,
            "versions": dict(versions),
            "machines": [machine()],
        }
        path.mkdir(parents=True, exist_ok=True)
        write_sealed_json(path / "run.json", "coffee_psro", manifest)
        return cls(path, manifest, {}, -1)

    @classmethod
    def read(cls, path: str | Path) -> RunFolder:
        """Open an existing run folder for reading."""
        path = _files.as_path(path)
        manifest = read_sealed_json(path / "run.json", "coffee_psro", _RUN)
        file = path / "latest.json"
        if not file.exists():
            return cls(path, manifest, {}, -1)
        latest = read_sealed_json(file, "latest", _LATEST)
        iteration, files = latest["iteration"], latest["files"]
        if not 0 <= iteration <= len(files):
            raise CheckpointError(f"{file}: names {len(files)} files, which are not those of {iteration} iterations")
        expected = [
            f"iterations/{number:04d}/{name}" for number in range(iteration + 1) for name in _TENSORS_AND_RECORD
        ]
        for name in expected:
            if name not in files:
                raise CheckpointError(f"{file}: does not name {Path(name).name} of iteration {int(name.split('/')[1])}")
        if others := sorted(set(files) - set(expected)):
            raise CheckpointError(f"{file}: names {shown(others[0])}, which is no file of iterations 0 to {iteration}")
        return cls(path, manifest, files, iteration)

    def load(self) -> RunState | None:
        """Verify every file against its sha256 and return the state after the last complete iteration, if any."""
        for name, sha256 in self._files.items():
            if _files.sha256_of(self.path / name) != sha256:
                raise CheckpointError(f"{self.path / name}: damaged, its sha256 is not the one in latest.json")
        if self._latest < 0:
            return None
        strategies: list[list[Policy]] = []
        records = []
        for iteration in range(self._latest + 1):
            folder = self._folder(iteration)
            record = _files.read_json(folder / "record.json")
            check_form(record, _RECORD, str(folder / "record.json"))
            seconds = read_sealed_json(folder / "seconds.json", "seconds", {...: float})
            arrays = _files.read_tensors(folder / "strategy.safetensors", CheckpointError)
            try:
                strategies.append(_policies_from(record, arrays))
                records.append(IterationRecord.from_json(record, seconds))
            except (CoffeeError, KeyError, TypeError, OverflowError) as error:
                raise CheckpointError(f"{folder / 'record.json'}: not a record of an iteration ({error})") from None
            lengths = {records[-1].iteration + 1, *map(len, records[-1].mixtures)}
            roles = {len(records[-1].mixtures), len(strategies[-1]), len(strategies[0])}
            if lengths != {iteration + 1} or len(roles) > 1:
                raise CheckpointError(f"{folder / 'record.json'}: is not the record of iteration {iteration}")
        file = self._folder(self._latest) / "payoffs.safetensors"
        arrays = _files.read_tensors(file, CheckpointError)
        try:
            empirical_game = EmpiricalGame.from_arrays(arrays)
        except (CoffeeError, KeyError, TypeError) as error:
            raise CheckpointError(f"{file}: not an empirical game ({error})") from None
        if empirical_game.num_strategies != (len(records),) * len(strategies[0]):
            raise CheckpointError(
                f"{file}: {list(empirical_game.num_strategies)} strategies, expected {len(records)} a role"
            )
        return RunState(tuple(zip(*strategies, strict=True)), empirical_game, tuple(records))

    def save(self, state: RunState) -> None:
        """Add the last iteration, then switch to it."""
        record = state.records[-1]
        description, arrays = _arrays_of([role[-1] for role in state.strategies])
        target = self._folder(record.iteration)
        target.parent.mkdir(exist_ok=True)
        with _files.publish_directory(target) as folder:
            _files.write_tensors(folder / "strategy.safetensors", arrays)
            _files.write_tensors(folder / "payoffs.safetensors", state.empirical_game.to_arrays())
            _files.write_json(folder / "record.json", record.to_json() | description)
            write_sealed_json(folder / "seconds.json", "seconds", record.seconds)
        hashed = {f"iterations/{target.name}/{name}": target / name for name in _TENSORS_AND_RECORD}
        files = self._files | {name: _files.sha256_of(file) for name, file in hashed.items()}
        write_sealed_json(self.path / "latest.json", "latest", {"iteration": record.iteration, "files": files})
        self._files, self._latest = files, record.iteration
        self._discard_responses(record.iteration)

    def response_file(self, iteration: int, role: int = 0) -> Path:
        """Where the training of an iteration's strategy is kept while it goes on."""
        return self.path / f"response-{iteration:04d}{f'-{role}' if role else ''}.safetensors"

    def _discard_responses(self, iteration: int) -> None:
        for file in self.path.glob(f"response-{iteration:04d}*.safetensors"):
            file.unlink(missing_ok=True)

    def _folder(self, iteration: int) -> Path:
        return self.path / "iterations" / f"{iteration:04d}"

    def _difference(self, identity: RunIdentity) -> str | None:
        here = {"start": None, **identity.to_json()}
        return first_difference({name: self.manifest.get(name) for name in here}, here)

    def _check_machine(self, resume: Resume) -> None:
        """Refuse to compute here what is left of a run of an unlike machine; ``"anyway"`` puts it on record."""
        if self._latest >= self.manifest["config"].get("num_iterations", math.inf):
            return
        machines = same_machine(self.manifest, f"run_dir: {self.path}", resume)
        if machines != self.manifest.get("machines"):
            self.manifest = {**self.manifest, "machines": machines}
            write_sealed_json(self.path / "run.json", "coffee_psro", self.manifest)
            self._discard_responses(self._latest + 1)  # it goes on with the bits it was begun with

    def _discard_unfinished(self) -> None:
        """Remove iterations never switched to, trainings whose iteration is complete, and files cut off."""
        iterations = self.path / "iterations"
        _files.sweep(self.path)
        _files.sweep(iterations)
        for folder in iterations.glob("*"):
            if folder.name.isdigit() and int(folder.name) > self._latest:
                shutil.rmtree(folder)
        for iteration in range(self._latest + 1):
            self._discard_responses(iteration)


def _arrays_of(strategies: Sequence[Policy]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the strategies of an iteration are, and their arrays; of a single role as before there were roles."""
    if len(strategies) == 1:
        description, arrays = policy_arrays(strategies[0])
        return {"policy": description}, arrays
    parts = [policy_arrays(strategy, f"role{role}.") for role, strategy in enumerate(strategies)]
    return {"policies": [part[0] for part in parts]}, {name: a for part in parts for name, a in part[1].items()}


def _policies_from(record: dict[str, Any], arrays: Mapping[str, Any]) -> list[Policy]:
    if "policy" in record:
        return [policy_from_arrays(record.pop("policy"), arrays)]
    return [policy_from_arrays(what, arrays, f"role{role}.") for role, what in enumerate(record.pop("policies"))]


def has_trained(path: Path) -> bool:
    """Whether a run folder holds more than the start, which is uniform random play."""
    return (path / "iterations" / "0001").exists() or any(path.glob("response-*"))


def _clear(path: Path) -> None:
    """Empty a run folder that holds no more than the start."""
    _files.sweep(path)
    for name in ("run.json", "latest.json"):
        (path / name).unlink(missing_ok=True)
    shutil.rmtree(path / "iterations", ignore_errors=True)
