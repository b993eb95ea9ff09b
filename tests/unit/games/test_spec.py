"""A specification read from a file is believed in nothing."""

from __future__ import annotations

import itertools
import math

import pytest

import coffee_fast as cf

SPEC = cf.load_game("generalized_bargaining").spec
JUNK = (None, True, "x", -1, 0, 10**30, 1e400, math.nan, 0.5, [], [1], [None], [[1], [2, 3]], [1e400], [20], {"a": 1})


def test_a_specification_survives_its_file_form():
    assert cf.GameSpec.from_json(SPEC.to_json()) == SPEC
    assert SPEC.information_state_size == 41


@pytest.mark.parametrize(("field", "junk"), list(itertools.product(SPEC.to_json(), JUNK)))
def test_junk_in_a_field_is_an_error_or_a_specification(field, junk):
    try:
        spec = cf.GameSpec.from_json(SPEC.to_json() | {field: junk})
    except cf.InvalidGameError as error:
        assert field in str(error) or "malformed" in str(error)
        return
    assert cf.GameSpec.from_json(spec.to_json()) == spec
    assert isinstance(hash(spec), int)


@pytest.mark.parametrize("field", sorted(SPEC.to_json()))
def test_a_missing_field_has_a_default_or_is_named(field):
    values = SPEC.to_json()
    del values[field]
    try:
        cf.GameSpec.from_json(values)
    except cf.InvalidGameError as error:
        assert field in str(error)


def test_an_unknown_field_is_named():
    with pytest.raises(cf.InvalidGameError, match="num_playrs"):
        cf.GameSpec.from_json(SPEC.to_json() | {"num_playrs": 2})
