"""Locks: one holder at a time, and none after a death. Tensors: the same bytes again."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from coffee_fast import _files
from coffee_fast.errors import CheckpointError

HOLD = """
import sys, time
from coffee_fast import _files
with _files.lock(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_lock_has_one_holder_and_leaves_nothing(tmp_path):
    with _files.lock(tmp_path / "lock"):
        with pytest.raises(CheckpointError, match="another process is at work here"), _files.lock(tmp_path / "lock"):
            pass
        with _files.lock(tmp_path / "other"):
            pass
    assert list(tmp_path.iterdir()) == []


def test_tensors_with_metadata_are_the_same_bytes_again(tmp_path):
    arrays, metadata = {"b": np.arange(3), "a": np.ones((2, 2))}, {f"name {i}": f'"\n\u00e9{i}' for i in range(9)}
    for number in range(8):
        _files.write_tensors(tmp_path / str(number), arrays, dict(metadata))
    assert len({file.read_bytes() for file in tmp_path.iterdir()}) == 1
    assert _files.read_metadata(tmp_path / "0") == metadata
    for name, array in _files.read_tensors(tmp_path / "0").items():
        np.testing.assert_array_equal(array, arrays[name])


def test_unfinished_writes_are_swept_up_where_nobody_is_at_work(tmp_path):
    for folder in (tmp_path, tmp_path / "a" / ".b.1.tmp" / "c", tmp_path / "d" / "e"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".file.1.tmp").touch()
        (folder / "file.tmp").touch()
    _files.sweep(tmp_path, age_s=60.0, is_deep=True)
    assert len(list(tmp_path.rglob(".file.1.tmp"))) == 3
    _files.sweep(tmp_path)
    assert len(list(tmp_path.rglob(".file.1.tmp"))) == 2
    _files.sweep(tmp_path, is_deep=True)
    assert sorted(entry.relative_to(tmp_path).as_posix() for entry in tmp_path.rglob("*")) == [
        *("a", "d", "d/e", "d/e/file.tmp", "file.tmp"),
    ]


def test_a_killed_holder_holds_nothing(tmp_path):
    file = tmp_path / "lock"
    with subprocess.Popen([sys.executable, "-c", HOLD, str(file)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        with pytest.raises(_files.LockedError), _files.lock(file):
            pass
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert file.exists()
        with _files.lock(file):
            pass


def test_threads_that_race_for_a_lock_take_turns(tmp_path):
    """Its file appears and vanishes all the time: nobody may hold one that is no longer there."""
    inside, most, turns = 0, 0, 0

    def race():
        nonlocal inside, most, turns
        while turns < 300:
            try:
                with _files.lock(tmp_path / "lock"):
                    inside += 1
                    most, turns = max(most, inside), turns + 1
                    time.sleep(0.0005)
                    inside -= 1
            except _files.LockedError:
                continue

    threads = [threading.Thread(target=race) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
