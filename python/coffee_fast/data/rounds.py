"""Moves at once as they lie in a log: seat by seat, what was chosen so far at the end of the state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast.games import GameSpec
from coffee_fast.typing import Float32, Int64


def moves_before(offsets: Int64, acting_player: NDArray[Any]) -> Int64:
    """``int64 [T]``: how many moves of players, chance left out, lie before a row in its trajectory."""
    is_player = acting_player >= 0
    before: Int64 = np.cumsum(is_player) - is_player
    first = offsets[:-1]
    return np.asarray(before - np.repeat(before[first], np.diff(offsets)), dtype=np.int64)


def pending_moves(spec: GameSpec, acting_player: NDArray[Any], action: NDArray[Any]) -> Float32:
    """``float32 [T, N * V]``: what the seats before the one on move chose in this round; rows lie seat by seat."""
    N, V = spec.num_players, spec.action_vectors.shape[1]
    pending = np.zeros((len(action), N, V), dtype=np.float32)
    for seat in range(1, N):
        rows = np.flatnonzero(acting_player == seat)
        for earlier in range(seat):
            pending[rows, earlier] = spec.action_vectors[action[rows - seat + earlier]]
    return pending.reshape(len(action), N * V)


def check_rounds(spec: GameSpec, arrays: Mapping[str, NDArray[Any]], require: Any) -> None:
    """Refuse rounds with a seat left out, and states, observations or rewards that tell of a choice too early.

    ``require(is_right, sentence)`` names the place of what is wrong.
    """
    N, player = spec.num_players, arrays["acting_player"]
    offsets, state = arrays["trajectory_offsets"], arrays["state"]
    seat = moves_before(offsets, player) % N
    sentence = f"moves at once lie seat by seat, player 0 to {N - 1} in each round, chance between rounds alone"
    require(np.where(player < 0, seat == 0, player == seat), sentence)
    is_whole = np.ones(len(player), dtype=bool)
    last = offsets[1:] - 1
    is_whole[last] = (player[last] < 0) | (seat[last] == N - 1)
    require(is_whole, f"a trajectory of moves at once ends with a whole round of {N} rows")
    pending = pending_moves(spec, player, arrays["action"])
    size = pending.shape[1]
    sentence = f"the last {size} entries of the state must be the action vectors chosen so far in the round, else zeros"
    require((state[:, -size:] == pending).all(axis=1), sentence)
    begins = (arrays["terminal"] == 1) | ((player >= 0) & (seat != N - 1))
    begins |= (arrays["next_state"][:, -size:] == 0).all(axis=1)
    require(begins, f"the last {size} entries of next_state must be zeros once the round is complete")
    follows = np.flatnonzero((player >= 0) & (seat > 0))
    same = np.ones(len(player), dtype=bool)
    same[follows] = (arrays["observation"][follows] == arrays["observation"][follows - 1]).all(axis=(1, 2))
    require(same, "observations must not change within a round of moves at once")
    is_early = (player >= 0) & (seat < N - 1)
    require(~is_early | (arrays["reward"] == 0).all(axis=1), "a round of moves at once pays in its last row alone")
