"""What a sweep runs: a grid over the fields of a run, expanded and checked before anything starts.

A plan is TOML::

    name = "penalties"
    preset = "quick"
    seeds = 10                                  # 0 to 9; or a list

    [base]                                      # what all runs share, over the preset
    psro.num_iterations = 20

    [[grid]]                                    # every combination; several grids are united
    psro.objective.uncertainty_penalty = [0.0, 2.0]
    psro.meta_solver = [{kind = "replicator"}, {kind = "robust_replicator"}]
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from coffee_fast.config import from_mapping, read_toml, update
from coffee_fast.data import TrajectoryDataset
from coffee_fast.errors import CoffeeError, ConfigError
from coffee_fast.pipeline import RunConfig
from coffee_fast.pipeline.config import RUN_PARTS


@dataclass(frozen=True)
class PlannedRun:
    """One run of a sweep.

    Attributes
    ----------
    setting
        Hash of all of the configuration but the seed: runs that differ in nothing else share it. A dataset of one's
        own enters by its content.
    cell
        The values of the grid's fields that made this run, by dotted field.
    config
        The whole configuration.
    """

    setting: str
    cell: Mapping[str, Any]
    config: RunConfig

    @property
    def seed(self) -> int:
        """The run's seed."""
        return self.config.seed

    @property
    def key(self) -> str:
        """The run's folder name: it depends on the configuration alone, whatever plan the run came from."""
        return f"{self.setting}-seed-{self.seed}"

    def __str__(self) -> str:
        return ", ".join(f"{name} = {_in_words(value)}" for name, value in {**self.cell, "seed": self.seed}.items())


@dataclass(frozen=True)
class SweepPlan:
    """A checked list of runs, no two the same.

    Attributes
    ----------
    name
        Letters, digits, ``-``, ``_`` and ``.``.
    fields
        The dotted fields that some grid varies, in alphabetical order.
    runs
        In the order in which they start: the first seed of every setting before the second of any.
    """

    name: str
    fields: tuple[str, ...]
    runs: tuple[PlannedRun, ...]

    @classmethod
    def read(cls, path: str | Path) -> SweepPlan:
        """Read and expand a TOML file; errors as :meth:`from_mapping`, naming the file."""
        values = read_toml(path)
        try:
            return cls.from_mapping(values)
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from None

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> SweepPlan:
        """Expand a plan that is given as a mapping, and build every configuration.

        Raises
        ------
        ConfigError
            For an unknown field, naming the nearest, or an impossible value, naming the cell of the grid.
        DatasetError
            If a dataset of one's own (``dataset.path``) is missing or damaged; each is read once, for its fingerprint.

        >>> plan = SweepPlan.from_mapping(
        ...     {"name": "sizes", "seeds": 2, "grid": {"dataset": {"num_trajectories": [500, 1000]}}}
        ... )
        >>> [str(run) for run in plan.runs][:2]
        ['dataset.num_trajectories = 500, seed = 0', 'dataset.num_trajectories = 1000, seed = 0']
        """
        file = from_mapping(_PlanFile, values)
        try:
            base = update(RunConfig.preset(file.preset) if file.preset else RunConfig(), file.base, RUN_PARTS)
        except ConfigError as error:
            raise ConfigError(f"base: {error}") from None
        grids = [_lists(grid) for grid in ([file.grid] if isinstance(file.grid, Mapping) else file.grid)]
        cells = list(itertools.chain.from_iterable(map(_product, grids or [{}])))
        configs = [_configure(base, cell) for cell in cells]
        logs = {path: TrajectoryDataset.load(path).fingerprint for path in {c.dataset.path for c in configs} if path}
        settings = [(cell, config, _hash(config, logs)) for cell, config in zip(cells, configs, strict=True)]
        seeds = range(file.seeds) if isinstance(file.seeds, int) else file.seeds
        runs: dict[str, PlannedRun] = {}
        for seed, (cell, config, setting) in itertools.product(seeds, settings):
            run = PlannedRun(setting, cell, _with_seed(config, seed))
            runs.setdefault(run.key, run)
        return cls(file.name, tuple(sorted({name for grid in grids for name in grid})), tuple(runs.values()))


@dataclass(frozen=True)
class _PlanFile:
    """The file as it is written."""

    name: str = "sweep"
    preset: str | None = None
    base: Mapping[str, Any] = field(default_factory=dict)
    grid: tuple[Mapping[str, Any], ...] | Mapping[str, Any] = ()
    seeds: int | tuple[int, ...] = 1

    def __post_init__(self) -> None:
        if not re.fullmatch(r"\w[\w.-]*", self.name):
            raise ConfigError(f"name must be letters, digits, '-', '_' and '.', got {self.name!r}")
        if self.seeds == () or (isinstance(self.seeds, int) and self.seeds < 1):
            raise ConfigError(f"seeds must be a list of seeds or how many from 0 on, got {self.seeds!r}")
        if "seed" in self.base:
            raise ConfigError("base: seed stands outside, as in seeds = [0, 1]")


def _lists(grid: Mapping[str, Any], prefix: str = "") -> dict[str, list[Any]]:
    """Return the lists of a grid by dotted field; ``a.b = [1]`` may be nested tables or one quoted name."""
    lists: dict[str, list[Any]] = {}
    for name, values in grid.items():
        dotted = f"{prefix}{name}"
        if dotted == "seed":
            raise ConfigError("grid: seed stands outside, as in seeds = [0, 1]")
        found = _lists(values, f"{dotted}.") if isinstance(values, Mapping) else {dotted: values}
        if doubled := lists.keys() & found.keys():
            raise ConfigError(f"grid: {doubled.pop()} is given twice")
        lists.update(found)
    for dotted, values in lists.items():
        if not isinstance(values, list) or not values:
            raise ConfigError(f"grid: {dotted} must be a list of values, got {values!r}")
    return lists


def _product(lists: Mapping[str, list[Any]]) -> Iterator[dict[str, Any]]:
    """Yield every combination, fields in alphabetical order: a part stands before the fields inside it."""
    names = sorted(lists)
    for values in itertools.product(*(lists[name] for name in names)):
        yield dict(zip(names, values, strict=True))


def _configure(base: RunConfig, cell: Mapping[str, Any]) -> RunConfig:
    nested: dict[str, Any] = {}
    for dotted, value in cell.items():
        *parents, name = dotted.split(".")
        inner = nested
        for parent in parents:
            inner = inner.setdefault(parent, {})
            if not isinstance(inner, dict):
                raise ConfigError(f"grid: {dotted} cannot be set, since {parent} is {inner!r}")
        inner[name] = dict(value) if isinstance(value, Mapping) else value
    try:
        return update(base, nested, RUN_PARTS)
    except CoffeeError as error:
        where = ", ".join(f"{name} = {_in_words(value)}" for name, value in cell.items())
        raise ConfigError(f"grid, at {where}: {error}") from None


def _with_seed(config: RunConfig, seed: int) -> RunConfig:
    try:
        return replace(config, seed=seed)
    except CoffeeError as error:
        raise ConfigError(f"seeds: {error}") from None


def _hash(config: RunConfig, logs: Mapping[str, str]) -> str:
    content = {name: value for name, value in config.to_json().items() if name != "seed"}
    if config.dataset.path is not None:
        content["dataset"] = logs[config.dataset.path]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _in_words(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name} = {_in_words(item)}" for name, item in value.items()) + "}"
    return json.dumps(value)
