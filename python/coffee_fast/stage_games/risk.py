"""The checked arguments of risk-averse solvers, and what they say of every game: tractable, unique."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coffee_fast.checks import check_choice
from coffee_fast.errors import InvalidArgumentError
from coffee_fast.stage_games.arguments import (
    LARGEST_RATIO,
    check_kl_weight,
    check_per_player,
    check_weight_against_ranges,
)
from coffee_fast.stage_games.kernels import (
    DIVERGENCES,
    REGULARIZERS,
    Divergence,
    Regularizer,
    contraction,
    is_zero_sum,
    risk_averse_figures,
    solve_risk_averse,
)
from coffee_fast.typing import Float64, Int64, Profile

PerPlayer = float | Sequence[float] | None


@dataclass(frozen=True, eq=False)
class Risk:
    """Temperatures and risk aversions ``[N]``, and the shapes of both."""

    temperature: Float64
    risk_aversion: Float64
    divergence: Divergence
    regularizer: Regularizer

    @classmethod
    def of(
        cls,
        caller: str,
        temperature: PerPlayer,
        risk_aversion: PerPlayer,
        divergence: Divergence,
        regularizer: Regularizer,
        ranges: Float64,
    ) -> Risk:
        """Check arguments; defaults are a tenth of the payoff ranges and one over the temperature."""
        check_choice(f"{caller}: divergence", divergence, DIVERGENCES)
        check_choice(f"{caller}: regularizer", regularizer, REGULARIZERS)
        epsilon = check_kl_weight(caller, temperature, ranges, "temperature")
        check_weight_against_ranges(caller, epsilon, ranges, "temperature")
        if risk_aversion is None:
            tau = 1.0 / epsilon
        else:
            tau = check_per_player(f"{caller}: risk_aversion", risk_aversion, len(ranges))
            if (tau < 0.0).any():
                raise InvalidArgumentError(
                    f"{caller}: risk_aversion must be >= 0 (0 is neutral), as nobody seeks risk here; got {tau.min():g}"
                )
        with np.errstate(over="ignore"):
            if not (tau * ranges < 1e300).all():
                raise InvalidArgumentError(
                    f"{caller}: risk_aversion times the range of payoffs must be below 1e300, got {tau.max():g} and "
                    f"{ranges.max():g}"
                )
        return cls(epsilon, tau, divergence, regularizer)

    @property
    def tractability(self) -> float:
        """The product of the two smallest ``temperature * risk_aversion``."""
        if len(self.temperature) == 1:
            return float("inf")
        first, second = np.sort(self.temperature * self.risk_aversion)[:2].tolist()
        return float(first * second)

    @property
    def _is_covered(self) -> bool:
        """Whether the regularizer is steep enough for the divergence: what a small probability does, it holds back."""
        return self.divergence == "reverse_kl" or self.regularizer == "log_barrier"

    @property
    def is_tractable(self) -> bool:
        """Whether no-regret learning finds the equilibrium, whatever the payoffs (Mazumdar et al. 2025, Theorem 3)."""
        return self._is_covered and len(self.temperature) <= 2 and self.tractability >= 1.0

    @property
    def is_monotone(self) -> bool:
        r"""Whether the game with adversaries is strictly monotone whatever the payoffs are: one equilibrium.

        For weights :math:`w` of players, in the derivative of the game with adversaries bilinear terms cancel, and a
        player ``j`` bounds what its move does to the adversary of ``i`` if :math:`w_i / \tau_i \le 4 \epsilon_j w_j /
        (n - 1)^2`; such weights exist if the product around every cycle of players is above 1, which the two
        smallest :math:`\epsilon \tau` decide. For two players the bound is that of Zhang and Mazumdar 2026.
        """
        num_players = len(self.temperature)
        return num_players == 1 or (self._is_covered and 16.0 * self.tractability > (num_players - 1) ** 4)

    def is_unique(self, payoffs: Profile) -> bool:
        """Whether each game ``[G, A1, ..., An]`` provably has one equilibrium."""
        if self.is_monotone:
            return True
        if (self.risk_aversion > 0.0).any():
            return False
        weights = np.tile(self.temperature[: len(payoffs)], (len(payoffs[0]), 1))
        contracts = contraction(payoffs, weights) < 1.0
        return bool((contracts | is_zero_sum(payoffs, np.ones_like(weights))).all())

    def solve(
        self,
        payoffs: Profile,
        legal: Profile,
        *,
        tolerance: float,
        max_iterations: int,
        initial: Profile | None = None,
    ) -> StageEquilibria:
        """Solve games ``[G, A1, ..., An]``, one array alone if symmetric; converged within a share of their ranges.

        No more than that share of ten temperatures is allowed: one outlier must not widen what is.
        """
        scaled, tau, middle, allowed = self._scaled(payoffs, tolerance)
        epsilon = self.temperature[: len(payoffs)]
        found = solve_risk_averse(
            scaled,
            tau,
            legal,
            allowed,
            divergence=self.divergence,
            regularizer=self.regularizer,
            initial=initial,
            max_iterations=max_iterations,
        )
        return StageEquilibria(
            mixtures=[np.exp(x) for x in found.mixtures],
            adversaries=found.adversaries,
            gap=found.gap * epsilon,
            residual=found.residual,
            value=found.value * epsilon + middle,
            converged=found.converged,
            num_iterations=found.num_iterations,
        )

    def judge(
        self, payoffs: Profile, legal: Profile, mixtures: Profile, *, tolerance: float
    ) -> tuple[StageEquilibria, Profile]:
        """Return what given mixtures (logarithms) are in the games, and each player's best response as logarithms."""
        scaled, tau, middle, allowed = self._scaled(payoffs, tolerance)
        found = risk_averse_figures(
            scaled, tau, legal, mixtures, divergence=self.divergence, regularizer=self.regularizer
        )
        plain = [np.exp(x) for x in mixtures]
        off = [np.abs(x - np.exp(y)).max(axis=1) for x, y in zip(plain, found.responses, strict=True)]
        epsilon = self.temperature[: len(payoffs)]
        judged = StageEquilibria(
            mixtures=plain,
            adversaries=found.adversaries,
            gap=found.gap * epsilon,
            residual=np.stack(off, axis=1),
            value=found.value * epsilon + middle,
            converged=np.asarray((found.gap <= allowed).all(axis=1)),
            num_iterations=np.zeros(len(tau), dtype=np.int64),
        )
        return judged, found.responses

    def _scaled(self, payoffs: Profile, tolerance: float) -> tuple[Profile, Float64, Float64, Float64]:
        """Return payoffs and risk aversions in units of temperatures, the constants taken off, and gaps allowed."""
        num_games, epsilon = len(payoffs[0]), self.temperature[: len(payoffs)]
        flat = np.stack([u.reshape(num_games, -1) for u in payoffs], axis=1)
        # A constant changes no choice; payoffs near zero keep their digits.
        middle = 0.5 * flat.max(axis=2) + 0.5 * flat.min(axis=2)
        scaled = [(u - _as_axes(middle[:, i], u)) / epsilon[i] for i, u in enumerate(payoffs)]
        tau = np.tile(epsilon * self.risk_aversion[: len(payoffs)], (num_games, 1))
        ranges = np.ptp(flat, axis=2)
        allowed = tolerance * np.minimum(np.where(ranges > 0.0, ranges, 1.0) / epsilon, LARGEST_RATIO)
        return scaled, tau, middle, allowed


@dataclass(frozen=True, eq=False)
class StageEquilibria:
    """Of ``G`` games: mixtures ``[G, A_i]``, adversaries ``[G, B]``, and ``[G, N]`` figures in units of payoff."""

    mixtures: Profile
    adversaries: Profile
    gap: Float64
    residual: Float64
    value: Float64
    converged: NDArray[np.bool_]
    num_iterations: Int64


def _as_axes(values: Float64, like: Float64) -> Float64:
    return values.reshape(-1, *[1] * (like.ndim - 1))
