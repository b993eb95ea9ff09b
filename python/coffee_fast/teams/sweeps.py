"""The sweeps over teammates: each learns values beside the others' newest policies, and then its policy anew."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch

from coffee_fast.errors import NumericalError
from coffee_fast.seeding import derive_seed
from coffee_fast.teams.behavior import others
from coffee_fast.teams.config import TeamConfig
from coffee_fast.teams.learner import Behavior, PolicyNetwork, ValueNetwork, entropy, restricted
from coffee_fast.teams.log import BROKE_OFF
from coffee_fast.typing import Float32, Float64, Int64

_LEAST_RATIO = 0.01  # of the mean: what the others hardly do any more is still looked at


@dataclass(frozen=True, eq=False)
class Turn:
    """What a player meets while the others hold still.

    ``penalty [R, A]``: what the others' play costs beside each of its actions, in units of scaled reward; ``off
    [R, A]``: how likely it is one that the log does not show, which counts as ``worst`` and the end; ``likely [R]``:
    running shares with which decisions are drawn as the others would lead to them.
    """

    behavior: Behavior
    player: int
    reward: Float32
    kl_weight: float
    entropy_weight: float
    discount: float
    own: Float32
    penalty: Float32
    off: Float32
    worst: float
    likely: Float64

    @classmethod
    def of(
        cls,
        behavior: Behavior,
        play: Float32,
        player: int,
        reward: Float32,
        weights: tuple[float, float],
        discount: float,
        worst: float,
        rng: np.random.Generator,
    ) -> Turn:
        alpha, beta = weights
        shares = behavior.ratio(play, player)
        shares = np.maximum(shares, _LEAST_RATIO * shares.mean())
        shares[behavior.log.after == BROKE_OFF] = 0.0  # what follows is not known
        spread = sum(entropy(play[:, other]) for other in others(play.shape[1], player))
        divergences, off = behavior.beside(play, player, rng)
        penalty = np.asarray(alpha * divergences - beta * np.reshape(spread, (-1, 1)), dtype=np.float32)
        own = restricted(play[:, player], behavior.support[:, player])
        running = shares.cumsum()
        likely = running / running[-1]
        return cls(behavior, player, reward, alpha, beta, discount, own, penalty, off, worst, likely)

    @property
    def temperature(self) -> float:
        return self.kl_weight + self.entropy_weight

    def draw(self, size: int, rng: np.random.Generator) -> Int64:
        """Return decisions, drawn as the others' play makes them likely."""
        return np.asarray(np.searchsorted(self.likely, rng.random(size), side="right"))

    def targets(self, rows: Int64, following: torch.Tensor) -> torch.Tensor:
        """``[B]``: what is paid and follows; ``following [B]`` are values after, or anything where it ended."""
        goes_on = torch.from_numpy(self.behavior.log.after[rows] >= 0)
        return torch.from_numpy(self.reward[rows]) + self.discount * torch.where(goes_on, following, 0.0)

    def counted(self, rows: Int64, leads_to: torch.Tensor, ended: torch.Tensor | float) -> torch.Tensor:
        """``[B, A]``: what actions lead to, ``leads_to [B, A]`` where the log shows it; ``ended``: worth of an end."""
        off = torch.from_numpy(self.off[rows])
        return leads_to + off * (self.worst + self.discount * ended - leads_to)

    def values(self, rows: Int64, leads_to: torch.Tensor) -> torch.Tensor:
        """``[B]``: values of decisions for the player's own policy, of ``leads_to [B, A]``."""
        log_p = torch.from_numpy(self.own[rows])
        p = log_p.exp()
        log_mu = torch.from_numpy(self.behavior.log_own[rows, self.player])
        cost = self.temperature * log_p - self.kl_weight * log_mu + torch.from_numpy(self.penalty[rows])
        return torch.where(p > 0.0, p * (leads_to - cost), 0.0).sum(dim=1)

    def wanted(self, leads_to: Float32) -> Float32:
        """``[R, A]``: the play of the log, weighted by what it leads to."""
        log_mu = self.behavior.log_own[:, self.player].astype(np.float64)
        scores = (leads_to - self.penalty + self.kl_weight * np.maximum(log_mu, -1e3)) / self.temperature
        scores = np.where(self.behavior.support[:, self.player], scores, -np.inf)
        p = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(p / p.sum(axis=1, keepdims=True), dtype=np.float32)


class Critic(Protocol):
    """What a player learns before its policy moves."""

    def learn(self, turn: Turn, num_steps: int, rng: np.random.Generator) -> float:
        """Take steps, and return the mean squared error of what actions lead to."""

    def leads_to(self, turn: Turn) -> Float32:
        """``[R, A]``: what each action leads to, reward and all that follows."""


