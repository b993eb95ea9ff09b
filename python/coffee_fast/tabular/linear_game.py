"""Stage games that are linear in features of states and joint actions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from coffee_fast.checks import check_count
from coffee_fast.empirical.payoff_arrays import as_floats
from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.typing import Float64, Int64, Profile

Features = Callable[[Float64, Int64], ArrayLike]


@dataclass(frozen=True, eq=False)
class LinearGame:
    r"""The stage games that a log supports, :math:`Q_{i,h}(s, a) = \phi(s, a) \cdot w_{i,h}`, and how sure it is.

    Attributes
    ----------
    weights
        ``f64[H, N, d]``.
    inverse
        ``f64[H, d, d]``: of the ridge plus the features' second moments.
    features, num_actions, bonus, reward_bound
        As asked for.
    """

    weights: Float64
    inverse: Float64
    features: Features
    num_actions: tuple[int, ...]
    bonus: float
    reward_bound: float | None

    @property
    def horizon(self) -> int:
        return len(self.weights)

    def uncertainty(self, step: int, states: ArrayLike, actions: ArrayLike) -> Float64:
        r"""Return :math:`\sqrt{\phi \Lambda^{-1} \phi}` of rows of states and actions ``[K, N]``.

        In tables it is one over the root of the ridge plus the number of visits.
        """
        rows = self._rows(np.asarray(states, dtype=np.float64), np.asarray(actions, dtype=np.int64))
        square = np.einsum("kd,de,ke->k", rows, self.inverse[self._checked(step)], rows)
        return np.asarray(np.sqrt(np.maximum(square, 0.0)))

    def payoffs(self, step: int, states: ArrayLike) -> Profile:
        """Return the stage games at rows of states, one ``[K, A1, ..., An]`` a player, with what follows."""
        given, profiles = np.asarray(states, dtype=np.float64), np.array(list(np.ndindex(self.num_actions)))
        num_states = len(given)
        rows = self._rows(np.repeat(given, len(profiles), axis=0), np.tile(profiles, (num_states, 1)))
        values = rows @ self.weights[self._checked(step)].T
        if self.bonus != 0.0:
            square = np.einsum("kd,de,ke->k", rows, self.inverse[step], rows)
            values = values + self.bonus * np.sqrt(np.maximum(square, 0.0))[:, None]
        if self.reward_bound is not None:
            most = self.reward_bound * (self.horizon - step)
            values = np.clip(values, -most, most)
        return [v.reshape(num_states, *self.num_actions) for v in values.T]

    def _rows(self, states: Float64, actions: Int64) -> Float64:
        return feature_rows(self.features, states, actions, self.weights.shape[-1])

    def _checked(self, step: int) -> int:
        if not 0 <= step < self.horizon:
            raise InvalidArgumentError(f"step must lie in [0, {self.horizon}), got {step}")
        return step


def one_hot_features(num_states: int, num_actions: Sequence[int]) -> Features:
    """Return features of which each cell of a table has its own: states are integers below ``num_states``.

    >>> one_hot_features(1, (2, 2))(np.array([0]), np.array([[1, 0]])).tolist()
    [[0.0, 0.0, 1.0, 0.0]]
    """
    num_states = check_count("one_hot_features: num_states", num_states, at_least=1)
    if not isinstance(num_actions, Sequence) or isinstance(num_actions, str) or not num_actions:
        raise InvalidArgumentError(f"one_hot_features: num_actions must be one a player, got {shown(num_actions)}")
    shape = (num_states, *(check_count("one_hot_features: num_actions", size, at_least=1) for size in num_actions))

    def features(states: Float64, actions: Int64) -> Float64:
        cells = np.ravel_multi_index((np.asarray(states, dtype=np.int64).ravel(), *actions.T), shape)
        return np.asarray(np.eye(int(np.prod(shape)))[cells])

    return features


def feature_rows(
    features: Features, states: Float64, actions: Int64, size: int | None, caller: str = "rqre"
) -> Float64:
    """Return ``features(states, actions)`` as checked ``[K, d]``."""
    if not callable(features):
        raise InvalidArgumentError(
            f"{caller}: features must be a function of states and actions, got {shown(features)}"
        )
    rows = as_floats(f"{caller}: what features returns", features(states, actions), InvalidArgumentError)
    if rows.ndim != 2 or len(rows) != len(actions) or (size is not None and rows.shape[1] != size):
        width = "d" if size is None else size
        raise InvalidArgumentError(
            f"{caller}: features must return shape [{len(actions)}, {width}], got {list(rows.shape)}"
        )
    if (bad := np.argwhere(~np.isfinite(rows))).size:
        raise InvalidArgumentError(f"{caller}: features must be finite, got {rows[tuple(bad[0])]} in row {bad[0, 0]}")
    return rows
