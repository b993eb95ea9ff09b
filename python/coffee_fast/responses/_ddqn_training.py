"""One training of a double DQN: rounds of experience and the gradient steps they make due."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from coffee_fast import _core
from coffee_fast.errors import CheckpointError, ConfigError, InvalidArgumentError
from coffee_fast.policies import Layers, Mixture, NetworkPolicy
from coffee_fast.responses._arguments import check_training, opponents_by_seat, seats_of_learner
from coffee_fast.responses._initial_weights import initial_layers
from coffee_fast.responses.base import Response, State
from coffee_fast.seeding import derive_seed

if TYPE_CHECKING:
    from coffee_fast.dynamics import Dynamics
    from coffee_fast.responses.ddqn import DDQN
    from coffee_fast.responses.objective import ResponseObjective

DECISIONS_BETWEEN_LOOKS = 128  # some 15 ms of the paper's training pass between two looks at whether to stop


class DDQNTraining:
    """A `ResponseTraining`: what the compiled one and its torch twin share, the actor, progress and the report."""

    num_gradient_steps: int
    num_target_copies: int
    learning_seconds: float  # of the wall clock, in gradient steps

    def __init__(
        self,
        config: DDQN,
        dynamics: Dynamics,
        opponents: Mixture | Sequence[Mixture],
        objective: ResponseObjective,
        seed: int,
        reward_scale: float,
        player: int | Sequence[int] | None,
    ) -> None:
        seed, reward_scale = check_training(config, dynamics, objective, seed, reward_scale)
        self.config = config
        self.actor = make_actor(config, dynamics, opponents, objective, seed, player)
        sizes = (dynamics.spec.information_state_size, *config.hidden_sizes, dynamics.spec.num_actions)
        online, target = (
            initial_layers(sizes, derive_seed(seed, purpose), config.init)
            for purpose in ("online_weights", "target_weights")
        )
        self._mean_loss = math.nan
        self.begin(online, target, reward_scale)
        self._started, self._num_restored = time.perf_counter(), 0

    def begin(self, online: Layers, target: Layers, reward_scale: float) -> None:
        """Take up the initial networks."""
        raise NotImplementedError

    def advance_to(self, num_decisions: int) -> None:
        """Train until the learner has made so many decisions."""
        raise NotImplementedError

    def layers(self) -> Layers:
        """Copies of the present weights."""
        raise NotImplementedError

    def take_mean_loss(self) -> float:
        """Mean loss since this was last asked."""
        raise NotImplementedError

    def export_learner(self) -> State:
        raise NotImplementedError

    def restore_learner(self, state: State) -> None:
        raise NotImplementedError

    @property
    def num_done(self) -> int:
        return min(self.actor.num_decisions, self.num_steps)

    @property
    def num_steps(self) -> int:
        return self.config.num_steps

    def advance(self, should_stop: Callable[[], bool] = lambda: False) -> None:
        """Train up to the next hundredth; the loss is averaged over each."""
        percent = 100 * self.num_done // self.num_steps + 1
        mark = math.ceil(self.num_steps * percent / 100)
        while self.actor.num_decisions < mark:
            if should_stop():
                return
            self.advance_to(min(mark, self.actor.num_decisions + DECISIONS_BETWEEN_LOOKS))
        mean_loss = self.take_mean_loss()
        if math.isfinite(mean_loss):  # NaN while nothing was learned
            self._mean_loss = mean_loss

    def figures(self) -> dict[str, float]:
        seconds = time.perf_counter() - self._started
        return {
            "mean_return": self.actor.mean_return,
            "loss": self._mean_loss,
            "epsilon": self.actor.epsilon(self.actor.num_calls),
            "steps_per_s": (self.actor.num_decisions - self._num_restored) / seconds,
        }

    def response(self) -> Response:
        """Return the greedy policy of the present weights."""
        actor = self.actor
        if self.num_gradient_steps == 0:
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
            "num_gradient_steps": float(self.num_gradient_steps),
            "num_target_copies": float(self.num_target_copies),
            "mean_disagreement": actor.mean_disagreement,
            **self.figures(),
            "learning_s": self.learning_seconds,
            "duration_s": time.perf_counter() - self._started,
        }
        return Response(NetworkPolicy(self.layers(), kind="greedy"), report)

    def export_state(self) -> State:
        """Return everything a training of the same arguments needs to continue, after any call of ``advance_to``."""
        state = {f"actor.{name}": array for name, array in self.actor.export_state().items()}
        state |= {f"learner.{name}": array for name, array in self.export_learner().items()}
        return state | {"report.mean_loss": np.array([self._mean_loss])}

    def restore(self, state: State) -> None:
        parts: dict[str, State] = {"actor": {}, "learner": {}, "report": {}}
        try:
            for name, array in state.items():
                part, _, rest = name.partition(".")
                parts[part][rest] = array
            self.actor.restore(parts["actor"])
            self.restore_learner(parts["learner"])
            (self._mean_loss,) = parts["report"]["mean_loss"].tolist()
        except (KeyError, ValueError, InvalidArgumentError) as error:
            raise CheckpointError(f"the state of a training does not fit: {error}") from error
        self._started, self._num_restored = time.perf_counter(), self.actor.num_decisions


class NativeTraining(DDQNTraining):
    """The compiled learner: acting and learning in one loop that holds no interpreter lock."""

    def begin(self, online: Layers, target: Layers, reward_scale: float) -> None:
        config = self.config
        self._network = _core.QNetwork(list(online), list(target), config.discount, config.learning_rate)
        self._learner = _core.QLearner(
            self.actor,
            self._network,
            batch_size=config.batch_size,
            min_replay=config.min_replay,
            learn_period=config.learn_period,
            target_period=config.target_period,
            reward_scale=reward_scale,
        )

    def advance_to(self, num_decisions: int) -> None:
        self._learner.run(num_decisions)

    def layers(self) -> Layers:
        return tuple(self._network.read(_core.QNetwork.Part.online))

    def take_mean_loss(self) -> float:
        return float(self._learner.take_mean_loss())

    @property
    def num_gradient_steps(self) -> int:  # type: ignore[override]
        return int(self._network.num_steps)

    @property
    def num_target_copies(self) -> int:  # type: ignore[override]
        return int(self._learner.num_target_copies)

    @property
    def learning_seconds(self) -> float:  # type: ignore[override]
        return float(self._learner.learning_seconds)

    def export_learner(self) -> State:
        state: State = {
            f"{name}.{layer}.{kind}": array
            for name, part in _core.QNetwork.Part.__members__.items()
            for layer, arrays in enumerate(self._network.read(part))
            for kind, array in zip(("weights", "bias"), arrays, strict=True)
        }
        return state | {"counters": np.array([self.num_gradient_steps, self.num_target_copies], dtype=np.int64)}

    def restore_learner(self, state: State) -> None:
        num_layers = len(self.config.hidden_sizes) + 1
        for name, part in _core.QNetwork.Part.__members__.items():
            layers = [(state[f"{name}.{layer}.weights"], state[f"{name}.{layer}.bias"]) for layer in range(num_layers)]
            self._network.write(part, layers)
        self._network.num_steps, self._learner.num_target_copies = (int(count) for count in state["counters"])


def make_actor(
    config: DDQN,
    dynamics: Dynamics,
    opponents: Mixture | Sequence[Mixture],
    objective: ResponseObjective,
    seed: int,
    player: int | Sequence[int] | None,
) -> _core.Actor:
    """Return the compiled actor of a training."""
    return _core.Actor(
        dynamics.core,
        [mixture.core for mixture in opponents_by_seat(opponents, dynamics.core.num_players)],
        seed=seed,
        seats=seats_of_learner(player, dynamics),
        num_parallel_episodes=config.num_parallel_episodes,
        replay_capacity=config.replay_capacity,
        uncertainty_penalty=objective.uncertainty_penalty,
        coverage_weight=objective.coverage_weight,
        epsilon_start=config.epsilon_start,
        epsilon_end=config.epsilon_end,
        epsilon_decay_steps=config.epsilon_decay_steps,
    )
