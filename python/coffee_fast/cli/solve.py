"""``coffee-fast solve``: meta-strategies for payoffs of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import coffee_fast as cf
from coffee_fast.cli._options import Json, named_values
from coffee_fast.cli._report import finish


def solve(
    payoffs: Annotated[
        Path, typer.Argument(help="A .csv or .json file; README has their forms.", exists=True, dir_okay=False)
    ],
    solver: Annotated[
        str,
        typer.Option(
            "--solver",
            help="replicator, robust_replicator, gane, gamd, logit_qre, rqe, nash, uniform, ...",
        ),
    ] = "robust_replicator",
    options: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="An option of the solver, as step_size=0.01; repeatable."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Solve a payoff table and say how good the solution is."""
    table = cf.load_payoffs(payoffs)
    chosen = cf.meta_solvers.from_config({"kind": solver, **named_values(options, "--set")})
    found = chosen.solve(table)
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
    }
    lines = [f"{solver}: {found.status} after {found.num_iterations} iterations"]
    for player, mixture in enumerate(found.mixtures):
        support = ", ".join(f"{s}: {p:.4f}" for s, p in enumerate(mixture) if p >= 5e-5)
        lines.append(f"player {player}  regret {found.regret[player]:.3g}  plays {support}")
    finish(result, "\n".join(lines), as_json)
