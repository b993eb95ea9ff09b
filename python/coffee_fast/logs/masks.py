"""Legal actions of each row: as the table says, or all that players of a role ever took, at first and later."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast.errors import DatasetError
from coffee_fast.logs.columns import ChosenColumns
from coffee_fast.logs.episodes import Episodes
from coffee_fast.logs.play import Play
from coffee_fast.logs.tables import as_numbers

LEAST_FIRST_MOVES = 20  # of a role, that show which actions there are before anybody has acted


def num_masked(chosen: ChosenColumns) -> int | None:
    """How many actions the table's masks know, None where it has none."""
    source = chosen.get("legal_mask")
    if source is None:
        return None
    column = source.column
    return len(source.parts) if column is None or column.ndim == 1 else int(column.shape[-1])


def packed_masks(
    chosen: ChosenColumns, play: Play, num_actions: int, has_none: bool, roles: list[int], episodes: Episodes
) -> NDArray[np.uint8]:
    """``uint8 [T, ceil(A / 8)]``; none of chance, and not to act alone where a seat does not."""
    role_of = np.array([*roles, -1])  # the last one is chance's
    idle = (play.seat >= 0) & ~play.acts
    if "legal_mask" in chosen:
        masks = _given(chosen, play, num_actions, has_none)
        masks[play.seat < 0] = 0
        masks[idle] = 0
        masks[idle, num_actions - 1] = 1
        return np.packbits(masks, axis=1, bitorder="little")
    num_roles, own = len(set(roles)), np.flatnonzero(play.acts)
    which = 2 * role_of[play.seat] + (play.num_moves_before > 0)
    kinds = np.zeros((2 * num_roles + 2, num_actions), dtype=np.uint8)
    kinds[which[own], play.action[own]] = 1
    # Of few first moves nothing can be said: there what is taken later is legal as well.
    few = np.flatnonzero(np.bincount(which[own], minlength=2 * num_roles)[::2] < LEAST_FIRST_MOVES)
    kinds[2 * few] |= kinds[2 * few + 1]
    kinds[2 * few + 1] = kinds[2 * few]
    kinds[-2, -1] = 1  # not to act
    kinds[-1] = 0  # chance
    which = np.where(idle, len(kinds) - 2, np.where(play.seat < 0, len(kinds) - 1, which))
    return np.asarray(np.packbits(kinds, axis=1, bitorder="little")[which])


def _given(chosen: ChosenColumns, play: Play, num_actions: int, has_none: bool) -> NDArray[np.uint8]:
    source, caller, steps = chosen.sources["legal_mask"], chosen.caller, play.steps
    A = num_actions - has_none
    row, seat = steps.source[play.step, np.maximum(play.seat, 0)], np.maximum(play.seat, 0)
    row = np.where(row < 0, steps.source.max(axis=1)[play.step], row)
    column = source.column
    if column is not None and column.ndim == 3 and column.shape[1:] == (play.num_players, A):
        masks: Any = as_numbers(source.name, column, caller)[row, seat]
    else:
        parts = [part[:, None] if part.ndim == 1 else part for _, part in source.parts]
        whole = np.concatenate(parts, axis=1) if all(part.ndim == 2 for part in parts) else np.zeros((1, 0))
        if whole.shape[1] != A:
            raise DatasetError(
                f"{caller}: legal_mask must have {A} entries of 0 and 1 in every row, one an action, or such for each "
                f"player, got {whole.shape[1] or 'other shapes'}"
            )
        masks = as_numbers(source.name, whole, caller)[row]
    is_asked = play.acts
    wrong = np.argwhere(~np.isin(masks, (0.0, 1.0)) & is_asked[:, None])
    if wrong.size:
        raise DatasetError(
            f"{caller}: row {row[wrong[0, 0]]}: legal_mask must be 0 or 1, got {masks[tuple(wrong[0])]:g}"
        )
    found = np.zeros((play.num_rows, num_actions), dtype=np.uint8)
    found[:, :A] = np.nan_to_num(masks).astype(np.uint8)
    return found
