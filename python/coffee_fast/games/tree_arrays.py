"""From a walk through a game to the arrays of its tree, and what the whole of it says about the game."""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast.games.spec import GameSpec, TurnOrder
from coffee_fast.typing import Float32, Int32

CHANCE, NOBODY, LUCK = -1, -2, -3
MOST_BYTES = 2 * 2**30  # of a tree
MOST_ONE_HOT = 256  # moves; where there are more, vectors hold the digits of their numbers

UInt64 = NDArray[np.uint64]


def _ints() -> array[int]:
    return array("i")


@dataclass
class Walk:
    """The nodes of a game in the order of a walk: each before its children, siblings by their moves, and depth first.

    Entries are those of :class:`coffee_fast._core.GameTree`, in this other order; ``depths`` are moves since the root,
    ``information_sets`` are numbered as they came and called ``set_names``.
    """

    num_players: int
    observation_size: int
    depths: array[int] = field(default_factory=_ints)
    players: array[int] = field(default_factory=lambda: array("b"))
    num_children: array[int] = field(default_factory=_ints)
    actions: array[int] = field(default_factory=_ints)
    probabilities: array[float] = field(default_factory=lambda: array("d"))
    payoff_rows: array[int] = field(default_factory=_ints)
    information_sets: array[int] = field(default_factory=_ints)
    observation_rows: array[int] = field(default_factory=_ints)
    payoffs: list[tuple[float, ...]] = field(default_factory=list)
    observations: array[float] = field(default_factory=lambda: array("f"))
    set_names: list[str] = field(default_factory=list)

    def order(self) -> NDArray[np.intp]:
        """Which node of the walk each node of the tree is."""
        return np.argsort(np.frombuffer(self.depths, np.int32), kind="stable")  # keeps siblings and cousins in order

    def breadth_first(self) -> dict[str, NDArray[Any]]:
        """The arrays of the tree; ``set_names`` then have their order."""
        order = self.order()
        arrays = {
            name: np.frombuffer(getattr(self, name), kind)[order]
            for name, kind in (
                *(("players", np.int8), ("num_children", np.int32), ("actions", np.int32)),
                *(("probabilities", np.float64), ("payoff_rows", np.int32), ("information_sets", np.int32)),
            )
        }
        rows = np.frombuffer(self.observation_rows, np.int32).reshape(-1, self.num_players)[order]
        seen = np.frombuffer(self.observations, np.float32).reshape(-1, self.observation_size)
        arrays |= {"observation_rows": rows, "observations": seen, "payoffs": np.array(self.payoffs, np.float64)}
        numbers, first = np.unique(arrays["information_sets"], return_index=True)
        by_first = numbers[np.argsort(first)]
        by_first = by_first[by_first >= 0]
        renumbered = np.full(len(by_first) + 1, -1, np.int32)  # -1 stays, being the last entry
        renumbered[by_first] = np.arange(len(by_first))
        arrays["information_sets"] = renumbered[arrays["information_sets"]]
        self.set_names = [self.set_names[number] for number in by_first.tolist()]
        return arrays


def move_vectors(count: int) -> Float32:
    """``float32 [count, V]``: moves as networks see them: one-hot, or a 1 and the binary digits of their numbers."""
    if count <= MOST_ONE_HOT:
        return np.eye(count, dtype=np.float32)
    digits = np.arange(count)[:, None] >> np.arange(int(count - 1).bit_length()) & 1
    return np.concatenate([np.ones((count, 1)), digits], axis=1).astype(np.float32)


