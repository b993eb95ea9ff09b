"""Robust Nash value iteration: players who each expect the worst transitions near those of the game."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from coffee_fast.checks import check_number
from coffee_fast.errors import InvalidArgumentError, NumericalError, shown
from coffee_fast.regularized.risk_averse.induction import check_unseen
from coffee_fast.regularized.robust.environment import Environment, Judged, judged
from coffee_fast.regularized.robust.expectation import Distance, PerPlayer, Uncertainty
from coffee_fast.regularized.robust.solutions import RobustPolicies
from coffee_fast.stage_games.arguments import frozen, log_uniform
from coffee_fast.stage_games.nash import nash_equilibria
from coffee_fast.stage_games.status import status_of
from coffee_fast.tabular.game import TabularGame
from coffee_fast.typing import Float64, Profile


def robust_nash(
    game: TabularGame | Mapping[str, ArrayLike],
    *,
    distance: Distance = "total_variation",
    radius: PerPlayer = None,
    weight: PerPlayer = None,
    unseen_value: ArrayLike | None = None,
    tolerance: float = 1e-9,
) -> RobustPolicies:
    r"""Return a Nash equilibrium of players who each expect the worst transitions near those of the game.

    From the last step to the first, an equilibrium of the stage games

    .. math:: Q_i(s, a) = r_i(s, a) + \min_{p \in B(P(s, a))} E_p V_i

    where every cell has a ball of its own (the sets are rectangular), or, with ``weight``, the distance has a price.
    Players fear different transitions, so that a zero-sum game is none any more.

    Parameters
    ----------
    game
        A tabular game, or a log of play as :meth:`TabularGame.from_dataset` takes it, whose certificate is about its
        table.
    distance
        ``"total_variation"``, ``"kl"``, ``"contamination"`` (with ``radius``), ``"chi_squared"`` (with ``weight``): as
        in :func:`robust_expectation`. Total variation and contamination let any state come that the game has at the
        next step, and the end of the episode where it can end; the others only what can come in the cell.
    radius, weight
        How far from the nominal transitions, or what leaving them costs in units of payoff; one or one a player. By
        default a radius of 0.1.
    unseen_value
        What legal cells that a log never shows are worth, with all that follows, one number or one a player.
    tolerance
        Converged with gaps at most this share of the player's range of rewards a step.

    Raises
    ------
    InvalidGameError
        Cells that are empty without ``unseen_value``.
    InvalidArgumentError
        A distance that has no such form, radii or weights out of range, and other impossible arguments.
    NumericalError
        Rewards so large that values overflow.

    Notes
    -----
    Deterministic. Cost of a stage game: a linear system of all actions together a step of the branch of logit
    equilibria that leads to it, and a pass over the transitions. In games with several equilibria it is the one at the
    end of the branch. Source: distributionally robust Nash value iteration (DR-NVI), with known or empirical kernels.

    >>> moves = [[[[0.9, 0.1], [0.5, 0.5]]] * 2] * 2  # one player, whose first action leads to state 0 most often
    >>> game = TabularGame([[[[0, 0.1], [0, 0]], [[1, 1], [0, 0]]]], moves, initial=[1, 0])
    >>> found = robust_nash(game, radius=0.2)
    >>> found.value.round(6).tolist(), found.nominal_value.round(6).tolist()
    ([0.7], [0.9])
    """
    caller = "robust_nash"
    check_number(f"{caller}: tolerance", tolerance, is_open=True)
    environment = environment_of(caller, game, distance, radius, weight, unseen_value)
    policies, num_iterations = _equilibria(environment)
    return result(environment, policies, judged(environment, policies), tolerance, num_iterations)


def environment_of(
    caller: str,
    game: TabularGame | Mapping[str, ArrayLike],
    distance: Distance,
    radius: PerPlayer,
    weight: PerPlayer,
    unseen_value: ArrayLike | None,
    *,
    is_fictitious: bool = False,
) -> Environment:
    """Return the game as its players fear it; raise for impossible arguments."""
    if isinstance(game, Mapping):
        game = TabularGame.from_dataset(game)
    if not isinstance(game, TabularGame):
        raise InvalidArgumentError(
            f"{caller}: game must be a TabularGame or a log as arrays, got {shown(game)}; a payoff table has no "
            "transitions to fear"
        )
    uncertainty = Uncertainty.of(caller, distance, radius, weight, game.num_players)
    worth = check_unseen(caller, game, unseen_value)
    known = game.legal_profiles & ~game.unseen & game.reached.reshape(*game.rewards.shape[1:3], *[1] * game.num_players)
    largest = max(float(np.abs(game.rewards[:, known]).max(initial=0.0)), float(np.abs(worth).max()))
    if largest * game.horizon > 1e300:
        raise NumericalError(f"{caller}: rewards up to {largest:g} leave the finite numbers in {game.horizon} steps")
    return Environment(game, uncertainty, worth, is_fictitious=is_fictitious)


def result(
    environment: Environment, policies: Profile, figures: Judged, tolerance: float, num_iterations: int
) -> RobustPolicies:
    """Return policies with their figures."""
    game, uncertainty = environment.game, environment.uncertainty
    return RobustPolicies(
        policies=tuple(frozen(policy) for policy in policies),
        gap=figures.gap,
        stage_gap=figures.stage_gap,
        value=figures.value,
        values=figures.values,
        nominal_value=judged(environment.trusted, policies).value,
        status=status_of(bool((figures.gap <= allowed_gap(game, tolerance)).all())),
        num_iterations=num_iterations,
        distance=uncertainty.distance,
        radius=uncertainty.radius,
        weight=uncertainty.weight,
        about=game.about,
    )


def allowed_gap(game: TabularGame, tolerance: float) -> Float64:
    """Return ``[N]``: a share of each player's range of rewards, for every step."""
    known = game.legal_profiles if game.counts is None else game.counts > 0
    ranges = np.array([np.ptp(rewards[known]) for rewards in game.rewards])
    return np.asarray(tolerance * game.horizon * np.where(ranges > 0.0, ranges, 1.0))


def uniform_policies(game: TabularGame) -> Profile:
    """Return ``[H, S, A_i]`` a player, uniform over legal actions."""
    legal = game.legal or [np.ones((*game.rewards.shape[1:3], size), dtype=bool) for size in game.num_actions]
    return [np.exp(log_uniform(mask)) for mask in legal]


def _equilibria(environment: Environment) -> tuple[Profile, int]:
    game = environment.game
    policies, num_iterations = uniform_policies(game), 0
    following = np.zeros((game.num_players, game.num_states))
    for stage in environment.stages():
        payoffs = stage.payoffs(following)
        mixtures, steps = nash_equilibria(payoffs, stage.legal)
        num_iterations += steps
        gains = stage.deviations(following, mixtures)
        following = np.zeros_like(following)
        for player, x in enumerate(mixtures):
            policies[player][stage.step, stage.rows] = x
            following[player, stage.rows] = (x * gains[player]).sum(axis=1)
    return policies, num_iterations
