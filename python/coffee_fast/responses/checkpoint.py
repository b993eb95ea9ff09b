"""The file of a training under way, from which a killed process goes on within the response."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from coffee_fast import _files
from coffee_fast._provenance import first_difference
from coffee_fast._strict_json import parse_json
from coffee_fast.errors import CheckpointError, shown
from coffee_fast.responses.base import State

FORMAT = "coffee_fast response checkpoint 1"
SECONDS_BETWEEN_WRITES = 30.0  # at the paper's sizes a write is some 20 MB and 0.2 s, under a hundredth of the time


class Resumable(Protocol):
    """A training whose state can be kept, and taken up elsewhere."""

    def export_state(self) -> State: ...
    def restore(self, state: State) -> None: ...


class ResponseCheckpoint:
    """Keeps the state of one training in one safetensors file, and gives it back.

    Its metadata say which training it is (``identity``) and hold the SHA-256 of identity and arrays together.
    """

    def __init__(self, file: str | Path, identity: Mapping[str, Any]) -> None:
        self.file = Path(file)
        self._identity = json.dumps(identity, sort_keys=True)
        self._last = time.monotonic()

    def restore(self, training: Resumable) -> None:
        """Let the training continue from the file, if there is one.

        Raises
        ------
        CheckpointError
            If the file is damaged, or of another training (the message says in what they differ).
        """
        if not self.file.exists():
            return
        identity, arrays = read_checkpoint(self.file)
        try:
            there = parse_json(identity)
        except ValueError as error:
            raise CheckpointError(f"{self.file}: its identity is not JSON: {error}") from None
        if difference := first_difference(there, json.loads(self._identity)):
            raise CheckpointError(
                f"{self.file}: is of another training: {difference}; without the file this one starts anew"
            )
        try:
            training.restore(arrays)
        except CheckpointError as error:
            raise CheckpointError(f"{self.file}: {error}") from error

    def keep(self, training: Resumable) -> None:
        """Write the training's state, unless the last time is not long ago."""
        if time.monotonic() - self._last >= SECONDS_BETWEEN_WRITES:
            self.write(training)

    def write(self, training: Resumable) -> None:
        """Write the training's state."""
        arrays = training.export_state()
        metadata = {"format": FORMAT, "identity": self._identity, "sha256": _sha256(self._identity, arrays)}
        self.file.parent.mkdir(parents=True, exist_ok=True)
        _files.write_tensors(self.file, arrays, metadata)
        self._last = time.monotonic()


def read_checkpoint(file: Path) -> tuple[str, State]:
    """Return of which training a checkpoint is, as JSON, and its arrays; ``CheckpointError`` if it is damaged."""
    arrays = _files.read_tensors(file, CheckpointError)
    metadata = _files.read_metadata(file, CheckpointError)
    identity = metadata.get("identity", "")
    if metadata.get("sha256") != _sha256(identity, arrays):
        raise CheckpointError(f"{file}: damaged, its arrays do not have the sha256 it names")
    if metadata.get("format") != FORMAT:
        raise CheckpointError(f"{file}: expected a {FORMAT}, got {shown(metadata.get('format'))}")
    return identity, arrays


def _sha256(identity: str, arrays: State) -> str:
    digest = hashlib.sha256(identity.encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(array.data)
    return digest.hexdigest()
