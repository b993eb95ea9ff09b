"""In-sample sequential policy optimization: teammates who improve one by one, and stay with what the log shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coffee_fast.errors import InvalidArgumentError
from coffee_fast.regularized.cooperative.in_sample import (
    Policies,
    against,
    expected_return,
    joint_play,
    next_values,
    spread,
    unseen_probability,
    xlogx,
)
from coffee_fast.regularized.cooperative.search import Schedule, Search, Swept, check_schedule, sweep_all
from coffee_fast.regularized.cooperative.solutions import CooperativePolicies
from coffee_fast.regularized.games import CommonPayoffSource, as_common_payoff
from coffee_fast.tabular.common_payoff import CommonPayoffGame
from coffee_fast.tabular.visits import state_transitions, values_of
from coffee_fast.typing import Float64

_MOST_RESPONSES = 100


def inspo(
    game: CommonPayoffSource,
    *,
    kl_weight: Schedule = 0.1,
    entropy_weight: Schedule = 0.0,
    discount: float | None = None,
    perturbation: float = 1e-3,
    has_random_order: bool = False,
    seed: int = 0,
    tolerance: float = 1e-9,
    max_iterations: int = 500,
) -> CooperativePolicies:
    r"""Return policies of teammates that are good together where the log has seen them together.

    .. math:: J = E_\pi \sum_t \gamma^t \left[ r - \alpha \log \frac{\pi(a|s)}{\mu(a|s)} - \beta \log \pi(a|s) \right],
        \quad \pi = \prod_i \pi_i

    for the joint behavior :math:`\mu` of the log. Player after player takes
    :math:`\pi_i(a_i|s) \propto \exp E_{\pi_{-i}}[Q + \alpha \log \mu] / (\alpha + \beta)` beside the others' newest
    policies, which never lowers :math:`J`. In a fixed point no player can improve :math:`J` alone.

    Parameters
    ----------
    game
        A :class:`~coffee_fast.regularized.CommonPayoffGame`; a :class:`~coffee_fast.TabularGame` (policies differ by
        step); or a log as arrays (:meth:`CommonPayoffGame.from_log`; one policy for all steps).
    kl_weight
        :math:`\alpha > 0`, in units of reward: what leaving the behavior costs. A sequence is a schedule: each is
        solved from where the one before ended.
    entropy_weight
        :math:`\beta \ge 0`, likewise: what being predictable costs. Large at first and then lowered to 0, it leads past
        equilibria that are worse than others.
    discount
        :math:`\gamma`, by default 0.99 (a game's own).
    perturbation
        Size of the random change of log-probabilities with which the search looks beside a point where nobody can
        improve anything alone though play is mixed, as where everything is tied, and goes on if that is better; 0
        stays there with the status ``"saddle"``.
    has_random_order
        Draw the order of players anew for each sweep; else 0, 1, ....
    seed
        Of orders and perturbations.
    tolerance
        Converged once a sweep changes no probability by more.
    max_iterations
        Sweeps for each weight of the schedules.

    Raises
    ------
    InvalidGameError
        Rewards that are not finite or differ between players.
    InvalidArgumentError
        Weights that are not positive (entropy: negative), schedules of different lengths, and other impossible
        arguments.

    Notes
    -----
    Begins with each player's cloned behavior. Same seed, same result. A player's step solves one sparse linear system
    of ``S`` unknowns and passes once over the joint actions. The objective is that of InSPO (Liu et al. 2024); the
    updates are derived from it.

    >>> found = inspo({"action": [[0, 1], [0, 1], [1, 0]], "reward": [[1, 1], [1, 1], [1, 1]]})
    >>> [policy[0].round(3).tolist() for policy in found.policies], found.status
    ([[1.0, 0.0], [0.0, 1.0]], 'converged')
    """
    kl = check_schedule("inspo: kl_weight", kl_weight, is_open=True)
    entropy = check_schedule("inspo: entropy_weight", entropy_weight, is_open=False)
    length = max(len(kl), len(entropy))
    if {len(kl), len(entropy)} - {1, length}:
        raise InvalidArgumentError(
            f"inspo: kl_weight and entropy_weight must have as many stages, got {len(kl)} and {len(entropy)}"
        )
    kl, entropy = kl * (length // len(kl)), entropy * (length // len(entropy))
    search = Search(tolerance, max_iterations, perturbation, has_random_order, seed)
    search.check("inspo")
    whole = as_common_payoff("inspo", game, discount)
    stages = [EntropyRegularized(whole, alpha, beta) for alpha, beta in zip(kl, entropy, strict=True)]
    return _solution(whole, stages[-1], sweep_all(whole, stages, search))


@dataclass(frozen=True, eq=False)
class EntropyRegularized:
    """The objective of InSPO for one pair of weights."""

    game: CommonPayoffGame
    kl_weight: float
    entropy_weight: float

    @property
    def temperature(self) -> float:
        return self.kl_weight + self.entropy_weight

    def values(self, policies: Policies) -> Float64:
        """Return the objective from each state, ``[S]``."""
        joint, S = joint_play(policies), self.game.num_states
        rewards = (joint * (self.game.rewards + self._anchor)).reshape(S, -1).sum(axis=1)
        for policy in policies:
            rewards = rewards - self.temperature * xlogx(policy).sum(axis=1)
        return values_of(rewards, state_transitions(joint, self.game.transitions), self.game.discount)

    def value(self, policies: Policies) -> float:
        return float(self.values(policies) @ self.game.initial)

    def improved(self, policies: Policies, player: int) -> Float64:
        return self._response(policies, player, self.values(policies))

    def gap(self, policies: Policies, player: int) -> float:
        """Return the gain of the best policy of ``player``, found by soft policy iteration."""
        start = now = self.values(policies)
        scale = 1.0 + float(np.abs(start).max())
        best = list(policies)
        for _ in range(_MOST_RESPONSES):
            best[player] = self._response(best, player, now)
            before, now = now, self.values(best)
            if np.abs(now - before).max() <= 1e-14 * scale:
                break
        return max(float((now - start) @ self.game.initial), 0.0)

    @property
    def _anchor(self) -> Float64:
        return self.kl_weight * self.game.log_anchor

    def _response(self, policies: Policies, player: int, values: Float64) -> Float64:
        q = self.game.rewards + self._anchor + next_values(self.game, values)
        return softmax(against(joint_play(policies, skip=player), q, player), self.temperature, self.game.legal[player])


def softmax(scores: Float64, temperature: float, legal: np.typing.NDArray[np.bool_]) -> Float64:
    """Return ``exp(scores / temperature)`` as probabilities of legal actions, ``[S, A_i]``."""
    scaled = np.where(legal, scores, -np.inf)
    top = scaled.max(axis=1, keepdims=True)
    weights = np.exp((scaled - top) / temperature)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _solution(game: CommonPayoffGame, objective: EntropyRegularized, found: Swept) -> CooperativePolicies:
    policies, players = found.policies, range(game.num_players)
    joint, gap = joint_play(policies), np.array([objective.gap(policies, i) for i in players])
    unseen = unseen_probability(game, joint)
    return CooperativePolicies(
        policies=spread(game, policies),
        value=objective.value(policies),
        expected_return=expected_return(game, joint),
        unseen_probability=unseen,
        gap=gap,
        residual=np.array([np.abs(objective.improved(policies, i) - policies[i]).max() for i in players]),
        smallest_gain=found.smallest_gain,
        status=found.status(game, objective.kl_weight, gap, unseen),
        num_iterations=found.num_iterations,
        was_perturbed=found.was_perturbed,
        about=game.about,
    )
