"""Steps of Adam on mini-batches, of one training or of several at once; the bits are the same."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

import numpy as np
import torch

from coffee_fast.errors import NumericalError
from coffee_fast.models.config import EnsembleConfig
from coffee_fast.policies import Layers
from coffee_fast.seeding import derive_seed
from coffee_fast.typing import ProgressCallback

REPORT_EVERY = 50


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


class Training:
    """Steps of Adam on mini-batches drawn with replacement from a seeded generator.

    Where ``anneals``, the learning rate falls linearly to zero, so that the last weights are not those of a last few
    batches.
    """

    phase: str
    num_steps: int
    anneals = False

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

    def networks(self) -> dict[str, Sequence[Layers]]:
        """Layers of each member of what was trained, by name."""
        raise NotImplementedError

    def judge(self) -> None:
        """Look at the weights met on the way."""

    def draw(self, num_rows: int, shape: tuple[int, ...]) -> torch.Tensor:
        """Rows of a batch."""
        return torch.from_numpy(self._rng.integers(num_rows, size=shape))

    def run(self, check: Callable[[], None], progress: ProgressCallback | None) -> None:
        optimizer = torch.optim.Adam(self.parameters(), lr=self.config.learning_rate, fused=True)
        shape: tuple[int, ...] = (self.config.batch_size,)
        if not self.config.same_batches:
            shape = (self.config.num_members, *shape)
        while self.done < self.num_steps:
            check()
            if self.anneals:
                optimizer.param_groups[0]["lr"] = self.config.learning_rate * (1 - self.done / self.num_steps)
            loss = self.batch_loss(self.draw(self._num_rows, shape))
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
                self.judge()
                if progress:
                    progress(self.phase, self.done, self.num_steps, {"loss": self.loss})


def run_trainings(trainings: Sequence[Training], num_threads: int, progress: ProgressCallback | None) -> None:
    """Run all of them, one after another on one thread, else at once."""
    if num_threads != 1:
        return _run_together(trainings, progress)
    for training in trainings:
        training.run(lambda: None, progress)


def _run_together(trainings: Sequence[Training], progress: ProgressCallback | None) -> None:
    stop = threading.Event()
    told: dict[str, int] = {}

    def check() -> None:
        if stop.is_set():
            raise _Stopped

    def run(training: Training) -> None:
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
            raise error  # the one that stopped the other trainings, if any


class _Stopped(Exception):
    """Another training failed, or the user wants to stop."""
