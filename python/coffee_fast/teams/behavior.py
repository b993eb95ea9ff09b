"""What the players of a log did together: a network of what each did, given the situation and what others did."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from coffee_fast.errors import NumericalError
from coffee_fast.models.networks import StackedMLP
from coffee_fast.seeding import derive_seed
from coffee_fast.typing import Float32, Int64

if TYPE_CHECKING:
    from coffee_fast.teams.config import TeamConfig
    from coffee_fast.teams.log import TeamLog

LOG_FLOOR = float(np.log(1e-6))  # of a probability that the network gives
IMPOSSIBLE = -1e9
_JUDGE_EVERY = 50
_MOST_JUDGES = 2048
_CHUNK = 16384  # rows of a forward pass


class JointBehavior:
    """The conditionals of a log's joint play: ``mu(a_j | s, actions of some others)`` for any players and others."""

    def __init__(self, log: TeamLog, config: TeamConfig, seed: int) -> None:
        num_inputs = log.features.shape[1] + log.num_players * (log.legal.shape[2] + 1)
        generator = torch.Generator().manual_seed(derive_seed(seed, "weights"))
        self._network = StackedMLP(1, (num_inputs, *config.hidden_sizes, log.legal.shape[2]), generator)

    def fit(self, log: TeamLog, judges: TeamLog, config: TeamConfig, seed: int) -> float:
        """Learn by cross-entropy, and keep the weights of least loss on the judges, which is returned."""
        rng = np.random.Generator(np.random.PCG64(derive_seed(seed, "batches")))
        judge_rng = np.random.Generator(np.random.PCG64(derive_seed(seed, "judges")))
        examples, judged = (self._questions(part) for part in (log, judges))
        few = judge_rng.permutation(len(judged))[:_MOST_JUDGES]
        held_out = self._asked(judges, judged[few], judge_rng)
        optimizer = torch.optim.Adam(self._network.parameters, lr=config.learning_rate, fused=True)
        best, kept = float("inf"), [p.detach().clone() for p in self._network.parameters]
        for done in range(1, config.num_cloning_steps + 1):
            drawn = examples[rng.integers(len(examples), size=config.batch_size)]
            loss = self._loss(*self._asked(log, drawn, rng))
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            if done % _JUDGE_EVERY == 0 or done == config.num_cloning_steps:
                with torch.no_grad():
                    value = float(self._loss(*held_out))
                if not np.isfinite(value):
                    raise NumericalError(f"learn_team: the loss of the behavior is {value}; lower learning_rate")
                if value < best:
                    best, kept = value, [p.detach().clone() for p in self._network.parameters]
        for parameter, value_ in zip(self._network.parameters, kept, strict=True):
            parameter.data.copy_(value_)
        return best

    @staticmethod
    def _questions(log: TeamLog) -> Int64:
        """``int64 [K, 2]``: a decision and who acts in it."""
        return np.argwhere(log.acts)

    def _asked(
        self, log: TeamLog, questions: Int64, rng: np.random.Generator
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Inputs, answers and what is illegal: what one did, told of nobody, or of one other and of all before it."""
        rows, asked = questions.T
        told_of = rng.integers(log.num_players, size=len(rows))
        players = np.arange(log.num_players)
        tells = (players < asked[:, None]) | (players == told_of[:, None])
        tells &= (told_of != asked)[:, None] & (players != asked[:, None])
        inputs = self._inputs(log, rows, asked, np.where(tells & log.acts[rows], log.action[rows], -1))
        return inputs, torch.from_numpy(log.action[rows, asked]), torch.from_numpy(~log.legal[rows, asked])

    @staticmethod
    def _inputs(log: TeamLog, rows: Int64, asked: Int64, told: Int64) -> torch.Tensor:
        """``[B, inputs]``: features, the actions told (-1 for none) and whose is asked for."""
        size, (N, A) = len(rows), log.legal.shape[1:]
        moves = np.zeros((size, N, A), dtype=np.float32)
        place, player = np.nonzero(told >= 0)
        moves[place, player, told[place, player]] = 1.0
        seats = np.zeros((size, N), dtype=np.float32)
        seats[np.arange(size), asked] = 1.0
        return torch.from_numpy(np.concatenate([log.features[rows], moves.reshape(size, -1), seats], axis=1))

    def _loss(self, inputs: torch.Tensor, answers: torch.Tensor, is_illegal: torch.Tensor) -> torch.Tensor:
        logits = self._network(inputs)[0].masked_fill(is_illegal, IMPOSSIBLE)
        return torch.nn.functional.cross_entropy(logits, answers)

    @torch.no_grad()
    def log_probabilities(self, log: TeamLog, rows: Int64, player: int, told: Int64) -> Float32:
        """``[B, A]``: log-probabilities of ``player``'s actions in these decisions beside actions ``told [B, N]``.

        Never below the floor where legal; where the player does not act, 0 for action 0.
        """
        parts = [np.zeros((0, log.legal.shape[2]), dtype=np.float32)]
        for start in range(0, len(rows), _CHUNK):
            part, asked = rows[start : start + _CHUNK], np.full(len(rows[start : start + _CHUNK]), player)
            inputs = self._inputs(log, part, asked, told[start : start + _CHUNK])
            is_illegal = torch.from_numpy(~log.legal[part, player])
            logits = self._network(inputs)[0].masked_fill(is_illegal, IMPOSSIBLE)
            found = torch.log_softmax(logits, dim=1).clamp_min(LOG_FLOOR).masked_fill(is_illegal, -np.inf)
            parts.append(found.numpy())
        return np.concatenate(parts)

    def alone(self, log: TeamLog) -> Float32:
        """``float32 [R, N, A]``: log-probabilities of each player's actions, told of nobody's."""
        rows = np.arange(log.num_rows)
        nobody = np.full((log.num_rows, log.num_players), -1)
        players = range(log.num_players)
        return np.stack([self.log_probabilities(log, rows, player, nobody) for player in players], axis=1)

    def of_others(self, log: TeamLog, player: int) -> Float32:
        """``float32 [R]``: log-probability of what the others did, beside what ``player`` did."""
        rows, acts = np.arange(log.num_rows), log.acts
        told = np.full((log.num_rows, log.num_players), -1)
        told[:, player] = np.where(acts[:, player], log.action[:, player], -1)
        total = np.zeros(log.num_rows, dtype=np.float32)
        for other in others(log.num_players, player):
            found = self.log_probabilities(log, rows, other, told)
            total += found[rows, log.action[:, other]]
            told[:, other] = np.where(acts[:, other], log.action[:, other], -1)
        return total


def others(num_players: int, player: int) -> Sequence[int]:
    """The other players in their order."""
    return [other for other in range(num_players) if other != player]
