"""Twin of q_network.hpp: one double Q-learning gradient step with Adam, dense and in the order of the formulas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coffee_fast.typing import Float32, Int32, UInt8

Layers = list[tuple[Float32, Float32]]


@dataclass
class TransitionBatch:
    """``B`` transitions: states ``[B, I]``, actions ``[B]``, rewards ``[B]``, final flags ``[B]``, masks ``[B, A]``."""

    information_states: Float32
    actions: Int32
    rewards: Float32
    next_information_states: Float32
    is_final: UInt8
    next_legal_masks: UInt8


@dataclass
class AdamState:
    """Moments, shaped like the parameters, and the number of steps taken."""

    first: Layers
    second: Layers
    num_steps: int = 0


def forward(layers: Layers, inputs: Float32) -> list[Float32]:
    """The activations of every layer, the inputs first and the Q-values last."""
    activations = [inputs]
    for index, (weights, bias) in enumerate(layers):
        values = activations[-1] @ weights.T + bias
        activations.append(values if index == len(layers) - 1 else np.maximum(values, 0))
    return activations


def targets(online: Layers, target: Layers, batch: TransitionBatch, discount: float) -> Float32:
    """``y = r + discount (1 - final) Q_target(s', argmax over legal a of Q(s', a))``."""
    values = np.where(batch.next_legal_masks != 0, forward(online, batch.next_information_states)[-1], -np.inf)
    best = values.argmax(axis=1)
    bootstrap = forward(target, batch.next_information_states)[-1][np.arange(len(best)), best]
    return batch.rewards + np.where(batch.is_final != 0, 0, np.float32(discount) * bootstrap).astype(np.float32)


def gradient(online: Layers, target: Layers, batch: TransitionBatch, discount: float) -> tuple[float, Layers]:
    """Loss ``mean (Q(s, a) - y)^2`` and its gradient with respect to the online parameters."""
    rows = np.arange(len(batch.actions))
    activations = forward(online, batch.information_states)
    errors = activations[-1][rows, batch.actions] - targets(online, target, batch, discount)
    delta = np.zeros_like(activations[-1])
    delta[rows, batch.actions] = 2 * errors / len(rows)
    gradients: Layers = []
    for (weights, _), inputs in zip(reversed(online), reversed(activations[:-1]), strict=True):
        gradients.insert(0, (delta.T @ inputs, delta.sum(axis=0)))
        delta = (delta @ weights) * (inputs > 0)
    return float(np.mean(errors**2)), gradients


def adam(
    parameters: Layers,
    gradients: Layers,
    state: AdamState,
    learning_rate: float,
    decays: tuple[float, float] = (0.9, 0.999),
    epsilon: float = 1e-8,
) -> None:
    """One step of Adam in place (Kingma and Ba, ICLR 2015, Algorithm 1)."""
    state.num_steps += 1
    corrections = [1 - decay**state.num_steps for decay in decays]
    for arrays in zip(parameters, gradients, state.first, state.second, strict=True):
        for parameter, slope, first, second in zip(*arrays, strict=True):
            first += (1 - decays[0]) * (slope - first)
            second += (1 - decays[1]) * (slope**2 - second)
            denominator = np.sqrt(second / corrections[1]) + epsilon
            parameter -= learning_rate / corrections[0] * first / denominator


def gradient_step(
    online: Layers, target: Layers, state: AdamState, batch: TransitionBatch, discount: float, learning_rate: float
) -> float:
    """Update ``online`` and ``state`` in place by one step on ``batch``; return the loss before it."""
    loss, gradients = gradient(online, target, batch, discount)
    adam(online, gradients, state, learning_rate)
    return loss
