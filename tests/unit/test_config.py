"""What a configuration file may say, and the words in which anything else is refused."""

from __future__ import annotations

import dataclasses
import os
from typing import Literal

import numpy as np
import pytest

from coffee_fast.config import apply_overrides, from_mapping, read_toml, update
from coffee_fast.errors import ConfigError, InvalidArgumentError
from coffee_fast.models import EnsembleConfig
from coffee_fast.pipeline import RunConfig


@dataclasses.dataclass(frozen=True)
class Solver:
    step_size: float = 0.1
    limit: int | None = None

    def __post_init__(self):
        if self.step_size <= 0:
            raise InvalidArgumentError(f"Solver: step_size must be positive, got {self.step_size}")

    def to_config(self):
        return {"kind": "solver", **dataclasses.asdict(self)}


@dataclasses.dataclass(frozen=True)
class Other:
    name: str = "x"

    def to_config(self):
        return {"kind": "other", "name": self.name}


@dataclasses.dataclass(frozen=True)
class Run:
    width: int = 250
    rate: float = 1.0
    is_fast: bool = True
    mode: Literal["a", "b"] = "a"
    sizes: tuple[int, ...] = (1, 2)
    solver: Solver | Other = Solver()
    solvers: tuple[Solver, ...] = ()


def build(values):
    values = dict(values)
    kind = values.pop("kind", "solver")
    if kind not in ("solver", "other"):
        raise ConfigError(f"there is no kind {kind!r}")
    return from_mapping(Solver if kind == "solver" else Other, values)


PARTS = {"solver": build, "solvers": build}


def test_what_is_not_named_keeps_its_value():
    run = Run(width=3, solver=Solver(step_size=0.5))
    assert update(run, {}) == run
    assert update(run, {"rate": 2}) == dataclasses.replace(run, rate=2.0)
    assert update(run, {"solver": {"limit": 7}}, PARTS).solver == Solver(step_size=0.5, limit=7)


def test_another_kind_starts_from_its_own_defaults():
    run = Run(solver=Solver(step_size=0.5))
    assert update(run, {"solver": {"kind": "other"}}, PARTS).solver == Other()
    assert update(run, {"solver": {"kind": "solver", "limit": 2}}, PARTS).solver == Solver(step_size=0.5, limit=2)


def test_a_bare_kind_stands_for_its_defaults():
    run = Run(solver=Solver(step_size=0.5))
    assert apply_overrides(run, ["solver=other"], PARTS).solver == Other()
    assert apply_overrides(run, ["solver=other", "solver.name=y"], PARTS).solver == Other(name="y")
    assert update(run, {"solvers": ["solver", {"step_size": 3}]}, PARTS).solvers == (Solver(), Solver(step_size=3.0))
    with pytest.raises(ConfigError, match="solver: there is no kind 'best'"):
        apply_overrides(run, ["solver=best"], PARTS)
    with pytest.raises(ConfigError, match="solvers must be a list of kinds or tables"):
        apply_overrides(run, ["solvers=solver"], PARTS)


def test_overrides_that_must_fit_each_other_come_in_any_order():
    @dataclasses.dataclass(frozen=True)
    class Range:
        low: int = 0
        high: int = 1

        def __post_init__(self):
            if self.low > self.high:
                raise InvalidArgumentError("Range: low must be at most high")

    assert apply_overrides(Range(), ["low=5", "high=6"]) == Range(5, 6)
    assert apply_overrides(Range(), ["high=6", "low=5", "low=4"]) == Range(4, 6)
    with pytest.raises(ConfigError, match="low must be at most high"):
        apply_overrides(Range(), ["low=5"])


def test_a_later_override_of_another_kind_replaces_what_came_before():
    run = apply_overrides(Run(), ["solver={kind = 'solver', step_size = 3}", "solver={kind = 'other'}"], PARTS)
    assert run.solver == Other()
    run = apply_overrides(Run(), ["solver.step_size=3", "solver.limit=2"], PARTS)
    assert run.solver == Solver(step_size=3.0, limit=2)


