"""Twin of tree_mirror_descent.hpp: players of a tree who are anchored to a reference, node by node."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from coffee_fast._reference.game_tree import GameTree
from coffee_fast.typing import Float64


def divergences(tree: GameTree, log_policy: Float64, log_other: Float64) -> Float64:
    """``KL(policy || other)`` at each information set."""
    terms = np.exp(log_policy) * (log_policy - log_other)
    return np.array([terms[first:end].sum() for first, end in pairwise(tree.sequence_starts)])


def normalized(tree: GameTree, scores: Float64) -> Float64:
    """Logarithms of probabilities proportional to ``e^scores`` at each information set."""
    parts = [scores[first:end] for first, end in pairwise(tree.sequence_starts)]
    return np.concatenate([np.zeros(0), *(part - np.logaddexp.reduce(part) for part in parts)])


def decision_values(
    tree: GameTree, log_policy: Float64, log_reference: Float64, kl_weight: float, kl_in_rewards: bool
) -> tuple[Float64, Float64, Float64]:
    """Action values ``[Q]`` given that an information set is reached, gaps ``[sets]``, and how likely each is."""
    profile, paid = np.exp(log_policy), kl_weight * divergences(tree, log_policy, log_reference) * kl_in_rewards
    node_reach, reach = np.ones(len(tree.players)), np.zeros(tree.num_sets)
    for node in range(len(tree.players)):
        for move, child in enumerate(tree.children(node)):
            node_reach[child] = node_reach[node] * tree.probability(profile, node, move)
        if tree.players[node] >= 0:
            reach[tree.sets[node]] += node_reach[node]
    values, worth = np.zeros(len(profile)), tree.payoffs.copy()  # of a node with the move that leads there
    for node in reversed(range(len(tree.players))):
        player, number = tree.players[node], tree.sets[node]
        for move, child in enumerate(tree.children(node)):
            worth[node] += tree.probability(profile, node, move) * worth[child]
            if player >= 0:
                share = node_reach[node] / reach[number]
                values[tree.sequence_starts[number] + move] += share * worth[child, player]
        if player >= 0:
            worth[node, player] -= paid[number]
    response = normalized(tree, log_reference + values / kl_weight)
    return values, kl_weight * divergences(tree, log_policy, response), reach


def tree_mirror_descent(
    tree: GameTree,
    log_policy: Float64,
    log_reference: Float64,
    kl_weights: Float64,
    step_sizes: Float64,
    kl_in_rewards: bool,
    tolerance: float,
) -> tuple[int, Float64, Float64]:
    """The number of steps, the last profile, and the sums of how likely movers were to have played each sequence."""
    reach_sums = np.zeros(len(log_policy))
    for step, (weight, size) in enumerate(zip(kl_weights, step_sizes, strict=True)):
        values, gap, _ = decision_values(tree, log_policy, log_reference, weight, kl_in_rewards)
        if tolerance > 0.0 and (gap <= tolerance).all():
            return step, log_policy, reach_sums
        for player in range(tree.payoffs.shape[1]):
            reach_sums += own_reach(tree, np.exp(log_policy), player)
        scores = (log_policy + size * (weight * log_reference + values)) / (1.0 + size * weight)
        log_policy = normalized(tree, scores)
    return len(kl_weights), log_policy, reach_sums


def own_reach(tree: GameTree, profile: Float64, player: int) -> Float64:
    """How likely a player is to have played each of its sequences, its own earlier moves included."""
    reach, made = np.zeros(len(profile)), tree.own_sequences(player)
    for number in range(tree.num_sets):
        node = int(np.flatnonzero(tree.sets == number)[0])
        if tree.players[node] == player:
            here = slice(tree.sequence_starts[number], tree.sequence_starts[number + 1])
            reach[here] = profile[made[node]].prod() * profile[here]
    return reach
