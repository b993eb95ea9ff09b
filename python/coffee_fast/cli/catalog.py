"""``coffee-fast games``, ``solvers`` and ``config show``: what there is, with defaults and meaning."""

from __future__ import annotations

import dataclasses
import inspect
import json
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import coffee_fast as cf
from coffee_fast.cli._options import Config, Json, Overrides, Preset, run_config
from coffee_fast.cli._report import finish
from coffee_fast.field_docs import field_docs, summary_of

WIDTH = 100


def games(as_json: Json = False) -> None:
    """List the games that --game and load_game know."""
    found = {}
    for name, factory in cf.games.known_games().items():
        docs = field_docs(factory) if isinstance(factory, type) else {}
        parameters = {
            parameter.name: _entry(parameter.default, docs.get(parameter.name, ""))
            for parameter in inspect.signature(factory).parameters.values()
        }
        summary = summary_of(factory) if isinstance(factory, type) else ""
        found[name] = {"summary": summary, "parameters": parameters}
    note = (
        "Small games of OpenSpiel are there by name, such as openspiel:leduc_poker. A game of your own needs no name: "
        "bring its log (coffee-fast dataset import)."
    )
    finish({"games": found}, f"{_listed(found, '--parameter')}\n\n{note}", as_json)


def solvers(as_json: Json = False) -> None:
    """List the solvers: of payoff tables and empirical games, of logs as tables, and of teams' logs with networks."""
    found, of_tables = _described(cf.meta_solvers.known_solvers()), _described(cf.regularized.known_solvers())
    of_teams = _described(cf.teams.known_configs())
    note = "coffee-fast solve payoffs.csv --solver KIND --set NAME=VALUE, or in a run --set psro.meta_solver=KIND."
    of_logs = "coffee-fast table DATASET --solver KIND --set NAME=VALUE, or in a run --set table.solver=KIND."
    text = [
        f"Payoff tables and empirical games: {note}\n\n{_listed(found, '--set')}",
        f"Logs as tables: {of_logs}\n\n{_listed(of_tables, '--set')}",
        "Logs of teams, with networks: coffee-fast team DATASET FOLDER --solver KIND --set NAME=VALUE.\n\n"
        f"{_listed(of_teams, '--set')}",
    ]
    finish({"solvers": found, "table_solvers": of_tables, "team_solvers": of_teams}, "\n\n".join(text), as_json)


def _described(solvers: Mapping[str, type[Any]]) -> dict[str, Any]:
    found = {}
    for kind, solver in solvers.items():
        docs = field_docs(solver)
        fields = {f.name: _entry(f.default, docs.get(f.name, "")) for f in dataclasses.fields(solver)}
        found[kind] = {"summary": summary_of(solver), "parameters": fields}
    return found


def show(
    preset: Preset = None,
    config: Config = None,
    overrides: Overrides = None,
    as_json: Json = False,
) -> None:
    """Show every field of a run's configuration, its value and what it means.

    The output is a TOML file that --config takes; each line is what --set takes.
    """
    wanted = run_config(preset, config, overrides)
    fields = list(_fields(wanted, ""))
    lines, before = [], ""
    for name, value, meaning in fields:
        if meaning != before:
            lines += ["", *_wrapped(meaning, "# ")]
        lines.append(f"# {name} is not set" if value is None else f"{name} = {_toml(value)}")
        before = meaning
    described = {name: {"value": value, "meaning": meaning} for name, value, meaning in fields}
    finish({"config": wanted.to_json(), "fields": described}, "\n".join(lines).strip(), as_json)


def _fields(part: Any, prefix: str) -> Iterator[tuple[str, Any, str]]:
    """Yield (dotted name, plain value, meaning) of each field, those of parts included."""
    docs = field_docs(type(part))
    for field in dataclasses.fields(part):
        name, value, meaning = f"{prefix}{field.name}", getattr(part, field.name), docs.get(field.name, "")
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            if hasattr(value, "to_config"):
                yield f"{name}.kind", value.to_config()["kind"], f"{meaning} {summary_of(type(value))}".strip()
            yield from _fields(value, f"{name}.")
        else:
            yield name, _plain_value(value), meaning


def _plain_value(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain_value(item) for item in value]
    return value.to_config() if hasattr(value, "to_config") else value


def _entry(default: Any, meaning: str) -> dict[str, Any]:
    return {"default": None if default is inspect.Parameter.empty else default, "meaning": meaning}


def _listed(found: dict[str, Any], option: str) -> str:
    paragraphs = []
    for name, about in found.items():
        lines = [name, *_wrapped(about["summary"], "  ")]
        for parameter, entry in about["parameters"].items():
            head = f"    {option} {parameter}={'' if entry['default'] is None else _toml(entry['default'])}"
            lines += [head, *_wrapped(entry["meaning"], " " * 8)]
        paragraphs.append("\n".join(lines))
    return "\n\n".join(paragraphs)


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        inner = ", ".join(f"{name} = {_toml(item)}" for name, item in value.items() if item is not None)
        return f"{{{inner}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False)
