"""One iteration of PSRO: a response a role, the payoffs of the new profiles, the meta-strategies."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from coffee_fast._provenance import is_duration
from coffee_fast.dynamics import Dynamics
from coffee_fast.empirical import simulate_missing
from coffee_fast.empirical.profiles import seats_of
from coffee_fast.policies import Mixture, Policy, UniformRandom
from coffee_fast.psro.checkpoint import RunFolder, RunState
from coffee_fast.psro.config import PSROConfig
from coffee_fast.psro.execution import Execution
from coffee_fast.psro.result import IterationRecord
from coffee_fast.psro.role_mixtures import alike_within_roles, names_of_roles
from coffee_fast.responses import ResponseRequest
from coffee_fast.seeding import derive_seed

if TYPE_CHECKING:
    from coffee_fast.games import GameSpec


@dataclass(frozen=True)
class NewStrategies:
    """One strategy a role, and how they came about."""

    strategies: tuple[Policy, ...]
    objective: Mapping[str, float]
    report: Mapping[str, float]


def uniform_play(spec: GameSpec) -> NewStrategies:
    """What a run starts from: each role plays uniformly at random."""
    return NewStrategies((UniformRandom(),) * spec.num_roles, {}, {})


def respond(
    state: RunState, model: Dynamics, config: PSROConfig, seed: int, folder: RunFolder | None, execution: Execution
) -> NewStrategies:
    """Train each role's response to the meta-strategies of the last iteration."""
    iteration, spec = len(state.records), model.spec
    objective = config.objective.at(iteration - 1)
    mixtures = [
        Mixture(own, mixture) for own, mixture in zip(state.strategies, state.records[-1].mixtures, strict=True)
    ]
    policies: list[Policy] = []
    report: dict[str, float] = {}
    for role, name in enumerate(names_of_roles(spec, spec.num_roles)):
        is_only = spec.num_roles == 1
        purpose = "response" if is_only else f"response/{role}"
        response = ResponseRequest(
            config.response,
            model,
            mixtures[0] if is_only else tuple(mixtures[other] for other in spec.role_of),
            objective,
            derive_seed(seed, purpose, iteration),
            model.reward_scale,
            player=None if is_only else tuple(spec.seats_of(role)),
            checkpoint=folder.response_file(iteration, role) if folder else None,
        ).train(execution.progress)
        policies.append(response.policy)
        report |= {key if is_only else f"{name}/{key}": value for key, value in response.report.items()}
    return NewStrategies(tuple(policies), objective.to_json(), report)


def add_strategies(
    state: RunState,
    new: NewStrategies,
    model: Dynamics,
    config: PSROConfig,
    seed: int,
    num_threads: int,
    seconds: Mapping[str, float],
) -> RunState:
    """The end of an iteration: the new strategies' entries, the meta-strategies, the record."""
    spent = dict(seconds) | {name: value for name, value in new.report.items() if is_duration(name)}
    strategies = tuple((*own, strategy) for own, strategy in zip(state.strategies, new.strategies, strict=True))
    known = len(state.empirical_game.profiles)
    with timed(spent, "payoffs"):
        # One seed for all iterations: a profile's random numbers are keyed by its strategies.
        empirical_game = simulate_missing(
            state.empirical_game,
            model,
            strategies,
            config.num_simulations,
            seed=derive_seed(seed, "payoffs"),
            num_threads=num_threads,
        )
    with timed(spent, "meta_solver"):
        table, roles = empirical_game.table(), model.spec.roles
        solved = alike_within_roles(table, config.meta_solver.solve(table), roles)
    record = IterationRecord(
        iteration=len(state.records),
        objective=new.objective,
        response_report={name: value for name, value in new.report.items() if not is_duration(name)},
        mixtures=tuple(np.asarray(solved.mixtures[seats.start], dtype=np.float64) for seats in seats_of(roles)),
        model_regret=np.asarray(solved.regret, dtype=np.float64),
        solver_status=solved.status,
        solver_iterations=int(solved.num_iterations),
        disagreement=empirical_game.mean_disagreement()[known:],
        seconds=spent,
    )
    return RunState(strategies, empirical_game, (*state.records, record))


@contextmanager
def timed(seconds: dict[str, float], part: str) -> Iterator[None]:
    """Note how many seconds the body takes as ``part``."""
    start = time.perf_counter()
    yield
    seconds[part] = time.perf_counter() - start
