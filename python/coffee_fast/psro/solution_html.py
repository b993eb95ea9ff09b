"""A solution in a notebook: what is played, how often, and what it earns."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coffee_fast.psro.solution import Solution

MOST_SHOWN = 10


def solution_as_html(solution: Solution) -> str:
    """Return HTML of bounded size: the ``MOST_SHOWN`` most probable strategies and their payoffs in the model."""
    shown = solution.support(0.0)[:MOST_SHOWN]
    payoffs = solution.table.payoffs(0).mean(axis=0)
    header = "".join(f"<th>against {s}</th>" for s in shown)
    rows = "".join(
        f"<tr><th>{s}</th><td>{solution.probabilities[s]:.1%}</td>"
        + "".join(f"<td>{payoffs[s, other]:.3g}</td>" for other in shown)
        + "</tr>"
        for s in shown
    )
    rest = len(solution.policies) - len(shown)
    note = f"<p>{rest} less probable strategies are not shown.</p>" if rest else ""
    return (
        f"<p>{html.escape(repr(solution))}</p><table><thead><tr><th>strategy</th><th>probability</th>{header}</tr>"
        f"</thead><tbody>{rows}</tbody></table>{note}"
        f"<p>Payoffs in the model, mean over its members. Model regret a player: "
        f"{', '.join(f'{regret:.3g}' for regret in solution.model_regret)}; pessimistic: "
        f"{', '.join(f'{regret:.3g}' for regret in solution.pessimistic_regret)}.</p>"
    )
