"""What can be trusted of a model: its figures held against stated limits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from coffee_fast.errors import InvalidArgumentError
from coffee_fast.models.limits import (
    EXCESS_LOSS,
    FALSE_ENDS,
    LARGE_STATE_ERROR,
    LAST_DECISION,
    LEVELS,
    MIN_EPISODES,
    MIN_HELD_OUT,
    MIN_REPEATED,
    MISSED_ENDS,
    PLAY_GAP,
    REWARD_ERROR,
    STANDARD_ERRORS,
    UNEXPLAINED_CHANGE,
    UNLIKE_OUTCOMES,
    WRONG_MASK_ENTRIES,
    WRONG_MOVERS,
    Level,
)

if TYPE_CHECKING:
    from coffee_fast.data import Finding
    from coffee_fast.models.report import FitReport

DRAWN = {"end": "whether an episode is over", "mover": "who moves next", "chance": "outcomes of chance"}
_WORDS: Mapping[Level, str] = {
    "good": "the model is good",
    "use with care": "the model is to be used with care",
    "not judged": "the model was not judged",
    "do not trust": "the model is not to be trusted",
}


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


@dataclass(frozen=True)
class Verdict:
    """What can be trusted of a model.

    Attributes
    ----------
    level
        ``"good"``: no figure says that the search in it could go wrong. ``"use with care"``: some do. ``"not judged"``:
        nothing, or too little, was held out. ``"do not trust"``: what is found in it, small regret included, says
        nothing about the game.
    reasons
        The figures that are not good, worst first.

    Notes
    -----
    Limits, for care and for distrust, of figures on held-out trajectories: ends missed and ends falsely seen .1 and .5
    of them; wrong entries in a state's legal mask .1 and 1; variance of the changes of an entry of the state that is
    left unexplained .1 and .3; mean absolute error of payoffs .5 and 1 times that of always predicting their mean.
    Care is due where the state at the last decision of the longest episodes is off by twice as much as one decision
    earlier. If the log was played uniformly, uniform play in the model must have the same mean length within .1 and .5
    of it and the same mean return within .1 and .5 of its deviation, beyond four standard errors. Of the whole log:
    fewer than ten independent episodes are not to be trusted, nor is a model of a log where states and actions that
    occur again lead to unlike next states or ends in 1 % of the cases or more. Where ends are drawn they may be unlike;
    log losses of what is drawn must not lie above those of its frequencies by .05 and .5, and where state and action
    decide ends and next movers in the log, the likeliest must be right but for .1 and .5 of them.

    >>> Verdict("good")
    Verdict(level='good', reasons=())
    >>> print(Verdict("good"))
    verdict: good
    """

    level: Level
    reasons: tuple[Reason, ...] = ()

    def __post_init__(self) -> None:
        if self.level not in LEVELS:
            raise InvalidArgumentError(f"Verdict: level must be one of {', '.join(LEVELS)}, got {self.level!r}")

    @classmethod
    def of(cls, report: FitReport, warnings: Iterable[Finding] = ()) -> Verdict:
        """Hold the figures of a report against the limits; what a check of the log warns of asks for care."""
        found = [reason for check in _CHECKS for reason in check(report)]
        found += [Reason("log", "use with care", f"the log, {finding.kind}: {finding}") for finding in warnings]
        found.sort(key=lambda reason: -LEVELS.index(reason.level))
        return cls(found[0].level if found else "good", tuple(found))

    @property
    def headline(self) -> str:
        """The first of the worst reasons, and how many more are as bad; empty if there is none."""
        worst = [reason.text for reason in self.reasons if reason.level == self.level]
        more = f" ({len(worst) - 1} more in the fit report)" if len(worst) > 1 else ""
        return f"{worst[0]}{more}" if worst else ""

    @property
    def in_words(self) -> str:
        """``"the model is not to be trusted"`` and the like."""
        return _WORDS[self.level]

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Verdict:
        return cls(values["level"], tuple(Reason(**reason) for reason in values["reasons"]))

    def __str__(self) -> str:
        return "\n".join([f"verdict: {self.level}", *(f"- {reason.text}" for reason in self.reasons)])


def _random(report: FitReport) -> Iterator[Reason]:
    ways = {
        "num_unlike_states": "the next states differ",
        "num_unlike_ends": "some end the episode and some do not",
    }
    if report.draws_ends:
        del ways["num_unlike_ends"]
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
    if report.num_unlike_rewards:
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
            f"{held_out}, at least {MIN_HELD_OUT} are needed to judge a model; set holdout_fraction to .1 or more, or "
            "log more play",
        )


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
    if value is not None and (level := UNEXPLAINED_CHANGE.level(value)):
        yield Reason(
            "worst_unexplained",
            level,
            f"random or not learned: {value:.0%} of how entry {report.worst_entry} of the state changes is not "
            f"explained, wanted below {UNEXPLAINED_CHANGE.care:.0%} (100 % is no better than its mean change); more "
            "steps or more data, and if that does not help, chance moves in the middle of episodes",
        )
    last, earlier, spread = report.last_state_error, report.earlier_state_error, report.state_spread
    is_large = last is not None and spread is not None and last > LARGE_STATE_ERROR * spread
    if last and earlier and is_large and (level := LAST_DECISION.level(last / earlier)):
        yield Reason(
            "last_state_error",
            level,
            f"last decision: the state in which the longest episodes end is off by {last:.2g}, one decision earlier by "
            f"{earlier:.2g} (wanted below {LAST_DECISION.care:g} times that); payoffs there may be wrong, and "
            "what players do before rests on them; more steps or more data",
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


DRAWN = {"end": "whether an episode is over", "mover": "who moves next", "chance": "outcomes of chance"}
_CHECKS: tuple[Callable[[FitReport], Iterator[Reason]], ...]
_CHECKS = (_random, _held_out, _drawn, _ends, _states, _payoffs, _play)
