"""All results of a sweep in one Parquet table.

One row for each run and evaluated solution, which iteration, extraction solver (``meta_solver.*``) and, of OEF-BC,
``cloning_weight`` tell apart; a run without results has one row. ``config.*`` columns are the fields that the plan
varies (lists as JSON), the solution's figures have their plain names, and those of its model, the data and the solver
stand as ``fidelity.*``, ``model.*``, ``dataset.*`` and ``solution.*``; ``machine`` is what it was computed on. A run's
``results.json`` has the lists that are left out here. Every row depends on the runs alone, not on when or how often
they were interrupted; what the clock decides is in ``times.parquet``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coffee_fast import _files
from coffee_fast._provenance import is_duration
from coffee_fast._sealed import SEAL, seal_of
from coffee_fast.errors import InvalidArgumentError
from coffee_fast.sweeps.folder import SweepFolder
from coffee_fast.sweeps.plan import PlannedRun, SweepPlan

if TYPE_CHECKING:
    import pyarrow as pa

ABOUT = ("algorithm", "cloning_weight", "meta_solver")  # what tells the entries of an evaluation apart
# Of an evaluated iteration: one for each strategy, and the evaluation's own seed. They stay in results.json.
LEFT_OUT = ("deviation_gains", "strategy_names", "seed")
LEADING = ("key", "setting", "seed", "state", "reason")
Row = dict[str, Any]


class Table:
    """Writes the table anew whenever asked, reading each finished run once.

    Raises
    ------
    InvalidArgumentError
        If pyarrow is not installed.
    """

    def __init__(self, plan: SweepPlan, folder: SweepFolder) -> None:
        try:
            import pyarrow.parquet  # noqa: F401
        except ImportError:
            raise InvalidArgumentError(
                "a sweep writes its table with pyarrow: pip install 'coffee-fast[frames]'"
            ) from None
        self._plan, self._folder = plan, folder
        self._finished: dict[str, tuple[list[Row], Row]] = {}

    def write(self) -> None:
        """Write ``results.parquet`` and ``times.parquet``, each whole or not at all."""
        rows, times = [], []
        for run in self._plan.runs:
            of_run, time = self._rows(run)
            rows += of_run
            times.append(time)
        _write(self._folder.table, rows)
        _write(self._folder.table.with_name("times.parquet"), times)

    def _rows(self, run: PlannedRun) -> tuple[list[Row], Row]:
        if run.key not in self._finished:
            state = self._folder.state(run.key)
            head = {
                "key": run.key,
                "setting": run.setting,
                "seed": run.seed,
                "state": state.state,
                "reason": state.reason,
                **_fields(run.config.to_json(), self._plan.fields),
            }
            if state.state != "done":
                return [head], {"key": run.key, "seconds": None}
            results = self._folder.results(run.key)
            seconds = results.get("summary", {}).get("seconds")
            rows = [{**head, **figures} for figures in _by_solution(results)]
            self._finished[run.key] = rows, {"key": run.key, "seconds": seconds}
        return self._finished[run.key]


def _fields(config: Mapping[str, Any], fields: tuple[str, ...]) -> Row:
    """Return what a configuration says of the fields that the plan varies; a part has a column for each field."""
    row: Row = {}
    for dotted in fields:
        value: Any = config
        for name in dotted.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        leaves = _leaves(value, f"config.{dotted}")
        row.update({name: json.dumps(leaf) if isinstance(leaf, list) else leaf for name, leaf in leaves.items()})
    return row


def _by_solution(results: Mapping[str, Any]) -> Iterator[Row]:
    """Yield the figures of each evaluated solution, with those of its model and of the whole run."""
    evaluation = results.get("evaluation", {})
    regret, solutions = (_entries(evaluation.get(name)) for name in ("regret", "solutions"))
    joined = {"fidelity": _entries(evaluation.get("fidelity")), "coverage": _entries(evaluation.get("coverage"))}
    joined["solution"] = solutions
    whole = {name: results[name] for name in ("dataset", "model") if results.get(name)}
    run = _scalars({**whole, "evaluation": {"status": evaluation.get("status")}})
    run["machine"] = machines_in_words(results.get("machines", ()))
    last = {_about(entry): entry["iteration"] for entry in sorted(regret, key=lambda entry: int(entry["iteration"]))}
    for entry in regret or solutions or [{}]:
        row = {**run, **_leaves({name: entry[name] for name in ABOUT if name in entry})}
        for prefix, others in joined.items():
            for other in others:
                if all(other[name] == entry.get(name) for name in ABOUT if name in other):
                    row |= _scalars({prefix: {name: other[name] for name in other.keys() - set(ABOUT)}})
        if regret:
            row |= _leaves({name: entry[name] for name in entry.keys() - set(LEFT_OUT) - set(ABOUT)})
            row["is_last"] = entry["iteration"] == last[_about(entry)]
        yield row


def _entries(value: Any) -> list[Mapping[str, Any]]:
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []


def _about(entry: Mapping[str, Any]) -> str:
    return json.dumps([entry.get(name) for name in ABOUT], sort_keys=True)


def _scalars(value: Mapping[str, Any]) -> Row:
    return {name: leaf for name, leaf in _leaves(value).items() if not isinstance(leaf, list)}


def _leaves(value: Any, prefix: str = "") -> Row:
    """Return nested values by dotted name, but nothing that depends on the clock."""
    if isinstance(value, Mapping):
        return {
            name: leaf
            for key, item in value.items()
            if not is_duration(str(key))
            for name, leaf in _leaves(item, f"{prefix}.{key}" if prefix else str(key)).items()
        }
    return {prefix: value}


def _write(path: Path, rows: list[Row]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as parquet

    names = [name for name in LEADING if name in rows[0]]
    names += sorted({name for row in rows for name in row} - set(names), key=lambda name: (_rank(name), name))
    table = pa.table({name: _column([row.get(name) for row in rows]) for name in names})
    table = table.replace_schema_metadata({SEAL: seal_of(table.to_pydict())})
    sink = pa.BufferOutputStream()
    parquet.write_table(table, sink)
    _files.write_atomically(path, sink.getvalue().to_pybytes())


def machines_in_words(machines: Sequence[Mapping[str, str]]) -> str | None:
    """Return in a line what machines and builds a run's results are of; None if there is no record."""
    return "; then ".join(", ".join(f"{name} {machine[name]}" for name in machine) for machine in machines) or None


def _rank(name: str) -> int:
    """Order of columns: what was varied, then which solution it is, then its figures, then the rest."""
    if name.startswith("config."):
        return 0
    if name in ("iteration", "is_last") or name.split(".")[0] in ABOUT:
        return 1
    return 3 if "." in name else 2


def _column(values: list[Any]) -> pa.Array:
    """Return a column; values of several types become their JSON, missing ones stay missing."""
    import pyarrow as pa

    kinds = {_kind(value) for value in values if value is not None}
    if len(kinds) > 1 or kinds & {"else"}:
        return pa.array([None if value is None else json.dumps(value) for value in values], pa.string())
    numbers = [number for value in values for number in (value if isinstance(value, list) else [value])]
    real = pa.int64() if kinds and all(isinstance(number, int | None) for number in numbers) else pa.float64()
    types = {"bool": pa.bool_(), "str": pa.string(), "number": real, "list": pa.list_(real)}
    return pa.array(values, types[kinds.pop()] if kinds else real)


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, list):
        return "list" if all(_kind(item) == "number" for item in value) else "else"
    return "str" if isinstance(value, str) else "else"
