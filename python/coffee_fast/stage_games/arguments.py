"""What solvers of regularized games ask of their arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from coffee_fast.empirical.payoff_arrays import as_floats, is_listed
from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.stage_games.kernels import LOG_ZERO
from coffee_fast.typing import Float64

DEFAULT_SHARE_OF_RANGE = 0.1
LARGEST_RATIO = 10.0
"""Of a payoff range to a weight in what a gap may be: one outlier must not hide what the other payoffs say."""
KLWeight = float | Sequence[float] | None
References = Sequence[ArrayLike] | Literal["behavior", "uniform"] | None


def check_kl_weight(caller: str, kl_weight: KLWeight, ranges: Float64, name: str = "kl_weight") -> Float64:
    """Return one weight a player; None is a tenth of the player's payoff range (1 where all payoffs are equal)."""
    if kl_weight is None:
        return np.where(ranges > 0.0, DEFAULT_SHARE_OF_RANGE * ranges, 1.0)
    return check_per_player(f"{caller}: {name}", kl_weight, len(ranges), is_open=True)


def check_per_player(name: str, values: ArrayLike, num_players: int, *, is_open: bool = False) -> Float64:
    """Return ``values``, one number or one a player, as ``[N]``; positive if ``is_open``."""
    wanted = f"a finite number{' > 0' if is_open else ''}, or one for each of {num_players} players"
    try:
        array = as_floats(name, values, InvalidArgumentError)
    except InvalidArgumentError:
        raise InvalidArgumentError(f"{name} must be {wanted}, got {shown(values)}") from None
    if array.shape not in ((), (num_players,)) or not np.isfinite(array).all() or (is_open and (array <= 0.0).any()):
        raise InvalidArgumentError(f"{name} must be {wanted}, got {shown(values)}")
    return np.broadcast_to(array, (num_players,)).copy()


def check_weight_against_ranges(caller: str, kl_weight: Float64, ranges: Float64, name: str = "kl_weight") -> None:
    """Refuse weights whose ratio to the payoffs leaves double precision."""
    with np.errstate(over="ignore"):
        share = ranges / kl_weight
    if (bad := np.flatnonzero(~(share < 1e300))).size:
        player = int(bad[0])
        raise InvalidArgumentError(
            f"{caller}: {name} of player {player} must be at least 1e-300 of its payoff range "
            f"{ranges[player]:g}, got {kl_weight[player]:g}"
        )


def log_reference(name: str, reference: ArrayLike, shape: tuple[int, ...], available: NDArray[np.bool_]) -> Float64:
    """Return logarithms of reference probabilities, ``[..., A]``, spread over leading axes that were left out.

    They must be positive where an action is ``available``, zero elsewhere, and sum to 1 within 1e-6.
    """
    array = as_floats(name, reference, InvalidArgumentError)
    if array.ndim == 0 or array.ndim > len(shape) or array.shape != shape[len(shape) - array.ndim :]:
        raise InvalidArgumentError(f"{name} must have shape {list(shape)}, got {list(array.shape)}")
    array = np.broadcast_to(array, shape)
    if not np.isfinite(array).all() or (array < 0.0).any():
        raise InvalidArgumentError(f"{name} must hold finite probabilities >= 0, got {_first(array, ~(array >= 0.0))}")
    if (off := available & (array == 0.0)).any():
        raise InvalidArgumentError(
            f"{name} must be positive wherever an action is available, as nothing can be anchored to a reference that "
            f"never plays it; got 0 at {_place(off)}"
        )
    if (off := ~available & (array > 0.0)).any():
        raise InvalidArgumentError(f"{name} must be 0 where an action is not legal, got {_first(array, off)}")
    totals = array.sum(axis=-1, keepdims=True)
    if (np.abs(totals - 1.0) > 1e-6).any():
        raise InvalidArgumentError(f"{name} must sum to 1, got a sum of {_first(totals, np.abs(totals - 1.0) > 1e-6)}")
    return np.where(available, np.log(np.where(available, array / totals, 1.0)), LOG_ZERO)


def log_uniform(available: NDArray[np.bool_]) -> Float64:
    """Return the logarithms of the uniform distribution over available actions, ``[..., A]``."""
    counts = available.sum(axis=-1, keepdims=True)
    return np.where(available, -np.log(np.maximum(counts, 1)), LOG_ZERO)


def check_players(name: str, arrays: Sequence[ArrayLike], num_players: int) -> None:
    """Raise unless there is one array a player."""
    if not is_listed(arrays) or len(arrays) != num_players:
        got = f"{len(arrays)}" if is_listed(arrays) else shown(arrays)
        raise InvalidArgumentError(f"{name} must be one array a player, {num_players} in all, got {got}")


def frozen(array: Float64) -> Float64:
    """Return ``array``, read-only from now on."""
    array.flags.writeable = False
    return array


def _place(where: NDArray[np.bool_]) -> str:
    return str(tuple(np.argwhere(where)[0].tolist()))


def _first(array: Float64, where: NDArray[np.bool_]) -> str:
    return f"{array[where][0]:g} at {_place(where)}" if array.ndim > 1 else f"{array[where][0]:g}"
