"""``coffee-fast solve``: meta-strategies for payoffs of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

import coffee_fast as cf
from coffee_fast.cli._options import Json, named_values
from coffee_fast.cli._report import finish, remark

COARSE = 0.01  # of the payoff range: a regret that a person should hear of


def solve(
    payoffs: Annotated[
        Path, typer.Argument(help="A .csv or .json file; README has their forms.", exists=True, dir_okay=False)
    ],
    solver: Annotated[
        str | None,
        typer.Option(
            "--solver",
            help="nash, replicator, robust_replicator, gane, gamd, logit_qre, rqe, uniform, ...; by default nash for "
            "two players, where it applies, else logit_qre at a temperature near 0.",
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
    if solver is None and not parameters:
        chosen, found = _solved_by_default(table)
    else:
        chosen = cf.meta_solvers.from_config({"kind": solver or "nash", **parameters})
        found = chosen.solve(table)
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
        "mixtures": found.mixtures,
        "expected_payoffs": table.expected_payoffs(found.mixtures),
        "regret": found.regret,
        "sum_regret": found.sum_regret,
        "max_regret": found.max_regret,
        "pessimistic_regret": found.pessimistic_regret,
        "payoff_range": ranges,
        "relative_regret": relative,
    }
    lines = [f"{chosen.kind}: {found.status} after {found.num_iterations} iterations"]
    for player, mixture in enumerate(found.mixtures):
        support = ", ".join(f"{s}: {p:.4f}" for s, p in enumerate(mixture) if p >= 5e-5)
        regret = f"regret {found.regret[player]:.3g} ({100 * relative[player]:.2g} % of the payoff range)"
        lines.append(f"player {player}  {regret}  plays {support}")
    if warning := _warning(mean, found, chosen):
        remark(warning)
    finish(result, "\n".join(lines), as_json)


def _solved_by_default(table: Any) -> tuple[Any, Any]:
    """Return the solver that fits the table, and what it found: exact where it can be, with a certificate elsewhere."""
    if table.num_players == 2:
        solver = cf.meta_solvers.Nash()
        try:
            return solver, solver.solve(table)
        except cf.InvalidGameError:
            if not table.is_complete:
                raise
    unit = min((size for size in _middle_sizes(table.mean()) if size > 0.0), default=1.0)
    for share in (1e-6, 1e-4, 1e-2):
        cool = cf.meta_solvers.LogitQRE(temperature=share * unit)
        found = cool.solve(table)
        if found.status == "converged":
            break
    return cool, found


def _warning(mean: Any, found: Any, solver: Any) -> str:
    """Return what a person should know of a regret that is not small in units of the payoffs."""
    sizes = np.array(_middle_sizes(mean))
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
    return f"{warning}, by design of {solver.kind} or as it is out of its reach; try no --solver at all"


def _middle_sizes(mean: Any) -> list[float]:
    """Return the payoff range of each player, without outliers: at most ten times that of the middle half."""
    sizes = []
    for player in range(mean.num_players):
        payoffs = mean.payoffs(player)
        low, high = np.quantile(payoffs, [0.25, 0.75])
        middle = 10.0 * (high - low)
        sizes.append(float(min(np.ptp(payoffs), middle) if middle > 0.0 else np.ptp(payoffs)))
    return sizes
