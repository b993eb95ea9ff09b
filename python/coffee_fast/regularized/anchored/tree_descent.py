"""How mirror descent goes through a game tree: its schedule, its steps, and what is looked at on the way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coffee_fast.errors import NumericalError
from coffee_fast.games import GameTree
from coffee_fast.typing import Float64

STEP_SIZE = 2.0  # times the KL weight over the square of the scale of rewards
LEAST = 1e-300  # of a probability, where its logarithm is needed


@dataclass(frozen=True)
class Schedule:
    """KL weights that fall from the first iteration to the last by equal ratios, and what happens in between."""

    first: float
    last: float
    num_iterations: int
    num_evaluations: int
    reference_period: int | None

    def weights(self, begin: int, end: int) -> Float64:
        if self.first == self.last or self.num_iterations == 1:
            return np.full(end - begin, self.last)
        share = np.arange(begin, end) / (self.num_iterations - 1)
        falling: Float64 = np.exp((1.0 - share) * np.log(self.first) + share * np.log(self.last))
        return falling

    @property
    def looks(self) -> list[int]:
        """Iterations after which the profile is looked at, the last of all among them."""
        count = min(self.num_evaluations, self.num_iterations)
        return [round(self.num_iterations * i / count) for i in range(1, count + 1)]

    @property
    def may_end_early(self) -> bool:
        return self.first == self.last and self.reference_period is None


@dataclass(frozen=True, eq=False)
class Look:
    """What a profile was found to be after so many iterations: :class:`AnchoredProfile` has the words."""

    num_iterations: int
    kl_weight: float
    policy: Float64
    values: Float64
    regret: Float64
    gap: Float64
    entropy: Float64
    kl: Float64


class Descent:
    """Where a descent has come to, and how it goes on."""

    def __init__(
        self, tree: GameTree, log_reference: Float64, step_size: float | None, kl_in_rewards: bool, averaging: bool
    ) -> None:
        self.tree, self.step_size, self.kl_in_rewards, self.averaging = tree, step_size, kl_in_rewards, averaging
        self.log_reference, self.log_policy = log_reference, log_reference
        self.reach_sums = np.zeros(len(log_reference) if averaging else 0)
        self.num_iterations = 0

    def go_on(self, weights: Float64, allowed_gap: float) -> None:
        """Take a step for each weight, or fewer where all gaps are at most the one that is allowed."""
        tied = STEP_SIZE * weights / self.tree.reward_scale**2
        sizes = tied if self.step_size is None else np.full(len(weights), self.step_size)
        steps, self.log_policy, self.reach_sums = self.tree.core.mirror_descent(
            self.log_policy, self.log_reference, weights, sizes, self.kl_in_rewards, allowed_gap, self.reach_sums
        )
        self.num_iterations += steps
        if not np.isfinite(self.log_policy).all():
            raise NumericalError(
                f"mirror_descent: policies left the finite numbers within {self.num_iterations} iterations; a "
                f"step_size of {sizes[0]:g} to {sizes[-1]:g} or kl_weight of {weights[0]:g} to {weights[-1]:g} is too "
                f"extreme where the scale of rewards is {self.tree.reward_scale:g}"
            )

    def look(self, kl_weight: float) -> Look:
        tree, num_players = self.tree, self.tree.spec.num_players
        policy = self._average() if self.averaging else np.exp(self.log_policy)
        log_policy = np.log(np.maximum(policy, LEAST)) if self.averaging else self.log_policy
        _, gap, reach = tree.core.decision_values(log_policy, self.log_reference, kl_weight, self.kl_in_rewards)
        values = tree.core.profile_values(policy).reshape(num_players, -1).mean(axis=1)
        best = np.array([tree.core.best_response(policy, player)[0] for player in range(num_players)])
        is_own = tree.information_set_players == np.arange(num_players)[:, None]

        met = reach * is_own

        def mean(terms: Float64) -> Float64:
            sums = met @ tree.set_sums(terms) / np.maximum(met.sum(axis=1), LEAST)
            return np.asarray(np.maximum(sums, 0.0))  # below 0 by rounding alone

        return Look(
            num_iterations=self.num_iterations,
            kl_weight=kl_weight,
            policy=policy,
            values=values,
            regret=np.maximum(best - values, 0.0),  # below 0 by rounding alone
            gap=(gap * is_own).max(axis=1, initial=0.0),
            entropy=mean(-policy * log_policy),
            kl=mean(policy * (log_policy - self.log_reference)),
        )

    def _average(self) -> Float64:
        """What a player does who draws an iteration at the start of an episode; as now where none would get there."""
        totals = np.repeat(self.tree.set_sums(self.reach_sums), np.diff(self.tree.sequence_starts))
        return np.where(totals > 0.0, self.reach_sums / np.where(totals > 0.0, totals, 1.0), np.exp(self.log_policy))


def history_of(descent: Descent, schedule: Schedule, allowed_gap: float) -> list[Look]:
    """Go through the schedule, or until converged, and return what was seen, before the first step too."""
    history, period = [descent.look(schedule.first)], schedule.reference_period or schedule.num_iterations
    for look in schedule.looks:
        while (begin := descent.num_iterations) < look:
            if begin and begin % period == 0:
                descent.log_reference = descent.log_policy
            end = min(look, begin + period - begin % period)
            weights = schedule.weights(begin, end)
            descent.go_on(weights, allowed_gap if schedule.may_end_early else 0.0)
            if descent.num_iterations < end:
                return [*history, descent.look(float(weights[-1]))]
        history.append(descent.look(float(weights[-1])))
    return history
