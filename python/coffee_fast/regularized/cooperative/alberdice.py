"""AlberDICE: teammates who correct, one by one, which parts of a log their joint play would have visited."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from coffee_fast.checks import check_number
from coffee_fast.errors import InvalidArgumentError
from coffee_fast.regularized.cooperative.flow_dual import FlowDual, FlowProblem
from coffee_fast.regularized.cooperative.in_sample import (
    Policies,
    against,
    expected_return,
    joint_play,
    marginals,
    spread,
    unseen_probability,
    xlogx,
)
from coffee_fast.regularized.cooperative.search import Schedule, Search, check_schedule, sweep_all
from coffee_fast.regularized.cooperative.solutions import OccupancyPolicies
from coffee_fast.regularized.games import CommonPayoffSource, as_common_payoff
from coffee_fast.stage_games.kernels import LOG_ZERO, log_sum_exp
from coffee_fast.tabular.common_payoff import CommonPayoffGame
from coffee_fast.tabular.visits import Transitions, state_transitions, visits
from coffee_fast.typing import Float64

_ROUNDING = 1e-7


def alberdice(
    game: CommonPayoffSource,
    *,
    kl_weight: Schedule = 0.1,
    discount: float | None = None,
    end_share: float = 0.1,
    perturbation: float = 1e-3,
    has_random_order: bool = False,
    seed: int = 0,
    tolerance: float = 1e-7,
    max_iterations: int = 100,
) -> OccupancyPolicies:
    r"""Return policies of teammates whose joint play visits what the log visits, as far as it pays.

    .. math:: J = E_{d_\pi}[r] - \alpha \, KL(d_\pi(s, a) \| d_D(s, a))

    for the discounted shares :math:`d_\pi` of visits to states and profiles, which sum to 1, and those of the log,
    :math:`d_D`. Player after player solves for its own shares beside the others' policies, exactly: the convex dual

    .. math:: \min_\nu (1 - \gamma) E_{\rho_0}[\nu] + \alpha \log E_{d_D(s, a_i)} e^{\hat e_\nu(s, a_i) / \alpha},
        \quad \hat e_\nu = E_{\pi_{-i}} \left[ r - \alpha \log \frac{\pi_{-i}(a_{-i}|s)}{d_D(a_{-i}|s, a_i)}
        + \gamma E \nu(s') - \nu(s) \right]

    gives :math:`\pi_i(a_i|s) \propto d_D(a_i|s) \, e^{\hat e / \alpha}`. A step never lowers :math:`J`.

    Parameters
    ----------
    game, kl_weight, discount, perturbation, has_random_order, seed, tolerance, max_iterations
        As in :func:`coffee_fast.regularized.inspo`; a state that has ended counts as one more state.
    end_share
        How much of :math:`d_D` is the state after the end of an episode, in (0, 1).

    Raises
    ------
    InvalidGameError, InvalidArgumentError
        As :func:`coffee_fast.regularized.inspo` does.

    Notes
    -----
    Same seed, same result. A player's step is a Newton descent in ``S`` variables, a dense linear system of them an
    iteration: some hundreds of states take seconds, more for small weights. In games of one step it is
    :func:`coffee_fast.regularized.inspo` without entropy. Source: Matsunaga et al. 2023, with the expectations of
    Equations 11 to 15 taken exactly.

    >>> found = alberdice({"action": [[0, 1], [0, 1], [1, 0]], "reward": [[1, 1], [1, 1], [1, 1]]})
    >>> [policy[0].round(3).tolist() for policy in found.policies], found.status
    ([[1.0, 0.0], [0.0, 1.0]], 'converged')
    """
    weights = check_schedule("alberdice: kl_weight", kl_weight, is_open=True)
    check_number("alberdice: end_share", end_share, is_open=True)
    if end_share >= 1.0:
        raise InvalidArgumentError(f"alberdice: end_share must lie in (0, 1), got {end_share}")
    search = Search(tolerance, max_iterations, perturbation, has_random_order, seed)
    search.check("alberdice")
    whole = as_common_payoff("alberdice", game, discount)
    stages = [VisitRegularized(whole, weight, end_share) for weight in weights]
    found = sweep_all(whole, stages, search)
    last, policies, players = stages[-1], found.policies, range(whole.num_players)
    duals = [last.solve(policies, i) for i in players]
    value = last.value(policies)
    gap = np.array([max(dual.value - value, 0.0) for dual in duals])
    joint = joint_play(policies)
    unseen = unseen_probability(whole, joint)
    return OccupancyPolicies(
        policies=spread(whole, policies),
        value=value,
        expected_return=expected_return(whole, joint),
        unseen_probability=unseen,
        gap=gap,
        residual=np.array([np.abs(last.policy(dual, i) - policies[i]).max() for i, dual in enumerate(duals)]),
        smallest_gain=found.smallest_gain,
        status=found.status(whole, last.kl_weight, gap, unseen),
        num_iterations=found.num_iterations,
        was_perturbed=found.was_perturbed,
        about=whole.about,
        state_values=np.stack([dual.state_values for dual in duals]),
        visits=last.shares(policies),
        effective_sample_size=np.array([last.effective_sample_size(dual) for dual in duals]),
        flow_residual=np.array([dual.flow_residual for dual in duals]),
    )


@dataclass(frozen=True, eq=False)
class VisitRegularized:
    """The objective of AlberDICE for one weight.

    Where an episode can end there is a last state more, worth nothing and never left, with ``end_share`` of the log.
    """

    game: CommonPayoffGame
    kl_weight: float
    end_share: float
    _starts: dict[int, Float64] = field(default_factory=dict)  # state values a player's last step ended with

    @property
    def _log_share(self) -> Float64:
        """``[S]``: log-shares of the states in the log, less that of the end."""
        share = self.game.state_share
        return np.log(share if self.game.discount == 0.0 else (1.0 - self.end_share) * share)

    def shares(self, policies: Policies) -> Float64:
        """Return discounted shares of visits ``[S]``; what is missing to 1 is after the end."""
        moves = state_transitions(joint_play(policies), self.game.transitions)
        return visits(moves, self.game.initial, self.game.discount)

    def value(self, policies: Policies) -> float:
        """Return the objective of the play of these policies."""
        game, joint, d = self.game, joint_play(policies), self.shares(policies)
        flat = (joint * (game.rewards + self.kl_weight * game.log_anchor)).reshape(game.num_states, -1).sum(axis=1)
        for policy in policies:
            flat = flat - self.kl_weight * xlogx(policy).sum(axis=1)
        positive = np.maximum(d, 1e-300)
        total = float(d @ (flat - self.kl_weight * (np.log(positive) - self._log_share)))
        end = max(1.0 - float(d.sum()), 0.0)
        if game.discount > 0.0 and end > 0.0:
            total -= self.kl_weight * end * float(np.log(end / self.end_share))
        return total

    def improved(self, policies: Policies, player: int) -> Float64:
        # A player whose problem cannot be solved stays where it is, and its gap says that this is not the best.
        least = self.value(policies) - _ROUNDING * (self.kl_weight + self.game.reward_range)
        for _ in range(2):
            new = self.policy(self.solve(policies, player), player)
            if self.value([new if i == player else policy for i, policy in enumerate(policies)]) >= least:
                return new
            # Rounding ended the descent too early: once more from the beginning.
            self._starts.pop(player, None)
        return policies[player]

    def gap(self, policies: Policies, player: int) -> float:
        return max(self.solve(policies, player).value - self.value(policies), 0.0)

    def solve(self, policies: Policies, player: int) -> FlowDual:
        """Return the best distribution of visits of ``player`` beside the others' policies."""
        game, alpha = self.game, self.kl_weight
        others = joint_play(policies, skip=player)
        own = self._log_own(player)
        spread_own = own.reshape(len(own), *(-1 if i == player else 1 for i in range(game.num_players)))
        # log of the others' behavior beside each own action, as anchors of the log's profiles.
        anchored = game.rewards + alpha * np.where(game.log_anchor > LOG_ZERO / 2, game.log_anchor - spread_own, 0.0)
        entropy = sum(xlogx(policy).sum(axis=1) for i, policy in enumerate(policies) if i != player)
        gains = against(others, anchored, player) - alpha * np.asarray(entropy).reshape(-1, 1)
        problem = FlowProblem(
            gains,
            np.where(game.legal[player], own + self._log_share[:, None], LOG_ZERO),
            self._moves(others, player),
            game.initial,
            game.discount,
            self.end_share,
        )
        found = problem.solve(alpha, self._starts.get(player))
        self._starts[player] = found.all_state_values
        return found

    def policy(self, dual: FlowDual, player: int) -> Float64:
        """Return ``pi_i(a|s)``, proportional to the shares ``d(s, a)`` that solve the dual."""
        scores = self._log_own(player) + dual.advantages / self.kl_weight
        return np.asarray(np.exp(scores - log_sum_exp(scores)))

    def effective_sample_size(self, dual: FlowDual) -> float:
        if self.game.counts is None:
            return float("nan")
        weights = dual.log_weights - dual.log_weights.max()
        d = np.exp(dual.log_reference)
        return float((d @ np.exp(weights)) ** 2 / (d @ np.exp(2.0 * weights)) * self.game.counts.sum())

    def _log_own(self, player: int) -> Float64:
        own = marginals(np.exp(self.game.log_behavior))[player]
        return np.where(self.game.legal[player], np.log(np.maximum(own, 1e-300)), LOG_ZERO)

    def _moves(self, others: Float64, player: int) -> Transitions:
        """Return sparse ``[S A_i, S]``: the next state after each own action beside the others' play."""
        import scipy.sparse

        game, size = self.game, self.game.num_actions[player]
        state, *actions = np.indices(game.rewards.shape)
        weights = np.broadcast_to(others, game.rewards.shape).ravel()
        rows, columns = (state * size + actions[player]).ravel(), np.arange(game.rewards.size)
        shape = (game.num_states * size, game.rewards.size)
        return scipy.sparse.csr_array((weights, (rows, columns)), shape=shape) @ game.transitions
