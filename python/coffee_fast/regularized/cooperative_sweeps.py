"""Sweeps over teammates, each improving a common objective while the others hold still."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np

from coffee_fast.checks import check_count, check_number
from coffee_fast.errors import InvalidArgumentError
from coffee_fast.regularized.common_payoff import CommonPayoffGame
from coffee_fast.regularized.in_sample import Policies, marginals
from coffee_fast.seeding import check_seed, derive_seed
from coffee_fast.typing import Float64

Schedule = float | Sequence[float]
_STILL = 1e-12  # probabilities that change by less are at rest
_PROBE = 1e-3  # how far beside a point at rest to look whether it is a saddle


class Objective(Protocol):
    """A common objective: its value, and one player's improvement of it."""

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

    @property
    def status(self) -> Literal["converged", "saddle", "max_iterations"]:
        return "saddle" if self.is_saddle else "converged" if self.has_converged else "max_iterations"


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
        check_seed(self.seed)


def check_schedule(name: str, weights: Schedule, *, is_open: bool) -> list[float]:
    """Return one weight or a schedule of them as a list."""
    stages = list(weights) if isinstance(weights, Sequence | np.ndarray) and not isinstance(weights, str) else [weights]
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
    """Solve each stage from where the one before ended, the first from the cloned behavior of each player."""
    cloned = marginals(np.exp(game.log_behavior))
    players = range(game.num_players)
    found = _run(stages, cloned, search, on_step)
    if max(np.abs(stages[0].improved(cloned, i) - cloned[i]).max() for i in players) >= _STILL:
        return found
    # Nobody can improve the cloned behavior alone; it can still be the worst of all such points. Look beside it.
    beside = _run(stages, _perturbed(cloned, search), search, on_step)
    last = stages[-1]
    before, after = last.value(found.policies), last.value(beside.policies)
    if after <= before + 1e-9 * (1.0 + abs(before)):
        return found
    return replace(found, is_saddle=True) if search.perturbation == 0.0 else replace(beside, was_perturbed=True)


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


def _perturbed(policies: Policies, search: Search) -> Policies:
    rng = np.random.Generator(np.random.PCG64(derive_seed(search.seed, "perturbation of a saddle")))
    moved = []
    for policy in policies:
        shifted = policy * np.exp((search.perturbation or _PROBE) * rng.standard_normal(policy.shape))
        moved.append(shifted / shifted.sum(axis=1, keepdims=True))
    return moved
