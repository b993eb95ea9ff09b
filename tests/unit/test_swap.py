"""Two folders that change places, where the system can."""

from __future__ import annotations

import contextlib
import ctypes
import sys

import pytest

from coffee_fast._swap import swap


@pytest.fixture
def folders(tmp_path):
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    return tmp_path / "one", tmp_path / "other"


def contents(folders):
    return [[file.name for file in folder.iterdir()] for folder in folders]


def test_they_change_places_or_nothing_changes(folders):
    has_changed = swap(*folders)
    assert contents(folders) == ([["other"], ["one"]] if has_changed else [["one"], ["other"]])


@pytest.mark.parametrize("platform", ["win32", "linux"])
def test_where_the_system_has_no_such_call_nothing_changes(folders, monkeypatch, platform):
    """Windows has no library of the whole process, and an old one of Linux not this function."""

    def library(name, **_):
        if platform == "win32":
            raise TypeError(f"argument of type {type(name).__name__!r} is not iterable")
        return object()

    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(ctypes, "CDLL", library)
    assert swap(*folders) is False
    assert contents(folders) == [["one"], ["other"]]


def test_what_is_not_there_is_an_error(folders, tmp_path):
    with contextlib.suppress(FileNotFoundError):
        assert swap(tmp_path / "nothing", folders[0]) is False
    assert contents(folders) == [["one"], ["other"]]
