"""Robust Q-FTRL: coarse correlated equilibria of players who fear what their own action leads to as the others play."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from coffee_fast.checks import check_count, check_number
from coffee_fast.errors import InvalidArgumentError
from coffee_fast.regularized.anchored.backward_induction import product
from coffee_fast.regularized.robust.environment import Environment, Stage
from coffee_fast.regularized.robust.expectation import Distance, PerPlayer
from coffee_fast.regularized.robust.nash import allowed_gap, environment_of, uniform_policies
from coffee_fast.regularized.robust.solutions import RobustCorrelatedPolicies
from coffee_fast.stage_games.arguments import frozen
from coffee_fast.stage_games.status import status_of
from coffee_fast.tabular.checks import MOST_ENTRIES
from coffee_fast.tabular.game import Bools, TabularGame
from coffee_fast.typing import Float64, Profile

_RECENCY = 2.0  # rounds count in proportion to their number to the power of this less one


def robust_q_ftrl(
    game: TabularGame | Mapping[str, ArrayLike],
    *,
    distance: Distance = "total_variation",
    radius: PerPlayer = None,
    weight: PerPlayer = None,
    unseen_value: ArrayLike | None = None,
    num_iterations: int = 1000,
    tolerance: float = 0.01,
) -> RobustCorrelatedPolicies:
    r"""Return a coarse correlated equilibrium of players who fear what their own action leads to as the others play.

    Sets of kernels are fictitious: they surround what a player's action meets,
    :math:`P^{\pi_{-i}}(s, a_i) = E_{a_{-i} \sim \pi_{-i}} P(\cdot | s, a)`, so that each faces a robust decision
    problem and none needs a joint table. From the last step to the first all players learn at once, for ``K`` rounds:

    .. math:: q_i^k(a_i) = r_i^{\pi_{-i}^k}(a_i) + \min_{p \in B(P^{\pi_{-i}^k}(s, a_i))} E_p V_i, \quad
        Q_i^k = (1 - \alpha_k) Q_i^{k-1} + \alpha_k q_i^k, \quad \pi_i^{k+1} \propto e^{\eta_{k+1} Q_i^k}

    and play is a round drawn by its weight in the last average.

    Parameters
    ----------
    game, distance, radius, weight, unseen_value
        As in :func:`robust_nash`; an unseen cell pays what it is worth and ends the episode.
    num_iterations
        ``K``, rounds in every stage game.
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
    Deterministic. Cost: two passes over rewards and transitions a round; memory for all rounds. The gap falls like
    :math:`1 / \sqrt K`. Source: Shi, Mazumdar, Chi and Wierman 2024 (arXiv 2409.20067), with the game's kernels in the
    place of sampled ones, :math:`\alpha_k = 2 / (k + 1)` and :math:`\eta_{k+1} = \sqrt{\log K / \alpha_k}` in units of
    the range of the stage game.

    >>> pennies = TabularGame([[[[[1, -1], [-1, 1]]]], [[[[-1, 1], [1, -1]]]]])
    >>> found = robust_q_ftrl(pennies, num_iterations=200)
    >>> found.status, found.policies[0][0, 0].round(2).tolist()
    ('converged', [0.5, 0.5])
    """
    caller = "robust_q_ftrl"
    num_iterations = check_count(f"{caller}: num_iterations", num_iterations, at_least=1)
    check_number(f"{caller}: tolerance", tolerance)
    environment = environment_of(caller, game, distance, radius, weight, unseen_value, is_fictitious=True)
    game = environment.game
    size = num_iterations * game.horizon * game.num_states * sum(game.num_actions)
    if size > MOST_ENTRIES:
        raise InvalidArgumentError(
            f"{caller}: {num_iterations} rounds of this game would hold {size:.2g} probabilities, more than "
            f"{MOST_ENTRIES:.2g}; lower num_iterations"
        )
    found = _learn(environment, num_iterations)
    gap = np.maximum((found.best - found.following) @ game.initial, 0.0)
    uncertainty = environment.uncertainty
    return RobustCorrelatedPolicies(
        policies=tuple(frozen(policy) for policy in found.policies),
        gap=gap,
        stage_gap=found.stage_gap,
        value=found.following @ game.initial,
        values=found.values,
        nominal_value=found.trusted @ game.initial,
        status=status_of(bool((gap <= allowed_gap(game, tolerance)).all())),
        num_iterations=num_iterations,
        distance=uncertainty.distance,
        radius=uncertainty.radius,
        weight=uncertainty.weight,
        about=game.about,
        joint=frozen(found.joint),
        rounds=tuple(frozen(x) for x in found.rounds),
        round_weights=frozen(found.weights),
    )


@dataclass(eq=False)
class _Learned:
    """What the rounds of all stage games come to: play ``[H, S, ...]``, and values of the last step solved, ``[N, S]``.

    ``following`` is what play is worth, ``best`` what the best response to it is, ``trusted`` what it is worth if the
    transitions are right.
    """

    policies: Profile
    joint: Float64
    rounds: Profile
    weights: Float64
    values: Float64
    stage_gap: Float64
    following: Float64
    best: Float64
    trusted: Float64


def _learn(environment: Environment, num_rounds: int) -> _Learned:
    game = environment.game
    policies, shape = uniform_policies(game), game.rewards.shape[:3]
    found = _Learned(
        policies=policies,
        joint=product(policies),
        rounds=[np.repeat(policy[None], num_rounds, axis=0) for policy in policies],
        weights=_round_weights(num_rounds),
        values=np.full(shape, np.nan),
        stage_gap=np.full(shape, np.nan),
        **{name: np.zeros((shape[0], shape[2])) for name in ("following", "best", "trusted")},
    )
    for stage in environment.stages():
        _play_rounds(stage, found)
    return found


def _play_rounds(stage: Stage, found: _Learned) -> None:
    """Play all rounds of the stage games of a step and put what they are worth in the place of what follows."""
    step, rows, players = stage.step, stage.rows, range(len(stage.legal))
    num_rounds = len(found.weights)
    ranges = stage.ranges(found.following)
    mixtures = [policy[step, rows] for policy in found.policies]
    zeros = [np.zeros_like(x) for x in mixtures]
    gains, hopes, joint = zeros, zeros, np.zeros_like(stage.rewards[0])
    worth, right = np.zeros((len(mixtures), len(rows))), np.zeros((len(mixtures), len(rows)))
    for k in range(num_rounds):
        share = _RECENCY / (k + _RECENCY)
        for kept, x in zip(found.rounds, mixtures, strict=True):
            kept[k, step, rows] = x
        faced = stage.faced(mixtures)
        gain, hope = stage.gains(faced, found.following), stage.gains(faced, found.best)
        plain = stage.gains(faced, found.trusted, is_trusted=True)
        worth += share * (_expected(mixtures, gain) - worth)
        right += share * (_expected(mixtures, plain) - right)
        joint += share * (product(mixtures) - joint)
        gains = [old + share * (new - old) for old, new in zip(gains, gain, strict=True)]
        hopes = [old + share * (new - old) for old, new in zip(hopes, hope, strict=True)]
        rate = np.sqrt(np.log(max(num_rounds, 2)) / share)
        mixtures = [_softmax(gains[i], ranges[i] / rate, stage.legal[i]) for i in players]
    for name in ("following", "best", "trusted"):
        setattr(found, name, np.zeros_like(found.following))
    found.joint[step, rows], found.following[:, rows], found.trusted[:, rows] = joint, worth, right
    found.values[:, step, rows] = worth
    for i in players:
        axes = tuple(axis for axis in range(1, joint.ndim) if axis != i + 1)
        found.policies[i][step, rows] = joint.sum(axis=axes)
        found.best[i, rows] = hopes[i].max(axis=1)
        found.stage_gap[i, step, rows] = np.maximum(gains[i].max(axis=1) - worth[i], 0.0)


def _round_weights(num_rounds: int) -> Float64:
    """Return what each round counts in the last average."""
    shares = _RECENCY / (np.arange(num_rounds) + _RECENCY)
    kept = np.append(np.cumprod((1.0 - shares)[:0:-1])[::-1], 1.0)
    return np.asarray(shares * kept)


def _expected(mixtures: Profile, gains: Profile) -> Float64:
    return np.stack([(x * q).sum(axis=1) for x, q in zip(mixtures, gains, strict=True)])


def _softmax(scores: Float64, temperature: Float64, legal: Bools) -> Float64:
    scores = np.where(legal, scores, -np.inf)
    with np.errstate(over="ignore"):
        weights = np.exp((scores - scores.max(axis=1, keepdims=True)) / temperature[:, None])
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))
