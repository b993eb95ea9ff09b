"""What a report says of self-play."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from coffee_fast.reports import markdown

if TYPE_CHECKING:
    from coffee_fast.models import FitReport
    from coffee_fast.psro import Solution
    from coffee_fast.typing import Float64

PLOT = "self_play.png"


def in_short(solution: Solution, fit: FitReport | None) -> str:
    """Return how the solution came about, in a sentence or two."""
    source, place = ("From logged play alone", "inside a model of the game") if fit else ("Online", "in the game")
    each = "one policy" if len(solution.roles) == 1 else "one policy for each role"
    return (
        f"{source}, all players learned at once, {place}, each kept near {_reference(solution.solver)}. The solution "
        f"is {each}, which draws its actions at random."
    )


def plays(solution: Solution) -> str:
    """Return what the players do."""
    who = "All players play" if len(solution.roles) == 1 else "The players of each role play"
    return f"{who} by one network, which gives each legal action a probability by what the player knows."


def section(solution: Solution, history: Mapping[str, Float64], fit: FitReport | None, is_drawn: bool) -> str:
    """Return what happened over the updates, and the snapshots with what the model says of each."""
    num_updates, last = len(history["kl_weight"]), {name: rows[-1] for name, rows in history.items()}
    words = (
        f"{num_updates} updates. The weight of divergence from the reference went from {history['kl_weight'][0]:.3g} "
        f"to {last['kl_weight']:.3g}. In the last update a player earned {last['returns'].mean():.2f} an episode, a "
        f"decision had an entropy of {last['entropy'].mean():.2f} nats and a divergence from the reference of "
        f"{last['kl'].mean():.2f}"
    )
    words += f", and the members of the model disagreed by {last['disagreement']:.2f} an episode." if fit else "."
    if "adversary_kl" in last:
        words += (
            " Each player met adversaries in the others' places, whose play diverged from the others' own by "
            f"{last['adversary_kl'].mean():.2f} a decision."
        )
    image = f"![self-play]({PLOT})" if is_drawn else ""
    return "\n\n".join(part for part in ("## Self-play", words, _snapshots(solution, fit), image) if part)


def _snapshots(solution: Solution, fit: FitReport | None) -> str:
    history = solution.history
    if history is None or "snapshot_pessimistic_regret" not in history:
        return ""
    regret, pessimistic = (
        history[name].sum(axis=1) for name in ("snapshot_model_regret", "snapshot_pessimistic_regret")
    )
    rows = [
        (
            f"{history['snapshot_update'][place]:.0f}",
            f"{history['snapshot_kl_weight'][place]:.3g}",
            f"{regret[place]:.3f}",
            f"{pessimistic[place]:.3f}",
            "chosen" if history["snapshot_chosen"][place] else "",
        )
        for place in range(len(pessimistic))
    ]
    words = (
        "Of the averaged policies of these updates the solution is the one of the least pessimistic regret inside the "
        "model: what a response trained against it gains there, with every member believed where it favors leaving. "
        "The true game had no say in it."
        if fit
        else "Of the averaged policies of these updates the solution is the one that leaving gains least."
    )
    header = ("update", "weight", "regret, summed", "pessimistic", "")
    return f"{words}\n\n{markdown.table(header, rows)}"


def _reference(solver: Mapping[str, Any]) -> str:
    return "the play of the log" if solver.get("reference") == "cloned" else "uniform random play"
