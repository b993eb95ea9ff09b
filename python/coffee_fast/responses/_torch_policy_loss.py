"""What an update of a policy minimizes, in torch: `_reference.policy_loss` on any device."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from coffee_fast.responses._policy_learning import PolicyLearning


def masked_log_softmax(logits: torch.Tensor, legal: torch.Tensor) -> torch.Tensor:
    """Log probabilities ``[B, A]`` over the legal actions, 0 elsewhere."""
    return torch.log_softmax(logits.masked_fill(~legal, -math.inf), 1).masked_fill(~legal, 0.0)


def log_uniform(legal: torch.Tensor) -> torch.Tensor:
    """Log probabilities of uniform play."""
    return masked_log_softmax(torch.zeros(legal.shape, device=legal.device), legal)


def divergence(log_policy: torch.Tensor, log_other: torch.Tensor, legal: torch.Tensor) -> torch.Tensor:
    """``KL(pi || other)`` of each row."""
    return (log_policy.exp() * (log_policy - log_other)).masked_fill(~legal, 0.0).sum(1)


@dataclass
class Rows:
    """``B`` decisions: masks ``[B, A]``, actions and advantages ``[B]``, log probabilities ``[B, A]``."""

    legal: torch.Tensor
    actions: torch.Tensor
    advantages: torch.Tensor
    log_old: torch.Tensor
    log_reference: torch.Tensor

    def at(self, chosen: torch.Tensor) -> Rows:
        """Return some of them."""
        return Rows(*(values[chosen] for values in vars(self).values()))


def loss_gradient(
    config: PolicyLearning, kl_weight: float, rows: Rows, logits: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Gradient ``[B, A]`` of the mean loss by the logits; log ratios ``[B]`` and which of them were clipped."""
    log_policy = masked_log_softmax(logits, rows.legal)
    policy = log_policy.exp().masked_fill(~rows.legal, 0.0)
    taken = rows.actions[:, None]
    log_ratio = (log_policy - rows.log_old).gather(1, taken)[:, 0]
    ratio = log_ratio.exp()
    is_clipped = torch.zeros_like(ratio, dtype=torch.bool)
    if config.update == "clipped":
        is_clipped = torch.where(rows.advantages > 0, ratio > 1 + config.clip, ratio < 1 - config.clip)
    slope = (-ratio * rows.advantages).masked_fill(is_clipped, 0.0)
    gradient = -slope[:, None] * policy
    gradient.scatter_add_(1, taken, slope[:, None])
    gradient += kl_weight * _divergence_gradient(policy, log_policy - rows.log_reference)
    if config.update == "mirror_descent":
        gradient += _divergence_gradient(policy, log_policy - rows.log_old) / config.step_size
    return gradient / len(logits), log_ratio, is_clipped


def _divergence_gradient(policy: torch.Tensor, difference: torch.Tensor) -> torch.Tensor:
    return policy * (difference - (policy * difference).sum(1, keepdim=True))
