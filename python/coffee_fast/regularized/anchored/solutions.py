"""What the solvers of anchored games return: play, its certificate, and how the search ended."""

from __future__ import annotations

from dataclasses import dataclass

from coffee_fast.stage_games.status import Status
from coffee_fast.typing import Float64


@dataclass(frozen=True, eq=False)
class AnchoredEquilibrium:
    """A regularized Nash equilibrium of a payoff table, or the best profile found, and its certificate.

    Attributes
    ----------
    mixtures
        One ``f64[S_i]`` a player.
    gap
        ``f64[N]``: what each player could gain in payoff less KL penalty by deviating in the game of the given table,
        its members combined; exact. Of a table that is an estimate it says nothing about the estimate's errors.
    value
        ``f64[N]``: payoff less KL penalty.
    status
        ``"converged"``: every gap is within the tolerance; ``"max_iterations"``: none is known to be, and the profile
        is the best one found.
    num_iterations
        Steps and linear solves taken.
    is_unique
        Whether there is provably no other equilibrium. If not there may be; ``"homotopy"`` follows the branch that
        starts at the reference for a large weight, as far as it can be told from others in double precision.
    contraction
        Below 1, the proof of uniqueness: best responses contract.
    method
        What found it: ``"fixed_point"``, ``"mirror_descent"``, ``"homotopy"`` or ``"best_response_flow"``.
    kl_weight
        ``f64[N]``: the weights used.
    """

    mixtures: tuple[Float64, ...]
    gap: Float64
    value: Float64
    status: Status
    num_iterations: int
    is_unique: bool
    contraction: float
    method: str
    kl_weight: Float64


@dataclass(frozen=True, eq=False)
class AnchoredPolicies:
    """A regularized Nash equilibrium of a tabular game, or the best policies found, and its certificate.

    Attributes
    ----------
    policies
        One ``f64[H, S, A_i]`` a player; its reference in states that no log visits at that step.
    gap
        ``f64[N]``: what each player could gain in the whole tabular game by another policy; exact. Of a log this is the
        game estimated from it, unseen cells worth ``unseen_value``, in which every player sees the whole state.
    stage_gap
        ``f64[N, H, S]``: the same in each stage game alone; NaN in states that are not reached.
    value, values
        ``f64[N]`` from the first state, ``f64[N, H, S]`` from each: payoff less KL penalty.
    status, num_iterations, is_unique, kl_weight
        As in :class:`AnchoredEquilibrium`, for all stage games together.
    contraction
        ``f64[H, S]``.
    concentrability, unilateral_concentrability
        ``f64[H, S]`` and ``f64[N, H, S]``: the largest ratios of the reference to the log's frequencies, of profiles
        and of profiles that one player leaves alone; infinite where a legal cell is unseen. None without a log.
    expected_gap
        ``f64[N, H, S]``: the gap in the true game to expect from the noise of the log in each stage game alone, to
        leading order; NaN where it is not known. None without a log.
    about
        What game the gap is about, and what its players know.
    """

    policies: tuple[Float64, ...]
    gap: Float64
    stage_gap: Float64
    value: Float64
    values: Float64
    status: Status
    num_iterations: int
    is_unique: bool
    contraction: Float64
    kl_weight: Float64
    concentrability: Float64 | None
    unilateral_concentrability: Float64 | None
    expected_gap: Float64 | None
    about: str


@dataclass(frozen=True, eq=False)
class CorrelatedEquilibrium:
    """Play of a payoff table, correlated by the round that is drawn, and its certificate.

    Attributes
    ----------
    joint
        ``f64[S1, ..., Sn]``: probabilities of profiles, the average of all rounds (the last round's product with
        ``last_iterate``).
    mixtures
        One ``f64[S_i]`` a player: its marginal of ``joint``.
    gap
        ``f64[N]``: what each player could gain in payoff less KL penalty by one mixture of its own against ``joint``
        (with ``last_iterate``: against the others' mixtures) in the game of the given table, members combined; exact.
    value
        ``f64[N]``: payoff less KL penalty.
    status
        ``"converged"``: every gap is within the tolerance; ``"max_iterations"``: all rounds were played, and the gap
        says how good they are.
    num_iterations
        Rounds played.
    is_unique
        Whether the regularized Nash equilibrium is provably unique.
    potential_distance
        How far the game is from one with a potential: the largest difference between a player's change of payoff and
        the change of the nearest potential, when one player changes its action.
    kl_weight
        ``f64[N]``: the weights used.
    """

    joint: Float64
    mixtures: tuple[Float64, ...]
    gap: Float64
    value: Float64
    status: Status
    num_iterations: int
    is_unique: bool
    potential_distance: float
    kl_weight: Float64


@dataclass(frozen=True, eq=False)
class CorrelatedPolicies:
    """Play of a tabular game, correlated in each state by the round that is drawn, and its certificate.

    Attributes
    ----------
    joint
        ``f64[H, S, A1, ..., An]``: probabilities of profiles in each state.
    policies
        One ``f64[H, S, A_i]`` a player: its marginals of ``joint``.
    gap
        ``f64[N]``: what each player could gain in the whole game by a policy of its own against ``joint``; exact.
    stage_gap, value, values, status, num_iterations, is_unique, kl_weight, about
        As in :class:`coffee_fast.regularized.AnchoredPolicies`; ``num_iterations`` counts rounds of all stage games.
    """

    joint: Float64
    policies: tuple[Float64, ...]
    gap: Float64
    stage_gap: Float64
    value: Float64
    values: Float64
    status: Status
    num_iterations: int
    is_unique: bool
    kl_weight: Float64
    about: str
