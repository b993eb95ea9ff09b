"""``coffee-fast solve``: meta-strategies for payoffs of one's own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

import coffee_fast as cf
from coffee_fast.cli._options import Json, named_values
from coffee_fast.cli._report import finish, remark

COARSE = 0.01  # of the payoff range: a regret that a person should hear of
MOST_SHOWN = 12  # strategies or profiles on a line


def solve(
    payoffs: Annotated[
        Path,
        typer.Argument(help="A .csv, .json or Gambit .nfg file, as docs/payoffs.md says.", exists=True, dir_okay=False),
    ],
    solver: Annotated[
        str | None,
        typer.Option(
            "--solver",
            help="nash (the default), correlated_equilibrium, replicator, robust_replicator, gane, gamd, logit_qre, "
            "rqe, uniform, ...; coffee-fast solvers lists them with their options.",
        ),
    ] = None,
    options: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="An option of the solver, as step_size=0.01; repeatable."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Solve a payoff table and say how good the solution is."""
    table = cf.load_payoffs(payoffs)
    parameters = named_values(options, "--set")
    if "kind" in parameters:
        raise cf.ConfigError("solve: the solver is named by --solver, not by --set kind=...")
    chosen = cf.meta_solvers.from_config({"kind": solver or "nash", **parameters})
    found: Any = chosen.solve(table)
    mean = table.mean()
    ranges = np.array([np.ptp(mean.payoffs(player)) for player in range(table.num_players)])
    relative = found.regret / np.where(ranges > 0.0, ranges, 1.0)
    result = {
        "solver": chosen.to_config(),
        "status": found.status,
        "num_iterations": found.num_iterations,
        "num_players": table.num_players,
        "num_strategies": list(table.num_strategies),
        "num_members": table.num_members,
        "player_names": table.player_names,
        "strategy_names": table.strategy_names,
        "mixtures": found.mixtures,
        "expected_payoffs": table.expected_payoffs(found.mixtures),
        "regret": found.regret,
        "sum_regret": found.sum_regret,
        "max_regret": found.max_regret,
        "pessimistic_regret": found.pessimistic_regret,
        "payoff_range": ranges,
        "relative_regret": relative,
    }
    if isinstance(found, cf.meta_solvers.CorrelatedSolution):
        fields = ("expected_payoffs", "joint", "objective_value", "objective_gap")
        result |= {name: getattr(found, name) for name in fields}
    lines = [f"{chosen.kind}: {found.status} after {found.num_iterations} iterations", *_play(table, found, relative)]
    if warning := _warning(mean, found, chosen):
        remark(warning)
    finish(result, "\n".join(lines), as_json)


def _play(table: Any, found: Any, relative: Any) -> Iterator[str]:
    """Yield a line on each player, and on what they play together if a mediator tells them."""
    players = table.player_names or [f"player {player}" for player in range(table.num_players)]
    strategies = table.strategy_names or [list(map(str, range(size))) for size in table.num_strategies]
    is_told = isinstance(found, cf.meta_solvers.CorrelatedSolution)
    width = max(map(len, [*players, "together"] if is_told else players))
    for player, mixture in enumerate(found.mixtures):
        regret = f"regret {found.regret[player]:.3g} ({100 * relative[player]:.2g} % of the payoff range)"
        support = _listed(zip(strategies[player], mixture, strict=True))
        yield f"{players[player]:<{width}}  {regret}  {'is told' if is_told else 'plays'} {support}"
    if is_told:
        profiles = (f"({', '.join(profile)})" for profile in product(*strategies))
        yield f"{'together':<{width}}  {_listed(zip(profiles, found.joint.ravel(), strict=True))}"


def _listed(named: Iterable[tuple[str, float]]) -> str:
    """Return what is played in the order of the table, or the likeliest of it where that is long."""
    played = [(name, p) for name, p in named if p >= 5e-5]
    shown = played if len(played) <= MOST_SHOWN else sorted(played, key=lambda entry: -entry[1])[:MOST_SHOWN]
    more = f" and {len(played) - len(shown)} more" if len(played) > len(shown) else ""
    return ", ".join(f"{name}: {p:.4f}" for name, p in shown) + more


def _warning(mean: Any, found: Any, solver: Any) -> str:
    """Return what a person should know of a regret that is not small in units of the payoffs."""
    sizes = cf.empirical.usual_payoff_sizes(mean)
    share = float((found.regret / np.where(sizes > 0.0, sizes, 1.0)).max())
    if share <= COARSE and found.status != "not_converged":
        return ""
    warning = f"this is no equilibrium: a player could gain {100 * share:.2g} % of the usual size of its payoffs"
    if hasattr(solver, "step_size"):
        size = solver.step_size * sizes.max()
        return (
            f"{warning}, and step_size times that size is {size:.2g}; try --set step_size={0.1 / sizes.max():.1g}, "
            f"more iterations, or no --solver at all"
        )
    if solver.kind == "nash":
        return f"{warning}, the least that was found; are payoffs of very different sizes, or strategies almost alike?"
    return f"{warning}, by design of {solver.kind} or as it is out of its reach; try no --solver at all"
