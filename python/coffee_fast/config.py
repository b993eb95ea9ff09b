"""Configurations: frozen dataclasses in code, TOML on disk; an unknown key is refused, never ignored."""

from __future__ import annotations

import dataclasses
import sys
import tomllib
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from coffee_fast._files import read_text
from coffee_fast.checks import check_choice, did_you_mean
from coffee_fast.errors import CoffeeError, ConfigError, shown

Config = TypeVar("Config")
_LARGEST = sys.float_info.max  # false of NaN and infinity, and of integers that no float holds
Parts = Mapping[str, Callable[[Mapping[str, Any]], Any]]


def read_toml(path: str | Path) -> dict[str, Any]:
    """Read a TOML file; ``ConfigError`` names file and place if it cannot be."""
    text = read_text(path, ConfigError)
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ConfigError(f"{path}: is not TOML that can be read: too many brackets inside each other") from None
    except ValueError as error:  # not TOML, or a number of thousands of digits
        raise ConfigError(f"{path}: is not TOML: {error}") from None


def from_mapping(cls: type[Config], values: Mapping[str, Any], parts: Parts | None = None, path: str = "") -> Config:
    """Build the dataclass ``cls`` from a mapping; what it does not name keeps its default.

    Parameters
    ----------
    cls
        A dataclass; fields that are dataclasses are built from nested mappings.
    values
        Field names to values.
    parts
        Builders of fields that may be one of several kinds, by field name: each receives the nested mapping, whose
        ``kind`` says which; the kind alone stands for the defaults of its fields. A tuple of such parts is a list;
        where there may be one or several, fields without a kind are those of the first, and the others stay.
    path
        Where ``values`` stands in the whole configuration, for messages.

    Raises
    ------
    ConfigError
        For an unknown key, naming the nearest one, or a value of the wrong type or out of range.

    >>> @dataclasses.dataclass(frozen=True)
    ... class Size:
    ...     width: int = 250
    >>> from_mapping(Size, {"width": 200})
    Size(width=200)
    >>> from_mapping(Size, {"widht": 200})
    Traceback (most recent call last):
    coffee_fast.errors.ConfigError: there is no field 'widht'; did you mean 'width'?
    """
    return update(cls(), values, parts, path)


def kind_of(
    name: str, config: Mapping[str, Any], kinds: Mapping[str, type[Config]], default: str | None = None
) -> tuple[type[Config], dict[str, Any]]:
    """Return the class that the ``kind`` of a part's configuration names, and its other fields; ``name`` is the part's.

    Raises
    ------
    ConfigError
        If it is no mapping, or of no known kind (with the nearest one).
    """
    if not isinstance(config, Mapping):
        raise ConfigError(f'{name}: config must be a table with a kind, as {{"kind": ...}}, got {shown(config)}')
    fields = dict(config)
    kind = check_choice(f"{name}: kind", fields.pop("kind", default), kinds, error=ConfigError)
    return kinds[kind], fields


def update(config: Config, values: Mapping[str, Any], parts: Parts | None = None, path: str = "") -> Config:
    """A copy of ``config`` in which the fields that ``values`` names are replaced; nested mappings reach inside.

    Of a class that has presets, ``preset`` names the one that the other values change, in place of ``config``.
    """
    if not isinstance(values, Mapping):
        raise ConfigError(f"{path or 'configuration'} must be a table of fields, got {shown(values)}")
    preset = getattr(type(config), "preset", None)
    if "preset" in values and callable(preset):
        try:
            config = preset(values["preset"])
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}" if path else str(error)) from None
        values = {name: value for name, value in values.items() if name != "preset"}
    hints = typing.get_type_hints(type(config))
    names = [field.name for field in dataclasses.fields(config) if field.init]  # type: ignore[arg-type]
    changes: dict[str, Any] = {}
    for name, value in values.items():
        if name == "kind" and "kind" not in names:
            continue  # says which class this is; whoever chose the class has read it
        dotted = f"{path}.{name}" if path else name
        if name not in names:
            raise ConfigError(f"there is no field {shown(dotted)}{_hint(name, names, path)}")
        changes[name] = _convert(getattr(config, name), hints[name], value, parts or {}, name, dotted)
    try:
        return dataclasses.replace(config, **changes)  # type: ignore[type-var]
    except CoffeeError as error:
        raise ConfigError(f"{path}: {error}" if path else str(error)) from None
    except (TypeError, ValueError, ArithmeticError) as error:
        raise ConfigError(f"{path or type(config).__name__}: {error}") from None


def apply_overrides(config: Config, overrides: Sequence[str], parts: Parts | None = None) -> Config:
    """Apply ``"psro.num_iterations=5"`` and the like: a dotted field and a TOML value (bare words are strings).

    All are applied at once, so that fields which must fit each other may be set in any order.
    """
    if isinstance(overrides, str) or not isinstance(overrides, Sequence):
        raise ConfigError(f"overrides must be a list of field=value, got {shown(overrides)}")
    changes: dict[str, Any] = {}
    for override in overrides:
        key, separator, text = override.partition("=") if isinstance(override, str) else ("", "", "")
        if not separator or not key.strip():
            raise ConfigError(f"an override must read field=value, got {shown(override)}")
        value = toml_value(text)
        nested: Any = value
        for name in reversed(key.strip().split(".")):
            nested = {name: nested}
        changes = _merged(changes, nested)
    return update(config, changes, parts)


