"""JSON files that show when they were altered: each holds the SHA-256 of all else that it says.

A file of format 2 has its ``kind``, its ``format`` and its ``seal``. Files of format 1, of earlier versions, have no
seal and some no kind; they are read without. What a file must look like is a *form*, written like the value itself:
``str``, ``bool``, ``int``, ``float`` (any number), ``dict``, ``list`` or ``object`` (anything); ``[form]``, a list of
such; ``{"name": form, "other?": form}``, an object with these fields, ``?`` marking those that may be absent, and with
``...: form`` any others too; ``(form, None)``, that or null.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from coffee_fast import _files
from coffee_fast.checks import check_flag
from coffee_fast.errors import CheckpointError, CoffeeError, shown

Form = Mapping[Any, Any]
FORMAT = 2
SEAL = "seal"
_NAMES: Mapping[Any, str] = {
    str: "text",
    bool: "true or false",
    int: "an integer",
    float: "a number",
    dict: "an object",
    list: "a list",
}


def seal_of(fields: Mapping[str, Any], seal: str = SEAL) -> str:
    """Return the SHA-256 of fields in canonical form, the seal itself left out."""
    content = {name: value for name, value in fields.items() if name != seal}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def write_sealed_json(path: str | Path, kind: str, fields: Mapping[str, Any]) -> None:
    """Write plain JSON values with their kind, format and seal, atomically."""
    content = {"kind": kind, "format": FORMAT, **fields}
    _files.write_json(path, content | {SEAL: seal_of(content)})


def read_sealed_json(
    path: str | Path, kind: str, form: Any, error: type[CoffeeError] = CheckpointError
) -> dict[str, Any]:
    """Read the fields of a file that :func:`write_sealed_json` wrote, this version's or an earlier one's.

    Raises
    ------
    error
        If the file is no regular file, not JSON, of another kind or a later format, of another form (the message names
        the place), or was altered.
    """
    content = _files.read_json(path, error)
    number = content.get("format", 1)
    if content.get("kind", kind if number == 1 else None) != kind:
        raise error(f"{path}: must describe a {kind}, got {shown(content.get('kind'))}")
    if number not in (1, FORMAT) or isinstance(number, bool | float):
        raise error(f"{path}: must be of format 1 or {FORMAT}, got {shown(number)}")
    if (SEAL in content) != (number == FORMAT):
        raise error(f"{path}: was altered, it has {'no' if number == FORMAT else 'a'} {SEAL} in format {number}")
    if number == FORMAT and content.pop(SEAL) != seal_of(content):
        raise error(f"{path}: was altered, its fields do not fit its {SEAL}")
    fields = {name: value for name, value in content.items() if name not in ("kind", "format")}
    check_form(fields, form, str(path), error)
    return fields


def check_form(value: Any, form: Any, where: str, error: type[CoffeeError] = CheckpointError) -> None:
    """Raise ``error``, its message starting with ``where``, unless a JSON value has a form."""
    if fault := _fault(value, form, ""):
        raise error(f"{where}: {fault}")


def _fault(value: Any, form: Any, place: str) -> str | None:
    if isinstance(form, tuple):
        return None if value is None else _fault(value, form[0], place)
    if isinstance(form, list):
        if not isinstance(value, list):
            return _wrong(value, "a list", place)
        faults = (_fault(item, form[0], f"{place}[{index}]") for index, item in enumerate(value))
        return next(filter(None, faults), None)
    if isinstance(form, dict):
        return _fault_of_fields(value, form, place)
    kinds = (int, float) if form is float else form
    if not isinstance(value, kinds) or (isinstance(value, bool) and form in (int, float)):
        return _wrong(value, _NAMES[form], place)
    return None


def _fault_of_fields(value: Any, form: Mapping[Any, Any], place: str) -> str | None:
    if not isinstance(value, dict):
        return _wrong(value, "an object", place)
    known = {name.removesuffix("?"): part for name, part in form.items() if name is not ...}
    prefix = f"{place}." if place else ""
    for name in known:
        if name not in value and f"{name}?" not in form:
            return f"the field {prefix + name!r} is missing"
    for name, item in value.items():
        if name not in known and ... not in form:
            return f"there is no field {shown(prefix + name)}"
        if fault := _fault(item, known.get(name, form.get(...)), f"{prefix}{name:.80}"):
            return fault
    return None


def _wrong(value: Any, wanted: str, place: str) -> str:
    return f"{place or 'it'} must be {wanted}, got {shown(value)}"


@dataclass(frozen=True)
class SealedFolder:
    """A folder of one sealed JSON file and the safetensors file whose SHA-256 it holds.

    Attributes
    ----------
    kind
        What such a folder is.
    json, tensors
        The names of its files.
    form
        Of the JSON file's fields, but for ``sha256``.
    """

    kind: str
    json: str
    tensors: str
    form: Mapping[str, Any]

    def save(
        self, path: str | Path, fields: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], overwrite: bool = False
    ) -> None:
        """Write a new folder, all at once; with ``overwrite`` it may take the place of one of the same kind."""
        overwrite = check_flag("save: overwrite", overwrite)
        with _files.publish_directory(path, replaces=self._replaces(path) if overwrite else ()) as folder:
            _files.write_tensors(folder / self.tensors, arrays)
            sha256 = _files.sha256_of(folder / self.tensors)
            write_sealed_json(folder / self.json, self.kind, {**fields, "sha256": sha256})

    def load(self, path: str | Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return fields and arrays; ``CheckpointError`` names the file that is missing, altered or of another form."""
        folder = _files.as_path(path)
        fields = read_sealed_json(folder / self.json, self.kind, {**self.form, "sha256": str})
        return fields, _files.read_tensors(folder / self.tensors, sha256=fields.pop("sha256"))

    def _replaces(self, path: str | Path) -> tuple[str, ...]:
        return may_replace(path, self.kind, self.json, self.tensors)


def may_replace(
    path: str | Path, kind: str, manifest: str, tensors: str, error: type[CoffeeError] = CheckpointError
) -> tuple[str, str]:
    """Return the names of a folder's two files; ``error`` if there is something else than such a folder at ``path``."""
    folder = _files.as_path(path, error)
    if folder.exists() and _files.read_json(folder / manifest, error).get("kind") != kind:
        raise error(f"{folder}: is not written over, since it is no {kind}; choose a new folder")
    return manifest, tensors
