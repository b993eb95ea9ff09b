"""Parts of a model in training: networks of one name, what they learn from, and what judges them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from coffee_fast.errors import NumericalError
from coffee_fast.models.config import EnsembleConfig
from coffee_fast.models.learners import Learner
from coffee_fast.models.networks import FAMILIES, StackedMLP
from coffee_fast.policies import Layers
from coffee_fast.seeding import derive_seed
from coffee_fast.typing import Float32, Int64

FEW_ROWS = 300  # to learn from, from which on decay falls with their number: a prior counts less beside more data
TRIAL = 0.2  # share of the steps after which one family is kept
PATIENCE = 0.2  # share of the steps in which some member must get better
MOST_JUDGES = 4096  # held-out rows that a part is judged by, spread evenly; more would cost more than the steps
LEAST_INPUT = 1e-5  # normalized inputs never larger than this do not change in the log
PRODUCTS_FIRST = ("delta", "reward")  # parts that are products where nothing is held out to choose by


class Examples(NamedTuple):
    """What networks learn from.

    Attributes
    ----------
    inputs
        ``float32 [B, K]``.
    targets
        ``float32 [B, outputs]``, or classes ``int64 [B]``.
    episodes
        ``int64 [B]``; mirror images are of one episode.
    weights
        ``float32 [B, outputs]`` of squared errors, or None: all 1.
    """

    inputs: Float32
    targets: NDArray[Any]
    episodes: Int64
    weights: Float32 | None = None

    def that_count(self) -> Examples:
        """Those without rows in which all weights are 0."""
        if self.weights is None:
            return self
        counts = self.weights.any(axis=1)
        return Examples(self.inputs[counts], self.targets[counts], self.episodes[counts], self.weights[counts])


def weight_generators(seed: int) -> dict[str, torch.Generator]:
    """Where each family's initial weights come from; those of a training's parts are drawn one after another."""
    purposes = {"relu": "weights", "product": "weights of products"}
    return {family: torch.Generator().manual_seed(derive_seed(seed, purposes[family])) for family in FAMILIES}


class Part:
    """Networks of one name; of two families while it is tried which of them does better.

    Without a held-out part nothing is chosen: the last weights are kept, and of ``network="auto"`` products for next
    states and rewards, perceptrons for all else.

    Attributes
    ----------
    is_learned
        Whether it stopped as nothing was left to be learned.
    choice
        What was tried: each family's held-out loss (or ``"diverged"``), and the ``"chosen"`` one. Empty if nothing was.
    """

    is_judged_always = False  # whether it is judged without early stopping,
    tolerance = float("inf")  # and in units of the best held-out loss the last one from which on that is taken then

    def __init__(
        self,
        name: str,
        examples: Examples,
        held_out: Examples | None,
        num_outputs: int,
        config: EnsembleConfig,
        generators: dict[str, torch.Generator],
        *,
        num_members: int = 1,
        draws: Int64 | None = None,
    ) -> None:
        self.name, self.config, self.num_members = name, config, num_members
        self.num_rows, self.choice = len(examples.targets), dict[str, float | str]()
        self.is_stopped, self.is_learned = self.num_rows == 0, False
        inputs = np.array(examples.inputs, dtype=np.float32)
        unused = np.zeros(inputs.shape[1], dtype=bool)
        if config.normalization == "per_dimension" and self.num_rows:
            unused = np.abs(inputs).max(axis=0) <= LEAST_INPUT
            inputs[:, unused] = 0.0
        self._rows = TorchRows.of(examples._replace(inputs=inputs))
        self._pools = None if draws is None or num_members == 1 else _pools(draws, examples.episodes)
        is_judged = config.early_stopping or config.network == "auto" or self.is_judged_always
        self._judges = _judges(held_out) if is_judged else None
        decay = config.weight_decay * min(1.0, FEW_ROWS / max(self.num_rows, 1))
        self._learners = [
            Learner(family, stack, decay) for family, stack in self._stacks(num_outputs, generators, unused)
        ]
        if config.network == "auto" and self._judges is None:
            self.choice = {"chosen": self._learners[0].family}

    def _stacks(
        self, num_outputs: int, generators: dict[str, torch.Generator], unused: NDArray[np.bool_]
    ) -> list[tuple[str, StackedMLP]]:
        config = self.config
        families = ["relu", "product"] if config.network == "auto" else [config.network]
        if config.network == "auto" and self._judges is None:
            families = ["product" if self.name in PRODUCTS_FIRST else "relu"]
        widths = {"relu": config.hidden_sizes, "product": config.product_sizes}
        stacks = []
        for family in families:
            sizes = (self._rows.inputs.shape[1], *widths[family], num_outputs)
            stacks.append((family, FAMILIES[family](self.num_members, sizes, generators[family])))
            if unused.any():
                stacks[-1][1].ignore(unused)
        return stacks

    def loss(self, outputs: torch.Tensor, rows: TorchRows, reduction: str) -> torch.Tensor:
        """The loss of ``outputs [E, B, outputs]``: their ``"mean"``, or with ``"none"`` one for each member ``[E]``."""
        raise NotImplementedError

    def take(self, rng: np.random.Generator, drawn: dict[int, torch.Tensor]) -> torch.Tensor:
        """Rows of a batch ``[B]``, or ``[E, B]``; parts of as many rows take the same."""
        size = self.config.batch_size
        if self._pools is not None:
            return torch.from_numpy(np.stack([pool[rng.integers(len(pool), size=size)] for pool in self._pools]))
        if self.num_rows not in drawn:
            shape = (size,) if self.config.same_batches else (self.config.num_members, size)
            drawn[self.num_rows] = torch.from_numpy(rng.integers(self.num_rows, size=shape))
        rows = drawn[self.num_rows]
        return rows[0] if rows.ndim == 2 and self.num_members == 1 else rows

    def step(self, rows: torch.Tensor, learning_rate: float) -> torch.Tensor:
        """Take a step of each family that is in the running; the loss of the one that leads."""
        batch, losses = self._rows.take(rows), []
        for learner in self._learners[: None if self._is_trial else 1]:
            losses.append(learner.step(batch.inputs, lambda outputs: self.loss(outputs, batch, "mean"), learning_rate))
        return losses[0]

    @property
    def _is_trial(self) -> bool:
        return self._judges is not None and len(self._learners) > 1 and not self.choice

    def judge(self, done: int, num_steps: int) -> None:
        """Look at the weights met on the way: drop what diverged, keep the best, choose a family, stop."""
        if self._judges is None:
            return
        for learner in self._learners[: None if self._is_trial else 1]:
            with torch.no_grad():
                outputs = learner.stack(self._judges.inputs)
                learner.judge(self.loss(outputs, self._judges, "none"), done)
            if self.config.early_stopping:
                learner.is_done = self._is_right(outputs, self._judges) and self._is_right_of_shown(learner)
        if self._is_trial and (done >= TRIAL * num_steps or any(learner.is_done for learner in self._learners)):
            self._learners.sort(key=lambda learner: (not learner.is_done, learner.best_loss))
            self.choice = {learner.family: learner.best_loss for learner in self._learners}
            self.choice["chosen"] = self._learners[0].family
        if self.config.early_stopping and not self._is_trial:
            self.is_learned = self._learners[0].is_done
            self.is_stopped = self.is_learned or done - self._learners[0].improved >= PATIENCE * num_steps

    def _is_right_of_shown(self, learner: Learner) -> bool:
        rows = self._rows.take(torch.from_numpy(_spread(self.num_rows)))
        with torch.no_grad():
            return self._is_right(learner.stack(rows.inputs), rows)

    def _is_right(self, outputs: torch.Tensor, rows: TorchRows) -> bool:
        """Whether the worst of the outputs is as good as right, so that more steps would be wasted."""
        return False

    def drop_diverged(self, loss: float, phase: str) -> None:
        """Fall back to the other family, if one is left, where the leading one left the finite numbers."""
        kept = [learner for learner in self._learners if learner.is_finite()]
        if not kept:
            raise NumericalError(f"DynamicsEnsemble.fit: the {phase} loss is {loss}; lower learning_rate")
        for learner in self._learners:
            if learner not in kept:
                self.choice |= {learner.family: "diverged", "chosen": kept[0].family}
        self._learners = kept

    def networks(self) -> list[Layers]:
        """Layers of each member: the best that were met, where they are asked for, else the last."""
        learner = self._learners[0]
        if self._judges is not None:
            learner.take_back(1.0 if self.config.early_stopping else self.tolerance)
        return list(learner.stack.export())

    @property
    def family(self) -> str:
        """Of the networks that are kept."""
        return self._learners[0].family

    @property
    def held_out_loss(self) -> float:
        """The members' mean of their least losses on held-out examples; infinite where nothing was judged."""
        return self._learners[0].best_loss

    def outputs(self, inputs: Float32) -> NDArray[np.float64]:
        """What the kept networks say of other rows: ``float64 [E, B, outputs]``."""
        with torch.no_grad():
            return self._learners[0].stack(torch.from_numpy(inputs)).double().numpy()


