"""The types in ``_core.pyi`` are of what is really bound: the same names with the same parameters."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest

import coffee_fast
from coffee_fast import _core

STUB_FILES = [Path(root) / "_core.pyi" for root in coffee_fast.__path__]


def stubbed(body: list[ast.stmt], prefix: str = "") -> dict[str, tuple[str, ...]]:
    """Return each name of the stub with its parameters; attributes and properties have none."""
    names: dict[str, tuple[str, ...]] = {}
    for node in body:
        if isinstance(node, ast.FunctionDef):
            parameters = [a.arg for a in (*node.args.args, *node.args.kwonlyargs) if a.arg != "self"]
            names[prefix + node.name] = tuple(parameters)
        elif isinstance(node, ast.ClassDef):
            names |= {prefix + node.name: (), **stubbed(node.body, f"{prefix}{node.name}.")}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names[prefix + node.target.id] = ()
    return {name: parameters for name, parameters in names.items() if not name.endswith("__members__")}


def bound(owner: object, prefix: str = "") -> dict[str, tuple[str, ...]]:
    """Return each name of the compiled module with the parameters its docstring says, of the first overload."""
    names: dict[str, tuple[str, ...]] = {}
    for name, value in vars(owner).items():
        if name.startswith("_") and name not in ("__init__", "__len__"):
            continue
        if inspect.isclass(value):
            names |= {prefix + name: (), **bound(value, f"{prefix}{name}.")}
        elif type(value) is owner or isinstance(value, property):
            names[prefix + name] = ()
        else:
            documented = value.__func__ if isinstance(value, staticmethod) else value
            if (parameters := signature(name, documented.__doc__ or "")) is not None:
                names[prefix + name] = parameters
    return names


def signature(name: str, doc: str) -> tuple[str, ...] | None:
    lines = [
        line for line in doc.splitlines() if re.match(rf"(1\. )?{re.escape(name)}\(", line) and "*args" not in line
    ]
    if not lines:
        return None  # a constructor that only C++ may call
    # A parameter's name stands before a colon at the outer level of brackets.
    text = lines[0].split("(", 1)[1].rsplit(" -> ", 1)[0]
    flat = text
    while flat != (flat := re.sub(r"\[[^\[\]]*\]|<[^<>]*>", "", flat)):
        pass
    return tuple(n for n in re.findall(r"(?:^|, )(\w+):", flat) if n != "self")


STUB = stubbed(ast.parse(next(file for file in STUB_FILES if file.is_file()).read_text()).body)
BOUND = bound(_core)


def test_stub_and_module_have_the_same_names():
    assert set(STUB) == set(BOUND)


@pytest.mark.parametrize("name", [name for name, parameters in BOUND.items() if parameters])
def test_parameters_are_the_same(name):
    assert STUB[name] == BOUND[name]
