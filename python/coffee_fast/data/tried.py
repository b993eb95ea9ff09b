"""Whether logged players tried what they might have done, where they came often enough to try all of it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from coffee_fast._like_rows import like_rows
from coffee_fast.data.findings import Finding, Log

ENOUGH = 10  # times as often as there are legal actions: at random one would be missed once in twenty thousand times
MOST_UNTRIED = 0.1  # of the legal actions there
MOST_NUMBERS = 10**8  # of information states that are looked at; of a larger log the first episodes


def moves_nobody_tried(log: Log) -> Iterator[Finding]:
    """Held-out games cannot show what a model gets wrong where no player ever went."""
    share, row, num_tried, num_legal, times = untried(log)
    if share > MOST_UNTRIED:
        yield Finding(
            "moves nobody tried",
            "warning",
            log.place(row),
            f"here players took {num_tried} of {num_legal} legal actions, each time of {times}; in situations that "
            f"came up {ENOUGH} times or more for each legal action, {share:.0%} of the legal actions were never taken",
            "what a model says of such moves no logged game has shown or tested, and strategies will try them",
            "Trust a solution near the players alone (reference='cloned'), or log play that tries other moves.",
        )


def untried(log: Log) -> tuple[float, int, int, int, int]:
    """Share of legal actions that were never taken in situations that came up often, a mean over decisions there.

    And the row of the situation with most of that: its row, how many actions were taken of how many, how often it came.
    """
    dataset, spec = log.dataset, log.spec
    fitting = int(
        np.searchsorted(dataset.trajectory_offsets, MOST_NUMBERS // (spec.information_state_size + 1), "right")
    )
    if fitting < 2:
        return 0.0, 0, 0, 0, 0
    if fitting <= dataset.num_trajectories:
        dataset = dataset.select(np.arange(fitting - 1))
    rows = np.flatnonzero(dataset.acting_player >= 0)
    if not len(rows):
        return 0.0, 0, 0, 0, 0
    roles = np.array(spec.role_of)[dataset.acting_player[rows]].astype(np.float32)
    first, situation = like_rows(np.column_stack([roles, dataset.information_states()[rows]]))
    times = np.bincount(situation)
    pairs = np.unique(situation * spec.num_actions + dataset.action[rows])
    num_tried = np.bincount(pairs // spec.num_actions, minlength=len(times))
    num_legal = dataset.legal_masks()[rows[first]].sum(axis=1)
    often = (num_legal > 1) & (times >= ENOUGH * num_legal)
    if not often.any():
        return 0.0, 0, 0, 0, 0
    missing = np.where(often, times * np.maximum(1.0 - num_tried / np.maximum(num_legal, 1), 0.0), 0.0)
    worst = int(missing.argmax())
    share = float(missing.sum() / times[often].sum())
    return share, int(rows[first[worst]]), int(num_tried[worst]), int(num_legal[worst]), int(times[worst])
