"""The training of a double DQN with its gradient steps in torch."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from coffee_fast import _core
from coffee_fast._torch_threads import one_torch_thread
from coffee_fast.errors import InvalidArgumentError, NumericalError
from coffee_fast.policies import Layers
from coffee_fast.responses._ddqn_training import DDQNTraining
from coffee_fast.responses._torch_learner import TorchLearner
from coffee_fast.responses.base import State

if TYPE_CHECKING:
    from coffee_fast.responses.ddqn import DDQN
    from coffee_fast.responses.ddqn_torch import DDQNTorch


def due_events(before: int, after: int, learn_period: int, target_period: int) -> Iterator[Literal["learn", "copy"]]:
    """Yield what the calls ``before + 1, ..., after`` make due, in order; a gradient step precedes a copy.

    >>> list(due_events(0, 4, learn_period=2, target_period=4))
    ['learn', 'learn', 'copy']
    """
    for call in range(before + 1, after + 1):
        if call % learn_period == 0:
            yield "learn"
        if call % target_period == 0:
            yield "copy"


class Learner(Protocol):
    """What the cadence drives."""

    @property
    def num_gradient_steps(self) -> int: ...

    def gradient_step(self, batch: Mapping[str, np.ndarray[Any, Any]]) -> None: ...

    def copy_to_target(self) -> None: ...


def learn_from_calls(config: DDQN, actor: _core.Actor, learner: Learner, before: int) -> bool:
    """Take what the calls since ``before`` make due; return whether the network changed."""
    has_learned = False
    for event in due_events(before, actor.num_calls, config.learn_period, config.target_period):
        if event == "copy":
            learner.copy_to_target()
        elif actor.num_transitions >= config.min_replay:
            learner.gradient_step(actor.sample(config.batch_size, learner.num_gradient_steps))
            has_learned = True
    return has_learned


class TorchTraining(DDQNTraining):
    """Rounds of the compiled actor, each followed by the gradient steps it makes due."""

    config: DDQNTorch

    def begin(self, online: Layers, target: Layers, reward_scale: float) -> None:
        self.learner = TorchLearner(
            online,
            target,
            learning_rate=self.config.learning_rate,
            discount=self.config.discount,
            reward_scale=reward_scale,
            device=self.config.device,
        )
        self.learning_seconds = 0.0
        self._refresh_acting_network()

    def advance_to(self, num_decisions: int) -> None:
        with one_torch_thread():
            while self.actor.num_decisions < num_decisions:
                self.play_round()

    def play_round(self) -> None:
        """Play one round, then take the gradient steps and target copies that its calls make due."""
        before = self.actor.num_calls
        self.actor.advance(self._acting_network)
        start = time.perf_counter()
        has_learned = learn_from_calls(self.config, self.actor, self.learner, before)
        self.learning_seconds += time.perf_counter() - start
        if has_learned:
            self._refresh_acting_network()

    def _refresh_acting_network(self) -> None:
        try:
            self._acting_network = _core.Mlp(list(self.learner.layers()))
        except InvalidArgumentError as error:
            raise NumericalError(
                f"respond: the network left the finite numbers by gradient step {self.learner.num_gradient_steps}; "
                f"try a smaller learning_rate than {self.config.learning_rate}"
            ) from error

    def layers(self) -> Layers:
        return self.learner.layers()

    def take_mean_loss(self) -> float:
        return self.learner.update_mean_loss()

    @property
    def num_gradient_steps(self) -> int:  # type: ignore[override]
        return self.learner.num_gradient_steps

    @property
    def num_target_copies(self) -> int:  # type: ignore[override]
        return self.learner.num_target_copies

    def export_learner(self) -> State:
        return self.learner.export_state()

    def restore_learner(self, state: State) -> None:
        self.learner.restore(state)
        self._refresh_acting_network()
