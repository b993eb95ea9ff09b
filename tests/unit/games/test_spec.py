"""A specification read from a file is believed in nothing."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
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


def small(**changes):
    sizes = {"num_players": 2, "num_actions": 3, "state_size": 2, "observation_size": 2, "history_start": 1}
    return cf.GameSpec(**{"name": "small", **sizes, "max_episode_length": 4, "action_vectors": np.eye(3), **changes})


def test_scalars_of_numpy_pass_as_those_of_python_do():
    numbers = {name: np.int64(number) for name, number in (("num_players", 2), ("num_actions", 3), ("state_size", 2))}
    spec = small(
        **numbers,
        is_symmetric=np.bool_(True),
        terminal_state_value=np.float32(-2),
        state_swap=np.array([1, 0]),
        state_flip=[np.int8(0), np.int64(1)],
        parameters={"rate": np.float64(0.5), "sizes": [np.int64(1), np.arange(2)]},
    )
    plain = small(
        is_symmetric=True,
        terminal_state_value=-2.0,
        state_swap=(1, 0),
        state_flip=(0, 1),
        parameters={"rate": 0.5, "sizes": [1, [0, 1]]},
    )
    assert spec == plain
    assert json.loads(json.dumps(spec.to_json())) == plain.to_json()
    assert type(spec.num_actions) is int
    assert cf.GameSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_actions": 2.7}, "num_actions must be an integer >= 1"),
        ({"num_actions": np.float64(3)}, "num_actions must be an integer"),
        ({"num_actions": True}, "num_actions must be an integer"),
        ({"num_players": 10**5000}, "num_players must be an integer >= 1 and <= 127"),
        ({"is_symmetric": 1}, "is_symmetric must be True or False, got 1"),
        ({"is_symmetric": "yes"}, "is_symmetric must be True or False"),
        ({"name": 3}, "name must be a string, got 3"),
        ({"terminal_state_value": np.nan}, "terminal_state_value must be a finite number"),
        ({"terminal_state_value": 10**400}, "terminal_state_value must be a finite number"),
        ({"state_swap": 1}, "state_swap must be a list of integers, got 1"),
        ({"state_swap": (0.0, 1.0)}, "state_swap must hold entries of the state, 0 to 1"),
        ({"state_swap": (0, 0)}, "state_swap must be a permutation of 0 to 1"),
        ({"state_flip": (2,)}, "state_flip must hold entries of the state, 0 to 1"),
        ({"state_flip": "01"}, "state_flip must hold entries of the state"),
        ({"state_size": 3, "state_swap": (1, 2, 0)}, "must give the state back when players are exchanged twice"),
        ({"state_swap": (1, 0), "state_flip": (0,)}, "must give the state back when players are exchanged twice"),
        ({"parameters": [1]}, "parameters must be a mapping"),
        ({"parameters": {"a": object()}}, "parameters must hold finite numbers"),
        ({"parameters": {"a": float("nan")}}, "parameters must hold finite numbers"),
        ({"action_vectors": np.ma.masked_equal(np.eye(3), 1)}, "action_vectors must be numbers"),
        ({"action_vectors": np.eye(3) * 1j}, "action_vectors must be numbers"),
        ({"name": ["x" * 10**6]}, "name must be a string"),
    ],
)
def test_what_is_no_specification_is_refused_in_a_sentence(changes, message):
    with pytest.raises(cf.InvalidGameError, match=message) as error:
        small(**changes)
    assert len(str(error.value)) < 300
