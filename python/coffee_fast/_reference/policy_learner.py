"""Twin of policy_learner.hpp: regularized policy gradients, in the order of the formulas."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from coffee_fast._core import Purpose, Stream
from coffee_fast._reference.actor import ChooseAction, StartEpisode
from coffee_fast._reference.experience import Decisions, ExperienceOptions, earned, play_episode
from coffee_fast._reference.policy_loss import (
    PolicyLoss,
    Rows,
    divergence,
    generalized_advantages,
    log_uniform,
    loss_gradient,
    masked_log_softmax,
)
from coffee_fast._reference.q_network import AdamState, Layers, forward
from coffee_fast._reference.trained_network import adam_step
from coffee_fast.typing import Float32, Float64

Logits = Callable[[Float32], Float32]


@dataclass
class Options:
    """As PolicyLearnerOptions in policy_learner.hpp."""

    num_episodes: int = 1500
    batch_size: int = 2048
    num_epochs: int = 2
    loss: PolicyLoss = field(default_factory=PolicyLoss)
    gae_lambda: float = 1.0
    kl_in_rewards: bool = False
    reward_scale: float = 1.0
    averaging: float = 0.0
    adversaries: Sequence[tuple[int, float]] = ()


@dataclass
class Network:
    """A policy and a value network that learn, the average of the former, and the logits of what it is drawn to.

    The last networks are the adversaries, whose references are what others play.
    """

    policy: Layers
    value: Layers
    reference: Logits | None = None  # None: uniform play
    average: Layers = field(default_factory=list)

    def __post_init__(self) -> None:
        self.policy_adam, self.value_adam = _zeros(self.policy), _zeros(self.value)


@dataclass
class Anchor:
    """The logits of what a network is drawn to, what leaving it costs, and whether the cost counts as a reward."""

    reference: Logits | None
    kl_weight: float
    in_rewards: bool


def _zeros(layers: Layers) -> AdamState:
    first, second = ([(np.zeros_like(w), np.zeros_like(b)) for w, b in layers] for _ in range(2))
    return AdamState(first, second)


def sample(layers: Layers) -> ChooseAction:
    """Draw an action from a softmax policy as policy.cpp does."""

    def choose(state: Float32, mask: Any, stream: Stream) -> int:
        log_policy = masked_log_softmax(forward(layers, state[None])[-1].astype(np.float64), mask[None])[0]
        legal = np.flatnonzero(mask)
        cumulative = np.cumsum(np.exp(log_policy[legal] - log_policy[legal].max()))
        place = np.searchsorted(cumulative, stream.next_double() * cumulative[-1], side="right")
        return int(legal[min(int(place), len(legal) - 1)])

    return choose


class PolicyLearner:
    """See policy_learner.hpp."""

    def __init__(
        self, start: StartEpisode, networks: Sequence[Network], episodes: ExperienceOptions, options: Options
    ) -> None:
        self.start, self.networks, self.episodes, self.options = start, networks, episodes, options
        self.num_updates = 0

    def update(
        self, kl_weight: float, learning_rate: float, opponent_weights: Sequence[Sequence[float]] = ()
    ) -> dict[str, Any]:
        """One update; return its figures."""
        count = self.options.num_episodes
        learners = [sample(network.policy) for network in self.networks]
        collected = [Decisions() for _ in self.networks]
        returns, disagreements = [], []
        weight_of: dict[int, float] = {}
        met: list[list[list[float]]] = [[[] for _ in policies] for policies, _ in self.episodes.opponents]
        gained: list[list[float]] = [[] for _ in self.networks]
        for number in range(self.num_updates * count, (self.num_updates + 1) * count):
            own, paid, disagreement, is_coverage, strategies = play_episode(self.start, self.episodes, learners, number)
            opponents = [(seat, drawn) for seat, drawn in enumerate(strategies) if drawn >= 0]
            weight_of[number] = float(np.prod([opponent_weights[j][b] for j, b in opponents if opponent_weights]))
            for learner in sorted(own, key=lambda learner: learner[0]):
                collected[learner[1]].append(own[learner])
            if not is_coverage:
                returns.append(paid)
                disagreements.append(disagreement)
                gains = {learner: earned(learner, paid) for learner in own}
                for learner, gain in gains.items():
                    gained[learner[1]].append(gain)
                penalty = self.episodes.uncertainty_penalty * disagreement
                for seat, drawn in opponents:
                    met[seat][drawn].append(float(np.mean([gain - penalty for gain in gains.values()])))
        figures: dict[str, Any] = {"returns": np.mean(returns, axis=0), "disagreement": np.mean(disagreements)}
        figures["learner_returns"] = [np.mean(network) for network in gained]
        figures["gains_against"] = [[np.mean(gains) if gains else 0.0 for gains in seat] for seat in met]
        figures["times_met"] = [[len(gains) for gains in seat] for seat in met]
        anchors = self._anchors(kl_weight)
        each = [
            self._learn(k, network, decisions, anchor, weight_of, learning_rate)
            for k, (network, decisions, anchor) in enumerate(zip(self.networks, collected, anchors, strict=True))
        ]
        self.num_updates += 1
        return figures | {name: np.array([own[name] for own in each]) for name in each[0]}

    def _anchors(self, kl_weight: float) -> list[Anchor]:
        """Of each network what it is drawn to; adversaries to what others play before this update."""
        num_adversaries = len(self.options.adversaries)
        own = self.networks[: len(self.networks) - num_adversaries]
        anchors = [Anchor(network.reference, kl_weight, self.options.kl_in_rewards) for network in own]
        for k, weight in self.options.adversaries:
            anchors.append(
                Anchor(_logits([(weights.copy(), bias.copy()) for weights, bias in own[k].policy]), weight, True)
            )
        return anchors

    def _learn(
        self,
        k: int,
        network: Network,
        decisions: Decisions,
        anchor: Anchor,
        weight_of: Mapping[int, float],
        learning_rate: float,
    ) -> dict[str, float]:
        options, loss = self.options, replace(self.options.loss, kl_weight=anchor.kl_weight)
        states, legal = np.stack(decisions.states), np.stack(decisions.masks)
        log_old = masked_log_softmax(forward(network.policy, states)[-1].astype(np.float64), legal)
        log_reference = log_uniform(legal)
        if anchor.reference is not None:
            log_reference = masked_log_softmax(anchor.reference(states).astype(np.float64), legal)
        values = forward(network.value, states)[-1][:, 0].astype(np.float64)
        kl = divergence(log_old, log_reference, legal)
        rewards = np.array(decisions.rewards) / options.reward_scale - anchor.kl_weight * kl * anchor.in_rewards
        is_last = np.array(decisions.is_last, dtype=np.uint8)
        advantages, targets = generalized_advantages(rewards, values, is_last, options.gae_lambda)
        rows = Rows(legal, np.array(decisions.actions), advantages, log_old, log_reference)
        weights = np.array([weight_of[number] for number in decisions.episodes])
        n = len(rewards)
        num_batches = max((n + options.batch_size // 2) // options.batch_size, 1)
        for epoch in range(options.num_epochs):
            order = shuffled(n, Stream(self.episodes.seed, Purpose.replay, k, self.num_updates, epoch))
            for batch in range(num_batches):
                chosen = order[batch * n // num_batches : (batch + 1) * n // num_batches]
                taken = states[chosen], _rows(rows, chosen), targets[chosen], weights[chosen]
                self._step(network, loss, *taken, learning_rate)
        self._average_in(network)
        return {
            "kl": kl.mean(),
            "entropy": -divergence(log_old, np.zeros_like(log_old), legal).mean(),
            "value_error": ((targets - values) ** 2).mean(),
            "num_decisions": n,
        }

    def _step(
        self,
        network: Network,
        loss: PolicyLoss,
        states: Float32,
        rows: Rows,
        targets: Float64,
        weights: Float64,
        rate: float,
    ) -> None:
        logits = forward(network.policy, states)[-1].astype(np.float64)
        predicted = forward(network.value, states)[-1].astype(np.float64)
        policy_gradient = (weights[:, None] * loss_gradient(loss, rows, logits)).astype(np.float32)
        value_gradient = (2 * (weights * (predicted[:, 0] - targets))[:, None] / len(targets)).astype(np.float32)
        adam_step(network.policy, network.policy_adam, states, policy_gradient, rate)
        adam_step(network.value, network.value_adam, states, value_gradient, rate)

    def _average_in(self, network: Network) -> None:
        kept = 0.0 if self.num_updates == 0 else self.options.averaging
        former = network.average or network.policy
        network.average = [
            (kept * old_weights + (1 - kept) * weights, kept * old_bias + (1 - kept) * bias)
            for (old_weights, old_bias), (weights, bias) in zip(former, network.policy, strict=True)
        ]


def shuffled(count: int, stream: Stream) -> list[int]:
    """A permutation by Fisher and Yates, from the end."""
    order = list(range(count))
    for left in range(count, 1, -1):
        chosen = stream.next_below(left)
        order[left - 1], order[chosen] = order[chosen], order[left - 1]
    return order


def _logits(layers: Layers) -> Logits:
    return lambda states: forward(layers, states)[-1]


def _rows(rows: Rows, chosen: list[int]) -> Rows:
    return Rows(*(values[chosen] for values in vars(rows).values()))
