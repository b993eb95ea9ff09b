"""Quantile reward policy optimization: near a reference, towards actions whose returns rank high in the log."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from coffee_fast.checks import check_flag, check_number
from coffee_fast.empirical.payoff_arrays import as_floats
from coffee_fast.errors import DatasetError, InvalidArgumentError, NumericalError, shown
from coffee_fast.stage_games.arguments import check_per_player, check_players, check_weight_against_ranges, frozen
from coffee_fast.stage_games.status import Status, status_of
from coffee_fast.tabular.checks import check_size
from coffee_fast.tabular.from_log import Rows
from coffee_fast.tabular.log_columns import (
    COLUMNS,
    action_sizes,
    actions_and_rewards,
    check_known,
    episode_ends,
    labels,
)
from coffee_fast.tabular.private_information import check_observation_labels
from coffee_fast.typing import Float64

_GAP = 1e-12


@dataclass(frozen=True, eq=False)
class QuantilePolicies:
    """Policies regressed on ranks of returns, and how well the log supports them.

    Attributes
    ----------
    policies
        One ``f64[H, S, A_i]`` a player; where the log never was the reference, uniform if that is the behavior.
    quantiles
        One ``f64[H, S, A_i]`` a player: the mean rank, in ``[0, 1]``, of the returns after an action among those of
        the reference; NaN for actions never seen.
    standard_error
        One ``f64[H, S, A_i]`` a player: of these means, NaN for actions seen less than twice.
    log_normalizer
        ``f64[N, H, S]``: the exact one, with which policies sum to 1; NaN where the log never was.
    residual
        ``f64[N, H, S]``: root mean square of what the regression leaves: how returns after one action spread.
    gap
        ``f64[N]``: what is left to gain in rank less KL penalty in any state, for the ranks found; rounding alone.
    expected_gap
        ``f64[N, H, S]``: what the errors of the ranks are expected to cost, to leading order; NaN where it is not
        known, as actions were seen once.
    status
        ``"converged"``: the gap is rounding.
    kl_weight
        ``f64[N]``: the weights used.
    state_keys
        What the log calls each state.
    about
        What the policies are near to best for.
    """

    policies: tuple[Float64, ...]
    quantiles: tuple[Float64, ...]
    standard_error: tuple[Float64, ...]
    log_normalizer: Float64
    residual: Float64
    gap: Float64
    expected_gap: Float64
    status: Status
    kl_weight: Float64
    state_keys: tuple[Hashable, ...]
    about: str


def qrpo(
    log: Mapping[str, ArrayLike],
    *,
    kl_weight: float | Sequence[float] = 0.1,
    reference: Sequence[ArrayLike] | Literal["behavior", "uniform"] = "behavior",
    discount: float = 1.0,
    num_actions: Sequence[int] | int | None = None,
    is_fully_observed: bool = False,
) -> QuantilePolicies:
    r"""Return policies that put more on actions whose returns rank high, as far as a KL penalty allows.

    The rank of a return ``y`` in a state is :math:`R(y) = P(y' \le y)` for returns ``y'`` of the reference there, the
    others playing as logged. The policy minimizes over the log

    .. math:: \left( R - \beta \log Z - \beta \log \frac{\pi(a)}{ref(a)} \right)^2

    with the normalizer that makes it sum to 1, so that :math:`\pi \propto ref \, e^{\bar R / \beta}` for the mean rank
    of each action. Ranks know no scale of payoffs: any increasing transformation of returns leaves them.

    Parameters
    ----------
    log
        Arrays with one row a step, as :meth:`TabularGame.from_dataset` takes them.
    kl_weight
        :math:`\beta`, in units of rank (0 to 1), one or one a player.
    reference
        ``"behavior"``, the log's frequencies; ``"uniform"``; or one array of probabilities a player, ``[A_i]``,
        ``[S, A_i]`` or ``[H, S, A_i]``. It may play nothing that the log never shows in a state.
    discount
        Of rewards to come in a return, which is what follows in the log: policies are one step better than its play,
        each player's alone.
    num_actions
        Actions of each player; by default one more than the largest one seen.
    is_fully_observed
        As in :meth:`TabularGame.from_dataset`.

    Raises
    ------
    DatasetError
        For malformed logs, private information, and a reference that plays what the log never shows.

    Notes
    -----
    Exact, in one pass and a sort. Source: quantile reward policy optimization (QRPO), on tables; its closed form
    :math:`Z = \beta (e^{1 / \beta} - 1)` is the limit of many actions, each with a return of its own.

    >>> found = qrpo({"action": [[0], [1], [2]], "reward": [[5.0], [7.0], [1.0]]}, kl_weight=0.5)
    >>> found.quantiles[0][0, 0].round(4).tolist(), found.policies[0][0, 0].round(4).tolist()
    ([0.6667, 1.0, 0.3333], [0.2889, 0.5627, 0.1483])
    """
    caller = "qrpo"
    discount = check_number(f"{caller}: discount", discount, at_most=1.0)
    is_fully_observed = check_flag(f"{caller}: is_fully_observed", is_fully_observed)
    if not isinstance(log, Mapping):
        raise InvalidArgumentError(f"{caller}: log must be a mapping of arrays, got {shown(log)}")
    check_known(log, COLUMNS, caller)
    action, reward = actions_and_rewards(log, caller)
    names: list[Hashable] = labels(log["state"], len(action), caller=caller) if "state" in log else [0] * len(action)
    sizes, ends = action_sizes(action, num_actions, caller), episode_ends(log, len(action), caller)
    rows = Rows(names, action, reward, ends, sizes, None)
    if "observation" in log and not is_fully_observed:
        check_observation_labels(log["observation"], rows.step, names, action.shape[1], caller)
    num_players, horizon, num_states = action.shape[1], int(rows.step.max()) + 1, len(rows.keys)
    check_size(caller, horizon, num_states, (max(rows.num_actions),), is_sparse=True)
    weights = check_per_player(f"{caller}: kl_weight", kl_weight, num_players, is_open=True)
    check_weight_against_ranges(caller, weights, np.ones(num_players))
    returns = _returns(rows, discount)
    cell = rows.step * num_states + rows.state
    shapes = [(horizon, num_states, size) for size in rows.num_actions]
    references = _references(caller, reference, shapes)
    found = [
        _regress(caller, i, cell, action[:, i], returns[:, i], references[i], shapes[i], float(weights[i]))
        for i in range(num_players)
    ]
    gap = np.array([f.gap for f in found])
    return QuantilePolicies(
        policies=tuple(frozen(f.policy) for f in found),
        quantiles=tuple(frozen(f.quantiles) for f in found),
        standard_error=tuple(frozen(f.standard_error) for f in found),
        log_normalizer=np.stack([f.log_normalizer for f in found]),
        residual=np.stack([f.residual for f in found]),
        gap=gap,
        expected_gap=np.stack([f.expected_gap for f in found]),
        status=status_of(bool((gap <= _GAP * np.maximum(weights, 1.0)).all())),
        kl_weight=weights,
        state_keys=rows.keys,
        about=f"ranks of the returns in {len(action)} logged steps, others and later steps as logged",
    )


@dataclass(eq=False)
class _Regressed:
    """What one player's regression finds, by cell ``[H, S, ...]``."""

    policy: Float64
    quantiles: Float64
    standard_error: Float64
    log_normalizer: Float64
    residual: Float64
    expected_gap: Float64
    gap: float = 0.0


