"""Fitted iteration by networks in torch: values of decisions, and what they fear of what follows."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch

from coffee_fast.errors import NumericalError
from coffee_fast.policies import Layers, NetworkPolicy
from coffee_fast.regularized.robust.decisions import END, UNKNOWN, Decisions
from coffee_fast.regularized.robust.fitting import Fear, Fitting
from coffee_fast.seeding import derive_seed
from coffee_fast.stage_games.status import status_of
from coffee_fast.typing import Float32, Int64, ProgressCallback

_NEVER = -1e30  # less than any value: what is never played if anything else is legal
_HIGHEST_PRICE = 1e4  # units: beyond, the price of a difference no longer tells in float32
_ROWS_AT_ONCE = 2**15
_MOST_LOG_RATIO = 5.0  # a next state never weighs more than exp(5) times what it does in the log


class Perceptron:
    """Layers with ReLU between them: weights ``[outputs, inputs]`` and biases."""

    def __init__(self, sizes: Sequence[int], generator: torch.Generator) -> None:
        self.layers: list[tuple[torch.Tensor, torch.Tensor]] = []
        for inputs, outputs in itertools.pairwise(sizes):
            scale = inputs**-0.5
            weight, bias = (
                torch.empty(shape, dtype=torch.float32, device="cpu").uniform_(-scale, scale, generator=generator)
                for shape in ((outputs, inputs), (outputs,))
            )
            self.layers.append((weight.requires_grad_(), bias.requires_grad_()))

    @property
    def parameters(self) -> list[torch.Tensor]:
        return [parameter for layer in self.layers for parameter in layer]

    def __call__(self, inputs: torch.Tensor) -> torch.Tensor:
        for weight, bias in self.layers[:-1]:
            inputs = torch.addmm(bias, inputs, weight.t()).relu()
        weight, bias = self.layers[-1]
        return torch.addmm(bias, inputs, weight.t())


@dataclass(frozen=True, eq=False)
class Inputs:
    """Observations ``[K, D]`` as networks see them, centered and in units of their deviations."""

    rows: torch.Tensor
    center: Float32
    unit: Float32

    @classmethod
    def of(cls, observation: Float32) -> Inputs:
        center = observation.mean(axis=0, dtype=np.float64)
        unit = observation.std(axis=0, dtype=np.float64)
        unit[unit <= 1e-6 * np.maximum(np.abs(center), 1e-30)] = 1.0
        center, unit = center.astype(np.float32), unit.astype(np.float32)
        return cls(torch.from_numpy((observation - center) / unit), center, unit)

    def export(self, network: Perceptron, output_unit: float) -> Layers:
        """Return the layers that take observations as they are, and give outputs in units of payoff."""
        arrays = [tuple(part.detach().numpy().copy() for part in layer) for layer in network.layers]
        weight, bias = arrays[0]
        arrays[0] = (weight / self.unit, bias - (weight / self.unit) @ self.center)
        arrays[-1] = tuple(part * np.float32(output_unit) for part in arrays[-1])
        return tuple((weight, bias) for weight, bias in arrays)


class Values(Protocol):
    """A family of values of decisions."""

    @property
    def parameters(self) -> list[torch.Tensor]: ...

    def best(self, rows: torch.Tensor) -> torch.Tensor:
        """Return ``[B]``: what decisions are worth if the best is chosen."""
        ...

    def chosen(self, rows: torch.Tensor) -> torch.Tensor:
        """Return ``[B]``: what the actions of the log are worth."""
        ...

    def strain(self, rows: torch.Tensor) -> torch.Tensor:
        """Return ``[B]``: what else is to be small, beside the errors of the actions of the log."""
        ...


def worth(fear: Fear, unit: float, g: torch.Tensor | None, following: torch.Tensor, floor: float) -> torch.Tensor:
    r"""Return what next states of the log count for, ``[B]``: in the mean, if ``g`` is best, what the worst ones do.

    For prices :math:`g - \lambda \phi^*((g - V) / \lambda)`. Values are in units of ``unit``; ``floor`` is the value of
    the worst state that can come.
    """
    if fear.distance == "contamination":
        rho = float(fear.radius or 0.0)
        return (1.0 - rho) * following + rho * floor
    if fear.weight is None:
        assert g is not None
        rho = float(fear.radius or 0.0)
        return (1.0 - rho) * g - (g - following).relu() + rho * floor
    price = min(fear.weight / unit, _HIGHEST_PRICE)
    if fear.distance == "total_variation":  # the best g is the largest one
        return following.clamp(max=floor + price)
    assert g is not None
    x = (g - following) / price  # g less the price, for KL: its best is then of the size of values
    if fear.distance == "chi_squared":
        return torch.where(x >= -2.0, following - 0.25 * price * x.clamp(min=-2.0) ** 2, g + price)
    inside = x.clamp(max=_MOST_LOG_RATIO)
    return g - price * (inside.expm1() + inside.detach().exp() * (x - _MOST_LOG_RATIO).relu())


class FittedIteration:
    """Rounds of regressions: of what is feared, on values as they are, and of values, on rewards and what is feared."""

    def __init__(
        self,
        caller: str,
        values: Values,
        features: torch.Tensor,
        decisions: Decisions,
        fear: Fear,
        fitting: Fitting,
        unit: float,
    ) -> None:
        self.caller, self.values, self.fear, self.fitting, self.unit = caller, values, fear, fitting, unit
        self.features, self.following = features, torch.from_numpy(decisions.following)
        self.rows = torch.from_numpy(decisions.known)
        self.reward = torch.from_numpy((decisions.reward / unit).astype(np.float32))
        self.can_end = fear.has_fail_state or bool((decisions.following == END).any())
        first = decisions.is_first & (decisions.following != UNKNOWN)
        self.start = first if first.any() else decisions.known
        self.reach = decisions.reach(fitting.discount)
        self.rng = np.random.Generator(np.random.PCG64(derive_seed(fitting.seed, f"{caller}/batches")))
        self.optimizer = torch.optim.Adam(values.parameters, fused=True)
        self.dual: Perceptron | None = None
        if fear.has_dual:
            generator = torch.Generator().manual_seed(derive_seed(fitting.seed, f"{caller}/dual"))
            self.dual = Perceptron((features.shape[1], *fitting.hidden_sizes, 1), generator)
            self.dual_optimizer = torch.optim.Adam(self.dual.parameters, fused=True)
        self.best = self._of_all(values.best)
        self.change = self.residual = float("inf")

    def run(self, progress: ProgressCallback | None) -> int:
        """Go on until values stand still, or for all rounds; return how many."""
        for done in range(1, self.fitting.num_iterations + 1):
            self._round()
            if progress:
                progress(self.caller, done, self.fitting.num_iterations, {"change": self.change * self.unit})
            if self.stand_still:
                return done
        return self.fitting.num_iterations

    def figures(self) -> dict[str, Any]:
        """Return what an answer says of how it was found, in units of payoff."""
        return {
            "value": self.unit * float(self.best.numpy()[self.start].mean(dtype=np.float64)),
            "change": self.unit * self.change,
            "residual": self.unit * self.residual,
            "status": status_of(self.stand_still),
            "num_decisions": len(self.rows),
        }

    @property
    def stand_still(self) -> bool:
        """Whether values are within the tolerance if the last change came again as often as values look ahead."""
        return self.change * self.reach <= self.fitting.tolerance

    def _round(self) -> None:
        after = torch.where(self.following >= 0, self.best[self.following.clamp(min=0)], 0.0)
        floor = self._floor()
        if self.dual is not None:
            dual = self.dual
            self._descend(
                self.dual_optimizer,
                lambda rows: -worth(self.fear, self.unit, dual(self.features[rows])[:, 0], after[rows], floor).mean(),
            )
        with torch.no_grad():
            g = None if self.dual is None else self._of_all(lambda rows: dual(self.features[rows])[:, 0])
            targets = self.reward + self.fitting.discount * worth(self.fear, self.unit, g, after, floor)
        values = self.values
        self._descend(
            self.optimizer,
            lambda rows: ((values.chosen(rows) - targets[rows]) ** 2 + values.strain(rows)).mean(),
        )
        before, self.best = self.best, self._of_all(self.values.best)
        left = ((self._of_all(values.chosen) - targets) ** 2 + self._of_all(values.strain))[self.rows]
        self.change = float((self.best - before)[self.rows].square().mean().sqrt())
        self.residual = float(left.mean().sqrt())
        if not np.isfinite(self.change + self.residual):
            raise NumericalError(
                f"{self.caller}: values left the finite numbers; lower discount or learning_rate, or scale rewards"
            )

    def _floor(self) -> float:
        """Return what the worst state is worth that can come."""
        after = self.following[self.rows]
        worst = [0.0] if self.can_end else []
        worst += [float(self.best[after[after >= 0]].min())] if bool((after >= 0).any()) else []
        return min(worst, default=0.0)

    def _descend(self, optimizer: torch.optim.Optimizer, loss: Callable[[torch.Tensor], torch.Tensor]) -> None:
        """Take steps that grow smaller, so that each regression ends near its least loss."""
        fitting = self.fitting
        for step in range(fitting.num_steps):
            batch = self.rng.integers(len(self.rows), size=fitting.batch_size)
            optimizer.param_groups[0]["lr"] = fitting.learning_rate * (1.0 - step / fitting.num_steps)
            optimizer.zero_grad(set_to_none=True)
            loss(self.rows[torch.from_numpy(batch)]).backward()  # type: ignore[no-untyped-call]
            optimizer.step()

    def _of_all(self, function: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
        with torch.no_grad():
            rows = torch.arange(len(self.following))
            starts = range(0, len(rows), _ROWS_AT_ONCE)
            return torch.cat([function(rows[start : start + _ROWS_AT_ONCE]) for start in starts])


class ActionValues:
    """Values of each action by one network, of a seat's decisions; actions that the log never shows do not count."""

    def __init__(self, decisions: Decisions, fitting: Fitting, purpose: str) -> None:
        num_actions = decisions.legal.shape[1]
        self.inputs = Inputs.of(decisions.observation)
        self.action = torch.from_numpy(decisions.action)
        self.is_shown = np.bincount(decisions.action[decisions.known], minlength=num_actions) > 0
        allowed = decisions.legal & self.is_shown
        self.closed = torch.from_numpy(~np.where(allowed.any(axis=1, keepdims=True), allowed, decisions.legal))
        generator = torch.Generator().manual_seed(derive_seed(fitting.seed, f"{purpose}/values"))
        self.network = Perceptron((decisions.observation.shape[1], *fitting.hidden_sizes, num_actions), generator)

    @property
    def parameters(self) -> list[torch.Tensor]:
        return self.network.parameters

    def best(self, rows: torch.Tensor) -> torch.Tensor:
        return self._open(rows).amax(dim=1)

    def greedy(self, rows: torch.Tensor) -> torch.Tensor:
        """Return ``[B]``: the actions worth most."""
        return self._open(rows).argmax(dim=1)

    def _open(self, rows: torch.Tensor) -> torch.Tensor:
        return self.network(self.inputs.rows[rows]).masked_fill(self.closed[rows], -torch.inf)

    def strain(self, rows: torch.Tensor) -> torch.Tensor:
        return torch.zeros(len(rows))

    def chosen(self, rows: torch.Tensor) -> torch.Tensor:
        return self.network(self.inputs.rows[rows]).gather(1, self.action[rows, None])[:, 0]

    def policy(self, unit: float) -> NetworkPolicy:
        """Return the greedy policy, whose outputs are values in units of payoff."""
        *layers, (weight, bias) = self.inputs.export(self.network, unit)
        hidden = np.where(self.is_shown[:, None], weight, np.float32(0.0))
        return NetworkPolicy((*layers, (hidden, np.where(self.is_shown, bias, np.float32(_NEVER)))))


def with_actions(inputs: torch.Tensor, actions: Sequence[tuple[Int64, int]]) -> torch.Tensor:
    """Return ``[K, D + A1 + ...]``: inputs, and which actions were taken, as ones among zeros."""
    marks = [torch.nn.functional.one_hot(torch.from_numpy(action), size).to(torch.float32) for action, size in actions]
    return torch.cat([inputs, *marks], dim=1)
