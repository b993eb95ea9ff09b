"""The repeated prisoner's dilemma, exactly: values of strategies of bounded memory, and the best reply to one.

A strategy is an array ``[T, 4**k]``: the probability of *meaning* to cooperate in round ``t``, the last row standing
for all later rounds, after the last ``k`` pairs of moves. A pair is the digit ``2 * own + other`` (1 cooperates) of a
number in base 4, the newest pair its last digit; before round ``k`` the digits in front are 0.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
COOPERATE, DEFECT = 1, 0


@dataclasses.dataclass(frozen=True)
class RepeatedGame:
    """A prisoner's dilemma that goes on with a probability, or for a number of rounds that all know.

    ``payoff[own, other]`` is one's own; ``error`` the probability that a move is the opposite of what was meant.
    Exactly one of ``continuation`` and ``num_rounds`` counts: with ``num_rounds``, the former is 1.
    """

    payoff: Array
    continuation: float = 1.0
    num_rounds: int | None = None
    error: float = 0.0

    def __post_init__(self) -> None:
        if (self.num_rounds is None) == (self.continuation == 1.0):
            raise ValueError("RepeatedGame: give continuation < 1, or num_rounds with continuation 1")

    @property
    def length(self) -> float:
        """Expected number of rounds, by which values are divided."""
        return 1.0 / (1.0 - self.continuation) if self.num_rounds is None else float(self.num_rounds)

    def share(self, value: float) -> float:
        """A payoff a round in units of what cooperating together is worth: 0 defecting together, 1 cooperating."""
        both_defect, both_cooperate = self.payoff[0, 0], self.payoff[1, 1]
        return float((value - both_defect) / (both_cooperate - both_defect))

    def value(self, own: Array, other: Array) -> float:
        """Expected payoff a round of ``own`` against ``other``."""
        return float(self._induce(own, other)[0][0] / self.length)

    def best_response(self, other: Array) -> tuple[Array, float]:
        """A strategy that is best against ``other``, of all there are, and its expected payoff a round."""
        values, strategy = self._induce(None, other)
        return strategy, float(values[0] / self.length)

    def by_round(self, own: Array, other: Array, num_rounds: int) -> Array:
        """``[num_rounds]``: expected payoffs of ``own`` in the first rounds, if they are played."""
        size = max(own.shape[1], other.shape[1])
        plays, replies = lifted(own, num_rounds, size), lifted(other, num_rounds, size)[:, seen_by_other(size)]
        state, payoffs = np.eye(size)[0], np.empty(num_rounds)
        for row in range(num_rounds):
            moves = self._moves(replies[row])
            pairs = state[:, None] * _pairs(plays[row], moves)
            payoffs[row] = pairs.sum(axis=0) @ self.payoff.ravel()
            state = np.bincount(_following(size).ravel(), pairs.ravel(), minlength=size)
        return payoffs

    def regret(self, strategy: Array) -> float:
        """What one could gain a round by leaving ``strategy`` while the other plays it: 0 in equilibrium."""
        return self.best_response(strategy)[1] - self.value(strategy, strategy)

    def _induce(self, own: Array | None, other: Array) -> tuple[Array, Array]:
        """Values of the first round's states and the strategy; the best one where ``own`` is None."""
        num_rows = max(len(other), 0 if own is None else len(own))
        if self.num_rounds is not None:
            num_rows = self.num_rounds
        size = max(other.shape[1], 0 if own is None else own.shape[1])
        plays = None if own is None else lifted(own, num_rows, size)
        replies = lifted(other, num_rows, size)[:, seen_by_other(size)]
        following = _following(size)
        rows = np.empty((num_rows, size))
        after = np.zeros(size)
        for row in reversed(range(num_rows)):
            moves = self._moves(replies[row])
            mine = None if plays is None else plays[row]
            if row == num_rows - 1 and self.num_rounds is None:
                after, mine = self._stationary(moves, following, mine)
            ahead = self.payoff.ravel() + self.continuation * after[following]  # [state, pair]
            by_intent = np.einsum("sip,sp->si", moves, ahead)
            if mine is None:
                mine = (by_intent[:, COOPERATE] > by_intent[:, DEFECT]).astype(float)
            rows[row] = mine
            after = (1 - mine) * by_intent[:, DEFECT] + mine * by_intent[:, COOPERATE]
        return after, rows

    def _moves(self, reply: Array) -> Array:
        """``[state, what one means to do, pair]``: probabilities of both moves."""
        flip = np.array([[1 - self.error, self.error], [self.error, 1 - self.error]])  # [meant, done]
        other = np.stack([1 - reply, reply], axis=1) @ flip
        return (flip[None, :, :, None] * other[:, None, None, :]).reshape(len(reply), 2, 4)

    def _stationary(self, moves: Array, following: NDArray[np.int64], mine: Array | None) -> tuple[Array, Array]:
        """Values once rounds are all alike, of a strategy or of the best one by policy iteration."""
        size, policy = len(following), np.zeros(len(following)) if mine is None else mine
        while True:
            pairs = _pairs(policy, moves)
            transitions = np.zeros((size, size))
            np.add.at(transitions, (np.arange(size)[:, None], following), pairs)
            values = np.linalg.solve(np.eye(size) - self.continuation * transitions, pairs @ self.payoff.ravel())
            if mine is not None:
                return values, mine
            ahead = np.einsum("sip,sp->si", moves, self.payoff.ravel() + self.continuation * values[following])
            gain = ahead[:, COOPERATE] - ahead[:, DEFECT]
            better = np.where(np.abs(gain) < 1e-12, policy, (gain > 0).astype(float))
            if np.array_equal(better, policy):
                return values, policy
            policy = better


def lifted(strategy: Array, num_rows: int, size: int) -> Array:
    """The same strategy with more rows and a longer memory."""
    rows = np.minimum(np.arange(num_rows), len(strategy) - 1)
    return strategy[rows][:, np.arange(size) % strategy.shape[1]]


def _pairs(cooperates: Array, moves: Array) -> Array:
    """``[state, pair]``: probabilities of the next pair, if one means to cooperate so often."""
    return (1 - cooperates)[:, None] * moves[:, DEFECT] + cooperates[:, None] * moves[:, COOPERATE]


def _following(size: int) -> NDArray[np.int64]:
    """``[state, pair]``: the history's number after one more pair."""
    return (4 * np.arange(size)[:, None] + np.arange(4)) % size


def seen_by_other(size: int) -> NDArray[np.int64]:
    """Every history's number in the other's eyes: own and other change places in each pair."""
    numbers, seen, place = np.arange(size), np.zeros(size, dtype=np.int64), 1
    while place < size:
        pair = numbers // place % 4
        seen += place * (pair % 2 * 2 + pair // 2)
        place *= 4
    return seen


def of_memory_one(first: float, after: dict[str, float]) -> Array:
    """A strategy by what follows "CC", "CD", "DC" and "DD", one's own move first."""
    return np.array([[first] * 4, [after["DD"], after["DC"], after["CD"], after["CC"]]], dtype=float)


FAMOUS = {
    "always defect": np.zeros((1, 1)),
    "always cooperate": np.ones((1, 1)),
    "tit for tat": of_memory_one(1, {"CC": 1, "CD": 0, "DC": 1, "DD": 0}),
    "grim": of_memory_one(1, {"CC": 1, "CD": 0, "DC": 0, "DD": 0}),
    "win-stay, lose-shift": of_memory_one(1, {"CC": 1, "CD": 0, "DC": 0, "DD": 1}),
}
