"""InSPO and AlberDICE from samples of a log: minibatches, importance resampling, gradient steps on tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from coffee_fast.checks import check_number
from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.regularized.cooperative.alberdice import VisitRegularized
from coffee_fast.regularized.cooperative.in_sample import (
    Policies,
    expected_return,
    joint_play,
    spread,
    unseen_probability,
)
from coffee_fast.regularized.cooperative.inspo import EntropyRegularized
from coffee_fast.regularized.cooperative.minibatches import (
    Adam,
    Minibatches,
    log_of,
    move_towards,
    moved_policy,
    softmax_rows,
)
from coffee_fast.regularized.cooperative.search import Objective, check_schedule
from coffee_fast.regularized.cooperative.solutions import CooperativePolicies
from coffee_fast.tabular.common_payoff import CommonPayoffGame
from coffee_fast.typing import Float64

_WARM_UP = 0.1  # share of the sweeps that only learn values of the behavior


def sampled_inspo(
    log: Mapping[str, ArrayLike],
    *,
    kl_weight: float | Sequence[float] = (1.0, 0.01),
    entropy_weight: float | Sequence[float] = 0.0,
    discount: float = 0.99,
    num_actions: Sequence[int] | int | None = None,
    num_sweeps: int = 2000,
    batch_size: int = 128,
    learning_rate: float = 0.1,
    floor: float = 1e-6,
    seed: int = 0,
) -> CooperativePolicies:
    r"""Return what :func:`coffee_fast.regularized.inspo` looks for, learned from minibatches of a log.

    For each player in turn the rows of a batch are drawn anew in proportion to
    :math:`\rho = \prod_{j \ne i} \pi_j / \mu(a_{-i}|s, a_i)`, at most 100, so that they show what its action leads to
    beside the others' newest policies. Its local values follow
    :math:`r - \alpha \log(\pi_{-i} / \mu_{-i|i}) - \beta \log \pi_{-i} + \gamma V_i(s')`, and its policy moves towards
    :math:`\mu_i^{\alpha / (\alpha + \beta)} e^{Q_i / (\alpha + \beta)}` over the actions that the log shows.

    Parameters
    ----------
    log, discount, num_actions, floor
        As in :meth:`coffee_fast.regularized.CommonPayoffGame.from_log`.
    kl_weight, entropy_weight
        As in :func:`coffee_fast.regularized.inspo`; two are the first and the last of a schedule, geometric for the
        KL weight and linear for that of entropy.
    num_sweeps, batch_size, learning_rate
        Updates of every player; rows of each; share of the way to its target that an estimate goes.
    seed
        Of the minibatches.

    Returns
    -------
    CooperativePolicies
        ``value``, ``gap`` and ``residual`` are exact, in the game that the log shows, for the last weight;
        ``smallest_gain`` is NaN: single updates are noisy.

    Notes
    -----
    Same seed, same result. An update costs ``O(batch_size)`` whatever the size of the log.

    >>> log = {"action": [[0, 1]] * 3 + [[1, 0]], "reward": [[1, 1]] * 4}
    >>> [policy[0].argmax() for policy in sampled_inspo(log, num_sweeps=200, batch_size=16).policies]
    [np.int64(0), np.int64(1)]
    """
    ends = check_schedule("sampled_inspo: entropy_weight", entropy_weight, is_open=False)
    learner = Minibatches.of("sampled_inspo", log, discount, num_actions, floor, num_sweeps, batch_size, seed)
    check_number("sampled_inspo: learning_rate", learning_rate, is_open=True)
    weights, entropies = _geometric("sampled_inspo", kl_weight, num_sweeps), np.linspace(ends[0], ends[-1], num_sweeps)
    game, rows, policies = learner.game, learner.rows, learner.behavior()
    log_own = [log_of(policy) for policy in policies]
    local = [np.zeros(policy.shape) for policy in policies]
    for sweep, (alpha, beta) in enumerate(zip(weights, entropies, strict=True)):
        learning = sweep >= _WARM_UP * num_sweeps
        for player in range(game.num_players):
            batch = learner.batch(policies if learning else None, player)
            state, own = rows.state[batch], rows.action[batch, player]
            after = rows.following[batch]
            # What follows: local values and penalties of the next state, none after the end.
            own_policy, penalties = (
                policies[player][after],
                learner.penalties(policies, player, after, alpha, beta),
            )
            q = local[player][after] + (penalties if learning else 0.0)
            cost = alpha * (log_of(own_policy) - log_own[player][after]) + beta * log_of(own_policy)
            following = (own_policy * (q - (cost if learning else 0.0))).sum(axis=1)
            target = rows.reward[batch] + game.discount * np.where(after >= 0, following, 0.0)
            move_towards(local[player], state, own, target, learning_rate)
            if learning:
                here = np.unique(state)
                scores = local[player][here] + learner.penalties(policies, player, here, alpha, beta)
                wanted = (alpha * log_own[player][here] + scores) / (alpha + beta)
                policies[player][here] = moved_policy(policies[player][here], wanted, learning_rate)
    return _judged(game, policies, EntropyRegularized(game, float(weights[-1]), ends[-1]), num_sweeps)


def sampled_alberdice(
    log: Mapping[str, ArrayLike],
    *,
    kl_weight: float | Sequence[float] = (5.0, 0.01),
    discount: float = 0.99,
    num_actions: Sequence[int] | int | None = None,
    num_sweeps: int = 2000,
    batch_size: int = 128,
    learning_rate: float = 0.1,
    value_rate: float = 0.02,
    conservatism: float = 0.1,
    end_share: float = 0.1,
    floor: float = 1e-6,
    seed: int = 0,
) -> CooperativePolicies:
    r"""Return what :func:`coffee_fast.regularized.alberdice` looks for, learned from minibatches of a log.

    Rows of a batch are drawn anew as in :func:`sampled_inspo`. State values descend the dual on them, with
    :math:`\log` of the mean ratio inside the sum; advantages :math:`\hat e` are regressed on these rows, with a
    conservative term that lowers those of actions the behavior would not take; and the policy moves towards
    :math:`\mu_i e^{\hat e / \alpha}`. The first states of the dual are approximated by all states of the log.

    Parameters
    ----------
    log, kl_weight, discount, num_actions, num_sweeps, batch_size, learning_rate, floor, seed
        As in :func:`sampled_inspo`.
    value_rate
        Step size of Adam on the state values.
    conservatism
        Weight of the conservative term.
    end_share
        As in :func:`coffee_fast.regularized.alberdice`: share of the rows of a batch that are after an end.

    Notes
    -----
    Source: the learner of Matsunaga et al. 2023, its networks replaced by tables.

    >>> log = {"action": [[0, 1]] * 3 + [[1, 0]], "reward": [[1, 1]] * 4}
    >>> [policy[0].argmax() for policy in sampled_alberdice(log, num_sweeps=200, batch_size=16).policies]
    [np.int64(0), np.int64(1)]
    """
    learner = Minibatches.of("sampled_alberdice", log, discount, num_actions, floor, num_sweeps, batch_size, seed)
    for name, rate in (("learning_rate", learning_rate), ("value_rate", value_rate), ("end_share", end_share)):
        check_number(f"sampled_alberdice: {name}", rate, is_open=True)
    if end_share >= 1.0:
        raise InvalidArgumentError(f"sampled_alberdice: end_share must lie in (0, 1), got {shown(end_share)}")
    check_number("sampled_alberdice: conservatism", conservatism)
    weights = _geometric("sampled_alberdice", kl_weight, num_sweeps)
    game, rows, policies = learner.game, learner.rows, learner.behavior()
    behavior = learner.behavior()
    has_end = game.discount > 0.0
    num_ends = round(end_share * batch_size) if has_end else 0
    # The state after the end is the last; -1 points to it.
    values = [Adam(np.zeros(game.num_states + 1), value_rate) for _ in policies]
    advantages = [np.zeros(policy.shape) for policy in policies]
    for alpha in weights:
        for player in range(game.num_players):
            batch, mean_ratio = learner.resampled(policies, player)
            state, own, after = rows.state[batch], rows.action[batch, player], rows.following[batch]
            nu, penalty = values[player].point, learner.penalties(policies, player, state, alpha, 0.0)
            gain = rows.reward[batch] + penalty[np.arange(len(batch)), own]
            e = gain + (game.discount * nu[after] if has_end else 0.0) - nu[state]
            e_end = (game.discount - 1.0) * nu[-1]
            scores = np.append(np.log(mean_ratio) + e / alpha, np.full(num_ends, e_end / alpha))
            p = np.exp(scores - scores.max())
            p /= p.sum()
            gradient = np.zeros(game.num_states + 1)
            np.add.at(gradient, state, (1.0 - game.discount) / len(batch) - p[: len(batch)])
            if has_end:
                np.add.at(gradient, after, game.discount * p[: len(batch)])
                gradient[-1] += (game.discount - 1.0) * p[len(batch) :].sum()
            values[player].descend(gradient)
            move_towards(advantages[player], state, own, e, learning_rate)
            here = np.unique(state)
            table, mu = advantages[player], behavior[player][here]
            # The gradient of logsumexp(e) - E_mu[e]: what the softmax favors beyond the behavior comes down.
            table[here] -= learning_rate * 0.5 * conservatism * alpha * (softmax_rows(table[here]) - mu)
            wanted = log_of(mu) + table[here] / alpha
            policies[player][here] = moved_policy(policies[player][here], wanted, learning_rate)
    return _judged(game, policies, VisitRegularized(game, float(weights[-1]), end_share), num_sweeps)


def _judged(game: CommonPayoffGame, policies: Policies, objective: Objective, num_sweeps: int) -> CooperativePolicies:
    players = range(game.num_players)
    return CooperativePolicies(
        policies=spread(game, policies),
        value=objective.value(policies),
        expected_return=expected_return(game, joint_play(policies)),
        unseen_probability=unseen_probability(game, joint_play(policies)),
        gap=np.array([objective.gap(policies, i) for i in players]),
        residual=np.array([np.abs(objective.improved(policies, i) - policies[i]).max() for i in players]),
        smallest_gain=float("nan"),
        status="max_iterations",
        num_iterations=num_sweeps,
        was_perturbed=False,
        about=game.about,
    )


def _geometric(caller: str, weights: float | Sequence[float], num_sweeps: int) -> Float64:
    ends = check_schedule(f"{caller}: kl_weight", weights, is_open=True)
    return np.geomspace(ends[0], ends[-1], num_sweeps)
