"""The two trainings of a dynamics ensemble: next states with observations and legal actions, and rewards."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from coffee_fast.errors import NumericalError
from coffee_fast.models.config import EnsembleConfig
from coffee_fast.models.networks import StackedMLP
from coffee_fast.models.normalization import Normalizers
from coffee_fast.policies import Layers
from coffee_fast.seeding import derive_seed
from coffee_fast.typing import Float32, ProgressCallback

if TYPE_CHECKING:
    from coffee_fast.data import TrajectoryDataset

REPORT_EVERY = 50


@dataclass(frozen=True, eq=False)
class TrainedNetworks:
    """Layers of each member's delta-state and reward network and of the shared one, and the last losses."""

    delta: tuple[Layers, ...]
    reward: tuple[Layers, ...]
    shared: Layers
    losses: dict[str, float]


@contextlib.contextmanager
def single_threaded() -> Iterator[None]:
    """Let torch compute on this thread alone: the order of its sums must not depend on the machine's settings."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode(False), torch.enable_grad():  # whatever the caller's modes are
            yield
    finally:
        torch.set_num_threads(before)


def train(
    dataset: TrajectoryDataset,
    normalizers: Normalizers,
    config: EnsembleConfig,
    seed: int,
    num_threads: int,
    progress: ProgressCallback | None,
) -> TrainedNetworks:
    """Train all networks; with two threads or more both trainings at once, to the same bits."""
    with single_threaded():
        dynamics = _DynamicsTraining(dataset, normalizers, config, derive_seed(seed, "dynamics"))
        reward = _RewardTraining(dataset, normalizers, config, derive_seed(seed, "reward"))
        trainings: list[_Training] = [dynamics, reward]
        if num_threads == 1:
            for training in trainings:
                training.run(lambda: None, progress)
        else:
            _run_together(trainings, progress)
    return TrainedNetworks(
        delta=dynamics.delta.export(),
        reward=reward.networks.export(),
        shared=dynamics.shared.export()[0],
        losses={"dynamics": dynamics.loss, "reward": reward.loss},
    )


def _run_together(trainings: list[_Training], progress: ProgressCallback | None) -> None:
    stop = threading.Event()
    told: dict[str, int] = {}

    def check() -> None:
        if stop.is_set():
            raise _Stopped

    def run(training: _Training) -> None:
        with single_threaded():
            training.run(check, None)

    with ThreadPoolExecutor(len(trainings)) as pool:
        futures = [pool.submit(run, training) for training in trainings]
        try:
            while True:
                finished, running = wait(futures, timeout=0.1, return_when=FIRST_EXCEPTION)
                for training in trainings:
                    if progress and told.get(training.phase) != training.done:
                        told[training.phase] = training.done
                        figures = {"loss": training.loss} if np.isfinite(training.loss) else {}  # none before the first
                        progress(training.phase, training.done, training.num_steps, figures)
                if not running or any(future.exception() for future in finished):
                    break
        finally:
            stop.set()
        errors = [error for future in futures if (error := future.exception())]
        for error in sorted(errors, key=lambda error: isinstance(error, _Stopped)):
            raise error  # the one that stopped the other training, if any


class _Stopped(Exception):
    """The other training failed, or the user wants to stop."""


class _Training:
    """Steps of Adam on mini-batches drawn with replacement from a seeded generator."""

    phase: str
    num_steps: int

    def __init__(self, config: EnsembleConfig, seed: int, num_rows: int) -> None:
        self.config = config
        self.done = 0
        self.loss = float("nan")
        self._num_rows = num_rows
        self._rng = np.random.Generator(np.random.PCG64(seed))
        self._generator = torch.Generator().manual_seed(derive_seed(seed, "weights"))

    def batch_loss(self, rows: torch.Tensor) -> torch.Tensor:
        """The loss of the transitions ``rows [B]``, or ``[E, B]`` with batches of their own."""
        raise NotImplementedError

    def parameters(self) -> list[torch.Tensor]:
        raise NotImplementedError

    def run(self, check: Callable[[], None], progress: ProgressCallback | None) -> None:
        optimizer = torch.optim.Adam(self.parameters(), lr=self.config.learning_rate, fused=True)
        shape: tuple[int, ...] = (self.config.batch_size,)
        if not self.config.same_batches:
            shape = (self.config.num_members, *shape)
        while self.done < self.num_steps:
            check()
            loss = self.batch_loss(torch.from_numpy(self._rng.integers(self._num_rows, size=shape)))
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            self.done += 1
            if self.done % REPORT_EVERY == 0 or self.done == self.num_steps:
                self.loss = loss.item()
                if not np.isfinite(self.loss):
                    raise NumericalError(
                        f"DynamicsEnsemble.fit: the {self.phase} loss is {self.loss}; lower learning_rate"
                    )
                if progress:
                    progress(self.phase, self.done, self.num_steps, {"loss": self.loss})


class _DynamicsTraining(_Training):
    """Delta-state networks on ``z(s') - z(s)``; the shared network on observations and the mover's legal actions."""

    phase = "fit dynamics"

    def __init__(self, dataset: TrajectoryDataset, normalizers: Normalizers, config: EnsembleConfig, seed: int) -> None:
        super().__init__(config, seed, dataset.num_transitions)
        self.num_steps = config.num_steps
        states = normalizers.state(dataset.state)
        self._states = torch.from_numpy(states)
        self._inputs = torch.from_numpy(network_inputs(dataset, normalizers))
        self._deltas = torch.from_numpy(normalizers.state(dataset.next_state) - states)
        observations = normalizers.observation(dataset.observation).reshape(dataset.num_transitions, -1)
        self._observations = torch.from_numpy(observations)
        self._masks = torch.from_numpy(dataset.legal_masks().astype(np.float32))
        D, hidden = states.shape[1], config.hidden_sizes
        num_outputs = observations.shape[1] + self._masks.shape[1]
        self.delta = StackedMLP(config.num_members, (self._inputs.shape[1], *hidden, D), self._generator)
        self.shared = StackedMLP(1, (D, *hidden, num_outputs), self._generator)

    def parameters(self) -> list[torch.Tensor]:
        return [*self.delta.parameters, *self.shared.parameters]

    def batch_loss(self, rows: torch.Tensor) -> torch.Tensor:
        targets = self._deltas[rows]
        loss = torch.nn.functional.mse_loss(
            self.delta(self._inputs[rows]), targets.expand(self.config.num_members, -1, -1)
        )
        shared_rows = rows if rows.ndim == 1 else rows[0]
        outputs = self.shared(self._states[shared_rows])[0]
        observations = self._observations[shared_rows]
        split = observations.shape[1]
        loss = loss + torch.nn.functional.mse_loss(outputs[:, :split], observations)
        return loss + torch.nn.functional.mse_loss(outputs[:, split:], self._masks[shared_rows])


class _RewardTraining(_Training):
    """Reward networks on the rewards of terminal transitions, in units of their deviation."""

    phase = "fit rewards"

    def __init__(self, dataset: TrajectoryDataset, normalizers: Normalizers, config: EnsembleConfig, seed: int) -> None:
        terminal = np.flatnonzero(dataset.terminal)
        super().__init__(config, seed, len(terminal))
        self.num_steps = config.num_reward_steps
        self._inputs = torch.from_numpy(network_inputs(dataset, normalizers)[terminal])
        scaled = dataset.reward[terminal] / np.float32(normalizers.reward_scale)
        self._rewards = torch.from_numpy(scaled.astype(np.float32))
        sizes = (self._inputs.shape[1], *config.hidden_sizes, self._rewards.shape[1])
        self.networks = StackedMLP(config.num_members, sizes, self._generator)

    def parameters(self) -> list[torch.Tensor]:
        return self.networks.parameters

    def batch_loss(self, rows: torch.Tensor) -> torch.Tensor:
        targets = self._rewards[rows].expand(self.config.num_members, -1, -1)
        return torch.nn.functional.mse_loss(self.networks(self._inputs[rows]), targets)


def network_inputs(dataset: TrajectoryDataset, normalizers: Normalizers) -> Float32:
    """``float32 [T, D + V]``: normalized states and vectors of the actions taken."""
    actions = normalizers.action(dataset.spec.action_vectors[dataset.action])
    return np.concatenate([normalizers.state(dataset.state), actions], axis=1)
