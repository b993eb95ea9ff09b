"""What the solvers of risk-averse games return: play, its certificate, and how the search ended."""

from __future__ import annotations

from dataclasses import dataclass

from coffee_fast.stage_games.kernels import Divergence, Regularizer
from coffee_fast.stage_games.status import Status
from coffee_fast.typing import Float64


@dataclass(frozen=True, eq=False)
class RiskAverseEquilibrium:
    """A risk-averse quantal equilibrium of a payoff table, or the best profile found, and its certificate.

    Attributes
    ----------
    mixtures
        One ``f64[S_i]`` a player.
    adversaries
        For each player the worst play of the others that it guards against, ``f64`` over their joint strategies, one
        axis for each of the others in order.
    gap
        ``f64[N]``: no player could gain more in its risk-averse, regularized payoff by another mixture, in the game of
        the given table.
    residual
        ``f64[N]``: the largest difference of a probability from the best response to the adversary.
    value
        ``f64[N]``: the risk-averse payoff less the temperature's penalty.
    status
        ``"converged"``: every gap is within the tolerance; ``"max_iterations"``: the profile is the best one found.
    num_iterations
        Steps and linear solves taken.
    tractability
        The product of the two smallest ``temperature * risk_aversion``. From 1 on (two players, a pair that is
        tractable) no-regret learning finds the equilibrium whatever the payoffs are.
    is_tractable
        Whether that is so.
    is_unique
        Whether there is provably no other equilibrium: ``16 tractability > (n - 1)^4`` for a tractable pair of
        divergence and regularizer, or, without risk aversion, responses that contract or a zero-sum game.
    temperature, risk_aversion
        ``f64[N]``: those used.
    divergence, regularizer
        As asked for.
    """

    mixtures: tuple[Float64, ...]
    adversaries: tuple[Float64, ...]
    gap: Float64
    residual: Float64
    value: Float64
    status: Status
    num_iterations: int
    tractability: float
    is_tractable: bool
    is_unique: bool
    temperature: Float64
    risk_aversion: Float64
    divergence: Divergence
    regularizer: Regularizer


@dataclass(frozen=True, eq=False)
class RiskAversePolicies:
    """A risk-averse quantal equilibrium of a Markov game, stage game by stage game, and its certificate.

    Attributes
    ----------
    policies
        One ``f64[H, S, A_i]`` a player (one step for a discounted game); uniform in states that are not reached.
    gap, residual
        ``f64[N]``: the largest of a player's stage games; what a player could gain in one of them by another mixture.
    stage_gap, values
        ``f64[N, H, S]``; NaN in states that are not reached.
    value
        ``f64[N]``: from the first state.
    value_change
        Of a discounted game the largest change of a value in the last sweep; 0 for a finite horizon.
    status
        ``"converged"``: every stage game is, and the values of a discounted game stand still.
    num_iterations
        Steps and linear solves of all stage games.
    tractability, is_tractable, is_unique, temperature, risk_aversion, divergence, regularizer
        As in :class:`RiskAverseEquilibrium`, for every stage game.
    about
        What game the gap is about, and what its players know.
    """

    policies: tuple[Float64, ...]
    gap: Float64
    residual: Float64
    stage_gap: Float64
    value: Float64
    values: Float64
    value_change: float
    status: Status
    num_iterations: int
    tractability: float
    is_tractable: bool
    is_unique: bool
    temperature: Float64
    risk_aversion: Float64
    divergence: Divergence
    regularizer: Regularizer
    about: str
