r"""Kernels of risk-averse quantal responses, over many games at once.

Player ``i`` maximizes over its mixture ``x``, against the others' joint distribution ``q`` (a product of mixtures),

.. math:: \min_p \left[ x \cdot U p + D(p, q) / \tau \right] - \epsilon \, \nu(x):

an adversary may move the others' play to ``p``, for a price. Games are laid out as in
:mod:`coffee_fast._reference.anchored`, with payoffs in units of the player's temperature :math:`\epsilon` and risk
aversion :math:`\tau` in units of one over it, ``[G, N]``; mixtures are log-probabilities, ``LOG_ZERO`` for actions that
are not legal. Source: Mazumdar, Panaganti and Shi 2025.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from coffee_fast._reference import anchored
from coffee_fast._reference.anchored import LOG_ZERO
from coffee_fast.typing import Float64, Int64, Profile

Divergence = Literal["kl", "reverse_kl"]
Regularizer = Literal["log_barrier", "entropy"]
DIVERGENCES: tuple[Divergence, ...] = ("kl", "reverse_kl")
REGULARIZERS: tuple[Regularizer, ...] = ("log_barrier", "entropy")
_LEAST_LOG = -650.0  # below it 1 / probability overflows
LARGEST_LOG = 20.0  # of trial points off the simplex, refused by what they leave
_LEAST_LEGAL_LOG = -1e150  # of what is legal, however far trial points go: far above the mark of what is not


@dataclass(frozen=True)
class Adversary:
    r"""The worst play of the others: ``p [G, B]``, how it bends ``h [G, B]``, and what it leaves ``value [G]``.

    The change of :math:`\log p` is :math:`z - h (p \cdot z) / (p \cdot h)` for :math:`z = d\log q - \tau h \, dc`.
    ``above [G, B]`` is the payoff above the least.
    """

    p: Float64
    h: Float64
    above: Float64
    value: Float64


def adversary(divergence: Divergence, payoffs: Float64, log_q: Float64, risk_aversion: Float64) -> Adversary:
    r"""Return the distribution that minimizes :math:`c \cdot p + D / \tau` for payoffs ``c [G, B]``.

    ``"kl"`` is :math:`KL(p \| q)`, with :math:`p \propto q e^{-\tau c}`; ``"reverse_kl"`` is :math:`KL(q \| p)`, with
    :math:`p = q / (\tau (c - \nu))` for the level :math:`\nu` that makes it sum to one. Risk aversion 0 gives ``q``.
    """
    tau, available = risk_aversion[:, None], log_q > LOG_ZERO / 2
    least = np.where(available, payoffs, np.inf).min(axis=1, keepdims=True)
    over = np.where(available, payoffs - least, 0.0)
    above = tau * over
    log_total = anchored.log_sum_exp(log_q)
    q = np.exp(log_q - log_total)
    mean = (q * above).sum(axis=1)
    if divergence == "kl":
        scores = log_q - above
        p = np.exp(scores - anchored.log_sum_exp(scores))
        # log E e^-(c - mean), without cancellation where risk is small
        small = above - mean[:, None]
        near = np.log1p((q * np.expm1(-np.where(np.abs(small) < 1.0, small, 0.0))).sum(axis=1))
        far = (anchored.log_sum_exp(scores) - log_total)[:, 0] + mean
        premium = np.where((np.abs(small) < 1.0).all(axis=1), near, far)
        return Adversary(p, np.ones_like(p), over, _sure(payoffs, q, -premium, risk_aversion))
    weights = np.where(available, np.exp(np.clip(log_q, _LEAST_LOG, LARGEST_LOG)), 0.0)
    s = level(weights, above)
    total = above + s
    p = np.where(available, weights / total, 0.0)
    change = above + (s - 1.0)
    logs = np.where(np.abs(change) < 0.5, np.log1p(np.where(np.abs(change) < 0.5, change, 0.0)), np.log(total))
    premium = mean - (1.0 - s[:, 0]) - (q * logs).sum(axis=1)
    return Adversary(p / p.sum(axis=1, keepdims=True), 1.0 / total, over, _sure(payoffs, q, -premium, risk_aversion))


def level(weights: Float64, gaps: Float64) -> Float64:
    """Return ``s [G, 1]`` with ``sum weights / (gaps + s) = 1`` for weights and gaps ``[G, B]`` at least 0.

    One over that sum is concave and rises with ``s``, so Newton steps from below climb to the root and never past it.
    """
    s = np.where(gaps == 0.0, weights, 0.0).sum(axis=1, keepdims=True)
    for _ in range(200):
        ratio = weights / (gaps + s)
        total = ratio.sum(axis=1, keepdims=True)
        step = total * (total - 1.0) / (ratio / (gaps + s)).sum(axis=1, keepdims=True)
        s = s + step
        if (np.abs(step) <= 4e-16 * s).all():
            break
    return np.asarray(s)


def response(regularizer: Regularizer, values: Float64, legal: Float64) -> tuple[Float64, Float64]:
    r"""Return ``log y``, the mixture that maximizes :math:`v \cdot y - \nu(y)`, and how it bends, ``k``, ``[G, A]``.

    ``"entropy"`` is :math:`\nu = \sum y \log y`, the softmax; ``"log_barrier"`` :math:`\nu = - \sum \log y`, with
    :math:`y = 1 / (\lambda - v)`. The change of ``log y`` is :math:`k (dv - \sum y k \, dv / \sum y k)`. ``legal``
    holds log-probabilities that are ``LOG_ZERO`` where an action is not.
    """
    is_legal = legal > LOG_ZERO / 2
    top = np.where(is_legal, values, -np.inf).max(axis=1, keepdims=True)
    if regularizer == "entropy":
        scores = np.where(is_legal, values - top, LOG_ZERO)
        return scores - anchored.log_sum_exp(scores), is_legal.astype(np.float64)
    gaps = np.where(is_legal, top - values, 0.0)
    total = gaps + level(is_legal.astype(np.float64), gaps)
    return np.where(is_legal, -np.log(total), LOG_ZERO), np.where(is_legal, 1.0 / total, 0.0)


def excess(regularizer: Regularizer, mixture: Float64, best: Float64) -> Float64:
    r"""Return ``[G]``: what :math:`v \cdot x - \nu(x)` falls short of its maximum, which is at ``best``; both logs.

    The Bregman divergence of :math:`\nu`: ``KL(x || y)`` or :math:`\sum x/y - 1 - \log x/y`.
    """
    if regularizer == "entropy":
        return anchored.kl_divergence(mixture, best)
    difference = np.where(best > LOG_ZERO / 2, mixture - best, 0.0)
    return np.asarray(np.maximum(np.expm1(difference) - difference, 0.0).sum(axis=1))


def penalty(regularizer: Regularizer, mixture: Float64) -> Float64:
    r"""Return :math:`\nu(x)`, ``[G]``."""
    legal = mixture > LOG_ZERO / 2
    logs = np.where(legal, mixture, 0.0)
    return np.asarray((np.exp(mixture) * logs).sum(axis=1) if regularizer == "entropy" else -logs.sum(axis=1))


@dataclass(frozen=True)
class RiskAverseGames:
    """``G`` games: each player's payoffs ``[G, A_i, B]``, own actions by joint actions of the others.

    ``axes`` has for each player the (owner, size) of the others' axes; ``legal`` one log-distribution a player.
    """

    matrices: Profile
    axes: tuple[tuple[tuple[int, int], ...], ...]
    risk_aversion: Float64
    legal: Profile
    divergence: Divergence
    regularizer: Regularizer

    @classmethod
    def of(
        cls,
        payoffs: Sequence[Float64],
        risk_aversion: Float64,
        legal: Sequence[Float64],
        divergence: Divergence,
        regularizer: Regularizer,
    ) -> RiskAverseGames:
        """Lay out payoffs ``[G, A1, ..., An]``, in units of the temperature (one array alone: a symmetric game)."""
        owners, matrices, axes = anchored.axis_owners(payoffs), [], []
        for player, u in enumerate(payoffs):
            own = np.moveaxis(u, player + 1, 1)
            matrices.append(np.ascontiguousarray(own).reshape(*own.shape[:2], own[0, 0].size))
            others = [axis for axis in range(len(owners)) if axis != player]
            axes.append(tuple((owners[axis], u.shape[axis + 1]) for axis in others))
        return cls(matrices, tuple(axes), risk_aversion, list(legal), divergence, regularizer)

    def rows(self, games: Int64 | NDArray[np.bool_]) -> RiskAverseGames:
        """Return these games alone."""
        matrices, legal = [m[games] for m in self.matrices], [x[games] for x in self.legal]
        tau = self.risk_aversion[games]
        return RiskAverseGames(matrices, self.axes, tau, legal, self.divergence, self.regularizer)

    def adversary(self, player: int, mixtures: Sequence[Float64], t: Float64 | float = 1.0) -> Adversary:
        """Return the worst joint play of the others for ``player``, with ``t`` of its risk aversion."""
        payoffs, log_q = self.against_each(player, mixtures), self.log_others(player, mixtures)
        return adversary(self.divergence, payoffs, log_q, t * self.risk_aversion[:, player])

    def against_each(self, player: int, mixtures: Sequence[Float64]) -> Float64:
        """Return what the player's mixture earns against each joint action of the others, ``[G, B]``."""
        own = np.exp(np.minimum(mixtures[player], LARGEST_LOG))
        return np.asarray(np.einsum("ga,gab->gb", own, self.matrices[player]))

    def log_others(self, player: int, mixtures: Sequence[Float64]) -> Float64:
        """Return the logarithms of what the others jointly play, ``[G, B]``."""
        log_q = np.zeros((len(mixtures[0]), 1))
        for owner, size in self.axes[player]:
            least = np.where(self.legal[owner] > LOG_ZERO / 2, _LEAST_LEGAL_LOG, LOG_ZERO)
            joint = log_q[:, :, None] + np.maximum(mixtures[owner], least)[:, None, :]
            log_q = joint.reshape(len(log_q), log_q.shape[1] * size)
        return np.maximum(log_q, LOG_ZERO)

    def responses(self, mixtures: Sequence[Float64], adversaries: Sequence[Float64] | None = None) -> Profile:
        """Return each player's best mixture against its adversary (the worst one, or ``p [G, B]``), as logarithms."""
        found = []
        for player, matrix in enumerate(self.matrices):
            p = self.adversary(player, mixtures).p if adversaries is None else adversaries[player]
            values = np.einsum("gab,gb->ga", matrix, p)
            found.append(response(self.regularizer, values, self.legal[player])[0])
        return found

    def gap(self, mixtures: Sequence[Float64]) -> Float64:
        """Return ``[G, N]``, in units of the temperature: at most what each player could gain by another mixture.

        What it could gain while its adversary stays, which is no less as the adversary would follow, and zero only
        in equilibrium.
        """
        best = self.responses(mixtures)
        return np.stack([excess(self.regularizer, x, y) for x, y in zip(mixtures, best, strict=True)], axis=1)

    def residual(self, mixtures: Sequence[Float64], adversaries: Sequence[Float64]) -> Float64:
        """Return ``[G, N]``: the largest difference of a probability from the best response to ``p [G, B]``."""
        best = self.responses(mixtures, adversaries)
        found = [np.abs(np.exp(x) - np.exp(y)).max(axis=1) for x, y in zip(mixtures, best, strict=True)]
        return np.stack(found, axis=1)

    def saddle_gap(self, mixtures: Sequence[Float64], adversaries: Sequence[Float64]) -> Float64:
        r"""Return the bound of :meth:`gap` that other adversaries, ``log p [G, B]`` of reverse KL, give; ``[G, N]``.

        What a player could gain against ``p``, and its adversary by leaving it: :math:`\sum q (p / p^* - 1 - \log p /
        p^*) / \tau`. It is the sharper one where rounding of tiny probabilities decides what the worst play is.
        """
        best = self.responses(mixtures, [np.exp(m) for m in adversaries])
        found = []
        for player, (x, y, m) in enumerate(zip(mixtures, best, adversaries, strict=True)):
            worst, log_q = self.adversary(player, mixtures), np.maximum(self.log_others(player, mixtures), _LEAST_LOG)
            ratio = np.where(worst.p > 0.0, m - np.log(np.maximum(worst.p, 1e-300)), 0.0)
            lost = (np.exp(log_q + ratio) - np.exp(log_q) * (1.0 + ratio)).sum(axis=1)
            tau = self.risk_aversion[:, player]
            left = np.where(tau > 0.0, np.maximum(lost, 0.0) / np.where(tau > 0.0, tau, 1.0), np.inf)
            found.append(excess(self.regularizer, x, y) + left)
        return np.stack(found, axis=1)

    def value(self, mixtures: Sequence[Float64]) -> Float64:
        """Return ``[G, N]``, in units of the temperature: the objective of each player."""
        found = []
        for player, x in enumerate(mixtures):
            found.append(self.adversary(player, mixtures).value - penalty(self.regularizer, x))
        return np.stack(found, axis=1)


def _sure(payoffs: Float64, q: Float64, negative: Float64, risk_aversion: Float64) -> Float64:
    """Return the mean payoff less the price of risk, ``negative / tau`` (nothing without risk aversion)."""
    mean = (q * payoffs).sum(axis=1)
    return np.asarray(mean + negative / np.where(risk_aversion > 0.0, risk_aversion, 1.0))
