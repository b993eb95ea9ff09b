"""What the solvers of robust games return: play, its certificate, and how the search ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from coffee_fast.regularized.robust.expectation import Distance
from coffee_fast.typing import Float64

Status = Literal["converged", "not_additive", "max_iterations"]


@dataclass(frozen=True, eq=False)
class RobustPolicies:
    """Play of a tabular game by players who each fear that its transitions are wrong, and its certificate.

    Attributes
    ----------
    policies
        One ``f64[H, S, A_i]`` a player; uniform in states that no log visits at that step.
    gap
        ``f64[N]``: what each player could gain in the whole game by another policy of its own, each judged by the
        transitions that are worst for it; exact.
    stage_gap
        ``f64[N, H, S]``: the same in each stage game alone; NaN in states that are not reached.
    value, values
        ``f64[N]`` from the first state, ``f64[N, H, S]`` from each: by the worst transitions.
    nominal_value
        ``f64[N]``: what the same play is worth if the transitions are right.
    status
        ``"converged"``: every gap is within the tolerance; ``"max_iterations"``: the play is the best one found.
        (``"not_additive"`` is said of :class:`DecomposedPolicies` alone.)
    num_iterations
        Steps of all stage games.
    distance, radius, weight
        What is feared; radii or weights ``f64[N]``, the other None.
    about
        What game the figures are about, and what its players know.
    """

    policies: tuple[Float64, ...]
    gap: Float64
    stage_gap: Float64
    value: Float64
    values: Float64
    nominal_value: Float64
    status: Status
    num_iterations: int
    distance: Distance
    radius: Float64 | None
    weight: Float64 | None
    about: str


@dataclass(frozen=True, eq=False)
class RobustCorrelatedPolicies(RobustPolicies):
    """Play correlated in each state by the round that is drawn, by players who each fear the next state.

    Attributes
    ----------
    policies
        One ``f64[H, S, A_i]`` a player: its marginals of ``joint``.
    joint
        ``f64[H, S, A1, ..., An]``: probabilities of profiles.
    rounds, round_weights
        One ``f64[K, H, S, A_i]`` a player, and ``f64[K]``: in each state a round is drawn, in which players act
        independently. The worst transitions may depend on the round.
    gap
        ``f64[N]``: what each player could gain in the whole game by a policy of its own that does not know the rounds.
    """

    joint: Float64
    rounds: tuple[Float64, ...]
    round_weights: Float64