class Levels:
    """A tree's nodes by depth: those of one level lie side by side, and so do their children in the next."""

    def __init__(self, arrays: dict[str, NDArray[Any]]) -> None:
        self.arrays = arrays
        num_children = arrays["num_children"]
        self.parents = np.zeros(len(num_children), np.int32)  # the root's own is never looked at
        self.parents[1:] = np.repeat(np.arange(len(num_children), dtype=np.int32), num_children)
        self.bounds = [0, 1]
        while (below := int(num_children[self.bounds[-2] : self.bounds[-1]].sum())) > 0:
            self.bounds.append(self.bounds[-1] + below)

    @property
    def max_episode_length(self) -> int:
        return len(self.bounds) - 2

    def down(self) -> Iterator[tuple[slice, Int32]]:
        """Yield the nodes of each level from the second on, with their parents."""
        for first, end in zip(self.bounds[1:-1], self.bounds[2:], strict=True):
            yield slice(first, end), self.parents[first:end]

    def reward_scale(self) -> float:
        """The deviation of payoffs, players pooled, where all play uniformly; 1 where all payoffs are equal."""
        arrays = self.arrays
        shares = np.where(arrays["players"] == CHANCE, 1.0, 1.0 / np.maximum(arrays["num_children"], 1))
        reach = np.ones(len(self.parents))
        returns = np.zeros((len(self.parents), arrays["payoffs"].shape[1]))
        for nodes, parents in self.down():
            reach[nodes] = reach[parents] * shares[parents] * arrays["probabilities"][nodes]
            returns[nodes] = returns[parents] + arrays["payoffs"][arrays["payoff_rows"][nodes]]
        ends = arrays["players"] == NOBODY
        weights, paid = reach[ends][:, None] / returns.shape[1], returns[ends]
        mean = float((weights * paid).sum())
        return float(np.sqrt((weights * (paid - mean) ** 2).sum())) or 1.0

    def turn_order(self) -> TurnOrder:
        """``"cyclic"`` where the next seat is always next on move."""
        players = self.arrays["players"].astype(np.int32)
        inner = np.flatnonzero(players != NOBODY)[1:]
        before = players[self.parents[inner]]
        is_cyclic = not (players == CHANCE).any() and (players[inner] == (before + 1) % self.num_players).all()
        return "cyclic" if is_cyclic else "predicted"

    def pays_early(self) -> bool:
        """Whether a move pays after which the episode goes on."""
        arrays = self.arrays
        rows = np.unique(arrays["payoff_rows"][1:][arrays["players"][1:] != NOBODY])
        return bool((arrays["payoffs"][rows] != 0.0).any())

    def hidden(self, actions: Float32, outcomes: Float32) -> tuple[Int32, Float32, bool]:
        """What a state must hold besides all observations so that nodes with unlike futures differ.

        Nothing, if that will do; else who is on move, the moves of the round (seat by seat until a seat's number
        falls), or both; else who is on move and the latest move of every player and of chance. Returns the rows
        ``[V]``, their values ``[H, W]``, and whether they do.
        """
        futures = self._futures()
        going_on = self.arrays["players"] != NOBODY
        seen = _digest(*self.arrays["observation_rows"].T)
        mover = (self.arrays["players"].astype(np.int32)[:, None], [np.eye(self.num_players, dtype=np.float32)])
        kinds = [actions] * self.num_players
        for parts in (
            [],
            [mover],
            [(self._round_moves(), kinds)],
            [mover, (self._round_moves(), kinds)],
            [mover, (self._latest_moves(), [*kinds, outcomes])],
        ):
            numbers = np.concatenate([np.zeros((len(futures), 0), np.int32), *(part[0] for part in parts)], axis=1)
            key = _digest(seen, *numbers.T)
            separates = _tells_apart(key[going_on], futures[going_on])
            if separates:
                break
        _, first, rows = np.unique(_digest(seen * np.uint64(0), *numbers.T), return_index=True, return_inverse=True)
        vectors = [_or_zeros(vector) for part in parts for vector in part[1]]
        columns = [np.zeros((len(first), 0), np.float32), *(v[numbers[first, i]] for i, v in enumerate(vectors))]
        return rows.astype(np.int32).reshape(-1), np.concatenate(columns, axis=1), separates

    @property
    def num_players(self) -> int:
        return int(self.arrays["observation_rows"].shape[1])

    def _round_moves(self) -> Int32:
        """``int32 [V, N]``: each seat's move since a seat's number last fell or chance moved; -1 where it made none."""
        players, actions = self.arrays["players"], self.arrays["actions"]
        moves = np.full((len(self.parents), self.num_players), -1, np.int32)
        for nodes, parents in self.down():
            movers = players[parents]
            goes_on = (movers >= 0) & (players[nodes] > movers)
            moves[nodes] = np.where(goes_on[:, None], moves[parents], -1)
            moves[np.flatnonzero(goes_on) + nodes.start, movers[goes_on]] = actions[nodes][goes_on]
        return moves

    def _latest_moves(self) -> Int32:
        """``int32 [V, N + 1]``: the latest move of each seat, and last of chance; -1 where there is none."""
        players, actions = self.arrays["players"], self.arrays["actions"]
        moves = np.full((len(self.parents), self.num_players + 1), -1, np.int32)
        for nodes, parents in self.down():
            moves[nodes] = moves[parents]
            moves[np.arange(nodes.start, nodes.stop), players[parents]] = actions[nodes]  # chance, -1, is the last one
        return moves

    def _futures(self) -> UInt64:
        """A number a node, equal where the trees below are."""
        arrays = self.arrays
        futures = np.zeros(len(self.parents), np.uint64)
        for level in range(self.max_episode_length, -1, -1):
            nodes = slice(self.bounds[level], self.bounds[level + 1])
            is_inner = arrays["num_children"][nodes] > 0
            below = np.zeros(nodes.stop - nodes.start, np.uint64)
            if level < self.max_episode_length:
                children = slice(self.bounds[level + 1], self.bounds[level + 2])
                moves = _digest(
                    arrays["actions"][children],
                    arrays["probabilities"][children].view(np.uint64),
                    arrays["payoff_rows"][children],
                    futures[children],
                )
                counts = arrays["num_children"][nodes][is_inner]
                below[is_inner] = np.add.reduceat(moves, np.cumsum(counts) - counts)
            seen = arrays["observation_rows"][nodes] * is_inner[:, None]
            futures[nodes] = _digest(arrays["players"][nodes], *seen.T, below)
        return futures


def fingerprint(spec: GameSpec, arrays: dict[str, NDArray[Any]]) -> str:
    """Return the SHA-256 of a tree, in hexadecimal."""
    digest = hashlib.sha256(json.dumps(spec.to_json(), sort_keys=True).encode())
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].dtype.str} {arrays[name].shape}".encode())
        digest.update(np.ascontiguousarray(arrays[name]).tobytes())
    return digest.hexdigest()


def _or_zeros(vectors: Float32) -> Float32:
    """``vectors`` with zeros as the last rows, which numbers -1 and -2 stand for."""
    return np.concatenate([vectors, np.zeros((2, vectors.shape[1]), np.float32)])


def _tells_apart(key: UInt64, futures: UInt64) -> bool:
    return len(np.unique(key)) == len(np.unique(_digest(key, futures)))


def _digest(*columns: NDArray[Any]) -> UInt64:
    """Hash rows of integers to 64 bits, by the finalizer of SplitMix64 (Steele, Lea and Flood 2014)."""
    digest = np.zeros(len(columns[0]), np.uint64)
    for column in columns:
        digest = digest + column.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
        digest = (digest ^ (digest >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        digest = (digest ^ (digest >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        digest ^= digest >> np.uint64(31)
    return digest
