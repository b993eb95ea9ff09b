"""Files: written whole or not at all, read with distrust: regular files only, and only of a sensible size.

Every step that touches the disk goes through the hooks ``_write``, ``_fsync``, ``_rename`` and ``_swap``, so that tests
can make each of them fail.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import stat
import time
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast._strict_json import parse_json
from coffee_fast._swap import swap as _swap
from coffee_fast.checks import check_path
from coffee_fast.errors import CheckpointError, CoffeeError

LARGEST_TEXT = 256 << 20  # bytes; a text file above this is none of ours
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
    return path.parent / f".{path.name}.{os.urandom(6).hex()}.tmp"


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
def publish_directory(
    path: str | Path, error: type[CoffeeError] = CheckpointError, replaces: Collection[str] = ()
) -> Iterator[Path]:
    """Lend a new empty folder beside ``path``; on leaving the block it becomes ``path``, files and all.

    If the block raises, nothing is published. ``error`` if there is something at ``path`` already, but for a folder
    that holds nothing else than ``replaces``. The two change places in one step; where the system cannot, the old one
    waits as ``.NAME.RANDOM.old`` until the new one is in its place.
    """
    path = as_path(path, error)
    _check_place(path, error, replaces)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary, old = _temporary_sibling(path), None
    temporary.mkdir()
    try:
        yield temporary
        _sync_folder(temporary)
        if replaces and path.exists():
            old = _exchange(temporary, path)
        else:
            _rename(temporary, path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    try:
        _sync_folder(path.parent)
    finally:
        if old is not None:
            shutil.rmtree(old, ignore_errors=True)


def _check_place(path: Path, error: type[CoffeeError], replaces: Collection[str]) -> None:
    if not os.path.lexists(path):
        return
    if not replaces:
        raise error(f"{path}: there is something here already; choose a new folder, or pass overwrite=True")
    if path.is_symlink() or not path.is_dir():
        raise error(f"{path}: is not written over, since it is no folder; choose a new one")
    if others := sorted({entry.name for entry in path.iterdir()} - set(replaces)):
        raise error(f"{path}: is not written over, since it holds {others[0]!r}; choose a new folder")


def _exchange(temporary: Path, path: Path) -> Path:
    """Put a folder in the place of another; returns where that one is now."""
    if _swap(temporary, path):
        return temporary
    aside = temporary.with_suffix(".old")
    _rename(path, aside)
    try:
        _rename(temporary, path)
    except BaseException:
        os.rename(aside, path)
        raise
    return aside


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


def sweep(folder: str | Path, age_s: float = 0.0, is_deep: bool = False) -> None:
    """Remove what a killed process left of writes that it did not finish, once that is so old.

    From ``folder``, and if ``is_deep`` from all folders in it, where nobody else may then be at work.
    """
    left = list(Path(folder).glob("**/.*.tmp" if is_deep else ".*.tmp"))
    for entry in left:
        with contextlib.suppress(FileNotFoundError):  # its writer lives, and has just finished
            if time.time() - entry.stat().st_mtime < age_s:
                continue
            if entry.is_dir():
                shutil.rmtree(entry)
            else:
                entry.unlink()


def as_path(path: object, error: type[CoffeeError] = CheckpointError) -> Path:
    """Return ``path`` as a ``Path``; ``error`` if it cannot be the name of a file."""
    return check_path("the path", path, error=error)


@contextlib.contextmanager
def _opened(path: str | Path, error: type[CoffeeError]) -> Iterator[int]:
    """Open a regular file; anything else, which might never end or never begin, is refused at once."""
    path = as_path(path, error)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError as reason:
        raise error(f"{path}: cannot be read: {reason.strerror}") from None
    try:
        if not stat.S_ISREG(mode := os.fstat(descriptor).st_mode):
            what = "a folder" if stat.S_ISDIR(mode) else "a pipe or a device"
            raise error(f"{path}: cannot be read: is {what}, expected a regular file")
        yield descriptor
    except OSError as reason:
        raise error(f"{path}: cannot be read: {reason.strerror}") from None
    finally:
        os.close(descriptor)


def read_bytes(path: str | Path, error: type[CoffeeError] = CheckpointError, at_most: int = LARGEST_TEXT) -> bytes:
    """Read a regular file; ``error`` names it if it cannot be read or is larger than ``at_most``."""
    with _opened(path, error) as descriptor:
        size = os.fstat(descriptor).st_size
        if size > at_most:
            raise error(f"{path}: holds {size} bytes, more than the {at_most} that are read")
        chunks, left = [], at_most
        while left and (chunk := os.read(descriptor, min(left, max(size, _CHUNK)))):
            chunks.append(chunk)
            left -= len(chunk)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def read_text(path: str | Path, error: type[CoffeeError] = CheckpointError, at_most: int = LARGEST_TEXT) -> str:
    """Read a text file; a byte order mark is left out."""
    try:
        return read_bytes(path, error, at_most).decode("utf-8-sig")
    except UnicodeDecodeError as reason:
        raise error(f"{path}: must be UTF-8 text: {reason}") from None


def write_json(path: str | Path, value: Mapping[str, Any]) -> None:
    """Write ``value`` atomically, in a form that depends on nothing but its content."""
    text = json.dumps(value, indent=2, sort_keys=True, allow_nan=False)
    write_atomically(path, (text + "\n").encode())


def read_json(path: str | Path, error: type[CoffeeError] = CheckpointError) -> dict[str, Any]:
    """Read the object in a JSON file; ``error`` names file and place if there is none."""
    text = read_text(path, error)
    try:
        value = parse_json(text)
    except ValueError as reason:
        raise error(f"{path}: is not JSON: {reason}") from None
    if not isinstance(value, dict):
        raise error(f"{path}: must hold a JSON object, got {type(value).__name__}")
    return value


def write_tensors(
    path: str | Path, tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str] | None = None
) -> None:
    """Write arrays as one safetensors file, atomically, its bytes those of its content alone."""
    from safetensors.numpy import save

    arrays = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    write_atomically(path, _in_order(save(arrays, metadata=dict(metadata))) if metadata else save(arrays))


def _in_order(data: bytes) -> bytes:
    """Return a safetensors file with its metadata in order of their names: the library has them in any."""
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data[end:]


def read_tensors(
    path: str | Path, error: type[CoffeeError] = CheckpointError, sha256: str | None = None
) -> dict[str, NDArray[Any]]:
    """Read the arrays of a safetensors file; ``error`` names the file if it is damaged in any way.

    With ``sha256``, the file is only looked into if that is its checksum.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    data = read_bytes(path, error, _memory())
    if sha256 is not None and hashlib.sha256(data).hexdigest() != sha256:
        raise error(f"{path}: was cut off or altered, its SHA-256 is not the recorded one")
    try:
        return load(data)
    except (SafetensorError, ValueError, TypeError, KeyError, AttributeError, OverflowError, MemoryError) as reason:
        raise error(f"{path}: is not a whole safetensors file: {reason}") from None


def read_metadata(path: str | Path, error: type[CoffeeError] = CheckpointError) -> dict[str, str]:
    """Read what `write_tensors` was given as metadata; ``error`` names the file if it is damaged."""
    data = read_bytes(path, error, _memory())
    try:
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        return {str(name): str(value) for name, value in header.get("__metadata__", {}).items()}
    except (ValueError, AttributeError, RecursionError, OverflowError) as reason:
        raise error(f"{path}: is not a whole safetensors file: {reason}") from None


def _memory() -> int:
    """Bytes of this machine's memory: a file beyond that cannot be read."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def sha256_of(path: str | Path, error: type[CoffeeError] = CheckpointError) -> str:
    """The hexadecimal SHA-256 of a file."""
    digest = hashlib.sha256()
    with _opened(path, error) as descriptor:
        while chunk := os.read(descriptor, _CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
