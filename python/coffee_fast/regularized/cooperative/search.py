"""Sweeps over teammates, each improving a common objective while the others hold still."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from coffee_fast.checks import check_count, check_flag, check_number
from coffee_fast.errors import InvalidArgumentError
from coffee_fast.regularized.cooperative.in_sample import Policies, marginals
from coffee_fast.regularized.cooperative.solutions import Status
from coffee_fast.seeding import check_seed, derive_seed
from coffee_fast.tabular.common_payoff import CommonPayoffGame
from coffee_fast.typing import Float64

Schedule = float | Sequence[float]
_PROBE = 1e-3  # how far beside a point at rest to look whether it is a saddle
_MOST_SADDLES = 10
_SMALL = 1e-6  # gaps, in units of rewards and penalties, and probabilities of leaving the log
_MIXED = 1e-6  # an action played less often is no choice


class Objective(Protocol):
    """A common objective: its value, and one player's improvement of it."""

    @property
    def kl_weight(self) -> float:
        """The unit of penalties."""

    def value(self, policies: Policies) -> float:
        """Return the objective from the first state."""

    def improved(self, policies: Policies, player: int) -> Float64:
        """Return a policy ``[S, A_i]`` of ``player`` that is at least as good beside the others' policies."""

    def gap(self, policies: Policies, player: int) -> float:
        """Return what ``player`` could add by any policy of its own."""


@dataclass(frozen=True, eq=False)
class Swept:
    policies: Policies
    smallest_gain: float
    has_converged: bool
    num_iterations: int
    was_perturbed: bool = False
    is_saddle: bool = False

    def status(self, game: CommonPayoffGame, kl_weight: float, gap: Float64, unseen_probability: float) -> Status:
        """Return how the search ended, by what the policies found are."""
        if self.is_saddle:
            return "saddle"
        if not self.has_converged or not gap.max() <= _SMALL * (kl_weight + game.reward_range):
            return "max_iterations"
        return "converged" if unseen_probability <= _SMALL else "off_log"


@dataclass(frozen=True)
class Search:
    """Sweep until no probability changes by more than ``tolerance``, at most ``max_iterations`` times a stage."""

    tolerance: float
    max_iterations: int
    perturbation: float
    has_random_order: bool
    seed: int

    def check(self, caller: str) -> None:
        check_number(f"{caller}: tolerance", self.tolerance, is_open=True)
        check_count(f"{caller}: max_iterations", self.max_iterations, at_least=1)
        check_number(f"{caller}: perturbation", self.perturbation)
        if self.perturbation > 1.0:
            raise InvalidArgumentError(f"{caller}: perturbation must lie in [0, 1], got {self.perturbation:g}")
        check_flag(f"{caller}: has_random_order", self.has_random_order)
        check_seed(self.seed)


def check_schedule(name: str, weights: Schedule, *, is_open: bool) -> list[float]:
    """Return one weight or a schedule of them as a list."""
    is_schedule = isinstance(weights, np.ndarray) and weights.ndim > 0
    is_schedule |= isinstance(weights, Sequence) and not isinstance(weights, str | bytes)
    stages: list[Any] = list(weights) if is_schedule else [weights]  # type: ignore[arg-type]
    if not stages:
        raise InvalidArgumentError(f"{name} must be a number or a sequence of them, got an empty one")
    for weight in stages:
        check_number(name, weight, is_open=is_open)
    return [float(weight) for weight in stages]


def sweep_all(
    game: CommonPayoffGame,
    stages: Sequence[Objective],
    search: Search,
    on_step: Callable[[int, float], None] | None = None,
) -> Swept:
    """Solve each stage from where the one before ended, the first from the cloned behavior of each player.

    Where nobody can improve anything alone, two can still do so together, in one state or another. So whenever the
    search comes to rest in mixed play, it looks beside it, in all states at once, and goes on if that is better.
    """
    last = stages[-1]
    found = _run(stages, marginals(np.exp(game.log_behavior)), search, on_step)
    for attempt in range(_MOST_SADDLES):
        if not (found.has_converged and _is_mixed(found.policies)):
            return found
        beside = _run([last], _perturbed(found.policies, search, attempt), search, on_step)
        before, after = last.value(found.policies), last.value(beside.policies)
        if after <= before + 1e-9 * (last.kl_weight + game.reward_range) + 1e-12 * abs(before):
            return found
        if search.perturbation == 0.0:
            break
        found = replace(
            beside,
            smallest_gain=min(found.smallest_gain, beside.smallest_gain),
            num_iterations=found.num_iterations + beside.num_iterations,
            was_perturbed=True,
        )
    return replace(found, is_saddle=found.has_converged)


def _is_mixed(policies: Policies) -> bool:
    """Whether in some state two players have a choice: one alone has no better than its own best."""
    choices = sum((policy.max(axis=1) < 1.0 - _MIXED).astype(np.int64) for policy in policies)
    return bool(np.max(choices) >= 2)


def _run(
    stages: Sequence[Objective], policies: Policies, search: Search, on_step: Callable[[int, float], None] | None
) -> Swept:
    smallest, total, has_converged = np.inf, 0, True
    rng = np.random.Generator(np.random.PCG64(derive_seed(search.seed, "order of agents")))
    players = np.arange(len(policies))
    for objective in stages:
        has_converged, value = False, objective.value(policies)
        for _ in range(search.max_iterations):
            total, change = total + 1, 0.0
            for player in rng.permutation(players) if search.has_random_order else players:
                new = objective.improved(policies, int(player))
                change = max(change, float(np.abs(new - policies[player]).max()))
                policies = [new if i == player else old for i, old in enumerate(policies)]
                now = objective.value(policies)
                smallest, value = min(smallest, now - value), now
                if on_step is not None:
                    on_step(int(player), now)
            if change <= search.tolerance:
                has_converged = True
                break
    return Swept(policies, float(smallest), has_converged, total)


def _perturbed(policies: Policies, search: Search, attempt: int) -> Policies:
    purpose = "perturbation of a saddle" + f" {attempt}" * (attempt > 0)
    rng = np.random.Generator(np.random.PCG64(derive_seed(search.seed, purpose)))
    moved = []
    for policy in policies:
        shifted = policy * np.exp((search.perturbation or _PROBE) * rng.standard_normal(policy.shape))
        moved.append(shifted / shifted.sum(axis=1, keepdims=True))
    return moved
