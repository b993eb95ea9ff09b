"""What was found in a log, in words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from coffee_fast.logs.columns import ChosenColumns
from coffee_fast.logs.episodes import Episodes
from coffee_fast.logs.layout import Layout
from coffee_fast.logs.play import Play


def describe(
    held: Layout,
    chosen: ChosenColumns,
    episodes: Episodes,
    play: Play,
    words: tuple[str, str],
    kept: NDArray[np.bool_],
    is_partial: bool,
) -> None:
    """Say in words what was found and how."""
    counts, layout = np.bincount(play.steps.episode), play.steps.layout
    found = [
        f"layout: {layout}, {chosen.num_rows} rows, {len(counts)} episodes of {counts.min()} to {counts.max()} steps"
        + ("" if episodes.is_sorted else ", sorted by episode and step")
    ]
    if chosen.unused:
        found.append(f"not used: {', '.join(chosen.unused)[:300]}")
    found += [f"turns: {words[0]}"] * bool(words[0])
    found.append(f"rewards: {words[1]}")
    by_kind = {
        "mover": "observation: of the player who acts" + ("; of the others what they saw last" if is_partial else ""),
        "everybody": "observation: the same columns for all players",
        "each": "observation: columns of each player",
        "none": "observation: none in the log",
    }
    found.append(by_kind[held.kind])
    categories = [str(f["name"]) for f in held.features if "values" in f]
    found += [f"one-hot: {', '.join(categories)[:300]}"] * bool(categories)
    held.found = [*found, *held.found, f"state: {', '.join(_parts_of_state(held, play))}"]
    if "next_state" in chosen:
        held.found.append("next_state: not used, as the state of the next row says it")
    if (cut := int(episodes.truncated.sum())) > 0:
        held.found.append(
            f"{cut} episodes broke off; their last steps, after which nothing is known, were left out "
            f"({(~kept).sum()} rows)"
        )
        held.questions.append(
            "episodes that broke off may have been longer than the longest one; if so say max_episode_length"
        )
    if "legal_mask" not in chosen:
        held.found.append("legal actions: all that players of the role ever took, at the first move those taken first")
    if held.kind == "mover" and is_partial and play.num_players > 1:
        held.questions.append(
            "only the acting player's observation is there; what others learn while they wait is not known before they "
            "act; give columns of each player if they are to know it"
        )


def _parts_of_state(held: Layout, play: Play) -> list[str]:
    parts = ["the time"] * (held.horizon > 1)
    parts += ["who is on move"] * (play.moves == "turns" and play.num_players > 1)
    if held.state_features is not None:
        parts.append("the columns of the state")
    elif held.features:
        parts.append("what all players saw last" if held.kind == "mover" else "what all players see")
    if held.num_own_moves:
        parts.append("each player's own moves")
    if held.num_events:
        what = "moves" if play.moves == "turns" else "rounds"
        parts.append(f"the last {held.num_events} {what}" if held.num_events > 1 else f"the last {what[:-1]}")
    if play.moves == "simultaneous":
        parts.append("the choices of the round that do not show yet")
    return parts or ["nothing (0)"]
