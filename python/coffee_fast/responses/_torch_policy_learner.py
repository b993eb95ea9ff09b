"""Regularized policy gradients with their gradient steps in torch, for other devices: the twin of the compiled ones."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from coffee_fast import _core
from coffee_fast._reference.experience import earned
from coffee_fast._reference.policy_learner import shuffled
from coffee_fast._reference.policy_loss import generalized_advantages
from coffee_fast._torch_threads import one_torch_thread
from coffee_fast.errors import InvalidArgumentError, NumericalError
from coffee_fast.policies import Layers, NetworkPolicy
from coffee_fast.responses._torch_network import TorchNetwork, flat_parameters, layers_of
from coffee_fast.responses._torch_policy_loss import Rows, divergence, log_uniform, loss_gradient, masked_log_softmax

if TYPE_CHECKING:
    from coffee_fast.policies import Policy
    from coffee_fast.responses._policy_learning import PolicyLearning
    from coffee_fast.responses.base import State
    from coffee_fast.typing import Float64, LearningSeat

PARTS = ("parameters", "first_moment", "second_moment")
Decisions = Mapping[str, np.ndarray[Any, Any]]


class Anchor(NamedTuple):
    """What a network is drawn to, what leaving it costs, and whether the cost counts as a reward."""

    reference: Policy
    kl_weight: float
    in_rewards: bool


class TorchPolicyLearner:
    """What ``_core.PolicyLearner`` does, by the same episodes and minibatches; only roundings of the steps differ."""

    def __init__(
        self,
        config: PolicyLearning,
        device: str,
        policies: Sequence[Layers],
        values: Sequence[Layers],
        references: Sequence[Policy],
        *,
        seed: int,
        reward_scale: float,
        kl_in_rewards: bool,
        learning_seats: Sequence[Sequence[LearningSeat]],
        adversaries: Sequence[tuple[int, float]],
        **episodes: Any,
    ) -> None:
        self._config, self._device, self._seed = config, device, seed
        self._reward_scale, self._kl_in_rewards = reward_scale, kl_in_rewards
        self._policies = [TorchNetwork(layers, device) for layers in policies]
        self._values = [TorchNetwork(layers, device) for layers in values]
        self._averages = [flat_parameters(layers).to(device) for layers in policies]
        self._references, self._adversaries = references, adversaries
        self._learning_seats, self._episodes = learning_seats, episodes
        self.num_updates = 0

    @torch.no_grad()
    def update(
        self,
        kl_weight: float,
        learning_rate: float,
        opponent_weights: Sequence[Sequence[float] | Float64] = (),
        num_threads: int = 1,
    ) -> dict[str, Any]:
        """One update of all networks and its figures; if it is interrupted, the learner is what it was before."""
        experience = _core.collect_experience(
            learners=[policy.core for policy in self._present_policies()],
            first=self.num_updates * self._config.num_episodes,
            count=self._config.num_episodes,
            num_parallel_episodes=self._config.num_parallel_episodes,
            learning_seats=self._learning_seats,
            seed=self._seed,
            num_threads=num_threads,
            **self._episodes,
        )
        weights = self._episode_weights(experience["strategies"], opponent_weights)
        started, before = time.perf_counter(), self.export_state()
        try:
            with one_torch_thread():
                each = [
                    self._learn(k, decisions, anchor, weights, learning_rate)
                    for k, (decisions, anchor) in enumerate(
                        zip(experience["of_network"], self._anchors(kl_weight), strict=True)
                    )
                ]
        except BaseException:
            self.restore(before)
            raise
        figures = {name: np.array([own[name] for own in each]) for name in each[0]}
        figures |= self._figures(experience) | {"learning_s": time.perf_counter() - started}
        self._average_in()
        self.num_updates += 1
        return figures

    def _episode_weights(
        self, strategies: np.ndarray[Any, Any], opponent_weights: Sequence[Sequence[float] | Float64]
    ) -> Float64:
        weights = np.ones(len(strategies))
        for seat, own in enumerate(opponent_weights):
            met = strategies[:, seat] >= 0
            weights[met] *= np.asarray(own)[strategies[met, seat]]
        return weights

    def _figures(self, experience: dict[str, Any]) -> dict[str, Any]:
        is_normal = experience["is_coverage"] == 0
        returns, count = experience["returns"], len(is_normal)
        numbers = np.arange(self.num_updates * count, (self.num_updates + 1) * count)
        gained: list[list[float]] = [[] for _ in self._policies]
        sizes = [len(policies) for policies, _ in self._episodes["opponents"]]
        gains_against, times_met = ([np.zeros(size) for size in sizes] for _ in range(2))
        for episode in np.flatnonzero(is_normal):
            group = self._learning_seats[numbers[episode] % len(self._learning_seats)]
            for learner in group:
                gained[learner[1]].append(earned(learner, returns[episode]))
            penalty = self._episodes["uncertainty_penalty"] * experience["disagreement"][episode]
            gain = sum(earned(learner, returns[episode]) - penalty for learner in group) / len(group)
            for seat, drawn in enumerate(experience["strategies"][episode]):
                if drawn >= 0:
                    gains_against[seat][drawn] += gain
                    times_met[seat][drawn] += 1
        return {
            "returns": returns[is_normal].sum(axis=0) / max(is_normal.sum(), 1),
            "learner_returns": np.array([sum(own) / max(len(own), 1) for own in gained]),
            "gains_against": [
                gains / np.maximum(times, 1) for gains, times in zip(gains_against, times_met, strict=True)
            ],
            "times_met": times_met,
            "disagreement": experience["disagreement"][is_normal].sum() / max(is_normal.sum(), 1),
            "num_episodes": count,
            "num_coverage_episodes": int(count - is_normal.sum()),
        }

    def _present_policies(self) -> list[NetworkPolicy]:
        return [NetworkPolicy(self.policy(k), kind="softmax") for k in range(len(self._policies))]

    def _anchors(self, kl_weight: float) -> list[Anchor]:
        """Of each network what it is drawn to, as it is before the update."""
        present = self._present_policies()
        own = [Anchor(reference, kl_weight, self._kl_in_rewards) for reference in self._references]
        return own + [Anchor(present[k], weight, True) for k, weight in self._adversaries]

    def _learn(
        self, k: int, decisions: Decisions, anchor: Anchor, episode_weights: Float64, learning_rate: float
    ) -> dict[str, float]:
        states = torch.from_numpy(decisions["information_states"]).to(self._device)
        rows, targets, figures = self._look_at(k, states, decisions, anchor)
        first = self.num_updates * self._config.num_episodes
        weights = self._tensor(episode_weights[decisions["episodes"].astype(np.int64) - first])
        n, batch_size = len(states), self._config.batch_size
        num_batches = max((n + batch_size // 2) // batch_size, 1)
        log_ratio, is_clipped = torch.zeros_like(targets), torch.zeros_like(targets, dtype=torch.bool)
        for epoch in range(self._config.num_epochs if n else 0):
            order = shuffled(n, _core.Stream(self._seed, _core.Purpose.replay, k, self.num_updates, epoch))
            places = torch.tensor(order, device=self._device)
            for batch in range(num_batches):
                chosen = places[batch * n // num_batches : (batch + 1) * n // num_batches]
                activations = self._policies[k].forward(states[chosen])
                found = loss_gradient(self._config, anchor.kl_weight, rows.at(chosen), activations[-1])
                gradient, log_ratio[chosen], is_clipped[chosen] = found
                weight = weights[chosen, None]
                self._policies[k].backward(activations, weight * gradient)
                predicted = self._values[k].forward(states[chosen])
                errors = predicted[-1] - targets[chosen, None]
                self._values[k].backward(predicted, 2.0 * weight * errors / len(chosen))
                self._policies[k].adam_step(learning_rate)
                self._values[k].adam_step(learning_rate)
        for network in (self._policies[k], self._values[k]):
            if not bool(torch.isfinite(network.parameters).all()):
                raise NumericalError("PolicyLearner: a network left the finite numbers; try a smaller learning_rate")
        step_kl = torch.expm1(log_ratio) - log_ratio  # under the old policy its mean is KL(old || new)
        return figures | {"step_kl": _mean(step_kl), "clipped": _mean(is_clipped.float())}

    def _look_at(
        self, k: int, states: torch.Tensor, decisions: Decisions, anchor: Anchor
    ) -> tuple[Rows, torch.Tensor, dict[str, float]]:
        """What the update needs to know of each decision as it was before it, and of all together."""
        legal = torch.from_numpy(decisions["legal_masks"]).to(self._device) != 0
        log_old = masked_log_softmax(self._policies[k].forward(states)[-1], legal)
        reference = anchor.reference
        log_reference = log_uniform(legal)
        if isinstance(reference, NetworkPolicy):
            logits = reference.network.forward(decisions["information_states"]) / np.float32(reference.temperature)
            log_reference = masked_log_softmax(torch.from_numpy(logits).to(self._device), legal)
        kl = divergence(log_old, log_reference, legal)
        values = self._values[k].forward(states)[-1][:, 0].cpu().numpy().astype(np.float64)
        rewards = decisions["rewards"] / self._reward_scale
        if anchor.in_rewards:
            rewards = rewards - anchor.kl_weight * kl.cpu().numpy()
        advantages, targets = generalized_advantages(rewards, values, decisions["is_last"], self._config.gae_lambda)
        n = len(rewards)
        figures = {
            "kl": _mean(kl),
            "kl_per_episode": _mean(kl) * n / self._config.num_episodes,
            "entropy": -_mean(divergence(log_old, torch.zeros_like(log_old), legal)),
            "value_error": float(((targets - values) ** 2).sum() / max(n, 1)),
            "num_decisions": n,
        }
        actions = torch.from_numpy(decisions["actions"]).to(self._device, torch.int64)
        return Rows(legal, actions, self._tensor(advantages), log_old, log_reference), self._tensor(targets), figures

    def _tensor(self, values: np.ndarray[Any, Any]) -> torch.Tensor:
        return torch.from_numpy(values.astype(np.float32)).to(self._device)

    def _average_in(self) -> None:
        kept = self._config.averaging if self.num_updates else 0.0
        for average, policy in zip(self._averages, self._policies, strict=True):
            average.mul_(kept).add_(policy.parameters, alpha=1.0 - kept)

    def policy(self, k: int) -> Layers:
        """Return the layers of network ``k``."""
        return layers_of(self._policies[k].parameters, self._policies[k].sizes)

    def value(self, k: int) -> Layers:
        """Return the layers of its values."""
        return layers_of(self._values[k].parameters, self._values[k].sizes)

    def average(self, k: int) -> Layers:
        """Return the layers of the averaged policy."""
        return layers_of(self._averages[k], self._policies[k].sizes)

    def _parts(self) -> dict[str, TorchNetwork]:
        named = {f"policy.{k}": network for k, network in enumerate(self._policies)}
        return named | {f"value.{k}": network for k, network in enumerate(self._values)}

    def export_state(self) -> State:
        """Everything another learner of the same arguments needs to continue with the same bits, as named arrays."""
        state: State = {"num_updates": np.array([self.num_updates], np.uint64)}
        for name, network in self._parts().items():
            for part, tensor in zip(PARTS, (network.parameters, *network.moments()), strict=True):
                state[f"{name}.{part}"] = tensor.to("cpu", copy=True).numpy()
            state[f"{name}.num_steps"] = np.array([network.num_steps], np.uint64)
        return state | {f"average.{k}": flat.to("cpu", copy=True).numpy() for k, flat in enumerate(self._averages)}

    def restore(self, state: State) -> None:
        """Continue from an exported state; ``InvalidArgumentError`` if it does not fit."""
        for name, array in self.export_state().items():
            if name not in state or state[name].shape != array.shape or state[name].dtype != array.dtype:
                raise InvalidArgumentError(f"'{name}' must be a {array.dtype} array of shape {list(array.shape)}")
        for name, network in self._parts().items():
            parameters, first, second = (state[f"{name}.{part}"] for part in PARTS)
            network.restore(parameters, first, second, int(state[f"{name}.num_steps"][0]))
        for k, average in enumerate(self._averages):
            average.copy_(torch.tensor(state[f"average.{k}"]))
        self.num_updates = int(state["num_updates"][0])


def _mean(values: torch.Tensor) -> float:
    return float(values.sum()) / max(len(values), 1)
