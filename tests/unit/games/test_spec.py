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


NEW_FIELDS = ["roles", "moves", "turn_order", "rewards", "num_chance_actions", "chance_vectors"]
NEW_FIELDS += ["player_names", "role_names", "action_names", "chance_names"]


@pytest.mark.parametrize(("field", "junk"), list(itertools.product(NEW_FIELDS, JUNK)))
def test_junk_in_a_newer_field_is_an_error_or_a_specification(field, junk):
    try:
        spec = small(**{field: junk})
    except cf.InvalidGameError as error:
        assert field in str(error) or field == "num_chance_actions"
        return
    assert cf.GameSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec


def test_what_format_1_could_say_is_written_as_in_format_1():
    assert not set(NEW_FIELDS) & set(SPEC.to_json())


def test_every_newer_field_survives_the_file_form():
    spec = small(
        num_players=4,
        state_size=20,
        roles=(1, 3),
        moves="simultaneous",
        turn_order="predicted",
        rewards="every_step",
        num_chance_actions=2,
        chance_vectors=[[0.5, 1], [2, 3]],
        player_names=("seller", "a", "b", "c"),
        role_names=("seller", "buyer"),
        action_names=("low", "mid", "high"),
        chance_names=("head", "tail"),
    )
    assert set(NEW_FIELDS) <= set(spec.to_json())
    assert cf.GameSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec


def test_seats_belong_to_roles_in_order():
    spec = small(num_players=4, roles=(1, 3))
    assert (spec.num_roles, spec.role_of, spec.is_symmetric) == (2, (0, 1, 1, 1), False)
    assert [list(spec.seats_of(role)) for role in (0, 1)] == [[0], [1, 2, 3]]
    assert small().roles == (1, 1)
    assert small(is_symmetric=True).roles == (2,)
    assert small(roles=[2]).is_symmetric


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"roles": (1, 2)}, "number of seats of each role, 2 in all"),
        ({"roles": (1, 1), "is_symmetric": True}, "one role of all 2 players"),
        ({"num_chance_actions": 2}, "turn_order must be 'predicted' where chance moves"),
        ({"moves": "simultaneous"}, "state_size must be at least 6"),
        ({"moves": "at_once"}, "moves must be"),
        ({"action_names": ("a", "a", "b")}, "must differ"),
        ({"player_names": ("a", "b", "c")}, "player_names must be 2 texts"),
        ({"num_chance_actions": 2, "turn_order": "predicted", "chance_vectors": [[1]]}, "chance_vectors"),
    ],
)
def test_fields_that_contradict_each_other_are_refused(changes, words):
    with pytest.raises(cf.InvalidGameError, match=words):
        small(**changes)


def test_outcomes_of_chance_are_one_hot_by_default():
    spec = small(num_chance_actions=3, turn_order="predicted")
    np.testing.assert_array_equal(spec.chance_vectors, np.eye(3))


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
