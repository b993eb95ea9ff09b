"""What a report says of the log's own tree: how much a solution leaves to gain, by neither model nor true game."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from coffee_fast.reports import markdown

CONDITIONS = (
    "The bounds hold whatever follows unseen moves, if it pays no less and no more than whole episodes of the log did, "
    "and if chance is as likely as it may well be after what was seen; outcomes of chance that never came are not "
    "thought of."
)
BETTER = "However it may be, that is less than the log's players left."


def section(found: Mapping[str, Any] | None, is_judged: bool) -> str:
    """Return the bounds of ``evaluation["by_the_log"]``; why there are none only where nothing else judges, either."""
    if not found or (found["status"] != "done" and is_judged):
        return ""
    if found["status"] != "done":
        return f"## By the log alone\n\nNo bounds on regret come from the log without a model: {found['status']}."
    sizes = found["sizes"]
    seen = "none of its moves was missed"
    if sizes["num_unseen"]:
        seen = f"what follows {sizes['num_unseen']} of its {sizes['num_nodes'] - 1} moves was never seen"
    plays = {
        "the solution": found["solutions"][0],
        "what the log's players did": found["logged"],
        "uniform random play": found["uniform"],
    }
    rows = [(name, *_bounds(found, play)) for name, play in plays.items()]
    better = f" {BETTER}" if _is_better(found) else ""
    return (
        f"## By the log alone\n\nHistories repeat in the {sizes['num_episodes']} episodes, so that they show the tree "
        f"of the game: {seen}. By it, without a model, players could gain, summed, by leaving\n\n"
        f"{markdown.table(('play', 'at least', 'at most'), rows)}\n\n{CONDITIONS}{better}"
    )


def in_short(found: Mapping[str, Any] | None) -> str:
    """Return a sentence on the solution, or nothing."""
    if not found or found["status"] != "done":
        return ""
    (least, most), (others_least, others_most) = (
        _bounds(found, play) for play in (found["solutions"][0], found["logged"])
    )
    return (
        f" By the tree of the log players could gain between **{least}** and **{most}**, summed, by leaving it; by "
        f"leaving what the log's players did, between {others_least} and {others_most}."
    )


def _is_better(found: Mapping[str, Any]) -> bool:
    highest: float | None = found["solutions"][0]["highest"]
    return highest is not None and highest < found["logged"]["lowest"]


def _bounds(found: Mapping[str, Any], play: Mapping[str, float | None]) -> tuple[str, str]:
    """The bounds of a play in words; nothing is what rounding leaves of the regret of uniform play."""
    size = found["uniform"]["highest"] or found["uniform"]["nash_conv"]
    least, most = (
        "anything" if value is None else f"{value:.4g}" if value > 1e-6 * size else "0"
        for value in (play["lowest"], play["highest"])
    )
    return least, most