def _regress(
    caller: str,
    player: int,
    cell: NDArray[np.int64],
    action: NDArray[np.int64],
    returns: Float64,
    reference: Float64 | None,
    shape: tuple[int, int, int],
    beta: float,
) -> _Regressed:
    horizon, num_states, size = shape
    flat = np.full((horizon * num_states, size), np.nan)
    policy = np.full_like(flat, 1.0 / size) if reference is None else reference.reshape(flat.shape).copy()
    unknown = np.full(len(flat), np.nan)
    found = _Regressed(policy, flat, flat.copy(), unknown, unknown.copy(), unknown.copy())
    order = np.argsort(cell, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(cell[order])) + 1):
        here, own, gained = int(cell[rows[0]]), action[rows], returns[rows]
        counts = np.bincount(own, minlength=size)
        ref = counts / len(rows) if reference is None else policy[here].copy()
        if (blind := np.flatnonzero((ref > 0.0) & (counts == 0))).size:
            step, state = divmod(here, num_states)
            raise DatasetError(
                f"{caller}: the reference of player {player} plays action {blind[0]} at step {step}, state {state}, "
                "which the log never shows there; take the reference 'behavior', or one that is 0 there"
            )
        seen = counts > 0
        ranks = _ranks(gained, ref[own] / counts[own])
        mean = np.bincount(own, ranks, minlength=size) / np.maximum(counts, 1)
        squares = np.bincount(own, (ranks - mean[own]) ** 2, minlength=size)
        scores = np.where(ref > 0.0, np.log(np.where(ref > 0.0, ref, 1.0)) + mean / beta, -np.inf)
        log_normalizer = float(np.logaddexp.reduce(scores))
        play = np.exp(scores - log_normalizer)
        error = np.where(counts > 1, squares / np.maximum((counts - 1) * counts, 1), np.nan)
        policy[here] = play / play.sum()
        found.quantiles[here] = np.where(seen, mean, np.nan)
        found.standard_error[here] = np.sqrt(error)
        found.log_normalizer[here] = log_normalizer
        found.residual[here] = np.sqrt(squares.sum() / len(rows))
        matters = play * (1.0 - play)
        found.expected_gap[here] = np.where(matters > 0.0, matters * error, 0.0).sum() / (2.0 * beta)
        found.gap = max(found.gap, _gap(policy[here], ref, mean, beta, log_normalizer))
    for name in ("policy", "quantiles", "standard_error"):
        setattr(found, name, getattr(found, name).reshape(shape))
    for name in ("log_normalizer", "residual", "expected_gap"):
        setattr(found, name, getattr(found, name).reshape(horizon, num_states))
    return found


