"""``report.md`` and ``policies.csv`` of a run that solved its log as a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast._files import write_atomically
from coffee_fast.reports.markdown import quoted, table
from coffee_fast.reports.run_page import write_pages

MOST_ROWS = 20
FILES = {
    "policies.csv": "who does what with which probability, at every step and state that the log visits",
    "results.json": "every figure of this page, for programs",
    "config.json": "the configuration, with the versions of the software",
    "dataset/": "the logged play",
    "solution/": "the policies as arrays (`solution.safetensors`), and what is known of them",
}
WORDS = {
    "converged": "nobody could gain anything to speak of by leaving it",
    "max_iterations": "the search ran out of iterations, and the gap alone says how good it is",
    "not_additive": "what the team gets is no sum of the players' shares, and the gap says what that costs",
    "off_log": "the play found leaves what the log shows",
    "saddle": "nobody can improve anything alone, but two together could",
}


def write_table_report(
    run_dir: Path,
    *,
    dataset: str,
    solution: Mapping[str, Any],
    arrays: Mapping[str, NDArray[Any]],
    seconds: Mapping[str, float],
) -> None:
    """Write the page and the policies of a run into its folder.

    Parameters
    ----------
    run_dir
        The folder.
    dataset
        The dataset's card.
    solution, arrays
        As the run's ``solution/`` holds them.
    seconds
        Wall-clock seconds by stage.
    """
    rows = list(_rows(solution, arrays))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("step", "state", "visits", "player", "action", "probability"))
    writer.writerows(rows)
    write_atomically(run_dir / "policies.csv", text.getvalue().encode())
    figures = solution["figures"]
    files = [(f"`{name}`", what) for name, what in FILES.items() if (run_dir / name).exists()]
    parts = [
        "# What this run found",
        _in_short(solution["solver"], figures),
        "\n".join(f"- {line}" for line in _certificate(figures)),
        "## The play",
        f"In the cells that the log visits most; all of it is in `policies.csv`:\n\n{_play(rows)}",
        f"## The log\n\n{quoted(dataset)}",
        "## Files",
        table(("file", "what it is"), files),
        "Time: " + ", ".join(f"{stage} {spent:.0f} s" for stage, spent in seconds.items()) + ".",
    ]
    write_pages(run_dir, "\n\n".join(part.strip() for part in parts) + "\n")


def _in_short(solver: Mapping[str, Any], figures: Mapping[str, Any]) -> str:
    status, length = figures["status"], figures["horizon"]
    sizes = f"{figures['num_steps']} logged steps, at most {length} an episode, and {figures['num_states']} states"
    return (
        f"The log was solved as a table of {sizes}, by `{solver['kind']}`. The search ended **{status}**: "
        f"{WORDS[status]}. What is said of the play is about {figures['about']}; in the true game it holds as far as "
        "the log tells what happens there."
    )


def _certificate(figures: Mapping[str, Any]) -> Iterator[str]:
    yield f"gap, what a player could gain by another policy of its own: {_listed(figures['gap'])}"
    if figures.get("nominal_value") is not None:
        yield f"value by the worst transitions that are feared: {_listed(figures['value'])}"
        yield f"value if transitions are as the log shows them: {_listed(figures['nominal_value'])}"
    elif figures.get("value") is not None:
        yield f"value, payoff less penalties from the start: {_listed(figures['value'])}"
    if figures.get("expected_return") is not None:
        yield f"expected return: {_listed(figures['expected_return'])}"
    if figures.get("unseen_probability") is not None:
        yield f"probability of leaving the log: {figures['unseen_probability']:.3g}"
    if figures.get("is_unique") is not None:
        yield "it is provably the only such solution" if figures["is_unique"] else "there may be other such solutions"
    if figures["num_unseen"]:
        yield f"cells of which the log knows nothing: {figures['num_unseen']}"


def _rows(solution: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Iterator[tuple[Any, ...]]:
    """Yield (step, state, visits, player, action, probability) of all who have a choice, often visited cells first."""
    visits, states, in_words = arrays["visits"], solution["states"], solution.get("in_words")
    players = [arrays[f"policies_{i}"] for i in range(sum(name.startswith("policies_") for name in arrays))]
    order = np.argsort(-visits, axis=None, kind="stable")
    for step, state in zip(*np.unravel_index(order[: int((visits > 0).sum())], visits.shape), strict=True):
        label = in_words[state] if in_words else " ".join(f"{entry:g}" for entry in states[state])
        for player, policy in enumerate(players):
            legal = np.flatnonzero(arrays[f"legal_{player}"][step, state])
            if len(legal) > 1:
                for action in legal:
                    yield (
                        int(step),
                        label,
                        int(visits[step, state]),
                        _name(solution["player_names"], player),
                        _name(solution["action_names"], int(action)),
                        float(policy[step, state, action]),
                    )


def _play(rows: Sequence[tuple[Any, ...]]) -> str:
    shown = [(*map(str, row[:-1]), f"{row[-1]:.3f}") for row in rows[:MOST_ROWS]]
    header = ("step", "state", "visits", "player", "action", "probability")
    more = f"\n\n... and {len(rows) - MOST_ROWS} rows more." if len(rows) > MOST_ROWS else ""
    return (table(header, shown) if shown else "Nobody ever has a choice.") + more


def _name(names: Sequence[str], number: int) -> str:
    return names[number] if names else str(number)


def _listed(values: float | Sequence[float]) -> str:
    return ", ".join(f"{value:.4g}" for value in values) if isinstance(values, Sequence) else f"{values:.4g}"
