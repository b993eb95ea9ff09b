"""Twin of policy_loss.hpp: what an update of a policy minimizes, and generalized advantages."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coffee_fast.typing import Float64, UInt8


def masked_log_softmax(logits: Float64, legal: UInt8) -> Float64:
    """Log probabilities ``[B, A]`` over the legal actions, 0 elsewhere."""
    values = np.where(legal != 0, logits, -np.inf)
    values = values - values.max(axis=1, keepdims=True)
    return np.where(legal != 0, values - np.log(np.exp(values).sum(axis=1, keepdims=True)), 0.0)


def divergence(log_policy: Float64, log_other: Float64, legal: UInt8) -> Float64:
    """``KL(pi || other)`` of each row."""
    result: Float64 = np.where(legal != 0, np.exp(log_policy) * (log_policy - log_other), 0.0).sum(axis=1)
    return result


def log_uniform(legal: UInt8) -> Float64:
    """Log probabilities of uniform play."""
    return masked_log_softmax(np.zeros(legal.shape), legal)


@dataclass
class PolicyLoss:
    """As in policy_loss.hpp."""

    update: str = "clipped"
    clip: float = 0.2
    step_size: float = 1.0
    kl_weight: float = 0.0


@dataclass
class Rows:
    """``B`` decisions: masks ``[B, A]``, actions and advantages ``[B]``, log probabilities ``[B, A]``."""

    legal: UInt8
    actions: Float64
    advantages: Float64
    log_old: Float64
    log_reference: Float64


def loss(options: PolicyLoss, rows: Rows, logits: Float64) -> float:
    """The mean over rows, of which `loss_gradient` is the gradient."""
    log_policy, each = masked_log_softmax(logits, rows.legal), np.arange(len(logits))
    ratio = np.exp(log_policy[each, rows.actions] - rows.log_old[each, rows.actions])
    gain = ratio * rows.advantages
    if options.update == "clipped":
        gain = np.minimum(gain, np.clip(ratio, 1 - options.clip, 1 + options.clip) * rows.advantages)
    losses = -gain + options.kl_weight * divergence(log_policy, rows.log_reference, rows.legal)
    if options.update == "mirror_descent":
        losses += divergence(log_policy, rows.log_old, rows.legal) / options.step_size
    return float(losses.mean())


def loss_gradient(options: PolicyLoss, rows: Rows, logits: Float64) -> Float64:
    """Gradient ``[B, A]`` of the mean loss by the logits."""
    log_policy, each = masked_log_softmax(logits, rows.legal), np.arange(len(logits))
    policy = np.where(rows.legal != 0, np.exp(log_policy), 0.0)
    ratio = np.exp(log_policy[each, rows.actions] - rows.log_old[each, rows.actions])
    slope = -ratio * rows.advantages
    if options.update == "clipped":
        beyond = np.where(rows.advantages > 0, ratio > 1 + options.clip, ratio < 1 - options.clip)
        slope = np.where(beyond, 0.0, slope)
    gradient = -slope[:, None] * policy
    gradient[each, rows.actions] += slope
    gradient += options.kl_weight * _divergence_gradient(policy, log_policy - rows.log_reference)
    if options.update == "mirror_descent":
        gradient += _divergence_gradient(policy, log_policy - rows.log_old) / options.step_size
    result: Float64 = gradient / len(logits)
    return result


def _divergence_gradient(policy: Float64, difference: Float64) -> Float64:
    result: Float64 = policy * (difference - (policy * difference).sum(axis=1, keepdims=True))
    return result


def generalized_advantages(rewards: Float64, values: Float64, is_last: UInt8, decay: float) -> tuple[Float64, Float64]:
    """``A_t = sum over s >= t of decay^(s-t) (r_s + V_{s+1} - V_s)`` within a segment, and ``A_t + V_t``."""
    advantages = np.zeros(len(rewards))
    for t in reversed(range(len(rewards))):
        advantages[t] = rewards[t] - values[t]
        if not is_last[t]:
            advantages[t] += values[t + 1] + decay * advantages[t + 1]
    return advantages, advantages + values
