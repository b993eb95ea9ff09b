"""Twin of policy.hpp: one decision of one player."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from coffee_fast._reference.mlp import forward
from coffee_fast._reference.rng import Stream, sample_categorical
from coffee_fast.policies import NetworkPolicy, PerStepMixture, UniformRandom
from coffee_fast.policy_tables import TablePolicy
from coffee_fast.typing import Float32


@dataclass(frozen=True)
class Decision:
    """What a player sees: information state ``[I]`` and the legal actions, ascending."""

    information_state: Float32
    legal_actions: list[int]


def masked_argmax(values: Float32, legal_actions: list[int]) -> int:
    """The legal action of largest value, the lowest on ties; NaN loses to any number."""
    return max(legal_actions, key=lambda a: (-math.inf if math.isnan(values[a]) else values[a], -a))


def choose_action(policy: Any, decision: Decision, stream: Stream) -> int:
    """The action that ``policy`` draws from ``stream``."""
    legal = decision.legal_actions
    if isinstance(policy, UniformRandom):
        return legal[stream.next_below(len(legal))]
    if isinstance(policy, PerStepMixture):
        component = policy.components[sample_categorical(policy.weights, stream.next_double())]
        return choose_action(component, decision, stream)
    if isinstance(policy, TablePolicy):
        is_here = (policy.information_states == decision.information_state).all(axis=1)
        weights = policy.action_probabilities[is_here][:, legal].sum(axis=0)  # of the one row, or none
        if not weights.any():
            return legal[stream.next_below(len(legal))]
        return legal[sample_categorical(list(weights / weights.sum()), stream.next_double())]
    assert isinstance(policy, NetworkPolicy)
    values = forward(list(policy.layers), decision.information_state[None])[0]
    if policy.kind == "greedy":
        return masked_argmax(values, legal)
    logits = values[legal].astype(np.float64)
    weights = np.exp((logits - logits.max()) / policy.temperature)
    return legal[sample_categorical(list(weights / weights.sum()), stream.next_double())]
