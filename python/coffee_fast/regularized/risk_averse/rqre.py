"""Risk-sensitive quantal response equilibria from logs, by least-squares value iteration with linear features."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from coffee_fast.checks import check_count, check_number
from coffee_fast.errors import DatasetError, InvalidArgumentError
from coffee_fast.stage_games.kernels import ActionRiskEquilibria, solve_action_risk
from coffee_fast.stage_games.risk import PerPlayer, Risk
from coffee_fast.stage_games.status import Status, status_of
from coffee_fast.tabular.linear_game import Features, LinearGame, feature_rows
from coffee_fast.tabular.log_columns import action_sizes, episode_ends, numbers
from coffee_fast.typing import Float64, Int64, Profile


@dataclass(frozen=True, eq=False)
class LinearEquilibrium:
    """A risk-sensitive quantal response equilibrium of the stage games that a log supports, and its certificate.

    Attributes
    ----------
    game
        The stage games.
    gap, residual
        ``f64[N]``: the largest, over the stage games at every state of the log, of what a player could gain by another
        mixture, and of a probability's difference from the response.
    value
        ``f64[N]``: the mean over the log's first states.
    status
        ``"converged"``: every residual is within the tolerance; else ``"max_iterations"``.
    num_iterations
        Responses of all stage games.
    temperature, risk_aversion
        ``f64[N]``: those used.
    """

    game: LinearGame
    gap: Float64
    residual: Float64
    value: Float64
    status: Status
    num_iterations: int
    temperature: Float64
    risk_aversion: Float64
    _options: tuple[float, float, int]

    def solve(self, step: int, states: ArrayLike) -> ActionRiskEquilibria:
        """Return the play at rows of states, ``[K]`` or ``[K, D]``, seen or not: mixtures, gaps, what converged."""
        return _solve(self.game.payoffs(step, states), self.temperature, self.risk_aversion, self._options)


def rqre(
    log: Mapping[str, ArrayLike],
    features: Features,
    *,
    num_actions: Sequence[int] | int | None = None,
    temperature: PerPlayer = None,
    risk_aversion: PerPlayer = None,
    ridge: float = 1.0,
    bonus: float = 0.0,
    reward_bound: float | None = None,
    damping: float = 0.5,
    tolerance: float = 1e-6,
    max_iterations: int = 100,
) -> LinearEquilibrium:
    r"""Return play learned from a log in one backward pass, each step a ridge regression and stage games.

    .. math:: w_{i,h} = (\rho I + \sum \phi \phi^\top)^{-1} \sum \phi \, (r_i + V_{i,h+1}(s'))

    In the stage games each action carries its own risk: :math:`u_i(a) = -\log E_{b \sim \pi_{-i}} e^{-\tau_i Q_i(a,
    b)} / \tau_i`, :math:`\pi_i = softmax(u_i / \epsilon_i)` and :math:`V_i = \pi_i \cdot u_i`.

    Parameters
    ----------
    log
        Arrays with a row a step, all players acting at once: ``action`` ``[T, N]``, ``reward`` ``[T, N]``, ``state``
        ``[T]`` or ``[T, D]`` (numbers), and ``trajectory`` or ``terminal`` as in :meth:`TabularGame.from_dataset`.
    features
        ``features(states, actions)`` returns ``[K, d]`` for rows of states, as in the log, and actions ``[K, N]``.
    num_actions
        Actions of each player; by default one more than the largest one seen.
    temperature
        :math:`\epsilon`, one or one a player, in units of payoff; by default a tenth of the range of rewards.
    risk_aversion
        :math:`\tau`, one or one a player, 0 for none: then play is the logit quantal response. By default one over the
        temperature.
    ridge
        :math:`\rho` above.
    bonus
        Added to each payoff times its uncertainty :math:`\sqrt{\phi \Lambda^{-1} \phi}`: below 0 pessimistic, above
        optimistic.
    reward_bound
        What no reward of a step exceeds in size; payoffs are held within as much for each step left.
    damping, tolerance, max_iterations
        Of the stage games: share of the way to the response, how far a probability may be from it, responses at most
        (and as many with a fifth, and a twenty-fifth, of the damping where they circle).

    Raises
    ------
    DatasetError
        Missing or malformed columns; the message names the row.
    InvalidArgumentError
        Impossible arguments, and features of another shape or not finite.

    Notes
    -----
    Deterministic. Cost: ``d^2`` a row and ``d^3`` a step, features of all joint actions at every next state, and the
    stage games there. Source: RQRE-OVI, arXiv 2603.09208, without its exploration.

    >>> action, reward = [[0, 0], [0, 1], [1, 0], [1, 1]], [[4, 4], [0, 2], [2, 0], [2, 2]]
    >>> hunt = {"state": [0] * 4, "action": action, "reward": reward}
    >>> from coffee_fast.regularized import one_hot_features
    >>> found = rqre(hunt, one_hot_features(1, (2, 2)), temperature=0.5, risk_aversion=0.5, ridge=1e-9)
    >>> found.status, found.solve(0, [0]).mixtures[0].round(4).tolist()
    ('converged', [[0.0192, 0.9808]])
    """
    check_number("rqre: ridge", ridge, is_open=True)
    check_number("rqre: bonus", bonus, at_least=-math.inf)
    if reward_bound is not None:
        check_number("rqre: reward_bound", reward_bound, is_open=True)
    check_number("rqre: damping", damping, is_open=True)
    if damping > 1.0:
        raise InvalidArgumentError(f"rqre: damping must be at most 1, got {damping}")
    check_number("rqre: tolerance", tolerance, is_open=True)
    check_count("rqre: max_iterations", max_iterations, at_least=1)
    rows = _Rows(log, features, num_actions)
    ranges = np.ptp(rows.reward, axis=0)
    risk = Risk.of("rqre", temperature, risk_aversion, "kl", "entropy", ranges)
    options = (damping, tolerance, max_iterations)
    N, d, horizon = rows.action.shape[1], rows.features.shape[1], int(rows.step.max()) + 1
    game = LinearGame(np.zeros((horizon, N, d)), np.zeros((horizon, d, d)), features, rows.sizes, bonus, reward_bound)
    gap, residual, num_iterations, following = np.zeros(N), np.zeros(N), 0, np.zeros((len(rows.step), N))
    has_converged = True
    for step in reversed(range(horizon)):
        at = np.flatnonzero(rows.step == step)
        phi, target = rows.features[at], rows.reward[at] + np.where(rows.ends[at, None], 0.0, _next(following, at))
        moments = ridge * np.eye(d) + phi.T @ phi
        game.inverse[step] = np.linalg.inv(moments)
        game.weights[step] = np.linalg.solve(moments, phi.T @ target).T
        states, index = np.unique(rows.state[at], axis=0, return_inverse=True)
        found = _solve(game.payoffs(step, states), risk.temperature, risk.risk_aversion, options)
        following[at] = found.value[index.ravel()]
        gap, residual = np.maximum(gap, found.gap.max(axis=0)), np.maximum(residual, found.residual.max(axis=0))
        has_converged &= bool(found.converged.all())
        num_iterations += int(found.num_iterations.sum())
    return LinearEquilibrium(
        game=game,
        gap=gap,
        residual=residual,
        value=following[rows.step == 0].mean(axis=0),
        status=status_of(has_converged),
        num_iterations=num_iterations,
        temperature=risk.temperature,
        risk_aversion=risk.risk_aversion,
        _options=options,
    )


class _Rows:
    """The checked rows of a log: step within the episode, state, actions, rewards, features, ends of episodes."""

    def __init__(
        self, log: Mapping[str, ArrayLike], features: Features, num_actions: Sequence[int] | int | None
    ) -> None:
        known = ("action", "reward", "state", "trajectory", "terminal")
        if not isinstance(log, Mapping):
            raise InvalidArgumentError(f"rqre: log must be a mapping of arrays, got {type(log).__name__}")
        if unknown := [name for name in log if name not in known]:
            raise DatasetError(f"rqre: there is no column {unknown[0]!r}; the columns are {', '.join(known)}")
        with _as_rqre():
            action, self.reward, self.state = (numbers(log, name) for name in ("action", "reward", "state"))
        if action.ndim != 2 or action.size == 0 or self.reward.shape != action.shape:
            raise DatasetError(
                f"rqre: action and reward must have shape [T, N], got {list(action.shape)} and "
                f"{list(self.reward.shape)}"
            )
        if self.state.ndim not in (1, 2) or len(self.state) != len(action):
            raise DatasetError(
                f"rqre: state must have shape [{len(action)}] or [{len(action)}, D], got {list(self.state.shape)}"
            )
        if (bad := np.argwhere((action < 0) | (action % 1 != 0))).size:
            raise DatasetError(
                f"rqre: action must hold integers >= 0, got {action[tuple(bad[0])]:g} in row {bad[0, 0]}"
            )
        self.action = action.astype(np.int64)
        with _as_rqre():
            self.ends = episode_ends(log, len(action))
            self.sizes = action_sizes(self.action, num_actions)
        first = np.flatnonzero(np.concatenate([[True], self.ends[:-1]]))
        lengths = [b - a for a, b in itertools.pairwise([*first.tolist(), len(action)])]
        self.step = np.arange(len(action)) - np.repeat(first, lengths)
        self.features = feature_rows(features, self.state, self.action, None)


@contextmanager
def _as_rqre() -> Iterator[None]:
    """Let errors of reading a log name this function."""
    try:
        yield
    except DatasetError as error:
        raise DatasetError(str(error).replace("from_dataset", "rqre", 1)) from None


def _next(following: Float64, at: Int64) -> Float64:
    """Return the values of the rows after these; of a last row, which ends its episode, anything."""
    return np.asarray(following[np.minimum(at + 1, len(following) - 1)])


def _solve(
    payoffs: Profile, temperature: Float64, risk_aversion: Float64, options: tuple[float, float, int]
) -> ActionRiskEquilibria:
    damping, tolerance, max_iterations = options
    return solve_action_risk(
        payoffs, temperature, risk_aversion, damping=damping, tolerance=tolerance, max_iterations=max_iterations
    )
