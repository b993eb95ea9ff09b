"""The checked arrays of a common-payoff game."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from coffee_fast.checks import check_number
from coffee_fast.errors import InvalidArgumentError, InvalidGameError
from coffee_fast.stage_games.kernels import LOG_ZERO
from coffee_fast.tabular.checks import numbers
from coffee_fast.tabular.game import TabularGame
from coffee_fast.tabular.visits import Transitions, state_transitions, visits
from coffee_fast.typing import Float64, Int64

Bools = NDArray[np.bool_]


def finite(name: str, values: ArrayLike, shape: tuple[int, ...] | None = None) -> Float64:
    array = numbers(f"CommonPayoffGame: {name}", values, shape)
    if (bad := np.argwhere(~np.isfinite(array))).size:
        place = tuple(bad[0].tolist())
        raise InvalidGameError(f"CommonPayoffGame: {name} must be finite, got {array[place]} at {place}")
    return array


def check_common(rewards: Float64, known: Bools) -> None:
    values = rewards[:, known]
    scale = max(1.0, float(np.abs(values).max()))
    if (differ := np.flatnonzero((np.abs(values - values[0]) > 1e-9 * scale).any(axis=1))).size:
        player = int(differ[0])
        column = int(np.argmax(np.abs(values[player] - values[0])))
        raise InvalidGameError(
            f"CommonPayoffGame: all players must get the same reward, got {values[0, column]:g} for player 0 and "
            f"{values[player, column]:g} for player {player} of one cell; pass their sum or mean"
        )


def check_discount(discount: float, transitions: Transitions | None = None) -> float:
    """Return the discount, 0 where nothing follows."""
    discount = check_number("CommonPayoffGame: discount", discount)
    if discount >= 1.0:
        raise InvalidArgumentError(f"CommonPayoffGame: discount must lie in [0, 1), got {discount}")
    return discount if transitions is None or transitions.nnz else 0.0


def log_floored(behavior: Float64, legal: Bools, floor: float) -> Float64:
    """Return log-probabilities that sum to 1 over axes 1, ..., none of them below the floor where legal."""
    check_number("CommonPayoffGame: floor", floor, is_open=True)
    if floor * legal[0].size >= 1.0:
        raise InvalidArgumentError(f"CommonPayoffGame: floor must lie below 1 / {legal[0].size}, got {floor}")
    raised = np.where(legal, np.maximum(behavior, floor), 0.0)
    raised /= raised.sum(axis=tuple(range(1, raised.ndim)), keepdims=True)
    return np.where(legal, np.log(np.where(legal, raised, 1.0)), LOG_ZERO)


def steps_to_come(discount: float, horizon: int | None) -> Float64:
    """Return the discounted number of steps from each step on, ``[H]``; ``[1]`` without a horizon."""
    if horizon is None:
        return np.array([1.0 / (1.0 - discount)])
    return np.cumsum(discount ** np.arange(horizon))[::-1].copy()


def anchored(log_behavior: Float64, counts: Int64 | None, left: Float64) -> Float64:
    """Return log-probabilities, of profiles never seen times the steps to come ``left [S]``.

    To leave the log would else be a way out of what it costs to stay near it.
    """
    if counts is None:
        return log_behavior
    per_step = left.reshape(-1, *[1] * (log_behavior.ndim - 1))
    is_out = (counts == 0) & (log_behavior > LOG_ZERO / 2)
    return np.where(is_out, log_behavior * per_step, log_behavior)


def sparse(dense: Float64) -> Transitions:
    import scipy.sparse

    return scipy.sparse.csr_array(dense)


def unrolled(game: TabularGame, rows: Int64, known: Bools) -> Transitions:
    """Return transitions between the states reached at one step and those reached at the next."""
    import scipy.sparse

    H, S = game.horizon, game.num_states
    profiles = int(np.prod(game.num_actions))
    if game.transitions is None or H == 1:
        return scipy.sparse.csr_array((len(rows) * profiles, len(rows)))
    number = np.full(H * S, -1)
    number[rows] = np.arange(len(rows))
    step, cell, following = np.nonzero(game.transitions.reshape(H, S * profiles, S)[:-1])
    value = game.transitions.reshape(H, S * profiles, S)[step, cell, following]
    row, column = number[step * S + cell // profiles] * profiles + cell % profiles, number[(step + 1) * S + following]
    # Of illegal and unseen cells nothing follows, whatever the array says.
    kept = (number[step * S + cell // profiles] >= 0) & (column >= 0)
    kept[kept] &= known[row[kept]]
    return scipy.sparse.csr_array((value[kept], (row[kept], column[kept])), shape=(len(rows) * profiles, len(rows)))


def behavior_visits(behavior: Float64, transitions: Transitions, initial: Float64, discount: float) -> Float64:
    """Return how often behavior visits each state, discounted; at least a tiny share each, so that logarithms exist."""
    d = visits(state_transitions(behavior, transitions), initial, discount)
    d = np.maximum(d, 1e-12)
    return np.asarray(d / d.sum())