class Regression(Part):
    """Networks of numbers, by their mean squared error.

    Parameters
    ----------
    groups
        Numbers of outputs, the mean squared errors of which are added up; one group if not given.
    enough
        Error of any output that is as good as none; none is if not given.
    """

    def __init__(
        self, *args: Any, groups: Sequence[int] | None = None, enough: float | None = None, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self._enough = enough
        self._groups = list(groups) if groups else [self._rows.targets.shape[1]]

    def loss(self, outputs: torch.Tensor, rows: TorchRows, reduction: str) -> torch.Tensor:
        targets = rows.targets.expand(len(outputs), -1, -1)
        if rows.weights is not None:
            losses = [rows.weights * torch.square(outputs - targets)]
            if reduction == "mean":
                losses = [losses[0].mean()]
        else:
            parts = zip(*(torch.split(values, self._groups, -1) for values in (outputs, targets)), strict=True)
            losses = [torch.nn.functional.mse_loss(ours, theirs, reduction=reduction) for ours, theirs in parts]
        if reduction == "none":
            losses = [loss.mean(dim=(1, 2)) for loss in losses]
        return sum(losses[1:], start=losses[0])

    def _is_right(self, outputs: torch.Tensor, rows: TorchRows) -> bool:
        if self._enough is None:
            return False
        errors = torch.abs(outputs - rows.targets)
        errors = errors if rows.weights is None else torch.where(rows.weights > 0, errors, 0.0)
        return bool(errors.max() <= self._enough)


class TorchRows(NamedTuple):
    """Examples in torch."""

    inputs: torch.Tensor
    targets: torch.Tensor
    weights: torch.Tensor | None

    @classmethod
    def of(cls, examples: Examples, rows: NDArray[Any] | slice = slice(None)) -> TorchRows:
        """Some of the examples."""
        inputs, targets = (torch.from_numpy(np.array(part[rows])) for part in (examples.inputs, examples.targets))
        weights = None if examples.weights is None else torch.from_numpy(np.array(examples.weights[rows]))
        return cls(inputs, targets, weights)

    def take(self, rows: torch.Tensor) -> TorchRows:
        """Those of a batch."""
        return TorchRows(self.inputs[rows], self.targets[rows], None if self.weights is None else self.weights[rows])


def _judges(held_out: Examples | None) -> TorchRows | None:
    """Held-out examples, or None if there are none."""
    if held_out is None or not len(held_out.targets):
        return None
    return TorchRows.of(held_out, _spread(len(held_out.targets)))


def _spread(count: int) -> Int64:
    """Rows, at most ``MOST_JUDGES``, spread evenly."""
    return np.arange(count) if count <= MOST_JUDGES else np.linspace(0, count - 1, MOST_JUDGES).astype(np.int64)


def _pools(draws: Int64, episodes: Int64) -> list[Int64]:
    """Each member's rows, as often as it has drawn their episode; all where it has drawn none of them."""
    rows = np.arange(len(episodes))
    pools = [np.repeat(rows, counts[episodes]) for counts in draws]
    return [pool if len(pool) else rows for pool in pools]
