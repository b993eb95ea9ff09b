"""The figures that keep a model from being good: of whole episodes in it, and of what they tell the players."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from coffee_fast.models.limits import (
    FAR_FROM_LOG,
    GROWTH_NOISE,
    LARGE_STATE_ERROR,
    LAST_DECISION,
    LEAK,
    MIN_LONGEST,
    MIN_PAYING,
    PAYOFF_BIAS,
    PLAY_GAP,
    STANDARD_ERRORS,
)
from coffee_fast.models.reasons import Reason

if TYPE_CHECKING:
    from coffee_fast.models.report import FitReport

Row = Mapping[str, float]


def _last_decision(report: FitReport) -> Iterator[Reason]:
    """The state error that grows most from one number of moves to the next, where it becomes large."""
    large = LARGE_STATE_ERROR * report.state_spread if report.state_spread is not None else math.inf
    jumps = [jump for jump in _jumps(report) if jump[1] > large]
    made, last, earlier, growth = max(jumps, key=lambda jump: jump[3], default=(None, 0.0, 0.0, 0.0))
    if level := LAST_DECISION.level(growth):
        where = "in which the longest episodes end" if made is None else f"after {made:.0f} moves"
        yield Reason(
            "last_state_error",
            level,
            f"last decision: the state {where} is off by {last:.2g}, one decision earlier by {earlier:.2g} (wanted "
            f"below {LAST_DECISION.care:g} times that); payoffs there may be wrong, and what players do before rests "
            "on them; more steps or more data, or ends='probability'",
        )


def _jumps(report: FitReport) -> Iterator[tuple[float | None, float, float, float]]:
    """Moves made, the state error then and one decision earlier, and how many times what was to be expected it is.

    Errors that pile up evenly are as many times larger as there are moves, and no jump; nor is what may be noise.
    """
    last, earlier = report.last_state_error, report.earlier_state_error
    if not report.by_moves and last and earlier:  # of an earlier version
        yield None, last, earlier, last / earlier
    known = [row for row in report.by_moves if row["moves_made"] and row["num_episodes"] >= MIN_LONGEST]
    for before, after in pairwise(known):
        even = after["moves_made"] / before["moves_made"]
        expected, error = even * before["state_error"], after["state_error"]
        noise = math.hypot(after["state_error_standard_error"], even * before["state_error_standard_error"])
        if expected > 0 and error - expected > GROWTH_NOISE * noise:
            yield after["moves_made"], error, before["state_error"], error / expected


def _bias(report: FitReport) -> Iterator[Reason]:
    """The largest mean error of payoffs after some number of moves, or of all."""
    unit, worst, text = report.reward_spread, 0.0, ""
    paying = [row for row in report.by_moves if row["num_paying"] >= 2]
    for whose, who in (("mover", "who is on move"), ("others", "the others")):
        rows = [row for row in paying if f"{whose}_bias" in row]
        for row in (*rows, *_pooled(rows, whose)):
            bias, noise = row[f"{whose}_bias"], row[f"{whose}_bias_standard_error"]
            is_seen = row["num_paying"] >= MIN_PAYING and abs(bias) > STANDARD_ERRORS * noise
            if unit and is_seen and abs(bias) / unit > worst:
                worst = abs(bias) / unit
                where = f"after {row['moves_made']:.0f} moves" if "moves_made" in row else "at all moves"
                text = (
                    f"payoffs {where} are off to one side: {who} gets {bias:+.2g} ± {noise:.1g} more than in the log "
                    f"(wanted within {PAYOFF_BIAS.care * unit:.2g}); more steps or more data"
                )
    if level := PAYOFF_BIAS.level(worst):
        yield Reason("by_moves", level, text)


def _pooled(rows: Sequence[Row], whose: str) -> Iterator[Row]:
    """The mean error over all numbers of moves, weighted by the episodes that pay."""
    weight = sum(row["num_paying"] for row in rows)
    if weight:
        bias = sum(row["num_paying"] * row[f"{whose}_bias"] for row in rows) / weight
        noise = math.hypot(*(row["num_paying"] * row[f"{whose}_bias_standard_error"] for row in rows)) / weight
        yield {"num_paying": weight, f"{whose}_bias": bias, f"{whose}_bias_standard_error": noise}


def _leaks(report: FitReport) -> Iterator[Reason]:
    seen = [leak for leak in report.leaks if leak["share"] > leak["by_chance"]]
    largest = max(seen, key=lambda leak: leak["share"], default=None)
    if largest and (level := LEAK.level(largest["share"])):
        yield Reason(
            "leaks",
            level,
            f"leak: after {largest['moves_made']:.0f} moves what the model shows player {largest['player']:.0f} tells "
            f"{largest['share']:.0%} of the variance of entry {largest['entry']:.0f} of player "
            f"{largest['of_player']:.0f}'s observation, which it cannot know (wanted below {LEAK.care:.0%}; by chance "
            f"up to {largest['by_chance']:.1%}); strategies may rest on it; entries='by_kind'",
        )


def _play(report: FitReport) -> Iterator[Reason]:
    if not report.data_is_uniform or not report.num_episodes:
        return
    for figure, unit in (("mean_length", report.data_mean_length), ("mean_return", report.data_return_deviation)):
        ours, theirs = getattr(report, f"model_{figure}"), getattr(report, f"data_{figure}")
        deviation = getattr(report, f"data_{figure.removeprefix('mean_')}_deviation")
        gap = abs(ours - theirs)
        beyond = STANDARD_ERRORS * deviation * report.num_episodes**-0.5
        if unit and gap > beyond and (level := PLAY_GAP.level(gap / unit)):
            yield Reason(
                f"model_{figure}",
                level,
                f"uniform play has a {figure.replace('_', ' ')} of {ours:.3g} in the model and of {theirs:.3g} in the "
                f"log, which was played uniformly (wanted within {PLAY_GAP.care * unit:.2g}); more steps or more data",
            )
    gap, unit = report.return_gap, report.data_return_deviation
    if not (report.draws_ends and gap and unit) or gap < STANDARD_ERRORS * unit * report.num_episodes**-0.5:
        return
    if level := PLAY_GAP.level(gap / unit):
        yield Reason(
            "return_gap",
            level,
            f"uniform play gives a player {gap:.3g} more or less in the model than in the log, which was played "
            f"uniformly (wanted within {PLAY_GAP.care * unit:.2g}); more steps or more data",
        )


def _exploring(report: FitReport) -> Iterator[Reason]:
    """Held-out games of players who know what to do cannot show what a model gets wrong where they do not go."""
    near = report.exploring_near_log
    if near is not None and (level := FAR_FROM_LOG.level(1 - near)):
        yield Reason(
            "exploring_near_log",
            level,
            f"of what uniform play does in the model {near:.0%} is as near to the log as 95 % of held-out moves are "
            f"(wanted above {1 - FAR_FROM_LOG.care:.0%}): who tries other moves comes to where no logged game shows "
            "whether the model is right. Trust a solution near the players alone (reference='cloned'), or log play "
            "that explores",
        )


CHECKS = (_last_decision, _bias, _leaks, _play, _exploring)