def _merged(before: Any, after: Any) -> Any:
    """What two settings of one field say together; the later has the last word."""
    if not isinstance(after, Mapping):
        return after
    if isinstance(before, str):
        before = {"kind": before}
    if not isinstance(before, Mapping) or ("kind" in before and after.get("kind", before["kind"]) != before["kind"]):
        return after
    return {**before, **{name: _merged(before.get(name), value) for name, value in after.items()}}


def toml_value(text: str) -> Any:
    """Return what a TOML file would say with ``text`` after the equals sign; what is no TOML is a word."""
    try:
        return tomllib.loads(f"value = {text.strip()}")["value"]
    except (ValueError, RecursionError):
        return text.strip()


def _hint(name: Any, names: Sequence[str], path: str) -> str:
    near = did_you_mean(name, names, prefix=f"{path}." if path else "")
    return near or f"; the fields here are {', '.join(names)}"


def _convert(current: Any, hint: Any, value: Any, parts: Parts, name: str, path: str) -> Any:
    options = typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, types.UnionType) else (hint,)
    several = next((option for option in options if typing.get_origin(option) is tuple), None)
    if name in parts and several is not None:
        item = typing.get_args(several)[0]
        if isinstance(value, list | tuple):
            return tuple(_convert(None, item, entry, parts, name, f"{path}[{i}]") for i, entry in enumerate(value))
        if several is hint:
            raise ConfigError(f"{path} must be a list of kinds or tables, as ['nash'], got {shown(value)}")
        if isinstance(current, tuple):
            return _in_place_of_several(current, item, value, parts, name, path)
    if name in parts and isinstance(value, str):
        value = {"kind": value}  # psro.meta_solver=nash
    if isinstance(value, Mapping):
        same_kind = "kind" not in value or value["kind"] == _kind(current)
        if dataclasses.is_dataclass(current) and same_kind:
            return update(current, value, parts, path)
        if name in parts:
            try:
                return parts[name](value)
            except ConfigError as error:
                raise ConfigError(f"{path}: {error}") from None
    if value is None and type(None) in options:
        return None
    for option in options:
        converted = _as(option, value)
        if converted is not None:
            return converted
    is_long = int in options and isinstance(value, int | np.integer) and not isinstance(value, bool)
    bound = " of at most 63 bits" if is_long else ""
    raise ConfigError(f"{path} must be {_describe(hint)}{bound}, got {shown(value)}")


def _in_place_of_several(current: tuple[Any, ...], item: Any, value: Any, parts: Parts, name: str, path: str) -> Any:
    """What is to stand where several parts are: one of its own kind alone, or the first with other fields."""
    if isinstance(value, Mapping) and "kind" not in value:
        return (_convert(current[0], item, value, parts, name, f"{path}[0]"), *current[1:])
    kind = value.get("kind") if isinstance(value, Mapping) else None
    return _convert(next((one for one in current if _kind(one) == kind), None), item, value, parts, name, path)


def _kind(current: Any) -> str | None:
    to_config = getattr(current, "to_config", None)
    return to_config().get("kind") if callable(to_config) else None


def _as(hint: Any, value: Any) -> Any:
    """``value`` as a ``hint``, or None if it is no such thing."""
    origin = typing.get_origin(hint)
    if hint is Any:
        return value
    if isinstance(value, np.generic):
        value = value.item()
    if origin is typing.Literal:
        return next((known for known in typing.get_args(hint) if type(known) is type(value) and known == value), None)
    if hint is bool or isinstance(value, bool):
        return value if hint is bool and isinstance(value, bool) else None
    if hint is int:
        return value if isinstance(value, int) and abs(value) < 2**63 else None
    if hint is float:
        return float(value) if isinstance(value, int | float) and abs(value) <= _LARGEST else None
    if hint is str:
        return value if isinstance(value, str) else None
    if origin is tuple and isinstance(value, list | tuple):
        (item,) = set(typing.get_args(hint)) - {...}
        items = [_as(item, entry) for entry in value]
        return None if None in items else tuple(items)
    if origin in (dict, Mapping) or hint in (dict, Mapping):
        return dict(value) if isinstance(value, Mapping) else None
    return None


def _describe(hint: Any) -> str:
    if typing.get_origin(hint) is typing.Literal:
        return "one of " + ", ".join(map(repr, typing.get_args(hint)))
    if typing.get_origin(hint) is tuple:
        return f"a list, each {_describe(typing.get_args(hint)[0])}"
    names = {bool: "true or false", int: "an integer", float: "a finite number", str: "a string"}
    return names.get(hint, str(hint).replace("typing.", ""))
