"""The figures that keep a model from being good: of its log and of single transitions that it has not seen."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from coffee_fast.models.limits import (
    DRAWN_LUCK,
    EXCESS_LOSS,
    FALSE_ENDS,
    MIN_EPISODES,
    MIN_HELD_OUT,
    MIN_REPEATED,
    MISCALIBRATION,
    MISSED_ENDS,
    OVERCONFIDENCE,
    REWARD_ERROR,
    SMALL_REWARD_ERROR,
    UNEXPLAINED_CHANGE,
    UNLIKE_OUTCOMES,
    WRONG_MASK_ENTRIES,
    WRONG_MOVERS,
    Level,
)
from coffee_fast.models.report_words import DRAWN

if TYPE_CHECKING:
    from coffee_fast.models.report import FitReport

MOST_LISTED = 10
USUAL_FRACTION = 0.1  # held out


@dataclass(frozen=True)
class Reason:
    """One figure that keeps a model from being good.

    Attributes
    ----------
    figure
        Its name in the fit report; ``"log"`` for what :meth:`coffee_fast.TrajectoryDataset.check` warns of.
    level
        What it makes of the model.
    text
        The figure, its limit, what follows and what to do, in a sentence.
    """

    figure: str
    level: Level
    text: str


def _random(report: FitReport) -> Iterator[Reason]:
    ways = {
        "num_unlike_states": "the next states differ",
        "num_unlike_ends": "some end the episode and some do not",
    }
    if report.draws_ends:
        del ways["num_unlike_ends"]
    if _draws_luck(report):
        del ways["num_unlike_states"]
    for figure, words in ways.items():
        count = getattr(report, figure)
        if count and report.num_repeated:
            share = count / report.num_repeated
            yield Reason(
                figure,
                UNLIKE_OUTCOMES.level(share) or "use with care",
                f"the log is random where the model is not: of {report.num_repeated} transitions with a state and "
                f"action that occur again, {words} for {count} ({share:.1%}, at most "
                f"{UNLIKE_OUTCOMES.distrust:.0%}); the model averages them into states that never occur. Log "
                "chance as moves of its own (player -1, num_chance_actions of the GameSpec); if there is none, add to "
                "the state what makes the difference (who is on move, moves made, cards)",
            )
    if report.num_unlike_rewards and not _draws_luck(report):
        yield Reason(
            "num_unlike_rewards",
            "use with care",
            f"of {report.num_repeated} transitions with a state and action that occur again, the rewards differ for "
            f"{report.num_unlike_rewards} (0 in a deterministic game); the model pays their mean, which is right only "
            "if chance decides and nothing that the state leaves out",
        )
    if report.num_unlike_views:
        yield Reason(
            "num_unlike_views",
            "use with care",
            f"observations or legal actions differ for {report.num_unlike_views} transitions whose state occurs again "
            "(0 if the state determines them); the model gives their mean. Add to the state what the players saw",
        )


def _draws_luck(report: FitReport) -> bool:
    """Whether outcomes that state and action leave open are drawn, by kinds of luck that stand for them."""
    return (report.codes_explained or 0.0) >= DRAWN_LUCK


def _unseen(report: FitReport) -> Iterator[Reason]:
    if report.num_unseen_outcomes:
        yield Reason(
            "num_unseen_outcomes",
            "use with care",
            f"chance outcomes never seen: {report.num_unseen_outcomes} of the GameSpec's num_chance_actions do not "
            "occur in the log, so they never occur in the model; log more play",
        )
    if report.new_entries:
        listed = ", ".join(map(str, report.new_entries[:MOST_LISTED]))
        more = ", ..." if len(report.new_entries) > MOST_LISTED else ""
        yield Reason(
            "new_entries",
            "use with care",
            f"always the same where the model learned, and not in held-out trajectories: state entries {listed}{more}; "
            "the model knows one value of them; log more play",
        )


def _held_out(report: FitReport) -> Iterator[Reason]:
    if report.num_repeated is None:
        yield Reason(
            "num_repeated",
            "not judged",
            "the log was not searched for chance in the middle of episodes when this model was fitted; fit it anew",
        )
    if report.num_episodes is not None and report.num_episodes < MIN_EPISODES:
        yield Reason(
            "num_episodes",
            "do not trust",
            f"{report.num_episodes} independent episodes are in the log, at least {MIN_EPISODES} are needed to learn "
            "anything and thousands are better; log more play",
        )
    if report.num_held_out < MIN_HELD_OUT:
        held_out = "nothing was held out" if not report.num_held_out else f"{report.num_held_out} held-out trajectories"
        yield Reason(
            "num_held_out",
            "not judged",
            f"{held_out}, at least {MIN_HELD_OUT} are needed to judge a model{_choices(report)}; "
            f"{_remedy(report.holdout_fraction)}",
        )


def _choices(report: FitReport) -> str:
    return " and to choose its networks, kinds of entries and when to stop" if report.chooses else ""


def _remedy(fraction: float | None) -> str:
    """What it takes to hold enough out."""
    setting = f"holdout_fraction {fraction:g}" if fraction else f"set holdout_fraction to {USUAL_FRACTION} or more; it"
    return f"{setting} takes a log of {math.ceil(MIN_HELD_OUT / (fraction or USUAL_FRACTION))} trajectories or more"


def _drawn(report: FitReport) -> Iterator[Reason]:
    for name, score in report.drawn.items():
        excess = score["log_loss"] - score["base_log_loss"]
        if level := EXCESS_LOSS.level(excess):
            yield Reason(
                "drawn",
                level,
                f"{DRAWN[name]}: predicted worse than by mere frequencies, log loss {score['log_loss']:.2g} against "
                f"{score['base_log_loss']:.2g} (wanted within {EXCESS_LOSS.care}); more data",
            )
        wrong = score.get("calibration_error", 0.0)
        if wrong > score.get("calibration_by_chance", 0.0) and (level := MISCALIBRATION.level(wrong)):
            yield Reason(
                "drawn",
                level,
                f"{DRAWN[name]}: comes more or less often than foretold by {wrong:.2g}, by chance up to "
                f"{score['calibration_by_chance']:.2g} (wanted below {MISCALIBRATION.care}); more data",
            )
    mover = report.drawn.get("mover")
    if mover and _is_decided(report, report.num_unlike_movers):
        wrong = 1 - mover["accuracy"]
        if level := WRONG_MOVERS.level(wrong):
            yield Reason(
                "drawn",
                level,
                f"who moves next is wrong for {wrong:.0%} of held-out moves, though state and action decide it in the "
                f"log, wanted below {WRONG_MOVERS.care:.0%}; more steps or more data",
            )


def _is_decided(report: FitReport, num_unlike: int | None) -> bool:
    """Whether the log shows that state and action decide it."""
    return not num_unlike and (report.num_repeated or 0) >= MIN_REPEATED


def _ends(report: FitReport) -> Iterator[Reason]:
    is_luck = report.draws_ends and not _is_decided(report, report.num_unlike_ends)
    farther = "more steps or more data, or another terminal_state_value, farther from the states"
    for figure, limits, words, remedy in (
        ("terminal_recall", MISSED_ENDS, "ends of episodes are recognized (recall)", "more steps or more data"),
        ("terminal_precision", FALSE_ENDS, "predicted ends are ends (precision)", farther),
    ):
        value = getattr(report, figure)
        if value is not None and not is_luck and (level := limits.level(1 - value)):
            yield Reason(figure, level, f"{value:.0%} of {words}, wanted above {1 - limits.care:.0%}; {remedy}")
    if report.mask_errors is not None and (level := WRONG_MASK_ENTRIES.level(report.mask_errors)):
        yield Reason(
            "mask_errors",
            level,
            f"legal actions: {report.mask_errors:.2g} wrong entries a state, wanted below {WRONG_MASK_ENTRIES.care}; "
            "more steps or more data",
        )


def _states(report: FitReport) -> Iterator[Reason]:
    value = report.worst_unexplained
    if _draws_luck(report):  # of the likeliest luck, which says nothing of what is drawn
        value = None
    if value is not None and (level := UNEXPLAINED_CHANGE.level(value)):
        yield Reason(
            "worst_unexplained",
            level,
            f"random or not learned: {value:.0%} of how entry {report.worst_entry} of the state changes is not "
            f"explained, wanted below {UNEXPLAINED_CHANGE.care:.0%} (100 % is no better than its mean change); more "
            "steps or more data, and if that does not help, chance moves in the middle of episodes",
        )


def _payoffs(report: FitReport) -> Iterator[Reason]:
    error, spread = report.reward_error, report.reward_spread
    if error is not None and spread and (level := REWARD_ERROR.level(error / spread)):
        yield Reason(
            "reward_error",
            level,
            f"payoffs are off by {error:.2g}, {error / spread:.2f} times the error of always predicting the mean "
            f"({spread:.2g}), wanted below {REWARD_ERROR.care:g}; more data",
        )
    covered, expected = report.covered, report.covered_if_calibrated
    if covered is None or not expected or not error or not spread or error < SMALL_REWARD_ERROR * spread:
        return
    if level := OVERCONFIDENCE.level(1 - covered / expected):
        yield Reason(
            "covered",
            level,
            f"members are too sure of themselves: {covered:.0%} of held-out payoffs lie within their range, where "
            f"{expected:.0%} should; penalties and pessimistic regret say less than they seem to; more members, or "
            "bootstrap=True",
        )


CHECKS = (_random, _unseen, _held_out, _drawn, _ends, _states, _payoffs)
