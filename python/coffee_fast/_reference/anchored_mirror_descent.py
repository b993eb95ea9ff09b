"""Mirror descent around a reference: coarse correlated equilibria of anchored games, many games at once.

See :mod:`coffee_fast._reference.anchored` for the layout of the games.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast._reference import anchored
from coffee_fast.typing import Float64, Int64, Profile


@dataclass(frozen=True, eq=False)
class Correlated:
    """Of ``G`` games: the play of ``T`` rounds with one round drawn for all players, and how good it is.

    ``joint [G, A1, ..., An]`` is the distribution of profiles, ``average`` and ``last`` are each player's marginal and
    its last mixture (probabilities ``[G, A_i]``), ``gap [G, N]`` what a player could gain by one mixture for all
    rounds, ``value [G, N]`` the payoff less the KL penalty, averaged over rounds, ``num_iterations [G]`` is ``T``.
    """

    joint: Float64
    average: Profile
    last: Profile
    gap: Float64
    value: Float64
    num_iterations: Int64


def anchored_mirror_descent(
    payoffs: Sequence[Float64],
    reference: Sequence[Float64],
    kl_weight: Float64,
    *,
    num_iterations: int,
    tolerance: float = 0.0,
    step_size: Float64 | None = None,
) -> Correlated:
    r"""Play ``T`` rounds of mirror descent from the reference and return their average.

    .. math:: \log x^{t+1} = (1 - \lambda \eta_t) \log x^t + \lambda \eta_t \log ref + \eta_t q^t + const

    With :math:`\eta_t = 1 / (\lambda (t + 1))` this is :math:`x^{t+1} \propto ref \, e^{\bar q^t t / (\lambda (t+1))}`
    for the mean :math:`\bar q^t` of the deviation payoffs so far, all that has to be kept. A ``step_size [G]`` makes
    :math:`\eta_t` constant, in the implicit form :math:`\log x^{t+1} = (\log x^t + \eta \lambda \log ref + \eta q^t) /
    (1 + \eta \lambda)`, whose last iterate converges in zero-sum games. A game stops when each gap is at most
    ``tolerance`` times the player's payoff range or, if that is less, ten times its weight; at 0 it plays all rounds.

    Regret of the composite form of follow the leader bounds the gap: ``B^2 (1 + log T) / (8 kl_weight T)`` for
    payoffs in a range of ``B`` (decreasing steps).
    """
    rounds = _Rounds(payoffs, reference, kl_weight)
    found: list[tuple[Int64, Correlated]] = []
    for t in range(1, num_iterations + 1):
        values = rounds.play()
        if tolerance > 0.0 or t == num_iterations:
            gap = rounds.gap(t)
            done = np.asarray((gap <= tolerance * rounds.scales).all(axis=1) | (t == num_iterations))
            if done.any():
                found.append((rounds.games[done], rounds.result(done, gap, t)))
                if done.all():
                    break
                values = rounds.keep(~done, values)
        rounds.move(values, t, step_size)
    return _gathered(found)


class _Rounds:
    """The games still running: where their players are, and sums over the rounds played."""

    def __init__(self, payoffs: Sequence[Float64], reference: Sequence[Float64], kl_weight: Float64) -> None:
        self.num_players = len(anchored.axis_owners(payoffs))
        self.games = np.arange(len(payoffs[0]))
        self.payoffs, self.reference, self.kl_weight = list(payoffs), list(reference), kl_weight
        ranges = np.stack([np.ptp(p.reshape(len(p), -1), axis=1) for p in payoffs], axis=1)
        self.scales = np.minimum(ranges, 10.0 * kl_weight)
        self.current = [x - anchored.log_sum_exp(x) for x in reference]
        self.played = [np.exp(x) for x in self.current]
        self.sums = [np.zeros_like(x) for x in self.current]
        self.value, self.joint = np.zeros(kl_weight.shape), np.zeros(payoffs[0].shape)

    def play(self) -> Profile:
        """Add a round to the sums; return its deviation payoffs."""
        self.played = [np.exp(x) for x in self.current]
        values = anchored.deviation_payoffs_of_logs(self.payoffs, self.current)
        self.joint += _product(self.played if len(self.played) == self.num_players else self.played * self.num_players)
        for i, q in enumerate(values):
            self.sums[i] += q
            penalty = self.kl_weight[:, i] * anchored.kl_divergence(self.current[i], self.reference[i])
            self.value[:, i] += (self.played[i] * q).sum(axis=1) - penalty
        return values

    def gap(self, t: int) -> Float64:
        """Return what one mixture for all ``t`` rounds could gain: the best response to the mean of the payoffs."""
        best = [
            anchored.anchored_best_response(total / t, anchor, self.kl_weight[:, i])[1]
            for i, (total, anchor) in enumerate(zip(self.sums, self.reference, strict=True))
        ]
        return np.maximum(np.stack(best, axis=1) - self.value / t, 0.0)

    def move(self, values: Profile, t: int, step_size: Float64 | None) -> None:
        """Take the step after round ``t``."""
        for i, (anchor, q) in enumerate(zip(self.reference, values, strict=True)):
            weight = self.kl_weight[:, i : i + 1]
            if step_size is None:
                scores = anchor + self.sums[i] / (weight * (t + 1))
            else:
                step = step_size[self.games, None]
                scores = (self.current[i] + step * (weight * anchor + q)) / (1.0 + step * weight)
            self.current[i] = scores - anchored.log_sum_exp(scores)

    def result(self, games: NDArray[np.bool_], gap: Float64, t: int) -> Correlated:
        joint = self.joint[games] / t
        axes = range(1, joint.ndim)
        average = [joint.sum(axis=tuple(a for a in axes if a != i + 1)) for i in range(len(self.played))]
        last, rounds = [x[games] for x in self.played], np.full(len(joint), t)
        return Correlated(joint, average, last, gap[games], self.value[games] / t, rounds)

    def keep(self, games: NDArray[np.bool_], values: Profile) -> Profile:
        """Drop all other games, from ``values`` too."""
        for name in ("payoffs", "reference", "current", "played", "sums"):
            setattr(self, name, [array[games] for array in getattr(self, name)])
        for name in ("games", "kl_weight", "scales", "value", "joint"):
            setattr(self, name, getattr(self, name)[games])
        return [q[games] for q in values]


def _gathered(found: Sequence[tuple[Int64, Correlated]]) -> Correlated:
    """Return one result of all games, in order."""
    order = np.argsort(np.concatenate([games for games, _ in found]))
    parts = [part for _, part in found]

    def join(arrays: Sequence[NDArray[Any]]) -> Any:
        return np.concatenate(arrays)[order]

    players = range(len(parts[0].average))
    return Correlated(
        join([part.joint for part in parts]),
        [join([part.average[i] for part in parts]) for i in players],
        [join([part.last[i] for part in parts]) for i in players],
        join([part.gap for part in parts]),
        join([part.value for part in parts]),
        join([part.num_iterations for part in parts]),
    )


def _product(mixtures: Sequence[Float64]) -> Float64:
    joint = mixtures[0]
    for x in mixtures[1:]:
        joint = joint[..., None] * x.reshape(len(x), *[1] * (joint.ndim - 1), -1)
    return joint
