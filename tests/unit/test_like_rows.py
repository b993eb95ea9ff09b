"""Rows of one content have one number."""

from __future__ import annotations

import numpy as np
import pytest

from coffee_fast import _like_rows
from coffee_fast._like_rows import like_rows


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.int32, np.uint8])
@pytest.mark.parametrize("weak", [False, True])
def test_numbers_are_those_of_contents(monkeypatch, dtype, weak):
    """Also where all keys are the same, as those of unlike rows once in a long while may be."""
    if weak:
        monkeypatch.setattr(_like_rows, "_keys", lambda words: np.zeros(len(words), dtype=np.uint64))
    monkeypatch.setattr(_like_rows, "CHUNK", 7)
    rows = np.random.default_rng(0).integers(0, 3, size=(200, 4)).astype(dtype)
    first, number = like_rows(rows)
    contents = [tuple(row) for row in rows.tolist()]
    assert first[number].tolist() == [contents.index(content) for content in contents]
    assert sorted(set(number.tolist())) == list(range(len(first)))


def test_zeros_are_one_and_what_is_not_a_number_is_like_itself():
    first, number = like_rows(np.array([[-0.0, np.nan], [0.0, np.nan], [0.0, 1.0], [1.0, 0.0]]))
    assert first[number].tolist() == [0, 0, 2, 3]


def test_rows_without_entries_and_no_rows_at_all():
    assert like_rows(np.zeros((3, 0)))[1].tolist() == [0, 0, 0]
    assert like_rows(np.zeros((0, 2)))[1].tolist() == []
