"""Solutions for programs without coffee_fast: plain NumPy arrays, or ONNX graphs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from coffee_fast import _files
from coffee_fast._provenance import plain
from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.policy_files import policy_arrays
from coffee_fast.psro.onnx_graph import write_onnx

if TYPE_CHECKING:
    from coffee_fast.psro.solution import Solution

FORMAT = 1
FORMATS = ("numpy", "onnx")


def export_solution(solution: Solution, path: str | Path, format: str = "numpy") -> None:
    """Write a solution to a new folder for programs without coffee_fast.

    ``solution.json`` says how often each strategy is drawn (once an episode), what it is, and what the game is. For
    ``"numpy"`` ``strategy-<i>.npz`` holds the weights of strategy ``i``; ``examples/play_exported.py`` plays them in
    thirty lines of NumPy. For ``"onnx"`` ``strategy-<i>.onnx`` has the inputs ``information_states`` (float32
    ``[B, I]``) and ``legal_masks`` (bool ``[B, A]``) and the output ``probabilities`` (float32 ``[B, A]``), from
    which the action is drawn. Of several roles, ``roles`` in ``solution.json`` lists the strategies of each and
    ``seats`` how many players it has, and files begin with ``role-<r>-``.

    Raises
    ------
    InvalidArgumentError
        For another format; for ``"onnx"`` where the package onnx is not installed.
    CheckpointError
        If there is something at ``path``.
    """
    if format not in FORMATS:
        raise InvalidArgumentError(f"export: format must be 'numpy' or 'onnx', got {shown(format)}")
    if not isinstance(path, str | Path):
        raise InvalidArgumentError(f"export: path must be a path, got {shown(path)}")
    roles = [
        {
            "probabilities": mixture.probabilities.tolist(),
            "strategies": [policy_arrays(policy)[0] for policy in mixture.policies],
        }
        for mixture in solution.by_role
    ]
    several = [{"name": name} | role for name, role in zip(solution.role_names, roles, strict=True)]
    about: dict[str, Any] = {
        "format": FORMAT,
        "kind": "exported_solution",
        **(roles[0] if len(roles) == 1 else {"roles": several, "seats": list(solution.roles)}),
        "solver": plain(dict(solution.solver)),
        "status": solution.status,
        "model_regret": plain(solution.model_regret),
        "spec": solution.spec.to_json() if solution.spec else None,
    }
    with _files.publish_directory(path) as folder:
        for role, mixture in enumerate(solution.by_role):
            prefix = "strategy" if len(roles) == 1 else f"role-{role}-strategy"
            for index, policy in enumerate(mixture.policies):
                if format == "onnx":
                    write_onnx(policy, folder / f"{prefix}-{index}.onnx")
                else:
                    arrays: dict[str, Any] = policy_arrays(policy)[1]
                    np.savez(folder / f"{prefix}-{index}.npz", **arrays)
        _files.write_json(folder / "solution.json", about)