@dataclass(eq=False)
class LocalValues:
    """InSPO's critic: what an action leads to, where values that follow are those of the player's own policy."""

    network: ValueNetwork
    batch_size: int

    @classmethod
    def of(cls, behavior: Behavior, config: TeamConfig, start: float, seed: int) -> LocalValues:
        log = behavior.log
        return cls(ValueNetwork(log.features.shape[1], log.legal.shape[2], start, config, seed), config.batch_size)

    def learn(self, turn: Turn, num_steps: int, rng: np.random.Generator) -> float:
        total = 0.0
        for _ in range(num_steps):
            rows = turn.draw(self.batch_size, rng)
            loss = self.loss(turn, rows)
            self.network.descend(loss)
            total += float(loss.detach())
        return total / num_steps

    def loss(self, turn: Turn, rows: Int64) -> torch.Tensor:
        """The mean squared error on a batch of decisions."""
        log = turn.behavior.log
        after = np.maximum(log.after[rows], 0)
        leads_to = self.network.slowly(torch.from_numpy(log.features[after]))
        following = turn.values(after, turn.counted(after, leads_to, 0.0))
        own = torch.from_numpy(log.action[rows, turn.player])
        found = self.network(torch.from_numpy(log.features[rows])).gather(1, own[:, None])[:, 0]
        return torch.nn.functional.mse_loss(found, turn.targets(rows, following))

    def leads_to(self, turn: Turn) -> Float32:
        found = torch.from_numpy(self.network.all_rows(turn.behavior.log.features))
        return np.asarray(turn.counted(np.arange(len(found)), found, 0.0))


@dataclass(eq=False)
class FlowValues:
    """AlberDICE's critic: state values that minimize the dual of the flow of visits, and what actions lead to by them.

    The last output of ``states`` is the value of the state after the end, the same everywhere.
    """

    actions: ValueNetwork
    states: ValueNetwork
    end: torch.Tensor
    end_share: float
    batch_size: int
    _adam: torch.optim.Adam = field(init=False)

    def __post_init__(self) -> None:
        self._adam = torch.optim.Adam([self.end], lr=1e-2)

    @classmethod
    def of(cls, behavior: Behavior, config: TeamConfig, start: float, seed: int) -> FlowValues:
        log, share = behavior.log, float(getattr(config, "end_share"))  # noqa: B009
        sizes, seeds = (log.legal.shape[2], 1), (derive_seed(seed, "actions"), derive_seed(seed, "states"))
        actions, states = (
            ValueNetwork(log.features.shape[1], size, start, config, one)
            for size, one in zip(sizes, seeds, strict=True)
        )
        return cls(actions, states, torch.zeros((), requires_grad=True), share, config.batch_size)

    def learn(self, turn: Turn, num_steps: int, rng: np.random.Generator) -> float:
        total, first = 0.0, turn.behavior.log.first
        for _ in range(num_steps):
            rows = turn.draw(self.batch_size, rng)
            loss = self.loss(turn, rows)
            self.actions.descend(loss)
            self._adam.zero_grad(set_to_none=True)
            self.states.descend(self.dual(turn, rows, first[rng.integers(len(first), size=self.batch_size)]))
            self._adam.step()
            total += float(loss.detach())
        return total / num_steps

    def loss(self, turn: Turn, rows: Int64) -> torch.Tensor:
        """The mean squared error on a batch of what actions lead to."""
        log = turn.behavior.log
        features = torch.from_numpy(log.features[np.maximum(log.after[rows], 0)])
        with torch.no_grad():
            goes_on = torch.from_numpy(log.after[rows] >= 0)
            following = torch.where(goes_on, self.states(features)[:, 0], self.end)
            target = torch.from_numpy(turn.reward[rows]) + turn.discount * following
        own = torch.from_numpy(log.action[rows, turn.player])
        found = self.actions(torch.from_numpy(log.features[rows])).gather(1, own[:, None])[:, 0]
        return torch.nn.functional.mse_loss(found, target)

    def dual(self, turn: Turn, rows: Int64, first: Int64) -> torch.Tensor:
        """What has the gradient of the dual by the state values: shares of visits times what flows out of and in."""
        log, gamma, alpha = turn.behavior.log, turn.discount, turn.kl_weight
        own = log.action[rows, turn.player]
        here = self.states(torch.from_numpy(log.features[rows]))[:, 0]
        goes_on = torch.from_numpy(log.after[rows] >= 0)
        there = self.states(torch.from_numpy(log.features[np.maximum(log.after[rows], 0)]))[:, 0]
        off = torch.from_numpy(turn.off[rows, own])
        there = (1.0 - off) * torch.where(goes_on, there, self.end) + off * self.end
        with torch.no_grad():
            leads_to = turn.counted(rows, self.actions(torch.from_numpy(log.features[rows])), self.end)
            leads_to = leads_to.gather(1, torch.from_numpy(own)[:, None])[:, 0]
            gains = leads_to - torch.from_numpy(turn.penalty[rows, own]) - here
            scores = torch.cat([gains, (gamma - 1.0) * self.end[None]]) / alpha
            scores[:-1] += np.log((1.0 - self.end_share) / len(rows))
            scores[-1] += np.log(self.end_share)
            shares = torch.softmax(scores, dim=0)
        flow = (shares[:-1] * (gamma * there - here)).sum() + shares[-1] * (gamma - 1.0) * self.end
        start = self.states(torch.from_numpy(log.features[first]))[:, 0].mean()
        return (1.0 - gamma) * start + flow

    def leads_to(self, turn: Turn) -> Float32:
        found = torch.from_numpy(self.actions.all_rows(turn.behavior.log.features))
        return np.asarray(turn.counted(np.arange(len(found)), found, self.end.detach()))


