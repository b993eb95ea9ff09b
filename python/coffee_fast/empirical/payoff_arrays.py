"""What people write payoffs and mixtures as, turned into checked arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from coffee_fast.checks import check_count
from coffee_fast.errors import CoffeeError, InvalidArgumentError, InvalidGameError, shown
from coffee_fast.typing import Float64

MAX_PAYOFF = 1e280
"""The largest payoff size a table takes: sums and differences of payoffs then stay far from overflow."""

_FAR = 1e3  # ranges from zero: payoffs so far off are moved there before anything is computed


def as_payoffs(name: str, payoffs: Any) -> Float64:
    """Return a read-only copy of ``payoffs``, C-ordered; masked entries are NaN, which says that they are not known."""
    array = as_floats(name, payoffs, InvalidGameError)
    if array.size == 0:
        raise InvalidGameError(f"{name} must have an entry on each axis, got shape {list(array.shape)}")
    if (too_large := np.argwhere(np.abs(array) > MAX_PAYOFF)).size:
        place = tuple(too_large[0].tolist())
        raise InvalidGameError(f"{name} must be finite and at most 1e280 in size, got {array[place]} at {place}")
    array.flags.writeable = False
    return array


def symmetric_arrays(payoffs: Any) -> tuple[Float64, Float64]:
    """Return the payoffs ``[E, S, S]`` of both players of a symmetric game from the row player's."""
    array = as_payoffs("PayoffTable.symmetric: payoffs", payoffs)
    if array.ndim not in (2, 3) or array.shape[-1] != array.shape[-2]:
        raise InvalidGameError(
            f"PayoffTable.symmetric: payoffs must have shape [S, S] or [E, S, S], got {list(array.shape)}"
        )
    array = array.reshape(-1, *array.shape[-2:])
    return array, array.swapaxes(1, 2)


def player_arrays(payoffs: Any) -> tuple[Float64, ...]:
    """Return the payoffs ``[E, S1, ..., Sn]`` of each player from a list of one array a player."""
    caller = "PayoffTable.from_arrays"
    if not is_listed(payoffs):
        raise InvalidGameError(f"{caller}: payoffs must be a list of one array a player, got {shown(payoffs)}")
    arrays = [as_payoffs(f"{caller}: payoffs of player {player}", p) for player, p in enumerate(payoffs)]
    if not arrays:
        raise InvalidGameError(f"{caller}: payoffs must hold one array a player, got none")
    shape, num_players = arrays[0].shape, len(arrays)
    if len(shape) not in (num_players, num_players + 1):
        raise InvalidGameError(
            f"{caller}: payoffs of {num_players} players must have {num_players} axes, or {num_players + 1} with the "
            f"members' axis first, got shape {list(shape)}"
        )
    for player, array in enumerate(arrays):
        if array.shape != shape:
            raise InvalidGameError(
                f"{caller}: payoffs of player {player} must have shape {list(shape)}, got {list(array.shape)}"
            )
    return tuple(array.reshape(-1, *shape[len(shape) - num_players :]) for array in arrays)


def check_mixture(name: str, mixture: ArrayLike, num_strategies: int) -> Float64:
    """Return ``mixture`` as a C-ordered array if it is a distribution over ``num_strategies``, within 1e-6."""
    x = as_floats(name, mixture, InvalidArgumentError)
    if x.shape != (num_strategies,):
        raise InvalidArgumentError(f"{name} must have shape [{num_strategies}], got {list(x.shape)}")
    if not (np.isfinite(x).all() and (x >= -1e-9).all() and abs(x.sum() - 1.0) <= 1e-6):
        raise InvalidArgumentError(f"{name} must hold probabilities >= 0 that sum to 1, got {shown(x.tolist())}")
    return x


def check_profile(caller: str, mixtures: Any, sizes: tuple[int, ...]) -> list[Float64]:
    """Return one array a player if each is a distribution over that player's strategies, ``sizes`` of them."""
    if not is_listed(mixtures):
        raise InvalidArgumentError(f"{caller}: mixtures must be one array a player, got {shown(mixtures)}")
    if len(mixtures) != len(sizes):
        raise InvalidArgumentError(f"{caller}: mixtures must be one a player, {len(sizes)} in all, got {len(mixtures)}")
    return [
        check_mixture(f"{caller}: mixture of player {player}", mixture, sizes[player])
        for player, mixture in enumerate(mixtures)
    ]


def check_index(name: str, index: int, size: int) -> int:
    """Return an integer in ``[0, size)``."""
    if isinstance(index, int | np.integer) and not isinstance(index, bool) and not 0 <= index < size:
        raise InvalidArgumentError(f"{name} must lie in [0, {size}), got {shown(index)}")
    return check_count(name, index, at_least=0)


def origin_of(payoffs: Float64) -> float:
    """Return the middle of payoffs that are far from zero, so that all differences to it are exact; else 0."""
    lowest, highest = float(payoffs.min()), float(payoffs.max())
    middle = 0.5 * lowest + 0.5 * highest
    return middle if abs(middle) > _FAR * (highest - lowest) else 0.0


def is_listed(values: Any) -> bool:
    """Whether these are several values in order: a list, a tuple or an array."""
    return isinstance(values, list | tuple) or (hasattr(values, "__array__") and getattr(values, "ndim", 0) > 0)


def as_floats(name: str, values: Any, error: type[CoffeeError]) -> Float64:
    """Return a C-ordered copy of an array of real numbers; refuses texts, truth values, complex and ragged ones."""
    try:
        array = np.asarray(_unmasked(values))
        if array.dtype.kind in "iuf":
            with np.errstate(over="ignore"):  # wider floats: infinite from here on
                return np.array(array, dtype=np.float64, order="C")
        got = f"dtype {array.dtype}" if array.ndim else shown(values)
    except MemoryError:
        raise error(f"{name} must fit into memory, got {shown(values)}") from None
    except Exception as reason:  # rows of different lengths; an object's own __array__ may raise anything
        raise error(f"{name} must be a rectangular array of numbers: {shown(str(reason))}") from None
    raise error(f"{name} must be an array of real numbers, got {got}")


def _unmasked(values: Any, depth: int = 0) -> Any:
    """Return ``values`` with NaN in place of what a mask hides, also in arrays within a list."""
    if isinstance(values, np.ma.MaskedArray):
        data: NDArray[Any] = np.array(values.data)
        return np.where(np.ma.getmaskarray(values), np.nan, data) if data.dtype.kind in "iuf" else data
    nested = (list, tuple, np.ma.MaskedArray)
    if isinstance(values, list | tuple) and depth < 64 and any(isinstance(entry, nested) for entry in values):
        return [_unmasked(x, depth + 1) for x in values]
    return values
