"""Twin of trained_network.hpp: gradients of a ReLU network by backpropagation, and Adam."""

from __future__ import annotations

from coffee_fast._reference.q_network import AdamState, Layers, adam, forward
from coffee_fast.typing import Float32


def gradient(layers: Layers, inputs: Float32, output_gradients: Float32) -> Layers:
    """The gradient by the parameters of a loss whose gradient by the outputs is given."""
    activations, delta = forward(layers, inputs), output_gradients
    gradients: Layers = []
    for (weights, _), below in zip(reversed(layers), reversed(activations[:-1]), strict=True):
        gradients.insert(0, (delta.T @ below, delta.sum(axis=0)))
        delta = (delta @ weights) * (below > 0)
    return gradients


def adam_step(
    layers: Layers, state: AdamState, inputs: Float32, output_gradients: Float32, learning_rate: float
) -> Layers:
    """Change ``layers`` and ``state`` in place by one step; return the gradient."""
    slopes = gradient(layers, inputs, output_gradients)
    adam(layers, slopes, state, learning_rate)
    return slopes
