"""Regret by deviations: what each strategy of a role earns against the others' mixtures, whatever their number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from coffee_fast.evaluation.best_responses import figures_of, names_of, policies_of
from coffee_fast.evaluation.regret_report import RegretReport
from coffee_fast.policies import Mixture, Policy, UniformRandom
from coffee_fast.policy_files import policy_fingerprint
from coffee_fast.psro.execution import Execution
from coffee_fast.psro.role_mixtures import names_of_roles
from coffee_fast.seeding import derive_seed
from coffee_fast.simulation import simulate
from coffee_fast.typing import Float64

if TYPE_CHECKING:
    from coffee_fast.dynamics import Dynamics
    from coffee_fast.evaluation.best_responses import BestResponses


@dataclass(frozen=True, eq=False)
class Sample:
    """Gains of a role's candidates in one set of episodes, a player of the role seated by lot.

    Attributes
    ----------
    gains, standard_errors
        f64 ``[S]``: of each candidate. It meets the same chance and the same draws of the others as the solution does,
        so differences are taken episode by episode.
    payoff, payoff_error
        What the solution earns.
    """

    gains: Float64
    standard_errors: Float64
    payoff: float
    payoff_error: float


def regret_by_deviations(
    game: Dynamics,
    profiles: Sequence[Sequence[Mixture]],
    best: BestResponses,
    num_simulations: int,
    seed: int,
    execution: Execution,
) -> tuple[RegretReport, ...]:
    """Return the regret of each profile against all strategies of all profiles and the best responses to them.

    One sample set picks the deviation of a role, a second one measures
    it. Cost: ``num_simulations`` episodes a profile, candidate and sample set, the solution itself among them.
    """
    spec = game.spec
    candidates: list[list[Policy]] = []
    names: list[tuple[str, ...]] = []
    for role in range(spec.num_roles):
        own, _ = merge_strategies([profile[spec.seats_of(role)[0]] for profile in profiles])
        own_names = [f"strategy {index}" for index in range(len(own))]
        candidates.append(own + policies_of(best, role))
        names.append((*own_names, *names_of(best)))
    reports = []
    for index, profile in enumerate(profiles):
        by_role = []
        for role, own in enumerate(candidates):
            selection, validation = (
                _sample(game, profile, role, own, num_simulations, derive_seed(seed, f"deviations/{part}"), execution)
                for part in ("selection", "validation")
            )
            by_role.append(_figures(selection, validation, names[role]))
        figures: dict[str, Any] = {
            name: np.array([by_role[role][name] for role in spec.role_of]) for name in _BY_PLAYER
        }
        reports.append(
            RegretReport(
                **figures,
                deviations=tuple(found["deviation"] for found in by_role),
                deviation_gains=tuple(found["gains"] for found in by_role),
                strategy_names=tuple(names),
                response_report=figures_of(best, index, names_of_roles(spec, spec.num_roles)),
                num_simulations=num_simulations,
                seed=seed,
            )
        )
        execution.tell("evaluation", index + 1, len(profiles), {"num_strategies": float(sum(map(len, candidates)))})
    return tuple(reports)


_BY_PLAYER = (
    "regret",
    "regret_standard_error",
    "debiased_regret",
    "debiased_standard_error",
    "payoff",
    "payoff_standard_error",
)


def _figures(selection: Sample, validation: Sample, names: Sequence[str]) -> dict[str, Any]:
    best = int(np.argmax(selection.gains))
    gains = bool(selection.gains[best] > 0)  # else to stay is best, and gains nothing
    return {
        "regret": float(selection.gains[best]) if gains else 0.0,
        "regret_standard_error": float(selection.standard_errors[best]) if gains else 0.0,
        "debiased_regret": float(validation.gains[best]) if gains else 0.0,
        "debiased_standard_error": float(validation.standard_errors[best]) if gains else 0.0,
        "payoff": validation.payoff,
        "payoff_standard_error": validation.payoff_error,
        "deviation": names[best] if gains else "none",
        "gains": selection.gains,
    }


def _sample(
    game: Dynamics,
    profile: Sequence[Mixture],
    role: int,
    candidates: Sequence[Policy],
    num_simulations: int,
    seed: int,
    execution: Execution,
) -> Sample:
    seats = game.spec.seats_of(role)
    each = max(2, -(-num_simulations // len(seats)))
    means, variances = np.zeros((len(seats), len(candidates) + 1)), np.zeros((len(seats), len(candidates) + 1))
    for place, seat in enumerate(seats):
        seat_seed = derive_seed(seed, "seat", seat)
        stay = _returns(game, profile, seat, None, each, seat_seed, execution)
        means[place, -1], variances[place, -1] = stay.mean(), stay.var(ddof=1) / each
        for index, policy in enumerate(candidates):
            gain = _returns(game, profile, seat, policy, each, seat_seed, execution) - stay
            means[place, index], variances[place, index] = gain.mean(), gain.var(ddof=1) / each
    mean, error = means.mean(axis=0), np.sqrt(variances.sum(axis=0)) / len(seats)
    return Sample(mean[:-1], error[:-1], float(mean[-1]), float(error[-1]))


def _returns(
    game: Dynamics,
    profile: Sequence[Mixture],
    seat: int,
    policy: Policy | None,
    num_episodes: int,
    seed: int,
    execution: Execution,
) -> Float64:
    """What the player in ``seat`` earns in each episode, by the profile or by a policy of its own."""
    players = list(profile)
    if policy is not None:
        players[seat] = Mixture((policy,), np.ones(1))
    played = simulate(game, players, num_episodes=num_episodes, seed=seed, num_threads=execution.num_threads)
    return played.returns[:, seat]


def merge_strategies(mixtures: Sequence[Mixture]) -> tuple[list[Policy], Float64]:
    """Return the distinct policies, uniform random first, and each mixture's probabilities over them."""
    strategies: list[Policy] = [UniformRandom()]
    place = {policy_fingerprint(strategies[0]): 0}
    rows = []
    for mixture in mixtures:
        row: dict[int, float] = {}
        for policy, probability in zip(mixture.policies, mixture.probabilities, strict=True):
            index = place.setdefault(policy_fingerprint(policy), len(strategies))
            if index == len(strategies):
                strategies.append(policy)
            row[index] = row.get(index, 0.0) + float(probability)
        rows.append(row)
    weights = np.zeros((len(rows), len(strategies)))
    for weight, row in zip(weights, rows, strict=True):
        weight[list(row)] = list(row.values())
    return strategies, weights
