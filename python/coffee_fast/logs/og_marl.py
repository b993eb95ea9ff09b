"""Logs of OG-MARL: what all agents saw, did and earned in each step, as arrays ``[batch, steps, agents, ...]``.

There are ``observations``, ``actions``, ``rewards`` and ``terminals``, perhaps ``truncations``, and in ``infos`` (or
beside the others) perhaps ``state`` and ``legals``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast.errors import DatasetError, shown
from coffee_fast.logs.recorded import Recorded

Array = NDArray[Any]
NEEDED = ("observations", "actions", "rewards", "terminals")
INFOS = ("state", "legals")


def is_experience(table: Any) -> bool:
    """Whether a mapping has the arrays of OG-MARL."""
    return isinstance(table, Mapping) and all(name in table for name in NEEDED)


def read_experience(arrays: Mapping[str, Any], place: str, name: str = "log") -> Recorded:
    """Work the arrays out into a table with a row a step of all agents.

    An episode ends where each agent is at its end. Where some are there by truncation, or nothing follows, it broke
    off.
    """
    found = _arrays(arrays, place)
    actions = found["actions"]
    B, T, N = actions.shape
    ended = found["terminals"].reshape(B, T, -1) != 0
    broke = found["truncations"].reshape(B, T, -1) != 0 if "truncations" in found else np.zeros_like(ended)
    is_last = (ended | broke).all(axis=2)
    is_last[:, -1] = True
    last = is_last.ravel()
    table = {
        "episodes": np.cumsum(last) - last,
        "truncations": (is_last & ~ended.all(axis=2)).ravel().astype(np.uint8),
        "actions": actions.reshape(B * T, N),
        "rewards": found["rewards"].reshape(B * T, N),
        "observations": found["observations"].reshape(B * T, N, -1),
    }
    said = {"episode": "episodes", "truncated": "truncations", "action": "actions", "reward": "rewards"}
    said["observation"] = "observations"
    if "state" in found:
        table["state"], said["state"] = found["state"].reshape(B * T, -1), "state"
    if "legals" in found:
        table["legals"], said["legal_mask"] = found["legals"].reshape(B * T, N, -1), "legals"
    return Recorded(table, said, {"num_players": N, "name": name})


def _arrays(arrays: Mapping[str, Any], place: str) -> dict[str, Array]:
    """All arrays with a batch, of equally many steps and agents."""
    infos = arrays.get("infos")
    told = dict(infos) if isinstance(infos, Mapping) else {}
    told |= {name: arrays[name] for name in (*NEEDED, "truncations", *INFOS) if name in arrays}
    found = {name: _numbers(told[name], name, place) for name in (*NEEDED, "truncations", *INFOS) if name in told}
    actions = found["actions"]
    if actions.ndim == 4 and actions.shape[3] == 1:
        actions = actions[..., 0]
    if actions.ndim == 2:  # one batch, taken out
        actions, found = actions[None], {name: array[None] for name, array in found.items()}
    if actions.ndim != 3 or (actions != np.round(actions)).any():
        raise DatasetError(
            f"{place}: actions must be whole numbers [batch, steps, agents], got {shown(actions)}; give what is "
            "continuous, or in several numbers, a number for each of a few choices, and log those"
        )
    if not actions.size:
        raise DatasetError(f"{place}: there are no steps: actions are of shape {list(actions.shape)}")
    found["actions"] = actions
    for name, array in found.items():
        shape = actions.shape if name in ("observations", "rewards", "legals") else actions.shape[:2]
        least = {"legals": 4, "state": 3}.get(name, len(shape))
        is_whole = array.size > 0 if name != "rewards" else array.size == actions.size
        if array.shape[: len(shape)] != shape or array.ndim < least or not is_whole:
            raise DatasetError(
                f"{place}: {name} must fit actions, which are [batch, steps, agents] of shape {list(actions.shape)}, "
                f"got {shown(array)}"
            )
    return found


def _numbers(values: Any, name: str, place: str) -> Array:
    try:
        array = np.asarray(values)
    except Exception:  # whatever is no array after all
        array = np.empty(0, dtype=object)
    if array.dtype.kind not in "biuf":
        raise DatasetError(f"{place}: {name} must be an array of numbers, got {shown(values)}")
    return array
