"""The folder of a run: written after every iteration, whole at every moment, verified in full before it is used.

::

    run.json                        what is run: configuration, seed, model fingerprint, versions
    latest.json                     the switch: the last complete iteration and the sha256 of every file up to it
    iterations/0007/strategy.safetensors   weights of the strategy that iteration 7 trained
    iterations/0007/payoffs.safetensors    the empirical game after it
    iterations/0007/record.json            all else that the seed determines
    iterations/0007/seconds.json           wall-clock times, of which nothing depends
    response-0008.safetensors       the training of iteration 8's strategy, while it goes on

An iteration's folder appears by one rename, and counts only once ``latest.json`` names it; so a process that is killed
at any moment loses at most what it did since, and of a long response no more than half a minute.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from coffee_fast import _files
from coffee_fast._provenance import first_difference
from coffee_fast.empirical import EmpiricalGame
from coffee_fast.errors import CheckpointError, CoffeeError
from coffee_fast.policies import Policy
from coffee_fast.policy_files import policy_arrays, policy_from_arrays
from coffee_fast.psro.config import PSROConfig
from coffee_fast.psro.result import IterationRecord, PSROResult

FORMAT = 1


@dataclass(frozen=True)
class RunIdentity:
    """What makes two runs the same run."""

    config: Mapping[str, Any]
    seed: int
    model_fingerprint: str


@dataclass(frozen=True)
class RunState:
    """Everything that the next iteration needs."""

    strategies: tuple[Policy, ...]
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
    def open(cls, path: str | Path, identity: RunIdentity, versions: Mapping[str, str], *, resume: bool) -> RunFolder:
        """Begin a run in an empty or new folder, or with ``resume`` take up the one that is there.

        Raises
        ------
        CheckpointError
            If the folder holds anything and ``resume`` is false, or holds another run (the message says which field
            differs), or is damaged (it names the file).
        """
        path = Path(path)
        if path.exists() and not path.is_dir():
            raise CheckpointError(f"run_dir: {path} is a file, expected a folder")
        if (path / "run.json").exists():
            if not resume:
                raise CheckpointError(f"run_dir: {path} holds a run already; pass resume=True or another folder")
            folder = cls.read(path)
            folder._check_identity(identity)
            folder._discard_unfinished()
            return folder
        if path.exists() and resume:
            _files.sweep(path)
        if path.exists() and any(path.iterdir()):
            raise CheckpointError(f"run_dir: {path} is not empty and holds no run.json; choose a new folder")
        manifest = {
            "format": FORMAT,
            "kind": "coffee_psro",
            "config": dict(identity.config),
            "seed": identity.seed,
            "model_fingerprint": identity.model_fingerprint,
            "versions": dict(versions),
        }
        path.mkdir(parents=True, exist_ok=True)
        _files.write_json(path / "run.json", manifest)
        return cls(path, manifest, {}, -1)

    @classmethod
    def read(cls, path: str | Path) -> RunFolder:
        """Open an existing run folder for reading."""
        path = Path(path)
        manifest = _files.read_json(path / "run.json", CheckpointError)
        _expect(path / "run.json", manifest, {"config": dict, "seed": int, "model_fingerprint": str, "versions": dict})
        if manifest.get("kind") != "coffee_psro" or manifest.get("format") != FORMAT:
            raise CheckpointError(f"{path / 'run.json'}: expected a coffee_psro run of format {FORMAT}")
        if not (path / "latest.json").exists():
            return cls(path, manifest, {}, -1)
        latest = _files.read_json(path / "latest.json", CheckpointError)
        _expect(path / "latest.json", latest, {"iteration": int, "files": dict})
        return cls(path, manifest, dict(latest["files"]), latest["iteration"])

    def load(self) -> RunState | None:
        """Verify every file against its sha256 and return the state after the last complete iteration, if any."""
        for name, sha256 in self._files.items():
            file = self.path / name
            if not file.is_file():
                raise CheckpointError(f"{file}: missing, though latest.json names it")
            if _files.sha256_of(file) != sha256:
                raise CheckpointError(f"{file}: damaged, its sha256 is not the one in latest.json")
        if self._latest < 0:
            return None
        strategies, records = [], []
        for iteration in range(self._latest + 1):
            folder = self._folder(iteration)
            for name in ("strategy.safetensors", "record.json", "payoffs.safetensors"):
                if f"iterations/{folder.name}/{name}" not in self._files:
                    raise CheckpointError(f"{self.path / 'latest.json'}: does not name {name} of iteration {iteration}")
            record = _files.read_json(folder / "record.json", CheckpointError)
            seconds = _files.read_json(folder / "seconds.json", CheckpointError)
            arrays = _files.read_tensors(folder / "strategy.safetensors", CheckpointError)
            try:
                strategies.append(policy_from_arrays(record.pop("policy"), arrays))
                records.append(IterationRecord.from_json(record, seconds))
            except (CoffeeError, KeyError, TypeError, AttributeError) as error:
                raise CheckpointError(f"{folder / 'record.json'}: not a record of an iteration ({error})") from None
        file = self._folder(self._latest) / "payoffs.safetensors"
        arrays = _files.read_tensors(file, CheckpointError)
        try:
            empirical_game = EmpiricalGame.from_arrays(arrays)
        except (CoffeeError, KeyError, TypeError) as error:
            raise CheckpointError(f"{file}: not an empirical game ({error})") from None
        if empirical_game.num_strategies != len(strategies):
            raise CheckpointError(f"{file}: {empirical_game.num_strategies} strategies, expected {len(strategies)}")
        return RunState(tuple(strategies), empirical_game, tuple(records))

    def save(self, strategy: Policy, empirical_game: EmpiricalGame, record: IterationRecord) -> None:
        """Add one iteration, then switch to it."""
        description, arrays = policy_arrays(strategy)
        target = self._folder(record.iteration)
        target.parent.mkdir(exist_ok=True)
        with _files.publish_directory(target) as folder:
            _files.write_tensors(folder / "strategy.safetensors", arrays)
            _files.write_tensors(folder / "payoffs.safetensors", empirical_game.to_arrays())
            _files.write_json(folder / "record.json", record.to_json() | {"policy": description})
            _files.write_json(folder / "seconds.json", dict(record.seconds))
        hashed = ("strategy.safetensors", "payoffs.safetensors", "record.json")
        files = self._files | {f"iterations/{target.name}/{name}": _files.sha256_of(target / name) for name in hashed}
        _files.write_json(self.path / "latest.json", {"format": FORMAT, "iteration": record.iteration, "files": files})
        self._files, self._latest = files, record.iteration
        self.response_file(record.iteration).unlink(missing_ok=True)

    def response_file(self, iteration: int) -> Path:
        """Where the training of an iteration's strategy is kept while it goes on."""
        return self.path / f"response-{iteration:04d}.safetensors"

    def _folder(self, iteration: int) -> Path:
        return self.path / "iterations" / f"{iteration:04d}"

    def _check_identity(self, identity: RunIdentity) -> None:
        here = asdict(identity)
        if difference := first_difference({name: self.manifest[name] for name in here}, here):
            raise CheckpointError(f"run_dir: {self.path} is another run: {difference}")

    def _discard_unfinished(self) -> None:
        """Remove iterations never switched to, trainings whose iteration is complete, and files cut off."""
        iterations = self.path / "iterations"
        _files.sweep(self.path)
        _files.sweep(iterations)
        for folder in iterations.glob("*"):
            if folder.name.isdigit() and int(folder.name) > self._latest:
                shutil.rmtree(folder)
        for iteration in range(self._latest + 1):
            self.response_file(iteration).unlink(missing_ok=True)


