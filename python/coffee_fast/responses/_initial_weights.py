"""Initial weights of networks."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from coffee_fast.policies import Layers
from coffee_fast.typing import Float32


def initial_layers(sizes: Sequence[int], seed: int, init: str) -> Layers:
    """Draw ``(weights [outputs, inputs], bias [outputs])`` of each layer from a generator of its own.

    ``"torch"``: weights and biases uniform within ``1 / sqrt(inputs)`` of zero, torch's default of linear layers.
    ``"paper"``: weights normal with deviation ``1 / sqrt(inputs)``, redrawn beyond two deviations; zero biases.

    >>> [weights.shape for weights, _ in initial_layers((41, 200, 109), seed=0, init="torch")]
    [(200, 41), (109, 200)]
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    layers = []
    for inputs, outputs in itertools.pairwise(sizes):
        scale = inputs**-0.5
        if init == "paper":
            weights, bias = _truncated_normal(generator, (outputs, inputs)) * scale, np.zeros(outputs)
        else:
            weights = generator.uniform(-scale, scale, (outputs, inputs))
            bias = generator.uniform(-scale, scale, outputs)
        layers.append((weights.astype(np.float32), bias.astype(np.float32)))
    return tuple(layers)


def _truncated_normal(generator: np.random.Generator, shape: tuple[int, int]) -> Float32:
    values = generator.normal(size=shape)
    while (outside := np.abs(values) > 2).any():
        values[outside] = generator.normal(size=int(outside.sum()))
    return values.astype(np.float32)
