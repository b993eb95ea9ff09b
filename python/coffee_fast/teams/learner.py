"""Teammates that learn from a log, one after another: values of what an action leads to, and weighted cloning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from coffee_fast.models.networks import StackedMLP
from coffee_fast.policies import NetworkPolicy
from coffee_fast.seeding import derive_seed
from coffee_fast.teams.behavior import IMPOSSIBLE, JointBehavior, others
from coffee_fast.teams.config import TeamConfig
from coffee_fast.teams.log import TeamLog
from coffee_fast.typing import Float32, Float64, Int64

_MOST_RATIO = 100.0
_MOST_ENTRIES = 4_000_000  # of arrays of a pass over decisions, actions and actions of another
_FOLLOWS = 0.02  # how far networks that make targets go toward those that learn, a step


@dataclass(frozen=True, eq=False)
class Behavior:
    """What a log says of each of its decisions, once its play is cloned.

    ``log_own [R, N, A]``: log-probabilities of each player's actions; ``log_others [R, N]``: of what the others did
    beside what the player did; ``support [R, N, A]``: actions that a policy keeps to.
    """

    log: TeamLog
    network: JointBehavior
    log_own: Float32
    log_others: Float32
    support: np.typing.NDArray[np.bool_]
    share: float

    @classmethod
    def of(cls, log: TeamLog, network: JointBehavior, support: float) -> Behavior:
        log_own = network.alone(log)
        log_others = np.stack([network.of_others(log, player) for player in range(log.num_players)], axis=1)
        return cls(log, network, log_own, log_others, is_likely(log_own, support), support)

    def ratio(self, play: Float32, player: int) -> Float64:
        """``f64 [R]``: how much likelier ``play`` makes what the others did than the log's players made it."""
        log, rows = self.log, np.arange(self.log.num_rows)
        total = -self.log_others[:, player].astype(np.float64)
        for other in others(log.num_players, player):
            total += play[rows, other, log.action[:, other]]
        return np.minimum(np.exp(np.minimum(total, 50.0)), _MOST_RATIO)

    def beside(self, play: Float32, player: int, rng: np.random.Generator) -> tuple[Float32, Float32]:
        """``float32 [R, A]`` each: how the others' ``play`` leaves the log's, beside each action of ``player``.

        The KL divergence, and the probability of something that the log does not show. Of the first of the others both
        are exact, of each other one beside one draw of those before it.
        """
        log, num_actions = self.log, self.log.legal.shape[2]
        kl, off = (np.zeros((log.num_rows, num_actions), dtype=np.float32) for _ in range(2))
        luck = {other: rng.random(log.num_rows) for other in others(log.num_players, player)}
        size = max(_MOST_ENTRIES // num_actions**2, 1)
        for start in range(0, log.num_rows, size):
            rows, own = np.nonzero(self.support[start : start + size, player])
            rows += start
            kl[rows, own], off[rows, own] = self._beside(play, player, rows, own, luck)
        return kl, off

    def _beside(
        self, play: Float32, player: int, rows: Int64, own: Int64, luck: Mapping[int, Float64]
    ) -> tuple[Float64, Float64]:
        """The same of some decisions and actions of ``player``, ``f64 [B]`` each."""
        log = self.log
        acts, told = log.acts, np.full((len(rows), log.num_players), -1)
        told[:, player] = np.where(acts[rows, player], own, -1)
        total, kept = np.zeros(len(rows)), np.ones(len(rows))
        for other in others(log.num_players, player):
            now = play[rows, other].astype(np.float64)
            p = np.exp(now)
            there = self.network.log_probabilities(log, rows, other, told)
            total += divergence(now, there)
            kept *= (p * is_likely(there, self.share)).sum(axis=1)
            uniform = luck[other][rows]  # the same beside each action
            drawn = np.minimum((uniform[:, None] >= p.cumsum(axis=1)).sum(axis=1), p.shape[1] - 1)
            told[:, other] = np.where(acts[rows, other], drawn, -1)
        return total, np.maximum(1.0 - kept, 0.0)


class PolicyNetwork:
    """A policy that learns: a network over information states, begun where a clone ended."""

    def __init__(self, clone: NetworkPolicy, learning_rate: float) -> None:
        sizes = (clone.network.input_size, *(len(bias) for _, bias in clone.layers))
        self._network = StackedMLP(1, sizes, torch.Generator().manual_seed(0))
        for weight, bias, (w, b) in zip(self._network.weights, self._network.biases, clone.layers, strict=True):
            weight.data.copy_(torch.from_numpy(np.ascontiguousarray(w.T))[None])
            bias.data.copy_(torch.from_numpy(np.ascontiguousarray(b))[None, None])
        self._adam = torch.optim.Adam(self._network.parameters, lr=learning_rate, fused=True)

    @torch.no_grad()
    def play(self, log: TeamLog, player: int) -> Float32:
        """``float32 [R, A]``: log-probabilities; 0 for action 0 where the player does not act."""
        rows, found = log.rows[player], np.full((log.num_rows, log.legal.shape[2]), -np.inf, dtype=np.float32)
        found[:, 0] = 0.0
        is_illegal = torch.from_numpy(~log.legal[rows, player])
        logits = self._network(torch.from_numpy(log.known[player]))[0].masked_fill(is_illegal, IMPOSSIBLE)
        found[rows] = torch.log_softmax(logits, dim=1).masked_fill(is_illegal, -np.inf).numpy()
        return found

    def clone(self, known: torch.Tensor, legal: torch.Tensor, wanted: torch.Tensor) -> float:
        """Take one step toward distributions ``wanted [B, A]``, and return the cross-entropy."""
        log_p = torch.log_softmax(self._network(known)[0].masked_fill(~legal, IMPOSSIBLE), dim=1)
        loss = -(wanted * log_p.masked_fill(~legal, 0.0)).sum(dim=1).mean()
        self._adam.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self._adam.step()
        return float(loss.detach())

    def policy(self) -> NetworkPolicy:
        return NetworkPolicy(self._network.export()[0], kind="softmax")


class ValueNetwork:
    """A network over features, and one that follows it slowly and makes targets."""

    def __init__(self, num_inputs: int, num_outputs: int, start: float, config: TeamConfig, seed: int) -> None:
        sizes = (num_inputs, *config.hidden_sizes, num_outputs)
        generators = [torch.Generator().manual_seed(derive_seed(seed, "weights")) for _ in range(2)]
        self.network, self.slow = (StackedMLP(1, sizes, generator) for generator in generators)
        for network in (self.network, self.slow):
            network.biases[-1].data.fill_(start)
        self._adam = torch.optim.Adam(self.network.parameters, lr=config.learning_rate, fused=True)

    def __call__(self, features: torch.Tensor) -> torch.Tensor:
        return self.network(features)[0]

    @torch.no_grad()
    def slowly(self, features: torch.Tensor) -> torch.Tensor:
        return self.slow(features)[0]

    def descend(self, loss: torch.Tensor) -> None:
        self._adam.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self._adam.step()
        with torch.no_grad():
            for slow, fast in zip(self.slow.parameters, self.network.parameters, strict=True):
                slow.lerp_(fast, _FOLLOWS)

    @torch.no_grad()
    def all_rows(self, features: Float32) -> Float32:
        found: Float32 = self.network(torch.from_numpy(features))[0].numpy()
        return found


def is_likely(log_p: Float32, share: float) -> np.typing.NDArray[np.bool_]:
    """Return what has at least this share of the probability of the likeliest on the last axis."""
    return np.asarray(log_p >= log_p.max(axis=-1, keepdims=True) + np.log(share))


def divergence(log_p: np.typing.NDArray[np.floating], log_q: np.typing.NDArray[np.floating]) -> Float64:
    """``f64 [R]``: KL divergence of distributions given by logarithms, ``log_q`` finite where ``p`` is positive."""
    p = np.exp(log_p.astype(np.float64))
    gain = np.where(p > 0.0, log_p, 0.0) - np.where(p > 0.0, log_q, 0.0)
    return np.asarray((p * gain).sum(axis=1))


def restricted(log_play: Float32, support: np.typing.NDArray[np.bool_]) -> Float32:
    """Return log-probabilities of play that keeps to the support; of play that never does, the likeliest there."""
    kept = np.where(support, np.maximum(log_play, -80.0), -np.inf)
    top = kept.max(axis=1, keepdims=True)
    return np.asarray(kept - top - np.log(np.exp(kept - top).sum(axis=1, keepdims=True)), dtype=np.float32)


def entropy(log_play: Float32) -> Float64:
    """``f64 [R]``: of distributions given by logarithms."""
    return -divergence(log_play, np.zeros(log_play.shape))
