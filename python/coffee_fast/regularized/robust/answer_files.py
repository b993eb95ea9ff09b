"""Policies that networks answered a log with, as a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from coffee_fast._sealed import SealedFolder
from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.policies import Policy
from coffee_fast.policy_files import policy_arrays, policy_from_arrays

_FOLDER = SealedFolder("answer", "answer.json", "answer.safetensors", {"policies": [dict], "about": str})


def save_answer(answer: Any, folder: str | Path) -> None:
    """Write the policies of what :func:`network_rpq`, :func:`hytq` or :func:`robust_qmix` found as a new folder.

    >>> log = {"observation": [[0.0]] * 2, "action": [[0], [1]], "reward": [[0.0], [1.0]], "trajectory": [0, 1]}
    >>> from coffee_fast.regularized import network_rpq
    >>> save_answer(network_rpq(log, num_iterations=2, num_steps=20), "answer")
    >>> load_answer("answer")
    (NetworkPolicy(1-64-64-2, greedy),)
    """
    policies: Sequence[Policy] = getattr(answer, "policies", None) or [getattr(answer, "policy", None)]
    about = getattr(answer, "about", None)
    if not isinstance(about, str) or not all(isinstance(policy, Policy) for policy in policies):
        raise InvalidArgumentError(f"save_answer: answer must be a NetworkAnswer or a TeamAnswer, got {shown(answer)}")
    parts = [policy_arrays(policy, f"policy{index}.") for index, policy in enumerate(policies)]
    arrays = {name: array for _, own in parts for name, array in own.items()}
    _FOLDER.save(folder, {"policies": [description for description, _ in parts], "about": about}, arrays)


def load_answer(folder: str | Path) -> tuple[Policy, ...]:
    """Return the policies that :func:`save_answer` wrote: of a team one a player, else one."""
    fields, arrays = _FOLDER.load(folder)
    return tuple(
        policy_from_arrays(description, arrays, f"policy{index}.")
        for index, description in enumerate(fields["policies"])
    )
