"""Twin of game_tree.hpp: play and exact computation over the arrays of a tree, node by node."""

from __future__ import annotations

from typing import Any

import numpy as np

from coffee_fast._reference.rng import Stream, sample_categorical
from coffee_fast.typing import Float64

ACTION, CHANCE, TRANSITION = 3, 8, 9  # Purpose
LUCK = -3


class GameTree:
    """The arrays by name, and what follows from them."""

    def __init__(self, **arrays: Any) -> None:
        self.arrays = arrays
        self.players, self.sets = arrays["players"], arrays["information_sets"]
        self.actions, self.probabilities = arrays["actions"], arrays["probabilities"]
        payoffs = arrays["payoffs"][arrays["payoff_rows"]]
        self.member_payoffs = payoffs.reshape(len(payoffs), -1, arrays.get("num_members", 1))
        self.payoffs = self.member_payoffs.mean(axis=2)
        self.num_children = arrays["num_children"]
        self.first_child = 1 + np.cumsum(self.num_children) - self.num_children  # breadth first
        self.num_sets = int(self.sets.max()) + 1
        counts = [self.num_children[self.sets == number][0] for number in range(self.num_sets)]
        self.sequence_starts = np.concatenate([[0], np.cumsum(counts, dtype=int)])

    def children(self, node: int) -> range:
        return range(self.first_child[node], self.first_child[node] + self.num_children[node])

    def probability(self, profile: Float64, node: int, move: int) -> float:
        """Of the ``move``-th move at ``node``."""
        if self.players[node] < 0:
            return float(self.probabilities[self.first_child[node] + move])
        return float(profile[self.sequence_starts[self.sets[node]] + move])

    def own_sequences(self, player: int) -> list[list[int]]:
        """For each node, the sequences that the player has made before."""
        made: list[list[int]] = [[] for _ in self.players]
        for node in range(len(self.players)):
            for move, child in enumerate(self.children(node)):
                sequence = int(self.sequence_starts[self.sets[node]] + move)
                made[child] = [*made[node], sequence] if self.players[node] == player else made[node]
        return made

    def forgetful_set(self) -> int:
        """The first information set, of the first player, with nodes after unlike sequences of its own; -1 if none."""
        for player in range(self.payoffs.shape[1]):
            made = self.own_sequences(player)
            seen: dict[int, list[int]] = {}
            for node in np.flatnonzero(self.players == player).tolist():
                if seen.setdefault(self.sets[node], made[node]) != made[node]:
                    return int(self.sets[node])
        return -1


def follow_luck(tree: GameTree, node: int, seed: int, rollout: int) -> tuple[int, Float64]:
    """Where luck leads, drawn within the move before, and what it pays by each member."""
    paid = np.zeros(tree.member_payoffs.shape[1:])
    while tree.players[node] == LUCK:
        children = tree.children(node)
        drawn = Stream(seed, TRANSITION, 0, rollout, node).next_double()
        node = children[sample_categorical(tree.probabilities[children.start : children.stop].tolist(), drawn)]
        paid = paid + tree.member_payoffs[node]
    return node, paid


def disagreement_of(rewards: Float64) -> float:
    """Of rewards ``[N, E]``: the most, over members, of the mean distance to the mean over members."""
    return float(np.abs(rewards - rewards.mean(axis=1, keepdims=True)).mean(axis=0).max())


def uniform_episode(tree: GameTree, num_outcomes: int, seed: int, rollout: int) -> tuple[list[int], Float64, float]:
    """The moves, returns ``[N, E]`` and disagreement of an episode of uniform random play."""
    moves: list[int] = []
    (node, _), disagreement = follow_luck(tree, 0, seed, rollout), 0.0
    returns = np.zeros(tree.member_payoffs.shape[1:])
    while (children := tree.children(node)) and len(children):
        legal = tree.actions[children.start : children.stop].tolist()
        if tree.players[node] < 0:
            row = np.zeros(num_outcomes)
            row[legal] = tree.probabilities[children.start : children.stop]
            drawn = Stream(seed, CHANCE, 0, rollout, len(moves)).next_double()
            moves.append(sample_categorical(row.tolist(), drawn))
        else:
            moves.append(legal[Stream(seed, ACTION, 0, rollout, len(moves)).next_below(len(legal))])
        node = children[legal.index(moves[-1])]
        paid = tree.member_payoffs[node]
        node, by_luck = follow_luck(tree, node, seed, rollout)
        returns, disagreement = returns + paid + by_luck, disagreement + disagreement_of(paid + by_luck)
    return moves, returns, disagreement


def profile_values(tree: GameTree, profile: Float64) -> Float64:
    """Expected payoffs ``[N * E]`` where all play ``profile``: each node's, by how likely it is reached."""
    reach, values = np.ones(len(tree.players)), np.zeros(tree.member_payoffs.shape[1:])
    for node in range(len(tree.players)):
        for move, child in enumerate(tree.children(node)):
            reach[child] = reach[node] * tree.probability(profile, node, move)
            values += reach[child] * tree.member_payoffs[child]
    return values.reshape(-1)


def best_response(tree: GameTree, profile: Float64, player: int, member: int = -1) -> tuple[float, list[int]]:
    """The most that a player can earn by what a member says (-1: their mean), and the actions.

    The best at each information set, given where it may be.
    """
    actions = [-1] * tree.num_sets
    payoffs = tree.payoffs if member == -1 else tree.member_payoffs[:, :, member]

    def value(places: list[tuple[int, float]]) -> float:
        """Of being at these nodes, so likely each by what the others and chance do, after an own move."""
        total, sets = 0.0, dict[int, list[tuple[int, float]]]()
        while places:
            node, weight = places.pop()
            if tree.players[node] == player:
                sets.setdefault(int(tree.sets[node]), []).append((node, weight))
                continue
            for move, child in enumerate(tree.children(node)):
                likely = weight * tree.probability(profile, node, move)
                total += likely * payoffs[child, player]
                places.append((child, likely))
        for number, nodes in sets.items():
            after = [
                [(tree.children(node)[move], weight) for node, weight in nodes]
                for move in range(tree.num_children[nodes[0][0]])
            ]
            paid = [sum(weight * payoffs[child, player] for child, weight in part) for part in after]
            worth = [now + value(part) for now, part in zip(paid, after, strict=True)]
            best = int(np.argmax(worth))
            actions[number] = int(tree.actions[tree.children(nodes[0][0])[best]])
            total += worth[best]
        return total

    return value([(0, 1.0)]), actions


def mixture_behavior(tree: GameTree, player: int, policies: Float64, weights: Float64) -> Float64:
    """Policies weighted, at each information set, by how likely they made the player's earlier moves."""
    behavior, made = np.zeros(policies.shape[1]), tree.own_sequences(player)
    for number in range(tree.num_sets):
        node = int(np.flatnonzero(tree.sets == number)[0])
        if tree.players[node] == player:
            posterior = weights * policies[:, made[node]].prod(axis=1)
            total = posterior.sum()
            here = slice(tree.sequence_starts[number], tree.sequence_starts[number + 1])
            behavior[here] = (posterior / total if total > 0.0 else weights) @ policies[:, here]
    return behavior
