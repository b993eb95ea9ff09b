"""Where joint play leads: transitions between states, their values and shares of visits."""

from __future__ import annotations

from typing import Any

import numpy as np

from coffee_fast.typing import Float64

Transitions = Any  # scipy.sparse.csr_array, which has no types


def state_transitions(joint: Float64, transitions: Transitions) -> Transitions:
    """Return sparse ``[S, S]``: probabilities of the next state under joint play."""
    import scipy.sparse

    S, profiles = len(joint), joint[0].size
    weights = scipy.sparse.csr_array(
        (joint.ravel(), np.arange(S * profiles), np.arange(0, S * profiles + 1, profiles)), shape=(S, S * profiles)
    )
    return weights @ transitions


def values_of(rewards: Float64, moves: Transitions, discount: float) -> Float64:
    """Return ``V = r + discount P V`` for rewards ``[S]`` and sparse moves ``[S, S]``."""
    if discount == 0.0 or moves.nnz == 0:
        return rewards
    return np.asarray(_factorized(moves, discount).solve(rewards))


def visits(moves: Transitions, initial: Float64, discount: float) -> Float64:
    """Return discounted shares of visits ``(1 - discount) (I - discount P^T)^-1 initial``, the end left out."""
    if discount == 0.0 or moves.nnz == 0:
        return initial
    return np.asarray((1.0 - discount) * _factorized(moves, discount).solve(initial, trans="T"))


def _factorized(moves: Transitions, discount: float) -> Any:
    import scipy.sparse
    import scipy.sparse.linalg

    system = scipy.sparse.eye_array(moves.shape[0], format="csc") - discount * moves.tocsc()
    return scipy.sparse.linalg.splu(system)