_CRITICS: dict[str, type[LocalValues] | type[FlowValues]] = {"inspo": LocalValues, "alberdice": FlowValues}


@dataclass(eq=False)
class Team:
    """Teammates in training."""

    behavior: Behavior
    networks: list[PolicyNetwork]
    critics: list[Critic]
    config: TeamConfig
    scale: float
    rng: np.random.Generator
    play: Float32
    start: float  # what came of a decision in the log on average, and
    worst: float  # the least that came of a decision in the log, in units of scaled reward

    @classmethod
    def of(cls, behavior: Behavior, clones: list[PolicyNetwork], config: TeamConfig, scale: float, seed: int) -> Team:
        critic, players = _CRITICS[config.kind], range(len(clones))
        to_come = behavior.log.to_come(config.discount) / scale
        start = float(to_come.mean())
        return cls(
            behavior,
            clones,
            [critic.of(behavior, config, start, derive_seed(seed, "values", player)) for player in players],
            config,
            scale,
            np.random.Generator(np.random.PCG64(derive_seed(seed, "sweeps"))),
            np.stack([clone.play(behavior.log, player) for player, clone in enumerate(clones)], axis=1),
            start,
            float(to_come.min()),
        )

    @property
    def reward(self) -> Float32:
        return np.asarray(self.behavior.log.reward / self.scale, dtype=np.float32)

    def weights(self, sweep: int) -> tuple[float, float]:
        """Weights of divergence and entropy, in units of scaled reward."""
        kl = self.config.kl_weight_at(sweep, self.scale)
        return kl / self.scale, self.config.entropy_weight_at(sweep) / self.scale

    def turn(self, player: int, weights: tuple[float, float]) -> Turn:
        worst, discount = self.worst, self.config.discount
        return Turn.of(self.behavior, self.play, player, self.reward, weights, discount, worst, self.rng)

    def sweep(self, number: int) -> dict[str, Float64]:
        """Let each player improve once; return figures, those of players ``[N]``."""
        errors, changes = [], []
        for player in range(len(self.networks)):
            turn = self.turn(player, self.weights(number))
            error = self.critics[player].learn(turn, self.config.num_value_steps, self.rng)
            if not np.isfinite(error):
                raise NumericalError(
                    f"learn_team: values of player {player} left the finite numbers in sweep {number}; lower "
                    "learning_rate, or raise kl_weight"
                )
            before = np.exp(self.play[:, player])
            self._clone(turn, self.critics[player].leads_to(turn))
            changes.append(
                np.abs(np.exp(self.play[:, player]) - before)[self.behavior.log.rows[player]].sum(axis=1) / 2
            )
            errors.append(error)
        kl, entropy_weight = (weight * self.scale for weight in self.weights(number))
        return {
            "value_error": np.array(errors),
            "policy_change": np.array([change.mean() for change in changes]),
            "kl_weight": np.array(kl),
            "entropy_weight": np.array(entropy_weight),
        }

    def _clone(self, turn: Turn, leads_to: Float32) -> None:
        player, log = turn.player, self.behavior.log
        rows = log.rows[player]
        wanted, legal = turn.wanted(leads_to)[rows], log.legal[rows, player]
        for _ in range(self.config.num_policy_steps):
            batch = self.rng.integers(len(rows), size=self.config.batch_size)
            arrays = (log.known[player][batch], legal[batch], wanted[batch])
            self.networks[player].clone(*(torch.from_numpy(array) for array in arrays))
        self.play[:, player] = self.networks[player].play(log, player)
