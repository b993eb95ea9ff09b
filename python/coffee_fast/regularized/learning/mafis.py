"""Imitation by factorized soft values: policies that explain what all players of a log did, and where it led."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from coffee_fast.checks import check_choice, check_count, check_number
from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.regularized.learning.soft_imitation import PHI, Divergence, Imitation
from coffee_fast.stage_games.arguments import frozen
from coffee_fast.stage_games.status import Status, status_of
from coffee_fast.tabular.game import TabularGame
from coffee_fast.typing import Float64


@dataclass(frozen=True, eq=False)
class ImitatedPolicies:
    """What explains the play of a log, and how well.

    Attributes
    ----------
    policies
        One ``f64[H, S, A_i]`` a player; uniform over legal actions in states that the log never visits at that step.
    action_values
        One ``f64[H, S, A_i]`` a player: its soft values, whose sum over players less what follows is the reward that
        was learned with them; NaN where the log never was, or an action is not legal.
    log_likelihood
        ``f64[N]``: mean log-probability of each player's actions in the log.
    residual
        The largest difference of a probability from what stationarity asks for.
    status
        ``"converged"``: the residual is within the tolerance; ``"max_iterations"``: it is not.
    num_iterations
        Of L-BFGS.
    about
        What log was imitated, and what its players know.
    """

    policies: tuple[Float64, ...]
    action_values: tuple[Float64, ...]
    log_likelihood: Float64
    residual: float
    status: Status
    num_iterations: int
    about: str


def mafis(
    log: TabularGame | Mapping[str, ArrayLike],
    *,
    divergence: Divergence = "kl",
    temperature: float = 0.2,
    discount: float = 0.99,
    smoothing: float = 0.0,
    tolerance: float = 1e-5,
    max_iterations: int = 5000,
) -> ImitatedPolicies:
    r"""Return policies that imitate all players of a log at once, by soft values that add up over players.

    With :math:`Q = \sum_i Q_i(s, a_i)`, :math:`V = \sum_i \alpha \log \sum_{a_i} e^{Q_i / \alpha}` and
    :math:`\pi_i \propto e^{Q_i / \alpha}` it maximizes over the log

    .. math:: E \left[ \phi(Q(s, a) - \gamma V(s')) - (V(s) - \gamma V(s')) \right]

    The first bracket is a reward under which the log is best in hindsight; concave :math:`\phi` holds it back. As
    values must fit what they lead to, what is done in one state says something about others; and the less a reward may
    grow, the nearer play stays to uniform play.

    Parameters
    ----------
    log
        A log of play as :meth:`TabularGame.from_dataset` takes it, or a tabular game made from one.
    divergence
        :math:`\phi'(z)`: ``"total"`` 1, with which what follows cancels and each policy is the frequency of actions,
        plain cloning; ``"hellinger"`` :math:`(1 + z)^{-2}`, ``"kl"`` :math:`e^{-z}` or ``"jensen_shannon"``
        :math:`e^{-z} / (2 - e^{-z})`.
    temperature
        :math:`\alpha`: the larger, the more is held back.
    discount
        :math:`\gamma`, from 0 (every step by itself) to 1.
    smoothing
        Plays added to each legal action in each state at the end, as in :func:`gane`: what the log never shows is
        played by none else, and nothing can be anchored to a reference that never plays it.
    tolerance
        Converged when no probability is further from what stationarity asks for.
    max_iterations
        Of L-BFGS.

    Raises
    ------
    DatasetError
        For malformed logs and private information, as :meth:`TabularGame.from_dataset`.
    InvalidArgumentError
        A game that is known and has no log, or numbers out of range.

    Notes
    -----
    Deterministic. Cost: a pass over the cells and next states of the log an iteration. Source: multi-agent factorized
    imitation by soft values (MAFIS), on tables, where the weights of its mixer are part of the values.

    >>> log = {"action": [[0, 0], [0, 1], [0, 0], [1, 0]], "reward": [[0, 0]] * 4}
    >>> [policy[0, 0].round(3).tolist() for policy in mafis(log, divergence="total").policies]
    [[0.75, 0.25], [0.75, 0.25]]
    >>> mafis(log, divergence="kl", temperature=1.0).policies[0][0, 0].round(3).tolist()
    [0.667, 0.333]
    """
    caller = "mafis"
    check_choice(f"{caller}: divergence", divergence, PHI)
    temperature = check_number(f"{caller}: temperature", temperature, is_open=True)
    if not 1e-6 <= temperature <= 1e6:
        raise InvalidArgumentError(f"{caller}: temperature must be between 1e-6 and 1e6, got {temperature:g}")
    discount = check_number(f"{caller}: discount", discount, at_most=1.0)
    smoothing = check_number(f"{caller}: smoothing", smoothing)
    check_number(f"{caller}: tolerance", tolerance, is_open=True)
    max_iterations = check_count(f"{caller}: max_iterations", max_iterations, at_least=1)
    game = TabularGame.from_dataset(log) if isinstance(log, Mapping) else log
    if not isinstance(game, TabularGame) or game.counts is None:
        raise InvalidArgumentError(f"{caller}: log must be arrays, or a TabularGame made from a log, got {shown(log)}")
    problem = Imitation(game, divergence, temperature, discount)
    scores, num_iterations = problem.solve(tolerance, max_iterations)
    residual = problem.residual(scores)
    plays = problem.policies(scores)
    likelihood = np.array([(n * _log(x)).sum() / n.sum() for n, x in zip(problem.own_counts, plays, strict=True)])
    smooth = [
        (n.sum(axis=2, keepdims=True) * x + smoothing * mask) / (n + smoothing * mask).sum(axis=2, keepdims=True)
        for n, x, mask in zip(problem.own_counts, plays, problem.legal, strict=True)
        if smoothing > 0.0
    ]
    seen = game.reached[..., None]
    values = [np.where(seen & mask, u, np.nan) for u, mask in zip(problem.tables(scores), problem.legal, strict=True)]
    return ImitatedPolicies(
        policies=tuple(frozen(x) for x in smooth or plays),
        action_values=tuple(frozen(u) for u in values),
        log_likelihood=likelihood,
        residual=residual,
        status=status_of(residual <= tolerance),
        num_iterations=num_iterations,
        about=game.about,
    )


def _log(x: Float64) -> Float64:
    return np.log(np.maximum(x, 1e-300))
