"""The payoffs of a learner, recovered from how it moved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from coffee_fast.checks import check_number
from coffee_fast.empirical.payoff_arrays import as_floats
from coffee_fast.errors import DatasetError, InvalidArgumentError, NumericalError, shown
from coffee_fast.stage_games.arguments import frozen
from coffee_fast.typing import Float64

_SUM_TOLERANCE = 1e-6
_LEAST_SINGULAR = 1e-9  # of the largest: below, the leader's play did not vary enough


@dataclass(frozen=True, eq=False)
class RecoveredPayoffs:
    """What a learner's moves say of its payoffs.

    Attributes
    ----------
    payoffs
        ``f64[A, B]`` for the leader's and the learner's actions; each row has mean zero, as what all actions of the
        learner gain alike moves nothing, and is unknown. In units of payoff for the ``learning_rate`` given.
    radius
        ``f64[A, B, B]``: for all of them at once, with the confidence asked for, ``payoffs[a, b] - payoffs[a, c]`` is
        right within ``radius[a, b, c]``.
    residual
        The standard deviation of what the moves leave unexplained, in the units of ``payoffs``: rounding alone of a
        learner that ascends by this rule.
    num_moves
        How many moves there were.
    """

    payoffs: Float64
    radius: Float64
    residual: float
    num_moves: int


def recover_payoffs(
    leader: ArrayLike, learner: ArrayLike, *, learning_rate: float = 1.0, confidence: float = 0.95
) -> RecoveredPayoffs:
    r"""Return the payoffs of a learner by multiplicative weights, from mixtures that both were seen to play.

    Such a learner moves by :math:`\log(y_{t+1} / y_t) = \eta B^T x_t + c_t`, which is a regression for ``B`` up to what
    all its actions gain alike.

    Parameters
    ----------
    leader, learner
        Mixtures ``[T, A]`` and ``[T, B]`` round by round, the learner's all above 0; frequencies of few actions are no
        mixtures. The leader's must span its actions: ``A`` independent ones and, for a residual, more moves than that.
    learning_rate
        :math:`\eta`, constant. If it is not known leave 1: payoffs then come multiplied by it, which changes no best
        answer.
    confidence
        With which all of ``radius`` holds, if moves deviate from the rule independently and normally with one variance
        for each difference of two actions.

    Raises
    ------
    DatasetError
        Mixtures off the simplex, of different lengths or too few, zeros in the learner's, a leader who did not vary.

    Notes
    -----
    Cost: a least squares problem ``[T, A]``. Of learners that follow another rule the residual tells, not the radius;
    without knowledge of the rule no log can say what a learner without regret will do. Source: derived for the explore
    then commit scheme of steering no-regret learners (arXiv 2502.20770).

    >>> x = np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5], [0.2, 0.8]])
    >>> y = [np.array([0.5, 0.5])]
    >>> for mixture in x[:-1]:
    ...     weights = y[-1] * np.exp(0.1 * mixture @ [[1, 0], [0, 1]])
    ...     y.append(weights / weights.sum())
    >>> recover_payoffs(x, y, learning_rate=0.1).payoffs.round(6).tolist()
    [[0.5, -0.5], [-0.5, 0.5]]
    """
    from scipy.stats import t as student

    caller = "recover_payoffs"
    rate = check_number(f"{caller}: learning_rate", learning_rate, is_open=True)
    confidence = check_number(f"{caller}: confidence", confidence, is_open=True, at_most=1.0)
    if confidence == 1.0:
        raise InvalidArgumentError(f"{caller}: confidence must lie in (0, 1), got 1")
    x, y = _mixtures(caller, "leader", leader), _mixtures(caller, "learner", learner)
    if len(x) != len(y):
        raise DatasetError(f"{caller}: leader and learner must have as many rounds, got {len(x)} and {len(y)}")
    if (zeros := np.argwhere(y < 1e-300)).size:
        raise DatasetError(
            f"{caller}: learner must play every action with some probability, as multiplicative weights do; got "
            f"{y[tuple(zeros[0])]:g} in round {zeros[0, 0]}"
        )
    x = x[:-1]
    num_moves, num_own, num_actions = len(x), x.shape[1], y.shape[1]
    moves = np.diff(np.log(y), axis=0) / rate
    moves -= moves.mean(axis=1, keepdims=True)
    freedom = num_moves - num_own
    singular = np.linalg.svd(x, compute_uv=False) if freedom > 0 else np.zeros(1)
    if freedom <= 0 or singular[-1] < _LEAST_SINGULAR * singular[0]:
        raise DatasetError(
            f"{caller}: leader must have played {num_own} linearly independent mixtures in more than {num_own + 1} "
            f"rounds, got {num_moves + 1} rounds; explore more mixtures"
        )
    inverse = np.linalg.inv(x.T @ x)
    payoffs: Float64 = np.asarray(np.linalg.lstsq(x, moves, rcond=None)[0], dtype=np.float64)
    errors = moves - x @ payoffs
    pairs = errors[:, :, None] - errors[:, None, :]
    spread = np.sqrt((pairs**2).sum(axis=0) / freedom)
    num_claims = max(num_own * num_actions * (num_actions - 1) // 2, 1)
    quantile = float(student.ppf(1.0 - (1.0 - confidence) / (2.0 * num_claims), freedom))
    radius = quantile * np.sqrt(np.diag(inverse))[:, None, None] * spread
    residual = float(np.sqrt((errors**2).sum() / (freedom * max(num_actions - 1, 1))))
    if not (np.isfinite(payoffs).all() and np.isfinite(radius).all()):
        raise NumericalError(f"{caller}: payoffs are beyond finite numbers for a learning_rate of {rate:g}")
    return RecoveredPayoffs(frozen(payoffs), frozen(radius), residual, num_moves)


def _mixtures(caller: str, name: str, given: ArrayLike) -> Float64:
    array = as_floats(f"{caller}: {name}", given, DatasetError)
    if array.ndim != 2 or array.size == 0:
        raise DatasetError(f"{caller}: {name} must hold a mixture a round, [T, A], got the shape {list(array.shape)}")
    off = ~(np.isfinite(array) & (array >= 0.0)).all(axis=1) | ~(np.abs(array.sum(axis=1) - 1.0) <= _SUM_TOLERANCE)
    if off.any():
        row = int(np.flatnonzero(off)[0])
        raise DatasetError(
            f"{caller}: {name} must hold probabilities that sum to 1, got {shown(array[row].tolist())} in row {row}"
        )
    return array
