"""Robust regularized Q-iteration by networks: the best answer of a seat to those it met in a log of vectors."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from coffee_fast.checks import check_flag, check_progress
from coffee_fast.data import TrajectoryDataset
from coffee_fast.policies import NetworkPolicy
from coffee_fast.regularized.robust.decisions import Decisions, decisions_of
from coffee_fast.regularized.robust.expectation import Distance
from coffee_fast.regularized.robust.fitting import Fear, Fitting, unit_of
from coffee_fast.stage_games.status import Status
from coffee_fast.typing import ProgressCallback

Price = Literal["total_variation", "kl", "chi_squared"]


@dataclass(frozen=True, eq=False)
class NetworkAnswer:
    """A policy for a seat that is wary of what follows, and how well its values fit the log.

    Attributes
    ----------
    policy
        Greedy by its network's outputs, which are values of actions in units of payoff; actions that the log never
        shows are played only where nothing else is legal.
    value
        What the networks hold it to be worth from the first decisions of the log's episodes on, in the mean, by the
        worst transitions at their price. No bound: what play is worth only play can tell.
    change
        By how much the last iteration moved values, root mean square over the log, in units of payoff.
    residual
        What the last regression of values left, root mean square: what is random in the log is part of it.
    status
        ``"converged"``: the last iteration moved values so little that as many more as values look ahead would stay
        within the tolerance; ``"max_iterations"``: not so. Neither says that networks of this size, or so few samples,
        can hold the values.
    num_iterations
        Regressions of values.
    num_decisions
        Of the seat in the log, those that there was something to learn from.
    distance, weight
        What is feared, at which price.
    about
        What log it is an answer to.
    """

    policy: NetworkPolicy
    value: float
    change: float
    residual: float
    status: Status
    num_iterations: int
    num_decisions: int
    distance: Distance
    weight: float
    about: str


def network_rpq(
    log: TrajectoryDataset | Mapping[str, ArrayLike],
    player: int | str | Sequence[int | str] = 0,
    *,
    distance: Price = "total_variation",
    weight: float | None = None,
    has_fail_state: bool = False,
    discount: float = 0.99,
    hidden_sizes: Sequence[int] = (64, 64),
    num_iterations: int = 50,
    num_steps: int = 200,
    batch_size: int = 256,
    learning_rate: float = 3e-3,
    tolerance: float = 0.1,
    seed: int = 0,
    progress: ProgressCallback | None = None,
) -> NetworkAnswer:
    r"""Return a seat's policy against the others as logged, by networks, if the log misleads about what follows.

    The fixed point of :func:`rpq`, for logs whose observations are vectors. Each iteration is two regressions, of a
    function :math:`g` that judges what follows and of values:

    .. math:: g = \arg\min E \left[ \lambda \phi^* \left( \frac{g(s, a) - V(s')}{\lambda} \right) - g(s, a) \right],
        \quad Q = \arg\min E \left[ r + \gamma \left( g - \lambda \phi^* \left( \frac{g - V}{\lambda} \right) \right)
        - Q(s, a) \right]^2, \quad V = \max_a Q

    For total variation the best :math:`g` is known: no state is worth more than the worst one and :math:`\lambda`.

    Parameters
    ----------
    log
        A dataset, or arrays with one row a step: ``observation [T, N, D]``, or ``[T, D]`` if all see the same, of
        finite numbers; ``action [T, N]``, ``reward [T, N]``, ``trajectory [T]``, ``terminal [T]`` as
        :meth:`TabularGame.from_dataset` takes them, but that an episode may break off (its last ``terminal`` is 0).
    player
        The seat, by number or name, or several that are alike and share the policy.
    distance
        As in :func:`rpq`; a next state is never held to be more than 148 times as likely as in the log (``"kl"``).
    weight
        :math:`\lambda`, in units of payoff; by default the range of what a decision earned in the log.
    has_fail_state
        Whether the episode may end at any time, with nothing more to come, though the log never shows it; of total
        variation alone. The worst state is else the worst of those that come next somewhere in the log, at whatever
        step, the end among them where an episode has one, as a state like others that is worth nothing.
    discount
        :math:`\gamma`, for each decision; below 1 where episodes have no end.
    hidden_sizes
        Widths of the ReLU layers.
    num_iterations, num_steps, batch_size, learning_rate
        Iterations at most; steps of Adam in each regression, batches drawn with replacement, and the first step's rate,
        which falls to 0.
    tolerance
        In deviations of returns in the log. Converged once an iteration moves values by this, over the decisions that
        they look ahead: those of the longest episode, or ``1 / (1 - discount)``.
    seed
        Same seed, same bits: torch computes on one thread.
    progress
        Called with ``("network_rpq", iterations done, iterations at most, {"change": ...})``.

    Raises
    ------
    DatasetError
        For malformed logs, and seats that never act.
    InvalidArgumentError
        For impossible arguments.
    NumericalError
        If values grow without end.

    Notes
    -----
    Values of actions that the log hardly shows are guesses of the networks. Cost: ``num_steps`` steps of about 0.3 ms
    for each of the two regressions in each iteration, at the default sizes. Source: robust regularized Q-iteration
    (RPQ).

    >>> log = {"observation": [[[0.0]], [[1.0]], [[0.0]], [[2.0]], [[0.0]], [[0.0]]], "trajectory": [0, 0, 1, 1, 2, 3],
    ...        "action": [[0], [0], [0], [0], [1], [1]], "reward": [[0.0], [4.0], [0.0], [0.0], [1.5], [1.5]]}
    >>> for weight in (1.0, 100.0):  # 4 or nothing, or 1.5 for sure
    ...     found = network_rpq(log, weight=weight, discount=1.0, hidden_sizes=(8,), num_iterations=4, num_steps=100)
    ...     print(found.policy.probabilities([[0.0]], [[1, 1]]))
    [[0. 1.]]
    [[1. 0.]]
    """
    caller = "network_rpq"
    has_fail_state = check_flag(f"{caller}: has_fail_state", has_fail_state)
    options = {"num_steps": num_steps, "batch_size": batch_size, "learning_rate": learning_rate, "seed": seed}
    options |= {"num_iterations": num_iterations, "discount": discount, "tolerance": tolerance}
    fitting = Fitting.of(caller, hidden_sizes, **options)
    check_progress(f"{caller}: progress", progress)
    fear = Fear.of(caller, distance, None, 1.0 if weight is None else weight, has_fail_state)
    decisions = decisions_of(caller, log, player)
    if weight is None:
        fear = dataclasses.replace(fear, weight=range_of_rewards(decisions))
    return fitted_answer(caller, decisions, fear, fitting, progress)


def range_of_rewards(decisions: Decisions) -> float:
    """Return how far apart what decisions earned is; 1 where all earned the same."""
    with np.errstate(over="ignore"):
        return min(float(np.ptp(decisions.reward[decisions.known])), sys.float_info.max) or 1.0


def fitted_answer(
    caller: str, decisions: Decisions, fear: Fear, fitting: Fitting, progress: ProgressCallback | None
) -> NetworkAnswer:
    """Return what fitted iteration finds on decisions."""
    from coffee_fast._torch_threads import learning_in_torch
    from coffee_fast.regularized.robust._torch_fitting import ActionValues, FittedIteration, with_actions

    returns = decisions.returns(fitting.discount)[decisions.known]
    unit = unit_of(caller, returns)
    with learning_in_torch():
        values = ActionValues(decisions, fitting, caller)
        features = with_actions(values.inputs.rows, [(decisions.action, decisions.legal.shape[1])])
        iteration = FittedIteration(caller, values, features, decisions, fear, fitting, unit)
        num_iterations = iteration.run(progress)
        policy = values.policy(unit)
    assert fear.weight is not None
    return NetworkAnswer(
        policy=policy,
        **iteration.figures(),
        num_iterations=num_iterations,
        distance=fear.distance,
        weight=fear.weight,
        about=f"the others as in {decisions.num_episodes} logged episodes",
    )
