"""Risk-averse quantal equilibria: the branch traced down from infinite temperatures, Newton steps and damped responses.

See :mod:`coffee_fast._reference.risk_averse` for the layout of the games.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coffee_fast._reference import anchored
from coffee_fast._reference.anchored_branch import trace
from coffee_fast._reference.risk_averse import Divergence, Regularizer, RiskAverseGames
from coffee_fast._reference.risk_averse_branch import RiskAverseBranch, SlackBranch
from coffee_fast.typing import Float64, Int64, Profile

_DAMPINGS = (0.5, 0.1, 0.02)
_EXACT = 1e-26  # the gap, in temperatures, at which Newton steps have no digit left to gain


@dataclass(frozen=True, eq=False)
class RiskAverseEquilibria:
    """Of ``G`` games: the best profiles found, as logarithms ``[G, A_i]``, and how good they are.

    ``adversaries`` are ``[G, B]``; ``gap``, against them, and ``value`` are ``[G, N]`` in units of the temperature,
    ``residual [G, N]`` is the largest difference of a probability from the best response to them, and
    ``converged [G]`` says whether all gaps are within what was allowed.
    """

    mixtures: Profile
    adversaries: Profile
    gap: Float64
    residual: Float64
    value: Float64
    converged: NDArray[np.bool_]
    num_iterations: Int64


def solve_risk_averse(
    payoffs: Sequence[Float64],
    risk_aversion: Float64,
    legal: Sequence[Float64],
    allowed: Float64,
    *,
    divergence: Divergence,
    regularizer: Regularizer,
    initial: Sequence[Float64] | None = None,
    max_iterations: int = 2000,
) -> RiskAverseEquilibria:
    """Return a risk-averse quantal equilibrium of each game; it has converged with gaps within ``allowed [G, N]``.

    ``payoffs``, ``risk_aversion [G, N]`` and ``legal`` make the games, see :meth:`RiskAverseGames.of`.
    It is the one on the branch that starts at uniform play, for infinite temperatures and no risk aversion; with
    ``initial`` mixtures (their logarithms) the one that damped responses and Newton steps lead to from there. Games
    that these leave unfinished end with the best profile that as many steps and damped responses find.
    """
    games = RiskAverseGames.of(payoffs, risk_aversion, legal, divergence, regularizer)
    with np.errstate(over="ignore", invalid="ignore"):  # far from any equilibrium gaps may be infinite
        search = _Search(games, allowed, games.legal if initial is None else initial)
        everything = np.arange(len(allowed))
        if initial is None:
            search.trace(everything, max_iterations)
        for damping in _DAMPINGS:
            search.iterate(np.flatnonzero(~search.converged), damping, max_iterations // len(_DAMPINGS))
            search.polish(np.flatnonzero(~search.converged))
        search.polish(everything)
    return RiskAverseEquilibria(
        mixtures=search.mixtures,
        adversaries=search.adversaries,
        gap=search.gap,
        residual=games.residual(search.mixtures, search.adversaries),
        value=games.value(search.mixtures),
        converged=search.converged,
        num_iterations=search.num_iterations,
    )


class _Search:
    """The best profile found of each game so far, by the largest gap as a share of what is allowed."""

    def __init__(self, games: RiskAverseGames, allowed: Float64, start: Sequence[Float64]) -> None:
        self.games, self.allowed = games, allowed
        self.mixtures = [x.copy() for x in start]
        self.num_iterations = np.zeros(len(allowed), dtype=np.int64)
        self.gap = games.gap(self.mixtures)
        self.adversaries = [games.adversary(i, self.mixtures).p for i in range(len(games.matrices))]

    @property
    def converged(self) -> NDArray[np.bool_]:
        return np.asarray((self.gap <= self.allowed).all(axis=1))

    def trace(self, games: Int64, num_steps: int) -> None:
        """Trace the branch of these games from uniform play."""
        branch = (SlackBranch if self.games.divergence == "reverse_kl" else RiskAverseBranch)(self.games.rows(games))
        trace(branch, num_steps)
        self._end(games, branch)

    def polish(self, games: Int64) -> None:
        """Take Newton steps from the best profile."""
        if len(games):
            self._end(games, RiskAverseBranch(self.games.rows(games), [x[games] for x in self.mixtures]))

    def iterate(self, games: Int64, damping: float, num_iterations: int) -> None:
        """Move these games from their best profile a share of the way to each response until they have converged."""
        rows, current = self.games.rows(games), [x[games] for x in self.mixtures]
        for _ in range(num_iterations if len(games) else 0):
            best = rows.responses(current)
            moved = [(1.0 - damping) * x + damping * y for x, y in zip(current, best, strict=True)]
            current = [x - anchored.log_sum_exp(x) for x in moved]
            self.num_iterations[games] += 1
            running = ~self._keep(games, current)
            if not running.all():
                games, current = games[running], [x[running] for x in current]
                rows = rows.rows(running)
            if not len(games):
                return

    def _end(self, games: Int64, branch: RiskAverseBranch) -> None:
        branch.polish(np.full((len(games), 1), _EXACT))
        self.num_iterations[games] += branch.num_solves
        parts, num_players = branch.split(branch.y[:, :-1]), len(self.mixtures)
        with np.errstate(all="ignore"):
            ends = [x - anchored.log_sum_exp(x) for x in parts[: 2 * num_players]]
            self._keep(games, ends[:num_players], ends[num_players:])

    def _keep(self, games: Int64, mixtures: Profile, adversaries: Sequence[Float64] = ()) -> NDArray[np.bool_]:
        """Keep what is better than before; return which of these games have converged."""
        rows = self.games.rows(games)
        gap, sharper = rows.gap(mixtures), np.zeros((len(games), len(mixtures)), dtype=bool)
        if adversaries:
            other = rows.saddle_gap(mixtures, adversaries)
            sharper = other < gap
            gap = np.where(sharper, other, gap)
        allowed = self.allowed[games]
        better = (gap / allowed).max(axis=1) < (self.gap[games] / allowed).max(axis=1)
        for kept, x in zip(self.mixtures, mixtures, strict=True):
            kept[games[better]] = x[better]
        self.gap[games[better]] = gap[better]
        for player, kept in enumerate(self.adversaries):
            exact = rows.adversary(player, mixtures).p
            given = np.exp(adversaries[player]) if adversaries else exact
            kept[games[better]] = np.where(sharper[:, player, None], given, exact)[better]
        return self.converged[games]
