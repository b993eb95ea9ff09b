"""The trainings of a dynamics ensemble: next states with observations and legal actions, rewards, and what is drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from coffee_fast.models.classifiers import ClassifierTraining, Examples
from coffee_fast.models.config import EnsembleConfig
from coffee_fast.models.inputs import (
    Rows,
    as_class,
    broke_off,
    delta_inputs,
    draws_ends,
    network_inputs,
    num_movers,
    paying_rows,
    predicts_mover,
    shared_inputs,
)
from coffee_fast.models.networks import StackedMLP
from coffee_fast.models.normalization import Normalizers
from coffee_fast.models.steps import Training, run_trainings, single_threaded
from coffee_fast.policies import Layers
from coffee_fast.seeding import derive_seed
from coffee_fast.typing import ProgressCallback

if TYPE_CHECKING:
    from coffee_fast.data import TrajectoryDataset


@dataclass(frozen=True, eq=False)
class TrainedNetworks:
    """Layers of each member of ``delta``, ``reward`` and other networks by name, and the last losses of trainings."""

    layers: dict[str, Sequence[Layers]]
    losses: dict[str, float]


def train(
    dataset: TrajectoryDataset,
    held_out: TrajectoryDataset | None,
    normalizers: Normalizers,
    config: EnsembleConfig,
    seed: int,
    num_threads: int,
    progress: ProgressCallback | None,
) -> TrainedNetworks:
    """Train all networks; with two threads or more all trainings at once, to the same bits."""
    with single_threaded():
        trainings: dict[str, Training] = {
            "dynamics": _DynamicsTraining(dataset, normalizers, config, derive_seed(seed, "dynamics")),
            "reward": _RewardTraining(dataset, normalizers, config, derive_seed(seed, "reward")),
        }
        if draws_ends(dataset.spec, config):
            trainings |= _classifier_trainings(dataset, held_out, normalizers, config, seed)
        run_trainings(list(trainings.values()), num_threads, progress)
        layers = {name: found for training in trainings.values() for name, found in training.networks().items()}
    return TrainedNetworks(layers, {name: training.loss for name, training in trainings.items()})


def _classifier_trainings(
    dataset: TrajectoryDataset,
    held_out: TrajectoryDataset | None,
    normalizers: Normalizers,
    config: EnsembleConfig,
    seed: int,
) -> Iterator[tuple[str, Training]]:
    """Those of ends, and of movers and chance where there is something to predict."""
    judged = {} if held_out is None else dict(classifier_examples(held_out, normalizers))
    sizes = {"end": 1, "mover": num_movers(dataset.spec), "chance": dataset.spec.num_chance_actions}
    for name, examples in classifier_examples(dataset, normalizers):
        own_seed = derive_seed(seed, name)
        yield name, ClassifierTraining(name, examples, judged.get(name), sizes[name], config, own_seed)


def classifier_examples(dataset: TrajectoryDataset, normalizers: Normalizers) -> Iterator[tuple[str, Examples]]:
    """What a log shows of ends, of who moves next, and of outcomes of chance.

    An episode that broke off had not ended there: left out, such rows would make ends look more likely than they are.
    """
    rows, inputs = Rows.of(dataset), network_inputs(dataset, normalizers, draws=True)
    yield "end", Examples(inputs[rows.acts], dataset.terminal[rows.acts].astype(np.int64))
    if predicts_mover(dataset.spec):
        following = as_class(dataset.spec, rows.next_player)
        yield "mover", Examples(inputs[rows.goes_on], following[rows.goes_on])
    if dataset.spec.num_chance_actions:
        is_chance = dataset.acting_player < 0
        states = normalizers.state(dataset.state[is_chance])
        yield "chance", Examples(states, dataset.action[is_chance].astype(np.int64))


class _DynamicsTraining(Training):
    """Delta-state networks on ``z(s') - z(s)``; the shared network on observations and the mover's legal actions.

    The paper's delta networks learn the jump to the terminal state as well; where ends are drawn, only what goes on.
    """

    phase = "fit dynamics"

    def __init__(self, dataset: TrajectoryDataset, normalizers: Normalizers, config: EnsembleConfig, seed: int) -> None:
        super().__init__(config, seed, dataset.num_transitions)
        self.num_steps = config.num_steps
        self.anneals = draws = draws_ends(dataset.spec, config)
        inputs, states = network_inputs(dataset, normalizers, draws=draws), normalizers.state(dataset.state)
        learned = ~broke_off(dataset)
        if draws:
            rows = Rows.of(dataset)
            inputs, learned = delta_inputs(dataset, inputs, rows), rows.goes_on
        self._inputs = torch.from_numpy(inputs[learned])
        self._deltas = torch.from_numpy((normalizers.state(dataset.next_state) - states)[learned])
        self._shared_inputs = torch.from_numpy(shared_inputs(dataset, normalizers, draws=draws))
        observations = normalizers.observation(dataset.observation).reshape(dataset.num_transitions, -1)
        self._observations = torch.from_numpy(observations)
        self._masks = torch.from_numpy(dataset.legal_masks().astype(np.float32))
        D, hidden = states.shape[1], config.hidden_sizes
        num_outputs = observations.shape[1] + self._masks.shape[1]
        self.delta = StackedMLP(config.num_members, (self._inputs.shape[1], *hidden, D), self._generator)
        self.shared = StackedMLP(1, (self._shared_inputs.shape[1], *hidden, num_outputs), self._generator)

    def parameters(self) -> list[torch.Tensor]:
        return [*self.delta.parameters, *self.shared.parameters]

    def networks(self) -> dict[str, Sequence[Layers]]:
        return {"delta": self.delta.export(), "shared": self.shared.export()}

    def batch_loss(self, rows: torch.Tensor) -> torch.Tensor:
        num_learned = len(self._inputs)
        loss = torch.zeros((), dtype=torch.float32)
        if num_learned:  # an episode of one move, or one round, has nothing that goes on
            learned = rows if num_learned == self._num_rows else self.draw(num_learned, tuple(rows.shape))
            targets = self._deltas[learned]
            loss = torch.nn.functional.mse_loss(
                self.delta(self._inputs[learned]), targets.expand(self.config.num_members, -1, -1)
            )
        shared_rows = rows if rows.ndim == 1 else rows[0]
        outputs = self.shared(self._shared_inputs[shared_rows])[0]
        observations = self._observations[shared_rows]
        split = observations.shape[1]
        loss = loss + torch.nn.functional.mse_loss(outputs[:, :split], observations)
        return loss + torch.nn.functional.mse_loss(outputs[:, split:], self._masks[shared_rows])


class _RewardTraining(Training):
    """Reward networks on the rewards of terminal transitions, or of all that may pay, in units of their deviation."""

    phase = "fit rewards"

    def __init__(self, dataset: TrajectoryDataset, normalizers: Normalizers, config: EnsembleConfig, seed: int) -> None:
        paying = paying_rows(dataset)
        super().__init__(config, seed, len(paying))
        self.num_steps = config.num_reward_steps
        self.anneals = draws = draws_ends(dataset.spec, config)
        self._inputs = torch.from_numpy(network_inputs(dataset, normalizers, draws=draws)[paying])
        scaled = dataset.reward[paying] / np.float32(normalizers.reward_scale)
        self._rewards = torch.from_numpy(scaled.astype(np.float32))
        sizes = (self._inputs.shape[1], *config.hidden_sizes, self._rewards.shape[1])
        self._networks = StackedMLP(config.num_members, sizes, self._generator)

    def parameters(self) -> list[torch.Tensor]:
        return self._networks.parameters

    def networks(self) -> dict[str, Sequence[Layers]]:
        return {"reward": self._networks.export()}

    def batch_loss(self, rows: torch.Tensor) -> torch.Tensor:
        targets = self._rewards[rows].expand(self.config.num_members, -1, -1)
        return torch.nn.functional.mse_loss(self._networks(self._inputs[rows]), targets)
