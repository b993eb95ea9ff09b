r"""The branch of risk-averse equilibria: temperatures fall from infinity to their own, risk aversions rise from none.

The adversary :math:`p = q / (\tau c + \sigma)` of reverse KL turns sharply where an action that the others hardly ever
play becomes the worst. With :math:`m = \log p` and :math:`\sigma` unknown, too, the curve is smooth: :math:`\tau c +
\sigma = e^{\log q - m}` and :math:`\sum e^m = 1`, as on the central path of an interior-point method.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from coffee_fast._reference.anchored import LOG_ZERO
from coffee_fast._reference.anchored_branch import Branch
from coffee_fast._reference.risk_averse import RiskAverseGames, response
from coffee_fast.typing import Float64, Int64, Profile

_LARGEST_LOG = 50.0
_HUGE = 1e6


class RiskAverseBranch(Branch):
    """The branch in the log-probabilities ``l`` of all players, or a point to polish: ``start`` at the end of it."""

    def __init__(self, games: RiskAverseGames, start: Sequence[Float64] | None = None) -> None:
        self.games = games
        super().__init__(games.matrices, self._unknowns(games))
        if start is not None:
            self.y[:, :-1] = np.concatenate(list(start), axis=1)
            self.y[:, -1] = 1.0 / self.scale
            self.arrived[:] = True

    def linearize(self, games: Int64, y: Float64) -> tuple[Float64, Float64, Float64]:
        scale = self.scale[games][:, None]
        with np.errstate(all="ignore"):  # of trial points far off the branch, which their residuals refuse
            found = self._equations(self.games.rows(games), self.split(y[:, :-1]), y[:, -1:] * scale)
        residual, matrix, by_time = map(np.nan_to_num, found)
        residual[~np.isfinite(found[0])] = _HUGE
        return residual, matrix, by_time * scale

    def _unknowns(self, games: RiskAverseGames) -> Profile:
        return games.legal

    def _equations(self, games: RiskAverseGames, parts: Profile, t: Float64) -> tuple[Float64, Float64, Float64]:
        return games.linearize(parts, t)


class SlackBranch(RiskAverseBranch):
    """The branch of reverse KL in ``(l_i), (m_i), (sigma_i)``, side by side."""

    def _unknowns(self, games: RiskAverseGames) -> Profile:
        self.members = [_indicators([size for _, size in axes]) for axes in games.axes]
        adversaries = [games.log_others(player, games.legal) for player in range(len(games.matrices))]
        return [*games.legal, *adversaries, *(np.ones((len(x), 1)) for x in adversaries)]

    def _equations(self, games: RiskAverseGames, parts: Profile, t: Float64) -> tuple[Float64, Float64, Float64]:
        num_players = len(games.matrices)
        places = [slice(a, b) for a, b in itertools.pairwise(self.ends)]
        residual, by_time = np.zeros((len(t), self.ends[-1])), np.zeros((len(t), self.ends[-1]))
        matrix = np.zeros((*residual.shape, residual.shape[1]))
        for player, u in enumerate(games.matrices):
            own, adversary, level = places[player], places[num_players + player], places[2 * num_players + player]
            m, sigma = parts[num_players + player], parts[2 * num_players + player]
            p = np.exp(np.minimum(m, _LARGEST_LOG))
            v = np.einsum("gab,gb->ga", u, p)
            log_y, k = response(games.regularizer, t * v, games.legal[player])
            share = np.exp(log_y) * k
            share = share / share.sum(axis=1, keepdims=True)
            residual[:, own] = parts[player] - log_y
            by_time[:, own] = -k * (v - (share * v).sum(axis=1, keepdims=True))
            matrix[:, own, own] += np.eye(v.shape[1])
            change = u * p[:, None, :]
            mean = np.einsum("ga,gab->gb", share, change)
            matrix[:, own, adversary] -= (k * t)[:, :, None] * (change - mean[:, None, :])

            log_q = games.log_others(player, parts)
            available = log_q > LOG_ZERO / 2
            x, tau = np.exp(np.minimum(parts[player], _LARGEST_LOG)), games.risk_aversion[:, player, None]
            c = np.einsum("ga,gab->gb", x, u)
            slack = np.exp(np.clip(np.where(available, log_q - m, 0.0), -600.0, _LARGEST_LOG))
            weight = np.where(available, 1.0 / np.maximum(slack, 1.0), 0.0)
            residual[:, adversary] = weight * (t * tau * c + sigma - slack)
            by_time[:, adversary] = weight * tau * c
            inside = np.where(available, weight * slack, 1.0)
            matrix[:, adversary, adversary] += inside[:, :, None] * np.eye(m.shape[1])
            matrix[:, adversary, level] += weight[:, :, None]
            moved = u.swapaxes(1, 2) * x[:, None, :]
            matrix[:, adversary, own] += (weight * t * tau)[:, :, None] * moved
            for (owner, _), member in zip(games.axes[player], self.members[player], strict=True):
                matrix[:, adversary, places[owner]] -= np.where(available, weight * slack, 0.0)[:, :, None] * member
            total = p.sum(axis=1, keepdims=True)
            residual[:, level] = np.log(total)
            matrix[:, level, adversary] += (p / total)[:, None, :]
        return residual, matrix, by_time


def _indicators(sizes: list[int]) -> list[Float64]:
    """Return for each axis ``[B, size]``: 1 where a joint action of the others holds that action."""
    places = np.indices(sizes).reshape(len(sizes), int(np.prod(sizes)))
    return [np.eye(size)[place] for size, place in zip(sizes, places, strict=True)]
