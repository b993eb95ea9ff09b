"""Policies written down by information state, as they are found in small games."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from coffee_fast import _core
from coffee_fast.action_probabilities import as_batch, as_features
from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.policies import Copied
from coffee_fast.typing import Float32, Float64


@dataclass(frozen=True, eq=False)
class TablePolicy(Copied):
    """At each information state that is written down, what is written; at any other, uniform play.

    Where an action has become illegal, the others keep their shares; where none is left, legal actions are as likely.

    Attributes
    ----------
    information_states
        ``float32 [K, I]``, finite, no two rows alike; as many as you like, or none.
    action_probabilities
        ``float64 [K, A]``: distributions.

    Raises
    ------
    InvalidArgumentError
        For other shapes, rows alike, or rows that are no distributions.

    Notes
    -----
    Cost: of a decision, a search among the rows, some tenths of a microsecond.

    >>> policy = TablePolicy([[0.0, 1.0]], [[0.25, 0.75, 0.0]])
    >>> policy.probabilities([[0.0, 1.0], [5.0, 5.0]], [[1, 1, 0], [1, 0, 1]])
    array([[0.25, 0.75, 0.  ],
           [0.5 , 0.  , 0.5 ]])
    """

    information_states: Float32
    action_probabilities: Float64

    def __post_init__(self) -> None:
        known = as_features("TablePolicy: information_states", self.information_states, ("K", "I"))
        known += np.float32(0.0)  # -0 is 0
        rows = _distributions(self.action_probabilities, len(known))
        for name, array in (("information_states", known), ("action_probabilities", rows)):
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        _ = self.core  # which refuses rows alike

    @cached_property
    def core(self) -> _core.Policy:
        return _core.Policy.table(self.information_states, self.action_probabilities)

    @cached_property
    def _rows(self) -> dict[bytes, int]:
        return {state.tobytes(): row for row, state in enumerate(self.information_states)}

    def probabilities(self, information_states: Any, legal_masks: Any) -> Float64:
        """Return the probability of each action, as :meth:`coffee_fast.NetworkPolicy.probabilities` does."""
        sizes = self.information_states.shape[1], self.action_probabilities.shape[1]
        features, legal = as_batch("TablePolicy.probabilities", information_states, legal_masks, *sizes)
        rows = [self._rows.get(state.tobytes(), -1) for state in features + np.float32(0.0)]
        unwritten = np.zeros((1, sizes[1]))  # found at -1
        weights: Float64 = np.concatenate([self.action_probabilities, unwritten])[rows] * legal
        is_said = weights.any(axis=1, keepdims=True)
        weights = np.where(is_said, weights, legal)
        weights /= weights.sum(axis=1, keepdims=True)
        return weights

    def __repr__(self) -> str:
        num_states, num_actions = self.action_probabilities.shape
        return f"TablePolicy({num_states} information states, {num_actions} actions)"


def _distributions(values: Any, count: int) -> Float64:
    try:
        array = np.array(values, dtype=np.float64, order="C")
    except (TypeError, ValueError, OverflowError):
        array = np.empty(0)
    if array.ndim != 2 or array.shape[0] != count or array.shape[1] < 1:
        raise InvalidArgumentError(
            f"TablePolicy: action_probabilities must be numbers of shape [{count}, A], a row an information state, got "
            f"{shown(values)}"
        )
    shares = np.where((array >= 0.0) & (array <= 2.0), array, 9.0)  # NaN is none
    if len(wrong := np.flatnonzero(np.abs(shares.sum(axis=1) - 1.0) > 1e-6)):
        row = int(wrong[0])
        raise InvalidArgumentError(
            f"TablePolicy: action_probabilities must be distributions, got {shown(array[row].tolist())} at row {row}"
        )
    return array
