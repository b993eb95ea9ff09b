"""What is known of the snapshots without the true game: what leaving each of them could bring inside the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from coffee_fast.empirical import EmpiricalGame, PayoffTable, simulate_missing
from coffee_fast.empirical.profiles import check_number
from coffee_fast.evaluation.best_responses import policies_of, train_best_responses
from coffee_fast.evaluation.exact import exact_regret
from coffee_fast.games import GameTree
from coffee_fast.policies import Mixture, Policy
from coffee_fast.seeding import derive_seed
from coffee_fast.self_play.checkpoint import JUDGE
from coffee_fast.typing import Float64

if TYPE_CHECKING:
    from coffee_fast.dynamics import Dynamics
    from coffee_fast.games import GameSpec
    from coffee_fast.psro.execution import Execution
    from coffee_fast.self_play.config import SelfPlayConfig
    from coffee_fast.self_play.training import Snapshot


@dataclass(frozen=True, eq=False)
class Judgement:
    """Regrets inside the model, a row a snapshot.

    Attributes
    ----------
    model_regret
        What each player could gain by the model's mean payoffs: f64 ``[num_snapshots, N]``.
    pessimistic_regret
        The same where the members may disagree in the deviator's favor: f64 ``[num_snapshots, N]``.
    chosen
        The snapshot whose pessimistic regret is least, summed over players; the first of several.
    table
        The payoffs of the chosen policies: one strategy a player.
    """

    model_regret: Float64
    pessimistic_regret: Float64
    chosen: int
    table: PayoffTable


def check_judgeable(caller: str, spec: GameSpec) -> None:
    """Raise ``InvalidGameError`` where the payoffs among policies and responses to them are too many to tabulate."""
    check_number(caller, [2] * spec.num_players)


def judge(
    snapshots: Sequence[Snapshot], model: Dynamics, config: SelfPlayConfig, seed: int, execution: Execution
) -> Judgement:
    """Take each snapshot's regret in the model and choose the least: exactly in a tree, elsewhere by the judge."""
    if isinstance(model, GameTree) and model.has_recall:
        found = [exact_regret(model, [own[role] for role in model.spec.role_of]) for own in snapshots]
        regrets, pessimistic = np.array([f.regret for f in found]), np.array([f.upper for f in found])
        chosen = int(pessimistic.sum(axis=1).argmin())
        return Judgement(regrets, pessimistic, chosen, _table(snapshots[chosen], None, model, config, seed, execution))
    tables = _tables(snapshots, model, config, seed, execution)
    kept = [np.array([1.0, 0.0])] * model.spec.num_players  # the snapshot's own policies, not the responses
    regrets = np.array([table.regret(kept) for table in tables])
    pessimistic = np.array([table.pessimistic_regret(kept) for table in tables])
    chosen = int(pessimistic.sum(axis=1).argmin())
    return Judgement(regrets, pessimistic, chosen, tables[chosen].of_first(1))


def _tables(
    snapshots: Sequence[Snapshot], model: Dynamics, config: SelfPlayConfig, seed: int, execution: Execution
) -> list[PayoffTable]:
    """Train each role's response to each snapshot inside the model and estimate the payoffs among the two."""
    spec, folder = model.spec, execution.run_dir
    each = [[Mixture((policy,), np.ones(1)) for policy in own] for own in snapshots]
    best = train_best_responses(
        model,
        [[own[role] for role in spec.role_of] for own in each],
        derive_seed(seed, "judge"),
        oracles=[config.judge],
        execution=replace(execution, run_dir=folder / JUDGE if folder else None),
    )
    responses = [policies_of(best, role) for role in range(spec.num_roles)]
    return [
        _table(own, [by_role[place] for by_role in responses], model, config, seed, execution)
        for place, own in enumerate(snapshots)
    ]


def _table(
    own: Snapshot,
    responses: Sequence[Policy] | None,
    model: Dynamics,
    config: SelfPlayConfig,
    seed: int,
    execution: Execution,
) -> PayoffTable:
    """The payoffs among the policies of a snapshot and, as second strategies, the responses to them."""
    strategies = [[policy] if responses is None else [policy, responses[role]] for role, policy in enumerate(own)]
    # One seed for all snapshots: their figures differ by what they play, not by the luck of the deal.
    return simulate_missing(
        EmpiricalGame(model.core.num_members, model.spec.roles),
        model,
        strategies,
        config.num_simulations,
        seed=derive_seed(seed, "payoffs"),
        num_threads=execution.num_threads,
    ).table()