def test_lists_of_numbers_and_of_parts():
    run = from_mapping(Run, {"sizes": [3, 4, 5], "solvers": [{}, {"kind": "solver", "step_size": 2}]}, PARTS)
    assert run.sizes == (3, 4, 5)
    assert run.solvers == (Solver(), Solver(step_size=2.0))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"widht": 1}, "there is no field 'widht'; did you mean 'width'?"),
        ({"solver": {"step_siz": 1}}, "there is no field 'solver.step_siz'; did you mean 'solver.step_size'?"),
        ({"zzz": 1}, "the fields here are width, rate, is_fast, mode, sizes, solver, solvers"),
        ({"width": 1.5}, "width must be an integer, got 1.5"),
        ({"width": True}, "width must be an integer, got True"),
        ({"width": None}, "width must be an integer, got None"),
        ({"rate": "fast"}, "rate must be a finite number, got 'fast'"),
        ({"rate": float("nan")}, "rate must be a finite number, got nan"),
        ({"is_fast": 1}, "is_fast must be true or false, got 1"),
        ({"mode": "c"}, "mode must be one of 'a', 'b', got 'c'"),
        ({"sizes": [1, "2"]}, "sizes must be a list, each an integer"),
        ({"solver": {"kind": "nashh"}}, "solver: there is no kind 'nashh'"),
        ({"solver": {"step_size": -1}}, "solver: Solver: step_size must be positive, got -1.0"),
        ({"solvers": {"step_size": 1}}, "solvers must be a list of kinds or tables"),
        ({"solvers": [{}, {"step_size": 0}]}, r"solvers\[1\]: .*step_size must be positive, got 0.0"),
        (3, "configuration must be a table of fields, got 3"),
        ({"width": 2**64}, "width must be an integer of at most 63 bits, got 18446744073709551616"),
        ({"width": 10**30}, "width must be an integer of at most 63 bits"),
        ({"rate": 10**400}, "rate must be a finite number, got an integer of 1329 bits"),
        ({"mode": np.zeros(3)}, "mode must be one of 'a', 'b', got an array"),
        ({"mode": ["a"]}, "mode must be one of 'a', 'b', got"),
        ({3: 1}, "there is no field 3; the fields here are"),
        ({"width": "x" * 10**6}, "width must be an integer, got 'xxx"),
    ],
)
def test_anything_else_is_refused_with_a_sentence(values, message):
    with pytest.raises(ConfigError, match=message.replace("?", r"\?")):
        from_mapping(Run, values, PARTS)


def test_overrides_are_dotted_fields_and_toml_values():
    run = apply_overrides(Run(), ["width=3", "mode=b", "solver.limit = 9", "sizes=[1]", "is_fast=false"], PARTS)
    assert run == Run(width=3, mode="b", solver=Solver(limit=9), sizes=(1,), is_fast=False)
    assert apply_overrides(run, ["width=4", "width=5"], PARTS).width == 5
    for override in ("width", "=3", " =3"):
        with pytest.raises(ConfigError, match="an override must read field=value"):
            apply_overrides(run, [override], PARTS)


def test_files_that_are_not_toml_are_named(tmp_path):
    file = tmp_path / "run.toml"
    with pytest.raises(ConfigError, match=r"run.toml: cannot be read: No such file"):
        read_toml(file)
    file.write_text("width = = 3")
    with pytest.raises(ConfigError, match=r"run.toml: is not TOML: .*line 1"):
        read_toml(file)
    file.write_bytes(b"width = 3 # \xff")
    with pytest.raises(ConfigError, match=r"run.toml: must be UTF-8 text"):
        read_toml(file)


def test_numbers_of_numpy_are_numbers():
    run = update(Run(), {"width": np.int64(3), "rate": np.float32(0.5), "is_fast": np.False_, "sizes": [np.int8(4)]})
    assert run == Run(width=3, rate=0.5, is_fast=False, sizes=(4,))
    assert type(run.width) is int


@pytest.mark.parametrize(
    "override", ["width=" + "9" * 5000, "width=" + "[" * 5000, "width=9223372036854775808", "width="]
)
def test_overrides_of_any_length_end_in_a_short_sentence(override):
    with pytest.raises(ConfigError, match="width must be an integer") as raised:
        apply_overrides(Run(), [override])
    assert len(str(raised.value)) < 200


def test_files_that_cannot_be_toml_are_named(tmp_path):
    file = tmp_path / "run.toml"
    file.write_text("width = " + "[" * 5000)
    with pytest.raises(ConfigError, match="run.toml: is not TOML"):
        read_toml(file)
    file.write_text("width = " + "9" * 5000)
    with pytest.raises(ConfigError, match="run.toml: is not TOML"):
        read_toml(file)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigError, match="pipe: cannot be read: is a pipe or a device"):
        read_toml(tmp_path / "pipe")
    with pytest.raises(ConfigError, match="path.*, got None"):
        read_toml(None)


def test_a_part_may_start_from_a_preset():
    config = update(RunConfig(), {"model": {"preset": "best", "num_members": 7}})
    assert config.model == dataclasses.replace(EnsembleConfig.preset("best"), num_members=7)
    with pytest.raises(ConfigError, match=r"^model: EnsembleConfig.preset: name must be one of .*, got 'bset'"):
        update(RunConfig(), {"model": {"preset": "bset"}})
