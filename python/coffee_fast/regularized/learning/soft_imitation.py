"""The objective of imitation by soft values that add up over players, on the table of a log."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Literal

import numpy as np

from coffee_fast.tabular.game import Bools, TabularGame
from coffee_fast.typing import Float64, Int64, Profile

Divergence = Literal["total", "hellinger", "kl", "jensen_shannon"]


def _total(z: Float64) -> tuple[Float64, Float64]:
    return z, np.ones_like(z)


def _kl(z: Float64) -> tuple[Float64, Float64]:
    return _continued(z, -20.0, lambda x: (-np.exp(-x), np.exp(-x), -np.exp(-x)))


def _hellinger(z: Float64) -> tuple[Float64, Float64]:
    return _continued(z, -0.9, lambda x: (x / (1.0 + x), (1.0 + x) ** -2.0, -2.0 * (1.0 + x) ** -3.0))


def _jensen_shannon(z: Float64) -> tuple[Float64, Float64]:
    def parts(x: Float64) -> tuple[Float64, Float64, Float64]:
        rest = 2.0 - np.exp(-x)
        return np.log(rest), np.exp(-x) / rest, -2.0 * np.exp(-x) / rest**2

    return _continued(z, -0.6, parts)


def _continued(
    z: Float64, least: float, parts: Callable[[Float64], tuple[Float64, Float64, Float64]]
) -> tuple[Float64, Float64]:
    """Return a concave function and its slope, below ``least`` its second-order model: the search may pass there."""
    inside = np.maximum(z, least)
    value, slope, bend = parts(inside)
    beyond = z - inside
    return value + slope * beyond + 0.5 * bend * beyond**2, slope + bend * beyond


PHI: dict[str, Callable[[Float64], tuple[Float64, Float64]]] = {
    "total": _total,
    "hellinger": _hellinger,
    "kl": _kl,
    "jensen_shannon": _jensen_shannon,
}


class Imitation:
    """The objective of a log, as a function of scores: all players' values of legal actions, one after another.

    Scores are in units in which curvature is about one: values times the root of a state's share of visits, over the
    temperature.
    """

    def __init__(self, game: TabularGame, divergence: Divergence, temperature: float, discount: float) -> None:
        assert game.counts is not None
        self.game, self.phi = game, PHI[divergence]
        self.temperature, self.discount = temperature, discount
        H, S = game.rewards.shape[1:3]
        self.shape = (H, S)
        self.legal: list[Bools] = list(game.legal or [np.ones((H, S, size), dtype=bool) for size in game.num_actions])
        self.own_counts = [
            game.counts.sum(axis=tuple(axis for axis in range(2, game.counts.ndim) if axis != player + 2))
            for player in range(game.num_players)
        ]
        self.cells = np.argwhere(game.counts > 0)
        self.state = self.cells[:, 0] * S + self.cells[:, 1]
        total = game.counts.sum()
        self.share = game.counts[tuple(self.cells.T)] / total
        self.visits = np.bincount(self.state, self.share, minlength=H * S)
        # One entry for each cell and next state: which cell, where to (H S is the end), and its share of the log.
        self.of, self.to, self.weight = self._entries()

    def _entries(self) -> tuple[Int64, Int64, Float64]:
        H, S = self.shape
        end = np.ones(len(self.cells))
        of, to, weight = [], [], []
        if self.game.transitions is not None and H > 1:
            moves = self.game.transitions[tuple(self.cells.T)]
            moves = np.where((self.cells[:, 0] + 1 < H)[:, None], moves, 0.0)
            cell, after = np.nonzero(moves)
            of, to = [cell], [(self.cells[cell, 0] + 1) * S + after]
            weight = [self.share[cell] * moves[cell, after]]
            end = np.maximum(1.0 - moves.sum(axis=1), 0.0)
        stops = np.flatnonzero(end > 1e-12)
        of, to = [*of, stops], [*to, np.full(len(stops), H * S)]
        weight = [*weight, self.share[stops] * end[stops]]
        return np.concatenate(of), np.concatenate(to), np.concatenate(weight)

    @cached_property
    def free(self) -> list[Int64]:
        """Of each player the places ``[h s, a]`` of legal actions in states that the log visits, flattened."""
        reached = self.game.reached[..., None]
        return [np.flatnonzero((mask & reached).ravel()) for mask in self.legal]

    @cached_property
    def units(self) -> Float64:
        """What a score counts in values."""
        state = [place // mask.shape[2] for place, mask in zip(self.free, self.legal, strict=True)]
        return np.asarray(self.temperature / np.sqrt(self.visits[np.concatenate(state)]))

    def tables(self, scores: Float64) -> Profile:
        """Return values ``[H, S, A_i]`` a player; zero where they do not matter."""
        found, parts = [], np.split(scores * self.units, np.cumsum([len(place) for place in self.free])[:-1])
        for place, mask, part in zip(self.free, self.legal, parts, strict=True):
            table = np.zeros(mask.shape)
            table.ravel()[place] = part
            found.append(table)
        return found

    def policies(self, scores: Float64) -> Profile:
        return [x.reshape(*self.shape, -1) for x in self._softmax(self.tables(scores))[0]]

    def start(self) -> Float64:
        """Return scores of uniform play whose rewards are all zero."""
        H = self.shape[0]
        logs = sum(np.log(mask.sum(axis=2)) for mask in self.legal) * self.temperature
        needed = float(logs.max())
        level = np.zeros(H + 1)
        for step in reversed(range(H)):
            level[step] = needed + self.discount * level[step + 1]
        # Every player's share of a state's value is the same, its actions are worth that less their entropy.
        values = []
        for mask in self.legal:
            own = self.temperature * np.log(mask.sum(axis=2))
            values.append((level[:H, None] / len(self.legal) - own)[..., None] * mask)
        flat = [value.ravel()[place] for value, place in zip(values, self.free, strict=True)]
        return np.concatenate(flat) / self.units

    def objective(self, scores: Float64) -> tuple[float, Float64]:
        """Return the objective and its gradient."""
        tables = self.tables(scores)
        plays, soft = self._softmax(tables)
        q = sum(
            table.reshape(-1, table.shape[2])[self.state, self.cells[:, player + 2]]
            for player, table in enumerate(tables)
        )
        following = np.append(soft, 0.0)[self.to]
        phi, slope = self.phi(q[self.of] - self.discount * following)
        value = self.weight @ (phi + self.discount * following) - self.visits @ soft
        pushed = np.bincount(self.of, self.weight * slope, minlength=len(self.cells))
        arrived = np.bincount(self.to, self.weight * (slope - 1.0), minlength=len(soft) + 1)[:-1]
        pulled = self.visits + self.discount * arrived
        gradient = []
        for player, (play, place) in enumerate(zip(plays, self.free, strict=True)):
            slots = self.state * play.shape[1] + self.cells[:, player + 2]
            own = np.bincount(slots, pushed, minlength=play.size) - (pulled[:, None] * play).ravel()
            gradient.append(own[place])
        return float(value), np.concatenate(gradient) * self.units

    def residual(self, scores: Float64) -> float:
        """Return the largest entry of the gradient, in units of a state's share of visits: of probabilities."""
        gradient = self.objective(scores)[1] / self.units
        shares = (self.temperature / self.units) ** 2
        return float(np.abs(gradient / shares).max())

    def solve(self, tolerance: float, max_iterations: int) -> tuple[Float64, int]:
        from scipy.optimize import minimize

        scores, done = self.start(), 0
        smallest = 0.5 * tolerance * self.temperature**2 / float(self.units.max())  # of a gradient in scores
        while done < max_iterations and self.residual(scores) > tolerance:
            options = {"maxiter": max_iterations - done, "maxfun": 10 * max_iterations, "ftol": 0.0}
            found = minimize(
                lambda x: tuple(-part for part in self.objective(x)),
                scores,
                jac=True,
                method="L-BFGS-B",
                options={**options, "gtol": smallest},
            )
            done += max(int(found.nit), 1)
            if not self.objective(found.x)[0] > self.objective(scores)[0]:
                break
            scores = found.x
        return scores, done

    def _softmax(self, tables: Profile) -> tuple[Profile, Float64]:
        """Return policies ``[h s, A_i]`` a player, and the sum of their soft values ``[h s]``."""
        plays, soft = [], np.zeros(self.shape[0] * self.shape[1])
        for table, mask in zip(tables, self.legal, strict=True):
            scaled = np.where(mask, table / self.temperature, -np.inf).reshape(len(soft), -1)
            top = scaled.max(axis=1, keepdims=True)
            weights = np.exp(scaled - top)
            total = weights.sum(axis=1, keepdims=True)
            plays.append(weights / total)
            soft += self.temperature * (top + np.log(total))[:, 0]
        return plays, soft
