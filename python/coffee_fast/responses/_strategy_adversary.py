"""An adversary that draws the opponent's strategy: its best draw is known in closed form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from coffee_fast.typing import Float64

if TYPE_CHECKING:
    from coffee_fast.policies import Mixture
    from coffee_fast.responses.base import State

SLOWEST_AVERAGE = 0.3
"""The least share that an update's gains have in the averages: a slower adversary and its learner would circle."""


class StrategyAdversary:
    r"""Draws strategy :math:`b` of a seat's mixture :math:`x` with :math:`p(b) \propto x(b) \exp(-\tau u(b))`.

    So it lowers the learner's payoff :math:`u` and pays :math:`KL(p \| x) / \tau`; what the learner is left with is the
    certainty equivalent :math:`-\log E_{b \sim x} \exp(-\tau u(b)) / \tau`. Episodes are drawn by :math:`x` all the
    same and count :math:`p(b) / x(b)` times, so what no adversary would draw now stays known.

    >>> from coffee_fast.policies import Mixture, UniformRandom
    >>> adversary = StrategyAdversary([Mixture((UniformRandom(), UniformRandom()), np.array([0.5, 0.5]))], 1.0)
    >>> adversary.observe({"gains_against": [np.array([0.0, np.log(3.0)])], "times_met": [np.array([9.0, 9.0])]})
    >>> [weights.round(3).tolist() for weights in adversary.weights()]
    [[1.5, 0.5]]
    """

    def __init__(self, opponents: Sequence[Mixture], risk_aversion: float) -> None:
        self._mixed = [mixture.probabilities for mixture in opponents]
        self._risk_aversion = risk_aversion
        self._gains: list[Float64] = [np.zeros(len(mixed)) for mixed in self._mixed]
        self._counts: list[Float64] = [np.zeros(len(mixed)) for mixed in self._mixed]  # of updates that met it

    def observe(self, figures: Mapping[str, Any]) -> None:
        """Take in what the learner gained against each strategy in an update."""
        for gains, counts, found, times in zip(
            self._gains, self._counts, figures["gains_against"], figures["times_met"], strict=True
        ):
            met = np.asarray(times) > 0
            counts[met] += 1.0
            gains[met] += np.maximum(1.0 / counts[met], SLOWEST_AVERAGE) * (np.asarray(found)[met] - gains[met])

    def weights(self) -> list[Float64]:
        """Return :math:`p(b) / x(b)` of each seat's strategies; 1 for those that were never met."""
        return [self._tilt(*seat)[0] for seat in zip(self._mixed, self._gains, self._counts, strict=True)]

    def certainty_equivalent(self) -> float:
        """Return what the adversaries leave the learner, its price included, the mean over seats that it met."""
        left = [self._tilt(*seat)[1] for seat in zip(self._mixed, self._gains, self._counts, strict=True)]
        known = [value for value in left if not np.isnan(value)]
        return float(np.mean(known)) if known else float("nan")

    def export_state(self) -> State:
        """Return all that another adversary of the same arguments needs to continue."""
        named = {"gains": self._gains, "counts": self._counts}
        return {f"{name}.{seat}": own.copy() for name, seats in named.items() for seat, own in enumerate(seats)}

    def restore(self, state: State) -> None:
        """Continue from an exported state; ``ValueError`` or ``KeyError`` if it does not fit."""
        for name, seats in (("gains", self._gains), ("counts", self._counts)):
            for seat, own in enumerate(seats):
                found = state[f"{name}.{seat}"]
                if found.shape != own.shape:
                    raise ValueError(f"{name}.{seat} must have shape {list(own.shape)}, got {list(found.shape)}")
                own[...] = found

    def _tilt(self, mixed: Float64, gains: Float64, counts: Float64) -> tuple[Float64, float]:
        known = (counts > 0) & (mixed > 0)
        weights = np.ones(len(mixed))
        if not known.any():
            return weights, np.nan
        share = mixed[known] / mixed[known].sum()
        losses = -self._risk_aversion * gains[known]
        worst = losses.max()
        tilted = np.exp(losses - worst)
        mean = float(share @ tilted)
        weights[known] = tilted / mean
        return weights, -(worst + np.log(mean)) / self._risk_aversion
