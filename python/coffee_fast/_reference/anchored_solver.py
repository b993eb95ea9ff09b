"""Equilibria of anchored games: iterated best responses and mirror descent where they are sure, else a branch traced.

See :mod:`coffee_fast._reference.anchored` for the layout of the games. Inside, payoffs are divided by each player's KL
weight, so that the best response is ``softmax(log ref + q)`` and the gap ``KL(x || response)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from coffee_fast._reference import anchored
from coffee_fast._reference.anchored_branch import trace_branch
from coffee_fast.typing import Float64, Int64, Profile

Method = Literal["auto", "fixed_point", "mirror_descent", "homotopy"]
METHODS: tuple[Method, ...] = ("fixed_point", "mirror_descent", "homotopy")
_RESCUE_ITERATIONS = 200
_RESCUE_DAMPING = 0.1
_LARGEST_RATIO = 10.0  # of a range to a weight: one outlier must not widen what is allowed


@dataclass(frozen=True, eq=False)
class Equilibria:
    """Of ``G`` games: the best profiles found, as logarithms ``[G, A_i]``, and how good they are.

    ``gap [G, N]`` is each player's regularized gap, ``converged [G]`` says whether all are within tolerance,
    ``contraction [G]`` is below 1 where the equilibrium is known to be unique by it, ``zero_sum [G]`` where it is
    unique because payoffs add to a constant; ``method [G]`` counts in METHODS.
    """

    mixtures: Profile
    gap: Float64
    converged: NDArray[np.bool_]
    num_iterations: Int64
    contraction: Float64
    zero_sum: NDArray[np.bool_]
    method: Int64


def solve_anchored(
    payoffs: Sequence[Float64],
    reference: Sequence[Float64],
    kl_weight: Float64,
    *,
    method: Method = "auto",
    tolerance: float = 1e-10,
    max_iterations: int = 500,
) -> Equilibria:
    """Return a regularized Nash equilibrium of each game, on the branch that starts at the reference.

    ``"auto"`` iterates best responses where they contract, follows mirror descent where the game is zero-sum (with one
    weight for both) and its rate makes that the cheaper way, and traces the branch of equilibria from infinite weight
    elsewhere, as it does for games that the first two leave unfinished. A game has converged when each gap is at most
    ``tolerance`` times the player's range of payoffs or, if that is less, ten times its weight.
    """
    num_games = len(payoffs[0])
    ranges = np.stack([np.ptp(p.reshape(num_games, -1), axis=1) for p in payoffs], axis=1)
    scaled = [p / _as_axes(kl_weight[:, i], p) for i, p in enumerate(anchored.centered(payoffs))]
    contraction, zero_sum = anchored.contraction(payoffs, kl_weight), is_zero_sum(payoffs, kl_weight)
    with np.errstate(over="ignore"):
        allowed = tolerance * np.minimum(np.where(ranges > 0, ranges, 1.0) / kl_weight, _LARGEST_RATIO)  # of the KL
    kind = np.full(num_games, 2) if method == "auto" else np.full(num_games, METHODS.index(method))
    # (1 + step * weight)^-1 for the step weight / max |U|^2 of mirror descent, as a share of the way to the response
    ratio = kl_weight.min(axis=1) / np.maximum(0.5 * ranges.max(axis=1), 1e-280)
    strength = np.minimum(ratio, 1e8) ** 2
    if method == "auto":
        needed = np.log(1.0 / min(tolerance, 0.5)) / np.log1p(strength)
        # A linear system costs the cube of the number of actions; there are some tens on a branch.
        cost, cost_of_branch = sum(p[0].size for p in payoffs), 2 * sum(x.shape[1] for x in reference) ** 3
        is_quick = needed <= min(max_iterations, cost_of_branch / cost)
        kind[zero_sum & is_quick] = 1
        kind[contraction < 1.0] = 0
    search = _Search(scaled, reference, allowed)
    damping = np.where(kind == 0, 1.0, strength / (1.0 + strength))
    search.iterate(np.flatnonzero(kind < 2), damping, max_iterations)
    if method == "auto":
        kind[~search.converged] = 2
    search.trace(np.flatnonzero(kind == 2))
    if method in ("auto", "homotopy"):  # tracing got stuck: whatever is in reach, with its gap
        search.iterate(np.flatnonzero(~search.converged), np.full(num_games, _RESCUE_DAMPING), _RESCUE_ITERATIONS)
    mixtures, gap = search.mixtures, search.divergence * kl_weight
    return Equilibria(mixtures, gap, search.converged, search.num_iterations, contraction, zero_sum, kind)


def iterate_responses(
    scaled: Sequence[Float64], reference: Sequence[Float64], mixtures: Sequence[Float64], damping: Float64
) -> Profile:
    r"""Return ``softmax((1 - d) log x + d (log ref + q))``, ``d [G]``, for every player at once.

    With d = 1 the best response, with :math:`d = \eta \lambda / (1 + \eta \lambda)` one step of (magnetic) mirror
    descent of step size :math:`\eta`.
    """
    values = anchored.deviation_payoffs_of_logs(scaled, mixtures)
    d = damping[:, None]
    moved = [(1.0 - d) * x + d * (ref + q) for x, ref, q in zip(mixtures, reference, values, strict=True)]
    return [x - anchored.log_sum_exp(x) for x in moved]


def is_zero_sum(payoffs: Sequence[Float64], kl_weight: Float64) -> NDArray[np.bool_]:
    """Return ``[G]``: whether two players with one KL weight have payoffs that add to a constant (to 1e-9)."""
    num_games = len(payoffs[0])
    if payoffs[0].ndim != 3:
        return np.zeros(num_games, dtype=bool)
    column = payoffs[1] if len(payoffs) == 2 else payoffs[0].swapaxes(1, 2)
    spread = np.ptp((0.5 * payoffs[0] + 0.5 * column).reshape(num_games, -1), axis=1)
    scale = np.ptp(payoffs[0].reshape(num_games, -1), axis=1)
    same_weight = (kl_weight == kl_weight[:, :1]).all(axis=1)
    return np.asarray((spread <= 1e-9 * scale) & same_weight)


class _Search:
    """The best profile found of each game so far, by the largest gap as a share of what is allowed."""

    def __init__(self, scaled: Profile, reference: Sequence[Float64], allowed: Float64) -> None:
        self.scaled, self.reference, self.allowed = scaled, list(reference), allowed
        self.mixtures = [x.copy() for x in reference]
        self.num_iterations = np.zeros(len(allowed), dtype=np.int64)
        self.divergence = self._divergence(slice(None), self.mixtures)

    @property
    def converged(self) -> NDArray[np.bool_]:
        return np.asarray((self.divergence <= self.allowed).all(axis=1))

    def iterate(self, games: Int64, damping: Float64, num_iterations: int) -> None:
        """Move these games on from their best profile until they have converged."""
        games = games[~self.converged[games]]
        scaled, reference, current = (_rows(x, games) for x in (self.scaled, self.reference, self.mixtures))
        for _ in range(num_iterations):
            if not len(games):
                return
            current = iterate_responses(scaled, reference, current, damping[games])
            self.num_iterations[games] += 1
            running = ~self._keep(games, current)
            if not running.all():
                games = games[running]
                scaled, reference, current = (_rows(x, running) for x in (scaled, reference, current))

    def trace(self, games: Int64) -> None:
        """Trace the branch of these games from their reference."""
        if len(games):
            mixtures, num_iterations = trace_branch(
                _rows(self.scaled, games), _rows(self.reference, games), self.allowed[games]
            )
            self.num_iterations[games] += num_iterations
            self._keep(games, mixtures)

    def _keep(self, games: Int64, mixtures: Profile) -> NDArray[np.bool_]:
        """Keep what is better than before; return which of these games have converged."""
        divergence = self._divergence(games, mixtures)
        better = _excess(divergence, self.allowed[games]) < _excess(self.divergence[games], self.allowed[games])
        for kept, x in zip(self.mixtures, mixtures, strict=True):
            kept[games[better]] = x[better]
        self.divergence[games[better]] = divergence[better]
        return self.converged[games]

    def _divergence(self, games: Int64 | slice, mixtures: Profile) -> Float64:
        scaled, reference = _rows(self.scaled, games), _rows(self.reference, games)
        ones = np.ones((len(mixtures[0]), len(scaled)))
        return anchored.regularized_gap(scaled, reference, ones, mixtures)


def _excess(divergence: Float64, allowed: Float64) -> Float64:
    return np.asarray((divergence / allowed).max(axis=1))


def _rows(arrays: Sequence[Float64], rows: Int64 | NDArray[np.bool_] | slice) -> Profile:
    return [array[rows] for array in arrays]


def _as_axes(values: Float64, like: Float64) -> Float64:
    return values.reshape(-1, *[1] * (like.ndim - 1))
