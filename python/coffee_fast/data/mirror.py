"""The mirror image of play in a symmetric two-player game: the same episode with the players exchanged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast.errors import InvalidGameError, shown
from coffee_fast.games import GameSpec
from coffee_fast.typing import Float32


def mirror_states(spec: GameSpec, states: Float32) -> Float32:
    """Exchange the players in ``states [T, D]``; terminal states stay what they are."""
    mirrored = states[:, list(spec.state_swap)]
    flip = list(spec.state_flip)
    mirrored[:, flip] = 1 - mirrored[:, flip]
    is_terminal = (states == np.float32(spec.terminal_state_value)).all(axis=1)
    mirrored[is_terminal] = states[is_terminal]
    return mirrored


def mirror_arrays(spec: GameSpec, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The arrays of a dataset with the players exchanged; twice gives the arrays back."""
    if not spec.is_symmetric or spec.num_players != 2 or not spec.state_swap:
        roles = (
            "" if spec.is_symmetric else f", whose roles are {shown(list(spec.roles))}: unlike players do not exchange"
        )
        raise InvalidGameError(
            "mirroring needs a symmetric two-player game whose GameSpec gives the exchange of states (state_swap), "
            f"got {shown(spec.name)}{roles}"
        )
    if spec.num_chance_actions or spec.moves == "simultaneous":
        why = (
            "moves of chance, which may deal to a player by its number"
            if spec.num_chance_actions
            else "moves at once, in which no seat is first"
        )
        raise InvalidGameError(f"mirroring is not for games with {why}, got {shown(spec.name)}; use the log as it is")
    return dict(arrays) | {
        "state": mirror_states(spec, arrays["state"]),
        "next_state": mirror_states(spec, arrays["next_state"]),
        "observation": np.ascontiguousarray(arrays["observation"][:, ::-1]),
        "acting_player": (1 - arrays["acting_player"]).astype(np.int8),
        "reward": np.ascontiguousarray(arrays["reward"][:, ::-1]),
    }


def interleave_mirrored(spec: GameSpec, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Each trajectory followed by its mirror image."""
    image = mirror_arrays(spec, arrays)
    lengths = np.diff(arrays["trajectory_offsets"])
    offsets = np.concatenate([[0], np.cumsum(np.repeat(lengths, 2))]).astype(np.int64)
    total = len(arrays["action"])
    starts = np.stack([arrays["trajectory_offsets"][:-1], arrays["trajectory_offsets"][:-1] + total], axis=1).ravel()
    rows = np.repeat(starts - offsets[:-1], np.repeat(lengths, 2)) + np.arange(offsets[-1])
    both = {
        name: np.concatenate([array, image[name]])[rows]
        for name, array in arrays.items()
        if name not in ("trajectory_offsets", "truncated")
    }
    if "truncated" in arrays:
        both["truncated"] = np.repeat(arrays["truncated"], 2)
    return both | {"trajectory_offsets": offsets}
