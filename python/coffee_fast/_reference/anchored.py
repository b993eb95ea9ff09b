"""Kernels of games in which each player is anchored to a reference by a KL divergence, over many games at once.

``G`` independent games are solved side by side. ``payoffs`` holds one array ``[G, A1, ..., An]`` a player, ``mixtures``
and references one array of log-probabilities ``[G, A_i]`` a player, and ``kl_weight`` is ``[G, N]``. A symmetric game
of two players is one array ``[G, A, A]`` and one mixture, played by both. An action that is not available has the
log-probability ``LOG_ZERO`` in the reference: finite, so that differences stay numbers, and zero as a probability.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coffee_fast.typing import Float64, Profile

LOG_ZERO = -1e200
_LETTERS = "abcdefhijklmnopqrstuvwxyz"  # of the action axes in sums; g counts games


def axis_owners(payoffs: Sequence[Float64]) -> list[int]:
    """Return whose mixture each action axis belongs to: axis ``i`` is player ``i``'s, both are of a symmetric game."""
    num_axes = payoffs[0].ndim - 1
    return [0] * num_axes if len(payoffs) == 1 else list(range(num_axes))


def contract(payoffs: Float64, owners: Sequence[int], probabilities: Sequence[Float64], keep: Sequence[int]) -> Float64:
    """Return the payoffs ``[G, ...]`` expected over every action axis but those in ``keep``, in that order."""
    axes = list(range(len(owners)))
    for axis in reversed(range(len(owners))):
        if axis not in keep:
            left = [a for a in axes if a != axis]
            letters = "".join(_LETTERS[a] for a in axes), _LETTERS[axis], "".join(_LETTERS[a] for a in left)
            payoffs = np.einsum("g{},g{}->g{}".format(*letters), payoffs, probabilities[owners[axis]])
            axes = left
    return payoffs if axes == list(keep) else payoffs.swapaxes(-1, -2)


def deviation_payoffs_of_logs(payoffs: Sequence[Float64], mixtures: Sequence[Float64]) -> Profile:
    """Return ``q_i(a) = sum over the others' actions of payoff * probability`` of each player, ``[G, A_i]``."""
    owners, probabilities = axis_owners(payoffs), [np.exp(x) for x in mixtures]
    return [contract(p, owners, probabilities, [player]) for player, p in enumerate(payoffs)]


def log_sum_exp(values: Float64) -> Float64:
    """Return ``log sum exp`` over the last axis, which stays with length one."""
    top = values.max(axis=-1, keepdims=True)
    return np.asarray(top + np.log(np.exp(values - top).sum(axis=-1, keepdims=True)))


def anchored_best_response(values: Float64, reference: Float64, kl_weight: Float64) -> tuple[Float64, Float64]:
    r"""Return :math:`\log(ref \, e^{q / \lambda} / Z)` and the value :math:`\lambda \log \sum ref \, e^{q / \lambda}`.

    ``values`` and ``reference`` (logarithms) are ``[..., A]``, ``kl_weight`` is ``[...]``. The response maximizes
    :math:`x \cdot q - \lambda KL(x \| ref)`.
    """
    top = values.max(axis=-1, keepdims=True)  # taken out, so that the value is exact where weights are small
    scores = reference + (values - top) / kl_weight[..., None]
    log_total = log_sum_exp(scores)
    return scores - log_total, top[..., 0] + kl_weight * log_total[..., 0]


def kl_divergence(mixture: Float64, other: Float64) -> Float64:
    """Return ``KL(mixture || other)`` of log-probabilities over the last axis, never negative by a rounding error.

    Sums ``p (e^d - 1 - d)`` for ``d = log other - log mixture``: each term is at least 0, and the sums of both
    distributions are 1 (Bregman form).
    """
    difference = other - mixture
    p, small = np.exp(mixture), np.abs(difference) < 1.0
    close = np.where(small, difference, 0.0)
    terms = np.where(small, p * (np.expm1(close) - close), np.exp(other) - p - p * difference)
    return np.asarray(np.maximum(terms, 0.0).sum(axis=-1))


def regularized_gap(
    payoffs: Sequence[Float64], reference: Sequence[Float64], kl_weight: Float64, mixtures: Sequence[Float64]
) -> Float64:
    r"""Return ``[G, N]``: what each player could gain in :math:`x \cdot q - \lambda KL(x \| ref)` by deviating.

    That gain is exactly :math:`\lambda KL(x_i \| BR_i)` for the anchored best response to the others.
    """
    values = deviation_payoffs_of_logs(payoffs, mixtures)
    gaps = []
    for player, (q, x) in enumerate(zip(values, mixtures, strict=True)):
        response, _ = anchored_best_response(q, reference[player], kl_weight[:, player])
        gaps.append(kl_weight[:, player] * kl_divergence(x, response))
    return np.stack(gaps, axis=1)


def centered(payoffs: Sequence[Float64]) -> Profile:
    """Return payoffs less, for each profile of the others, the middle of a player's own range: no choice changes."""
    shifted = []
    for player, p in enumerate(payoffs):
        own = player + 1
        middle = 0.5 * p.max(axis=own, keepdims=True) + 0.5 * p.min(axis=own, keepdims=True)
        shifted.append(p - middle)
    return shifted


def contraction(payoffs: Sequence[Float64], kl_weight: Float64) -> Float64:
    r"""Return ``[G]``: below 1, best responses contract, the equilibrium is unique and iterating them finds it.

    With :math:`c_i` the largest range over the others' actions of a (centered) payoff of player ``i``, over
    :math:`2 \lambda_i`: it is :math:`c_1 c_2` for two players, :math:`(n - 1) \max_i c_i` for more, as the softmax is
    1-Lipschitz from the largest-entry norm to the sum norm. Sufficient, not necessary.
    """
    factors = []
    for player, p in enumerate(centered(payoffs)):
        others = tuple(axis for axis in range(1, p.ndim) if axis != player + 1)
        spread = p.max(axis=others) - p.min(axis=others) if others else np.zeros(p.shape)
        factors.append(spread.max(axis=-1) / (2.0 * kl_weight[:, player]))
    num_players = len(axis_owners(payoffs))
    if num_players == 1:
        return np.asarray(factors[0])
    if num_players == 2:
        with np.errstate(over="ignore"):
            return np.asarray(factors[0] * factors[-1])
    return np.asarray((num_players - 1) * np.max(factors, axis=0))
