"""Twin of game_tree.hpp: play and exact computation over the arrays of a tree, node by node."""

from __future__ import annotations

from typing import Any

import numpy as np

from coffee_fast._reference.rng import Stream, sample_categorical
from coffee_fast.typing import Float64

ACTION, CHANCE = 3, 8  # Purpose


class GameTree:
    """The arrays by name, and what follows from them."""

    def __init__(self, **arrays: Any) -> None:
        self.arrays = arrays
        self.players, self.sets = arrays["players"], arrays["information_sets"]
        self.actions, self.probabilities = arrays["actions"], arrays["probabilities"]
        self.payoffs = arrays["payoffs"][arrays["payoff_rows"]]
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


def uniform_episode(tree: GameTree, num_outcomes: int, seed: int, rollout: int) -> tuple[list[int], Float64]:
    """The moves and returns of an episode of uniform random play."""
    moves: list[int] = []
    node, returns = 0, np.zeros(tree.payoffs.shape[1])
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
        returns = returns + tree.payoffs[node]
    return moves, returns


def profile_values(tree: GameTree, profile: Float64) -> Float64:
    """Expected payoffs where all play ``profile``: each node's, by how likely it is reached."""
    reach, values = np.ones(len(tree.players)), np.zeros(tree.payoffs.shape[1])
    for node in range(len(tree.players)):
        for move, child in enumerate(tree.children(node)):
            reach[child] = reach[node] * tree.probability(profile, node, move)
            values += reach[child] * tree.payoffs[child]
    return values


def best_response(tree: GameTree, profile: Float64, player: int) -> tuple[float, list[int]]:
    """The most that a player can earn, and the actions: the best at each information set, given where it may be."""
    actions = [-1] * tree.num_sets

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
                total += likely * tree.payoffs[child, player]
                places.append((child, likely))
        for number, nodes in sets.items():
            after = [
                [(tree.children(node)[move], weight) for node, weight in nodes]
                for move in range(tree.num_children[nodes[0][0]])
            ]
            paid = [sum(weight * tree.payoffs[child, player] for child, weight in part) for part in after]
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
