"""Files: written whole or not at all, read with distrust.

Every step that touches the disk goes through the hooks ``_write``, ``_fsync`` and ``_rename``, so that tests can make
each of them fail.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast.errors import CheckpointError

_CHUNK = 1 << 20


class LockedError(CheckpointError):
    """Another process is at work here."""


def _write(descriptor: int, data: bytes | memoryview) -> int:
    return os.write(descriptor, data)


def _fsync(descriptor: int) -> None:
    os.fsync(descriptor)


def _rename(source: Path, target: Path) -> None:
    os.rename(source, target)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        _fsync(descriptor)
    finally:
        os.close(descriptor)


def _temporary_sibling(path: Path) -> Path:
    return path.parent / f".{path.name}.{secrets.token_hex(6)}.tmp"


def write_atomically(path: str | Path, data: bytes) -> None:
    """Put ``data`` at ``path``, so that a reader finds the old file or the new one, whatever happens on the way.

    Raises ``OSError`` (a full disk, say) with the old file untouched and nothing else left behind.
    """
    path = Path(path)
    temporary = _temporary_sibling(path)
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        try:
            view = memoryview(data)
            while view:
                view = view[_write(descriptor, view[:_CHUNK]) :]
            _fsync(descriptor)
        finally:
            os.close(descriptor)
        _rename(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise type(error)(error.errno, f"could not write: {os.strerror(error.errno or 0)}", str(path)) from error
    _sync_folder(path.parent)


@contextlib.contextmanager
def publish_directory(path: str | Path) -> Iterator[Path]:
    """Lend a new empty folder beside ``path``; on leaving the block it becomes ``path``, files and all.

    If the block raises, nothing is published. ``FileExistsError`` if there is something at ``path`` already.
    """
    path = Path(path)
    if path.exists():
        raise FileExistsError(17, "there is something here already", str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary_sibling(path)
    temporary.mkdir()
    try:
        yield temporary
        _sync_folder(temporary)
        _rename(temporary, path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    _sync_folder(path.parent)


@contextlib.contextmanager
def lock(path: str | Path) -> Iterator[None]:
    """Hold the lock file ``path`` for the length of the block.

    The kernel lets go of it when the process ends, however it ends. A file that a killed process left means nothing.

    Raises
    ------
    LockedError
        At once, if the lock is held already, by another process or by this one.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_still_at(descriptor, path):
                break  # else its holder removed it between our opening and our locking of it
        except BlockingIOError:
            os.close(descriptor)
            raise LockedError(f"another process is at work here: {path} is locked") from None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _is_still_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False


def sweep(folder: str | Path, age_s: float = 0.0) -> None:
    """Remove from ``folder`` what a killed process left of writes that it did not finish, once that is so old."""
    for entry in Path(folder).glob(".*.tmp"):
        with contextlib.suppress(FileNotFoundError):  # its writer lives, and has just finished
            if time.time() - entry.stat().st_mtime < age_s:
                continue
            if entry.is_dir():
                shutil.rmtree(entry)
            else:
                entry.unlink()


def write_json(path: str | Path, value: Mapping[str, Any]) -> None:
    """Write ``value`` atomically, in a form that depends on nothing but its content."""
    text = json.dumps(value, indent=2, sort_keys=True, allow_nan=False)
    write_atomically(path, (text + "\n").encode())


def read_json(path: str | Path, error: type[Exception] = CheckpointError) -> dict[str, Any]:
    """Read the object in a JSON file; ``error`` names file and place if there is none."""
    path = Path(path)
    try:
        value = json.loads(path.read_bytes())
    except OSError as reason:
        raise error(f"{path}: cannot be read: {reason.strerror}") from None
    except (ValueError, RecursionError) as reason:
        raise error(f"{path}: is not JSON: {reason}") from None
    if not isinstance(value, dict):
        raise error(f"{path}: must hold a JSON object, got {type(value).__name__}")
    return value


def write_tensors(
    path: str | Path, tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str] | None = None
) -> None:
    """Write arrays as one safetensors file, atomically."""
    from safetensors.numpy import save

    arrays = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    write_atomically(path, save(arrays, metadata=dict(metadata) if metadata else None))


def read_tensors(
    path: str | Path, error: type[Exception] = CheckpointError, sha256: str | None = None
) -> dict[str, NDArray[Any]]:
    """Read the arrays of a safetensors file; ``error`` names the file if it is damaged in any way.

    With ``sha256``, the file is only looked into if that is its checksum.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as reason:
        raise error(f"{path}: cannot be read: {reason.strerror}") from None
    if sha256 is not None and hashlib.sha256(data).hexdigest() != sha256:
        raise error(f"{path}: was cut off or altered, its SHA-256 is not the recorded one")
    try:
        return load(data)
    except (SafetensorError, ValueError, TypeError, KeyError, OverflowError, MemoryError) as reason:
        raise error(f"{path}: is not a whole safetensors file: {reason}") from None


def read_metadata(path: str | Path, error: type[Exception] = CheckpointError) -> dict[str, str]:
    """Read what `write_tensors` was given as metadata; ``error`` names the file if it is damaged."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            return dict(file.metadata() or {})
    except (SafetensorError, OSError, ValueError, TypeError) as reason:
        raise error(f"{path}: is not a whole safetensors file: {reason}") from None


def sha256_of(path: str | Path) -> str:
    """The hexadecimal SHA-256 of a file."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