def _expect(file: Path, values: Mapping[str, Any], types: Mapping[str, type]) -> None:
    for name, kind in types.items():
        if not isinstance(values.get(name), kind):
            raise CheckpointError(f"{file}: {name} must be of type {kind.__name__}, got {values.get(name)!r:.80}")


def load_result(run_dir: str | Path) -> PSROResult:
    """Read the result in a run folder, complete or not, without the model it was made with.

    Raises
    ------
    CheckpointError
        If the folder holds no run, no complete iteration, or a damaged file; the message names it.
    """
    folder = RunFolder.read(run_dir)
    state = folder.load()
    if state is None:
        raise CheckpointError(f"{folder.path}: the run has no complete iteration yet")
    manifest = folder.manifest
    try:
        config: PSROConfig | None = PSROConfig.from_json(manifest["config"])
    except CoffeeError:  # an oracle or solver of one's own: known to whoever made the run, not to this package
        config = None
    is_complete = len(state.records) == manifest["config"].get("num_iterations", -1) + 1
    return PSROResult(
        strategies=state.strategies,
        empirical_game=state.empirical_game,
        records=state.records,
        config=config,
        seed=manifest["seed"],
        model_fingerprint=manifest["model_fingerprint"],
        versions=manifest["versions"],
        status="complete" if is_complete else "incomplete",
    )
