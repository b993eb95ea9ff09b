"""What can be trusted of a model: its figures held against stated limits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from coffee_fast.errors import InvalidArgumentError
from coffee_fast.models import reasons, reasons_of_episodes
from coffee_fast.models.limits import LEVELS, Level
from coffee_fast.models.reasons import Reason

if TYPE_CHECKING:
    from coffee_fast.data import Finding
    from coffee_fast.models.report import FitReport

_WORDS: Mapping[Level, str] = {
    "good": "the model is good",
    "use with care": "the model is to be used with care",
    "not judged": "the model was not judged",
    "do not trust": "the model is not to be trusted",
}


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
    Members are too sure of themselves where payoffs, off by .25 times that or more, lie within their range in less than
    a third of the cases in which they should. Where logged actions are followed, care is due if the state after some
    number of moves is off by twice what errors that pile up evenly would be, if payoffs there are off to one side by
    .25 times the error of always predicting their mean (1: distrust), and if a player's predicted observations tell 2 %
    of the variance of what is hidden from it, all beyond what chance would do. If the log was played uniformly, uniform
    play in the model must have the same mean length within .1 and .5 of it and the same mean return within .1 and .5 of
    its deviation, beyond four standard errors. Of the whole log: fewer than ten independent episodes are not to be
    trusted, nor is a model of a log where states and actions that occur again lead to unlike next states or ends in 1 %
    of the cases or more; care is due where outcomes of chance never came, where entries of the state differ in
    held-out trajectories alone, or where .2 of the moves of uniform play in the model lie further from the log than
    .05 of held-out ones do. Where ends are drawn they may be unlike; log losses of what is drawn must not lie above
    those of its frequencies by .05 and .5, what is drawn must not come more or less often than foretold by .1 and .5,
    and where state and action decide ends and next movers in the log, the likeliest must be right but for .1 and .5 of
    them.

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
        checks = (*reasons.CHECKS, *reasons_of_episodes.CHECKS)
        found = [reason for check in checks for reason in check(report)]
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
