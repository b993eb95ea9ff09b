"""From which value on a figure of a fit report keeps a model from being trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Level = Literal["good", "use with care", "not judged", "do not trust"]
LEVELS: tuple[Level, ...] = get_args(Level)

MIN_EPISODES = 10  # independent ones in the log; fewer show no game
MIN_HELD_OUT = 10  # trajectories; fewer cannot acquit a model, but they can convict it


@dataclass(frozen=True)
class Limits:
    """From which value on a figure asks for care, and from which on the model is not to be trusted."""

    care: float
    distrust: float

    def level(self, value: float) -> Level | None:
        """The level of a figure that is bad when large; None if it is good."""
        return "do not trust" if value >= self.distrust else "use with care" if value >= self.care else None


MISSED_ENDS = Limits(0.1, 0.5)  # 1 - recall
FALSE_ENDS = Limits(0.1, 0.5)  # 1 - precision
WRONG_MOVERS = Limits(0.1, 0.5)  # 1 - accuracy
EXCESS_LOSS = Limits(0.05, 0.5)  # of a log loss over that of frequencies, nats
MIN_REPEATED = 20  # transitions that occur again, from which on what never differs is decided by state and action
WRONG_MASK_ENTRIES = Limits(0.1, 1.0)  # a state
UNEXPLAINED_CHANGE = Limits(0.1, 0.3)  # of the variance of the worst entry's changes; a fair coin leaves a half
REWARD_ERROR = Limits(0.5, 1.0)  # in units of the error of always predicting the mean
PLAY_GAP = Limits(0.1, 0.5)  # of the log's mean length; of the deviation of its returns
LAST_DECISION = Limits(2.0, float("inf"))  # state error, in units of what it would be after one decision less
MIN_LONGEST = 5  # independent episodes of some number of moves, with fewer of which chance decides its figures
GROWTH_NOISE = 3.0  # standard errors, beyond which a state error has grown
PAYOFF_BIAS = Limits(0.25, 1.0)  # after some number of moves, in units of the error of always predicting the mean
MIN_PAYING = 10  # independent episodes that pay there
LEAK = Limits(0.02, float("inf"))  # of the variance of what is hidden from a player, told by its observations
MISCALIBRATION = Limits(0.1, 0.5)  # how much more or less often than foretold what is drawn comes
OVERCONFIDENCE = Limits(2 / 3, float("inf"))  # share of the payoffs missing that should lie within the members' range
SMALL_REWARD_ERROR = 0.25  # in units of the error of always predicting the mean; below, spreads may be as they are
LARGE_STATE_ERROR = 0.2  # of the states' spread; where the last decision is off by less, it is exact enough
UNLIKE_OUTCOMES = Limits(0.0, 0.01)  # of the transitions whose state and action occur again
STANDARD_ERRORS = 4.0  # within which play in the model and in the log are the same
DRAWN_LUCK = 0.9  # share of what state and action leave open; kinds of luck that explain more stand for it
FAR_FROM_LOG = Limits(0.2, float("inf"))  # of the moves of uniform play in the model; .05 are as far in any log of it
