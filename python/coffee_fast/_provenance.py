"""What made a result: versions of software, and configurations in plain words."""

from __future__ import annotations

import dataclasses
import math
import platform
import re
from collections.abc import Mapping
from importlib import metadata
from typing import Any

from coffee_fast.errors import CheckpointError, InvalidArgumentError
from coffee_fast.typing import Resume


def versions() -> dict[str, str]:
    """Return the versions of coffee_fast, Python and the libraries whose numbers enter a result."""
    from coffee_fast._build import __version__

    found = {"coffee_fast": __version__, "python": platform.python_version()}
    for library in ("numpy", "torch"):
        try:
            found[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            found[library] = "absent"
    return found


def machine() -> dict[str, str]:
    """Return what the bits of a result depend on besides configuration and seed: processor, instructions, builds."""
    from coffee_fast._build import build_info

    info, installed = build_info(), versions()
    return {
        "processor": platform.machine(),
        "isa": str(info["isa"]),
        "coffee_fast": f"{info['version']}, {info['compiler']}",
        "numpy": installed["numpy"],
        "torch": installed["torch"],
    }


def same_machine(about: Mapping[str, Any], place: str, resume: Resume) -> list[dict[str, str]]:
    """Return the machines that a run's results are of, given the record in its folder, this one the last.

    Raises
    ------
    CheckpointError
        If the run was begun on an unlike machine, unless ``resume`` is ``"anyway"``.
    """
    here, machines = machine(), list(about.get("machines", ()))
    there = machines[-1] if machines else _recorded_versions(about["versions"], here)
    difference = first_difference({**here, **there}, here)
    if difference and resume != "anyway":
        raise CheckpointError(
            f"{place} was begun on another machine or build: {difference}; it would end with the bits of neither. "
            "Go on where it was begun (COFFEE_FAST_ISA chooses the instruction set), take a new folder, or mix them "
            'knowingly with resume="anyway" (--resume-anyway)'
        )
    return machines if machines and not difference else [*machines, here]


def _recorded_versions(versions: Mapping[str, str], here: Mapping[str, str]) -> dict[str, str]:
    """What a record of before there were machines says of one: versions, without the compiler."""
    there = {name: versions.get(name, here[name]) for name in ("coffee_fast", "numpy", "torch")}
    if here["coffee_fast"].split(",")[0] == there["coffee_fast"]:
        there["coffee_fast"] = here["coffee_fast"]
    return there


def describe_part(part: object) -> dict[str, Any]:
    """Return a part of a configuration as plain JSON values, ``kind`` naming what it is.

    A part says it itself with ``to_config()``; otherwise it must be a dataclass, whose fields are taken.

    Raises
    ------
    InvalidArgumentError
        If it is neither, since a run folder could not tell one such part from another.
    """
    to_config = getattr(part, "to_config", None)
    if callable(to_config):
        return {name: plain(value) for name, value in to_config().items()}
    kind = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", type(part).__name__).lower()
    return {"kind": kind, **describe_fields(part)}


def describe_fields(part: object) -> dict[str, Any]:
    """Return the fields of a dataclass as plain JSON values.

    Its class may name in ``later_fields`` those that older files do not have, with the values at which they are left
    out, so that older runs are known by what they were.
    """
    if not dataclasses.is_dataclass(part) or isinstance(part, type):
        raise InvalidArgumentError(
            f"{type(part).__name__} must be a dataclass or have to_config(), so that a run folder can record it"
        )
    fields = {field.name: plain(getattr(part, field.name)) for field in dataclasses.fields(part)}
    later = getattr(part, "later_fields", {})
    return {name: value for name, value in fields.items() if name not in later or later[name] != value}


def plain(value: Any) -> Any:
    """Return ``value`` as JSON will give it back: tuples and arrays as lists, NaN as None, nested parts described."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float) and math.isnan(value):
        return None
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return describe_part(value)


def figures_from_json(values: Mapping[str, float | None]) -> dict[str, float]:
    """Return named figures as they were before :func:`plain`: None was NaN."""
    return {name: math.nan if value is None else value for name, value in values.items()}


def is_duration(name: str) -> bool:
    """Whether a figure of this name depends on the clock: durations end in ``_s``, rates in ``_per_second``."""
    return name.endswith(("_s", "_per_second"))


def first_difference(there: object, here: object) -> str | None:
    """Return in words the first field in which two nested JSON values differ, or None."""
    left, right = _leaves(there), _leaves(here)
    for name in sorted({*left, *right}):
        if left.get(name, "absent") != right.get(name, "absent"):
            return f"{name} is {left.get(name, 'absent')!r} there and {right.get(name, 'absent')!r} here"
    return None


def _leaves(value: object, prefix: str = "") -> dict[str, Any]:
    parts: list[tuple[str, object]] = []
    if isinstance(value, Mapping):
        parts = [(f"{prefix}.{key}" if prefix else str(key), item) for key, item in value.items()]
    elif isinstance(value, list) and all(isinstance(item, Mapping) for item in value):  # parts of several kinds
        parts = [(f"{prefix}[{place}]", item) for place, item in enumerate(value)]
    if parts:
        return {name: leaf for key, item in parts for name, leaf in _leaves(item, key).items()}
    return {prefix: value}
