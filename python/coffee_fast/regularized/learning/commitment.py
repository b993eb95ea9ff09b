"""The best mixture to commit to against one who comes to answer best: steering a learner."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from coffee_fast.checks import check_number
from coffee_fast.empirical.payoff_arrays import as_floats
from coffee_fast.errors import InvalidArgumentError, InvalidGameError, NumericalError, shown
from coffee_fast.regularized.learning.recovery import RecoveredPayoffs
from coffee_fast.stage_games.arguments import frozen
from coffee_fast.stage_games.status import Status, status_of
from coffee_fast.typing import Float64

_GAP = 1e-7  # of the range of the leader's payoffs: how far an optimum may be from its bound
_MOST = 4.0  # of the range of payoffs: beyond, no answer can be brought about


@dataclass(frozen=True, eq=False)
class Commitment:
    """A mixture to commit to, and what is known of its worth against a learner that comes to answer best.

    Attributes
    ----------
    mixture
        ``f64[A]``: of the leader.
    response
        The learner's action that it brings about; -1 where payoffs are known too badly to bring one about, and the
        mixture is the leader's safest.
    value
        What the leader gets, or with response -1 at least gets, per round once the learner answers best.
    upper_bound
        No commitment brings more, for any payoffs of the learner within ``radius``, not even with ties broken for the
        leader.
    slack
        By how much at least the learner loses with any other action; 0 leaves it indifferent, which with margin 0 is
        taken to break for the leader; infinite for a learner of one action, 0 with response -1.
    gap
        How far ``value`` may be from what the best pessimistic commitment gets: from dual solutions.
    status
        ``"converged"``: the gap is within rounding.
    """

    mixture: Float64
    response: int
    value: float
    upper_bound: float
    slack: float
    gap: float
    status: Status


def commit(
    payoffs: ArrayLike,
    learner_payoffs: ArrayLike | RecoveredPayoffs,
    *,
    margin: float = 0.0,
    radius: ArrayLike | None = None,
) -> Commitment:
    r"""Return the mixture to commit to against one who answers best by payoffs that are known within a radius.

    For every answer ``j`` of the learner the best mixture that makes it the answer in all cases,
    :math:`\max_x x^T A_j` with :math:`x^T (B_j - B_k) \ge margin + x^T radius_{jk}` for all ``k``, is a linear program;
    and the leader's safest mixture another. The best of them is taken: the pessimistic Stackelberg equilibrium.

    Parameters
    ----------
    payoffs
        The leader's ``[A, B]``.
    learner_payoffs
        The learner's ``[A, B]``, rows up to a constant, or what :func:`recover_payoffs` found with its radius.
    margin
        By how much the wanted answer must be better than any other. With 0 the learner may be indifferent; one above 0
        has it settle, at a cost of that order.
    radius
        ``[A, B, B]``, or one number, by default 0: how far differences of the learner's payoffs may be from those
        given.

    Raises
    ------
    InvalidGameError
        Payoffs that are not finite or do not fit each other.

    Notes
    -----
    Cost: ``2 B + 1`` linear programs of ``A`` variables. Source: the multiple linear programs of Conitzer and Sandholm
    2006.

    >>> found = commit([[2, 4], [1, 3]], [[1, 0], [0, 1]])
    >>> found.mixture.round(6).tolist(), found.response, round(found.value, 6)
    ([0.5, 0.5], 1, 3.5)
    """
    caller = "commit"
    own = _payoffs(f"{caller}: payoffs", payoffs)
    if isinstance(learner_payoffs, RecoveredPayoffs):
        if radius is not None:
            raise InvalidArgumentError(f"{caller}: radius is that of the recovered payoffs; leave it out")
        other, radius = learner_payoffs.payoffs, learner_payoffs.radius
    else:
        other = _payoffs(f"{caller}: learner_payoffs", learner_payoffs)
    if other.shape != own.shape:
        raise InvalidGameError(
            f"{caller}: learner_payoffs must have the shape of payoffs {list(own.shape)}, got {list(other.shape)}"
        )
    margin = check_number(f"{caller}: margin", margin)
    unsure = _radius(f"{caller}: radius", 0.0 if radius is None else radius, own.shape)
    with np.errstate(over="ignore"):
        ranges = [float(np.ptp(own)), float(np.ptp(other))]
    if not max(ranges) < 1e150:
        raise InvalidGameError(f"{caller}: payoffs must lie within a range of 1e150, got {max(ranges):g}")
    # Programs in units of the ranges, so that the solver's tolerances mean the same for all games.
    unit, unit_other = (size or 1.0 for size in ranges)
    origin = float(own.min())
    gains, leads = (own - origin) / unit, (other[:, :, None] - other[:, None, :]) / unit_other
    with np.errstate(over="ignore"):
        unsure, margin = np.minimum(unsure / unit_other, _MOST), min(margin / unit_other, _MOST)
    best, least, bound = _safest(gains)
    response, slack, upper = -1, 0.0, 0.0
    for j in range(own.shape[1]):
        others = [k for k in range(own.shape[1]) if k != j]
        sure, possible = (leads - unsure)[:, j, others], (leads + unsure)[:, j, others]
        upper = max(upper, _bring_about(gains[:, j], possible, 0.0)[1])
        x, most = _bring_about(gains[:, j], sure, margin)
        bound = max(bound, most)
        # At the same gain, better an answer brought about than none.
        if x is not None and (gain := float(x @ gains[:, j])) >= least and (gain > least or response < 0):
            best, response, least = x, j, gain
            slack = float((x @ sure).min(initial=np.inf))
    gap = max(bound - least, 0.0)
    return Commitment(
        mixture=frozen(best),
        response=response,
        value=origin + unit * least,
        upper_bound=origin + unit * max(upper, least),
        slack=unit_other * slack,
        gap=unit * gap,
        status=status_of(gap <= _GAP and (response < 0 or slack >= margin - _GAP)),
    )


def _bring_about(gains: Float64, leads: Float64, margin: float) -> tuple[Float64 | None, float]:
    r"""Return the mixture that gains most while every lead is at least the margin, and a bound on what any gains.

    For weights :math:`w \ge 0` of the leads none gains more than :math:`\max_a gains_a + leads_a w - margin \sum w`.
    Without such a mixture there is none and the bound is minus infinity.
    """
    from scipy.optimize import linprog

    size = len(gains)
    if not leads.shape[1]:
        return np.eye(size)[gains.argmax()], float(gains.max())
    found = linprog(
        -gains,
        A_ub=-leads.T,
        b_ub=np.full(leads.shape[1], -margin),
        A_eq=np.ones((1, size)),
        b_eq=[1.0],
        bounds=(0.0, None),
        method="highs",
    )
    if found.status == 2:
        return None, -np.inf
    if found.status != 0:
        raise NumericalError(f"commit: the linear program was not solved: {found.message:.200}")
    x = np.maximum(found.x, 0.0)
    weights = np.maximum(-found.ineqlin.marginals, 0.0)
    return x / x.sum(), float((gains + leads @ weights).max() - margin * weights.sum())


def _safest(gains: Float64) -> tuple[Float64, float, float]:
    """Return the mixture that gains most whatever the answer, what it gains, and a bound on what any does."""
    from scipy.optimize import linprog

    size, num_answers = gains.shape
    found = linprog(
        np.append(np.zeros(size), -1.0),
        A_ub=np.hstack([-gains.T, np.ones((num_answers, 1))]),
        b_ub=np.zeros(num_answers),
        A_eq=np.append(np.ones(size), 0.0)[None],
        b_eq=[1.0],
        bounds=[(0.0, None)] * size + [(None, None)],
        method="highs",
    )
    if found.status != 0:
        raise NumericalError(f"commit: the linear program was not solved: {found.message:.200}")
    x, answers = np.maximum(found.x[:size], 0.0), np.maximum(-found.ineqlin.marginals, 0.0)
    x /= x.sum()
    return x, float((x @ gains).min()), float((gains @ (answers / answers.sum())).max())


def _payoffs(name: str, given: ArrayLike) -> Float64:
    array = as_floats(name, given, InvalidGameError)
    if array.ndim != 2 or array.size == 0 or not np.isfinite(array).all():
        raise InvalidGameError(f"{name} must be finite numbers [A, B], got {shown(given)}")
    return array


def _radius(name: str, given: ArrayLike, shape: tuple[int, ...]) -> Float64:
    array = as_floats(name, given, InvalidArgumentError)
    wanted = (*shape, shape[1])
    if array.shape not in ((), wanted) or not (np.isfinite(array) & (array >= 0.0) & (array < 1e150)).all():
        raise InvalidArgumentError(f"{name} must be a number >= 0, or such numbers {list(wanted)}, got {shown(given)}")
    return np.broadcast_to(array, wanted)