def _gap(policy: Float64, ref: Float64, ranks: Float64, beta: float, log_normalizer: float) -> float:
    """Return the best rank less penalty, beta log Z, less that of the policy."""
    on = policy > 0.0
    gained = policy[on] @ (ranks[on] - beta * np.log(policy[on] / ref[on]))
    return max(float(beta * log_normalizer - gained), 0.0)


def _ranks(returns: Float64, weights: Float64) -> Float64:
    """Return the weight of all returns that are not above each."""
    order = np.argsort(returns, kind="stable")
    below = returns[order].searchsorted(returns, side="right")
    return np.asarray(np.minimum(weights[order].cumsum()[below - 1], 1.0))


def _returns(rows: Rows, discount: float) -> Float64:
    """Return what follows each row in its episode, its own reward first, ``[T, N]``."""
    returns = rows.reward.copy()
    with np.errstate(over="ignore", invalid="ignore"):
        for row in np.flatnonzero(~rows.ends)[::-1]:
            returns[row] += discount * returns[row + 1]
    if not np.isfinite(returns).all():
        raise NumericalError("qrpo: returns left the finite numbers; rewards are too large to be added")
    return returns


def _references(
    caller: str, given: Sequence[ArrayLike] | str, shapes: Sequence[tuple[int, int, int]]
) -> list[Float64 | None]:
    """Return one array a player, None for its behavior."""
    if isinstance(given, str):
        if given not in ("behavior", "uniform"):
            raise InvalidArgumentError(
                f"{caller}: reference must be 'behavior', 'uniform' or arrays, got {shown(given)}"
            )
        return [None if given == "behavior" else np.full(shape, 1.0 / shape[2]) for shape in shapes]
    name = f"{caller}: reference"
    check_players(name, given, len(shapes))
    references: list[Float64 | None] = []
    for player, shape in enumerate(shapes):
        array = as_floats(f"{name} of player {player}", given[player], InvalidArgumentError)
        if array.ndim == 0 or array.ndim > 3 or array.shape != shape[3 - array.ndim :]:
            raise InvalidArgumentError(
                f"{name} of player {player} must have shape {list(shape)}, got {list(array.shape)}"
            )
        if not ((array >= 0.0).all() and (np.abs(array.sum(axis=-1) - 1.0) <= 1e-6).all()):
            raise InvalidArgumentError(f"{name} of player {player} must hold probabilities that sum to 1")
        references.append(np.broadcast_to(array / array.sum(axis=-1, keepdims=True), shape))
    return references
