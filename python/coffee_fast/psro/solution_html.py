"""A solution in a notebook: what is played, how often, and what it earns."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coffee_fast.psro.solution import Solution

MOST_SHOWN = 10


def solution_as_html(solution: Solution) -> str:
    """Return HTML of bounded size: the ``MOST_SHOWN`` most probable strategies of each role.

    Where all players are of one role, their payoffs against each other in the model stand beside them.
    """
    tables = "".join(_role_as_html(solution, role) for role in range(min(len(solution.roles), MOST_SHOWN)))
    return (
        f"<p>{html.escape(repr(solution))}</p>{tables}"
        f"<p>Payoffs in the model, mean over its members. Model regret a player: "
        f"{', '.join(f'{regret:.3g}' for regret in solution.model_regret)}; pessimistic: "
        f"{', '.join(f'{regret:.3g}' for regret in solution.pessimistic_regret)}.</p>"
    )


def _role_as_html(solution: Solution, role: int) -> str:
    probabilities, names = solution.by_role[role].probabilities, solution.role_names
    shown = solution.support(0.0, role)[:MOST_SHOWN]
    payoffs = solution.table.payoffs(0).mean(axis=0) if solution.roles == (2,) else None
    against = shown if payoffs is not None else []
    rows = "".join(
        f"<tr><th>{s}</th><td>{probabilities[s]:.1%}</td>"
        + "".join(f"<td>{payoffs[s, other]:.3g}</td>" for other in against if payoffs is not None)
        + "</tr>"
        for s in shown
    )
    header = "".join(f"<th>against {s}</th>" for s in against)
    title = f"<p>{html.escape(names[role])}</p>" if len(names) > 1 else ""
    rest = len(probabilities) - len(shown)
    note = f"<p>{rest} less probable strategies are not shown.</p>" if rest else ""
    return (
        f"{title}<table><thead><tr><th>strategy</th><th>probability</th>{header}</tr></thead>"
        f"<tbody>{rows}</tbody></table>{note}"
    )
