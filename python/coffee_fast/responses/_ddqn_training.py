"""One training of a double DQN: rounds of experience and the gradient steps they make due."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
import torch

from coffee_fast import _core
from coffee_fast.errors import CheckpointError, ConfigError, InvalidArgumentError, NumericalError
from coffee_fast.policies import Mixture, NetworkPolicy, as_mixture
from coffee_fast.responses._torch_learner import TorchLearner
from coffee_fast.responses.base import Response
from coffee_fast.responses.objective import ResponseObjective
from coffee_fast.seeding import check_seed, derive_seed
from coffee_fast.typing import ProgressCallback

if TYPE_CHECKING:
    from coffee_fast.responses.ddqn_torch import DDQNTorch

State = dict[str, np.ndarray[Any, Any]]


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """Let torch compute on one thread inside the block: sums are in one order whatever the user's setting."""
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(num_threads)


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

    num_gradient_steps: int

    def gradient_step(self, batch: Mapping[str, np.ndarray[Any, Any]]) -> None: ...

    def copy_to_target(self) -> None: ...


class DDQNTraining:
    """A training in progress; ``export_state`` and ``restore`` between rounds carry it over with the same bits."""

    def __init__(
        self,
        config: DDQNTorch,
        dynamics: Any,
        opponents: Mixture,
        objective: ResponseObjective,
        seed: int,
        reward_scale: float,
        player: int,
    ) -> None:
        if not (math.isfinite(reward_scale) and reward_scale > 0):
            raise InvalidArgumentError(f"respond: reward_scale must be a positive number, got {reward_scale}")
        self.config = config
        self.actor = make_actor(config, dynamics, opponents, objective, check_seed(seed), player)
        self.learner = TorchLearner(
            (dynamics.spec.information_state_size, *config.hidden_sizes, dynamics.spec.num_actions),
            seeds=(derive_seed(seed, "online_weights"), derive_seed(seed, "target_weights")),
            init=config.init,
            learning_rate=config.learning_rate,
            discount=config.discount,
            reward_scale=reward_scale,
            device=config.device,
        )
        self._started = time.perf_counter()
        self._refresh_acting_network()

    def run(self, progress: ProgressCallback | None = None) -> None:
        """Train to the end, with about a hundred calls of ``progress``."""
        total = self.config.num_steps
        with one_torch_thread():
            while self.actor.num_decisions < total:
                before = self.actor.num_decisions
                self.advance()
                done = min(self.actor.num_decisions, total)
                if 100 * done // total > 100 * before // total:
                    figures = self._figures()
                    if progress is not None:
                        progress("response", done, total, figures)

    def advance(self) -> None:
        """Play one round, then take the gradient steps and target copies that its calls make due."""
        before = self.actor.num_calls
        self.actor.advance(self._acting_network)
        if learn_from_calls(self.config, self.actor, self.learner, before):
            self._refresh_acting_network()

    def _refresh_acting_network(self) -> None:
        try:
            self._acting_network = _core.Mlp(list(self.learner.layers()))
        except InvalidArgumentError as error:
            raise NumericalError(
                f"respond: the network left the finite numbers by gradient step {self.learner.num_gradient_steps}; "
                f"try a smaller learning_rate than {self.config.learning_rate}"
            ) from error

    def _figures(self) -> dict[str, float]:
        seconds = time.perf_counter() - self._started
        return {
            "mean_return": self.actor.mean_return,
            "loss": self.learner.update_mean_loss(),
            "epsilon": self.actor.epsilon(self.actor.num_calls),
            "steps_per_s": self.actor.num_decisions / seconds,
        }

    def response(self) -> Response:
        """Return the greedy policy of the present weights."""
        actor = self.actor
        if self.learner.num_gradient_steps == 0:
            raise ConfigError(
                f"respond: {actor.num_transitions} transitions were complete after num_steps {self.config.num_steps}, "
                f"fewer than min_replay {self.config.min_replay}, so the network was never trained; raise num_steps or "
                "lower min_replay or num_parallel_episodes"
            )
        report = {
            "num_steps": float(actor.num_decisions),
            "num_calls": float(actor.num_calls),
            "num_episodes": float(actor.num_episodes),
            "num_coverage_episodes": float(actor.num_coverage_episodes),
            "num_gradient_steps": float(self.learner.num_gradient_steps),
            "num_target_copies": float(self.learner.num_target_copies),
            "mean_disagreement": actor.mean_disagreement,
            **self._figures(),
            "duration_s": time.perf_counter() - self._started,
        }
        return Response(NetworkPolicy(self.learner.layers(), kind="greedy"), report)

    def export_state(self) -> State:
        """Return everything a training of the same arguments needs to continue, as named arrays."""
        state = {f"actor.{name}": array for name, array in self.actor.export_state().items()}
        return state | {f"learner.{name}": array for name, array in self.learner.export_state().items()}

    def restore(self, state: Mapping[str, np.ndarray[Any, Any]]) -> None:
        """Continue from an exported state."""
        parts: dict[str, State] = {"actor": {}, "learner": {}}
        try:
            for name, array in state.items():
                part, _, rest = name.partition(".")
                parts[part][rest] = array
            self.actor.restore(parts["actor"])
            self.learner.restore(parts["learner"])
        except (KeyError, InvalidArgumentError) as error:
            raise CheckpointError(f"respond: the state of a training does not fit: {error}") from error
        self._refresh_acting_network()


def learn_from_calls(config: DDQNTorch, actor: _core.Actor, learner: Learner, before: int) -> bool:
    """Take what the calls since ``before`` make due; return whether the network changed."""
    has_learned = False
    for event in due_events(before, actor.num_calls, config.learn_period, config.target_period):
        if event == "copy":
            learner.copy_to_target()
        elif actor.num_transitions >= config.min_replay:
            learner.gradient_step(actor.sample(config.batch_size, learner.num_gradient_steps))
            has_learned = True
    return has_learned


def make_actor(
    config: DDQNTorch, dynamics: Any, opponents: Mixture, objective: ResponseObjective, seed: int, player: int
) -> _core.Actor:
    """Return the compiled actor of a training."""
    policies, probabilities = as_mixture(opponents).core
    return _core.Actor(
        dynamics.core,
        policies,
        probabilities,
        seed=seed,
        player=player,
        num_parallel_episodes=config.num_parallel_episodes,
        replay_capacity=config.replay_capacity,
        uncertainty_penalty=objective.uncertainty_penalty,
        coverage_weight=objective.coverage_weight,
        epsilon_start=config.epsilon_start,
        epsilon_end=config.epsilon_end,
        epsilon_decay_steps=config.epsilon_decay_steps,
    )
