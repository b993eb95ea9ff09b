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
from coffee_fast._reference.risk_averse import LARGEST_LOG, RiskAverseGames, response
from coffee_fast.typing import Float64, Int64, Profile

_LARGEST_SLACK_LOG, _LEAST_SLACK_LOG = 50.0, -600.0
_HUGE = 1e6  # a residual that is no number


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
        scale, t = self.scale[games][:, None], y[:, -1:] * self.scale[games][:, None]
        residual, by_time = np.zeros_like(y[:, :-1]), np.zeros_like(y[:, :-1])
        matrix = np.zeros((*residual.shape, residual.shape[1]))
        rows, parts = self.games.rows(games), self.split(y[:, :-1])
        with np.errstate(all="ignore"):  # of trial points far off the branch, which their residuals refuse
            for player in range(len(rows.matrices)):
                self._add(player, rows, parts, t, (residual, matrix, by_time))
        residual[~np.isfinite(residual)] = _HUGE
        return residual, np.nan_to_num(matrix), np.nan_to_num(by_time) * scale

    def _unknowns(self, games: RiskAverseGames) -> Profile:
        return games.legal

    def _add(
        self,
        player: int,
        games: RiskAverseGames,
        logs: Profile,
        t: Float64,
        found: tuple[Float64, Float64, Float64],
    ) -> None:
        r"""Set a player's rows of :math:`F = l - \log y(t v)`, ``[G, D]``, and its derivatives by ``l`` and ``t``.

        ``l`` are all players' log-probabilities side by side; with ``t [G, 1]`` temperatures are ``1 / t`` of theirs
        and risk aversions ``t`` of theirs. Their products, and so what makes an equilibrium unique, stay as they are.
        """
        residual, matrix, by_time = found
        u, places = games.matrices[player], [slice(a, b) for a, b in itertools.pairwise(self.ends)]
        own, worst = places[player], games.adversary(player, logs, t[:, 0])
        weighted = u * worst.p[:, None, :]
        v = weighted.sum(axis=2)
        log_y, k = response(games.regularizer, t * v, games.legal[player])
        share, bend = _share(log_y, k), k * t
        residual[:, own] = logs[player] - log_y
        matrix[:, own, own] += np.eye(v.shape[1])

        bent = weighted * worst.h[:, None, :]
        r = bent.sum(axis=2)
        r_share = r / (worst.p * worst.h).sum(axis=1, keepdims=True)
        wary = games.risk_aversion[:, player, None] * worst.h * worst.above
        grown = r_share * (worst.p * wary).sum(axis=1, keepdims=True) - np.einsum("gab,gb->ga", weighted, wary)
        by_time[:, own] = -k * (v + t * grown - (share * (v + t * grown)).sum(axis=1, keepdims=True))

        x, tau = np.exp(np.minimum(logs[player], LARGEST_LOG)), games.risk_aversion[:, player, None] * t
        change = np.einsum("gab,gcb->gac", bent, u) - r[:, :, None] * r_share[:, None, :]
        _take_off(matrix, own, own, -tau[:, :, None] * change * x[:, None, :], bend, share)
        sizes = [size for _, size in games.axes[player]]
        for axis, (owner, _) in enumerate(games.axes[player]):
            away = tuple(a for a in range(len(sizes)) if a != axis)
            pairs = weighted.reshape(*v.shape, *sizes).sum(axis=tuple(a + 2 for a in away))
            marginal = worst.p.reshape(len(t), *sizes).sum(axis=tuple(a + 1 for a in away))
            change = pairs - r_share[:, :, None] * marginal[:, None, :]
            _take_off(matrix, own, places[owner], change, bend, share)


class SlackBranch(RiskAverseBranch):
    """The branch of reverse KL in ``(l_i), (m_i), (sigma_i)``, side by side."""

    def _unknowns(self, games: RiskAverseGames) -> Profile:
        self.members = [_indicators([size for _, size in axes]) for axes in games.axes]
        adversaries = [games.log_others(player, games.legal) for player in range(len(games.matrices))]
        return [*games.legal, *adversaries, *(np.ones((len(x), 1)) for x in adversaries)]

    def _add(
        self,
        player: int,
        games: RiskAverseGames,
        parts: Profile,
        t: Float64,
        found: tuple[Float64, Float64, Float64],
    ) -> None:
        residual, matrix, by_time = found
        num_players, u = len(games.matrices), games.matrices[player]
        places = [slice(a, b) for a, b in itertools.pairwise(self.ends)]
        own, adversary, level = places[player::num_players]
        m, sigma = parts[num_players + player], parts[2 * num_players + player]
        p = np.exp(np.minimum(m, LARGEST_LOG))
        v = np.einsum("gab,gb->ga", u, p)
        log_y, k = response(games.regularizer, t * v, games.legal[player])
        share = _share(log_y, k)
        residual[:, own] = parts[player] - log_y
        by_time[:, own] = -k * (v - (share * v).sum(axis=1, keepdims=True))
        matrix[:, own, own] += np.eye(v.shape[1])
        _take_off(matrix, own, adversary, u * p[:, None, :], k * t, share)

        log_q, c = games.log_others(player, parts), games.against_each(player, parts)
        x, tau = np.exp(np.minimum(parts[player], LARGEST_LOG)), games.risk_aversion[:, player, None]
        available = log_q > LOG_ZERO / 2
        slack = np.exp(np.clip(np.where(available, log_q - m, 0.0), _LEAST_SLACK_LOG, _LARGEST_SLACK_LOG))
        weight = np.where(available, 1.0 / np.maximum(slack, 1.0), 0.0)
        residual[:, adversary] = weight * (t * tau * c + sigma - slack)
        by_time[:, adversary] = weight * tau * c
        inside = np.where(available, weight * slack, 1.0)  # what is not available keeps its m
        matrix[:, adversary, adversary] += inside[:, :, None] * np.eye(m.shape[1])
        matrix[:, adversary, level] += weight[:, :, None]
        matrix[:, adversary, own] += (weight * t * tau)[:, :, None] * u.swapaxes(1, 2) * x[:, None, :]
        for (owner, _), member in zip(games.axes[player], self.members[player], strict=True):
            matrix[:, adversary, places[owner]] -= (weight * slack)[:, :, None] * member
        total = p.sum(axis=1, keepdims=True)
        residual[:, level] = np.log(total)
        matrix[:, level, adversary] += (p / total)[:, None, :]


def _share(log_y: Float64, k: Float64) -> Float64:
    """Return ``y k / sum y k``, by which the changes of a response are centered."""
    share = np.exp(log_y) * k
    return np.asarray(share / share.sum(axis=1, keepdims=True))


def _take_off(matrix: Float64, rows: slice, columns: slice, change: Float64, bend: Float64, share: Float64) -> None:
    """Take ``d log y = bend * (dv - share . dv)`` off the rows of a player, for changes ``dv [G, A, A']``."""
    mean = np.einsum("ga,gab->gb", share, change)
    matrix[:, rows, columns] -= bend[:, :, None] * (change - mean[:, None, :])


def _indicators(sizes: list[int]) -> list[Float64]:
    """Return for each axis ``[B, size]``: 1 where a joint action of the others holds that action."""
    places = np.indices(sizes).reshape(len(sizes), int(np.prod(sizes)))
    return [np.eye(size)[place] for size, place in zip(sizes, places, strict=True)]
