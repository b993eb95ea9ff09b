"""Steps on mini-batches, of one training or of several at once; the bits are the same."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

import numpy as np
import torch

from coffee_fast._torch_threads import learning_in_torch
from coffee_fast.models.config import EnsembleConfig
from coffee_fast.models.parts import Part
from coffee_fast.typing import ProgressCallback

REPORT_EVERY = 50


class Training:
    """Steps on mini-batches, drawn with replacement from a seeded generator, of parts that are learned together.

    Where it ``anneals``, the learning rate falls linearly to zero, so that the last weights are not those of a last few
    batches. Where parts ``are_alternatives``, those before one that is learned are given up.
    """

    def __init__(
        self,
        phase: str,
        parts: Sequence[Part],
        num_steps: int,
        config: EnsembleConfig,
        seed: int,
        *,
        anneals: bool,
        are_alternatives: bool = False,
    ) -> None:
        self.phase, self.parts, self.config, self.anneals = phase, list(parts), config, anneals
        self.are_alternatives = are_alternatives
        self.done = 0
        has_rows = any(part.num_rows for part in parts)
        self.num_steps = num_steps if has_rows else 0  # nothing to learn, and nothing to draw
        self.loss = float("nan") if has_rows else 0.0
        self._rng = np.random.Generator(np.random.PCG64(seed))

    def run(self, check: Callable[[], None], progress: ProgressCallback | None) -> None:
        while self.done < self.num_steps:
            check()
            left = 1 - self.done / self.num_steps if self.anneals else 1.0
            drawn: dict[int, torch.Tensor] = {}
            running = [part for part in self.parts if not part.is_stopped]
            losses = [part.step(part.take(self._rng, drawn), self.config.learning_rate * left) for part in running]
            self.done += 1
            if self.done % REPORT_EVERY == 0 or self.done == self.num_steps:
                self._look(running, sum(loss.item() for loss in losses))
                if progress:
                    progress(self.phase, self.done, self.num_steps, {"loss": self.loss})

    def _look(self, running: Sequence[Part], loss: float) -> None:
        for part in running:
            part.drop_diverged(loss, self.phase)
            part.judge(self.done, self.num_steps)
        if self.are_alternatives and any(part.is_learned for part in running):
            learned = max(place for place, part in enumerate(self.parts) if part.is_learned)
            for part in self.parts[:learned]:
                part.is_stopped = True
        if np.isfinite(loss):
            self.loss = loss
        if all(part.is_stopped for part in self.parts):
            self.done = self.num_steps


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
        with learning_in_torch():
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
