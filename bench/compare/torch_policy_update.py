"""An update of regularized policy gradients as one writes it down in torch: modules, autograd, fused Adam."""

from __future__ import annotations

import numpy as np
import torch


def module(layers):
    """A ReLU network of these layers."""
    modules = []
    for weights, bias in layers:
        linear = torch.nn.Linear(weights.shape[1], len(bias))
        linear.load_state_dict({"weight": torch.from_numpy(weights.copy()), "bias": torch.from_numpy(bias.copy())})
        modules += [linear, torch.nn.ReLU()]
    return torch.nn.Sequential(*modules[:-1])


def layers_of(network):
    return [(part.weight.detach().numpy(), part.bias.detach().numpy()) for part in network if hasattr(part, "weight")]


class TorchPolicyUpdate:
    """Learns from recorded decisions: states ``[n, I]``, masks ``[n, A]``; actions, scaled rewards, is_last ``[n]``."""

    def __init__(self, policy, value, *, batch_size, num_epochs, clip):
        self.policy, self.value = module(policy), module(value)
        self.batch_size, self.num_epochs, self.clip = batch_size, num_epochs, clip
        self.adams = [torch.optim.Adam(net.parameters(), lr=1e-3, fused=True) for net in (self.policy, self.value)]

    def log_policy(self, states, masks):
        return torch.log_softmax(self.policy(states).masked_fill(~masks, -torch.inf), dim=1).masked_fill(~masks, 0.0)

    def update(self, decisions, orders, kl_weight, learning_rate):
        """One update; ``orders`` are the permutations of its epochs."""
        states, masks = torch.from_numpy(decisions["states"]), torch.from_numpy(decisions["masks"]).bool()
        actions = torch.from_numpy(decisions["actions"]).long()
        for adam in self.adams:
            adam.param_groups[0]["lr"] = learning_rate
        with torch.no_grad():
            old = self.log_policy(states, masks).gather(1, actions[:, None])[:, 0]
            values = self.value(states)[:, 0].numpy()
        returns = np.zeros(len(values), np.float32)
        for t in reversed(range(len(values))):
            later = 0.0 if decisions["is_last"][t] else returns[t + 1]
            returns[t] = decisions["rewards"][t] + later
        returns = torch.from_numpy(returns)
        advantages = returns - torch.from_numpy(values)
        log_uniform = -torch.log(masks.sum(1, keepdim=True).float())
        num_batches = max((len(values) + self.batch_size // 2) // self.batch_size, 1)
        for order in orders:
            for rows in np.array_split(np.asarray(order), _cuts(len(order), num_batches)):
                chosen = torch.from_numpy(rows)
                log_policy = self.log_policy(states[chosen], masks[chosen])
                ratio = torch.exp(log_policy.gather(1, actions[chosen][:, None])[:, 0] - old[chosen])
                advantage = advantages[chosen]
                gain = torch.minimum(ratio * advantage, ratio.clamp(1 - self.clip, 1 + self.clip) * advantage)
                policy = torch.exp(log_policy) * masks[chosen]
                divergence = (policy * (log_policy - log_uniform[chosen])).sum(1)
                loss = (kl_weight * divergence - gain).mean()
                loss = loss + ((self.value(states[chosen])[:, 0] - returns[chosen]) ** 2).mean()
                for adam in self.adams:
                    adam.zero_grad()
                loss.backward()
                for adam in self.adams:
                    adam.step()


def _cuts(count, num_batches):
    return [batch * count // num_batches for batch in range(1, num_batches)]
