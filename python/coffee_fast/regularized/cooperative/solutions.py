"""What the cooperative solvers return: one policy a player, its certificate, and how the search ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from coffee_fast.typing import Float64

Status = Literal["converged", "off_log", "saddle", "max_iterations"]


@dataclass(frozen=True, eq=False)
class CooperativePolicies:
    """Policies of teammates who act without talking, and how far from a fixed point they are.

    Attributes
    ----------
    policies
        One ``f64[S, A_i]`` a player (``[H, S, A_i]`` for a tabular game); uniform in states the log never visits.
    value
        The regularized objective from the first state; for the last weights of a schedule.
    expected_return
        Discounted rewards alone, in the game as the log shows it; what the log never shows counts as bad.
    unseen_probability
        How likely play is, some day, to be one that the log never shows in that state; later days discounted.
    gap
        ``f64[N]``: what each player could add to the objective by another policy of its own; exact.
    residual
        ``f64[N]``: the largest change of a probability that one more step of each player would make.
    smallest_gain
        The least that one player's step added to the objective. Never below zero but for rounding.
    status
        ``"converged"``: no probability changes by more than the tolerance, no player could add more than rounding
        alone, nor could all together by small changes; ``"off_log"``: likewise, but with a probability above 1e-6 of
        play that the log never shows, so that the return is a guess; ``"saddle"``: together they could;
        ``"max_iterations"``: the best policies found.
    num_iterations
        Sweeps over all players.
    was_perturbed
        Whether the search came to a point that is no maximum though no one could improve it alone, and went on beside
        it.
    about
        What game value, return and gap are about, and what its players know.
    """

    policies: tuple[Float64, ...]
    value: float
    expected_return: float
    unseen_probability: float
    gap: Float64
    residual: Float64
    smallest_gain: float
    status: Status
    num_iterations: int
    was_perturbed: bool
    about: str


@dataclass(frozen=True, eq=False)
class OccupancyPolicies(CooperativePolicies):
    """Policies that were found as distributions of visits.

    Attributes
    ----------
    state_values
        ``f64[N, S]``: the multipliers of each player's flow of visits, of mean 0 over states.
    visits
        ``f64[S]``: discounted shares of visits to each state of the log.
    effective_sample_size
        ``f64[N]``: how many observations' worth the reweighted log is to each player; NaN without a log.
    flow_residual
        ``f64[N]``: the largest violation of any state's flow of visits.
    """

    state_values: Float64
    visits: Float64
    effective_sample_size: Float64
    flow_residual: Float64
