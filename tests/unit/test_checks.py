"""Checks of arguments: the plain value, or a sentence of bounded length."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from coffee_fast.checks import check_choice, check_count, check_flag, check_number, check_path, check_text, did_you_mean
from coffee_fast.errors import ConfigError, InvalidArgumentError, shown
from coffee_fast.seeding import check_seed


@pytest.mark.parametrize("value", [3, np.int8(3), np.uint64(3)])
def test_integers_of_any_kind_are_counts(value):
    assert type(check_count("n", value)) is int
    assert check_count("n", value, at_least=3, at_most=3) == 3
    assert type(check_seed(value)) is int


@pytest.mark.parametrize(
    "value", [True, np.True_, 3.0, np.float64(3), "3", None, np.array(3), np.array([3]), -1, 2**63]
)
def test_nothing_else_is_a_count(value):
    with pytest.raises(InvalidArgumentError, match="n must be an integer >= 0"):
        check_count("n", value)
    with pytest.raises(InvalidArgumentError, match="seed must"):
        check_seed(value)


def test_a_count_has_bounds():
    with pytest.raises(ConfigError, match="n must be an integer >= 1 and <= 5, got 6"):
        check_count("n", 6, at_least=1, at_most=5, error=ConfigError)
    with pytest.raises(
        InvalidArgumentError, match=r"n must be an integer >= 0 and <= 9223372036854775807, got 1000000"
    ):
        check_count("n", 10**30)


@pytest.mark.parametrize("value", [2, 2.0, np.float32(2), np.int16(2)])
def test_numbers(value):
    assert type(check_number("x", value)) is float


@pytest.mark.parametrize("value", [True, "2", None, 2j, float("nan"), float("inf"), -1, 10**400, np.array(2.0)])
def test_nothing_else_is_a_number(value):
    with pytest.raises(InvalidArgumentError, match="x must be a finite number >= 0, got "):
        check_number("x", value)


def test_a_number_has_bounds():
    assert check_number("x", -2.5, at_least=-np.inf) == -2.5
    with pytest.raises(InvalidArgumentError, match="x must be a finite number > 0 and <= 1, got 0"):
        check_number("x", 0, is_open=True, at_most=1.0)
    with pytest.raises(InvalidArgumentError, match="x must be a finite number, got nan"):
        check_number("x", np.nan, at_least=-np.inf)


def test_flags_texts_choices_and_paths():
    assert check_flag("f", np.True_) is True
    assert check_text("t", np.str_("a")) == "a"
    assert check_choice("c", "b", ("a", "b")) == "b"
    assert check_path("p", Path("a")) == check_path("p", "a")
    for check, value in (
        (check_flag, 1),
        (check_text, b"a"),
        (check_path, ""),
        (check_path, "a\0b"),
        (check_path, b"a"),
        (check_path, "x" * 5000),
    ):
        with pytest.raises(InvalidArgumentError, match=r"^it must be .*, got "):
            check("it", value)
    with pytest.raises(
        InvalidArgumentError, match=r"c must be one of alpha, beta, got 'alhpa'; did you mean 'alpha'\?"
    ):
        check_choice("c", "alhpa", ("alpha", "beta"))
    assert did_you_mean(3, ["a"]) == ""


class Rude:
    def __repr__(self):
        raise RuntimeError


@pytest.mark.parametrize(
    "value",
    ["x" * 10**7, 10**5000, [[0] * 10**4] * 10**4, np.zeros((10**3, 10**3)), {"a": "x" * 10**6}, Rude(), b"x" * 10**6],
    ids=range(7),
)
def test_what_is_shown_is_short(value):
    assert 0 < len(shown(value)) <= 80
    assert "\n" not in shown(value)


def test_what_is_short_is_shown_as_it_is():
    assert [shown(value) for value in (1.5, "a", None, [1, 2], np.float64(2), np.array(3))] == [
        *("1.5", "'a'", "None", "[1, 2]", "2.0", "3"),
    ]
    assert shown(np.zeros((2, 3), np.float32)) == "an array of shape [2, 3] and dtype float32"
