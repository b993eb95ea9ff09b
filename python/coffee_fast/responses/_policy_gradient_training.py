"""One training of a policy gradient: an update at a time, of episodes against the opponents alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from coffee_fast.errors import CheckpointError, ConfigError, InvalidArgumentError
from coffee_fast.policies import Mixture, NetworkPolicy, UniformRandom
from coffee_fast.responses._arguments import check_training, opponents_by_seat, seats_of_learner
from coffee_fast.responses._initial_weights import initial_layers
from coffee_fast.responses._strategy_adversary import StrategyAdversary
from coffee_fast.responses.base import Response, State
from coffee_fast.seeding import derive_seed

if TYPE_CHECKING:
    from coffee_fast.dynamics import Dynamics
    from coffee_fast.responses.objective import ResponseObjective
    from coffee_fast.responses.policy_gradient import PolicyGradient

# Of each update: figures of one of the networks, those that add up over updates, and what each means in the report.
_OF_LEARNER = {"learner_returns": "mean_return", "entropy": "entropy", "kl": "kl", "value_error": "value_error"}
_TOTALS = ("num_steps", "num_episodes", "num_coverage_episodes", "learning_s")


class PolicyGradientTraining:
    """A `ResponseTraining` whose steps are updates."""

    def __init__(
        self,
        config: PolicyGradient,
        dynamics: Dynamics,
        opponents: Mixture | Sequence[Mixture],
        objective: ResponseObjective,
        seed: int,
        reward_scale: float,
        player: int | Sequence[int] | None,
    ) -> None:
        seed, reward_scale = check_training(config, dynamics, objective, seed, reward_scale)
        self.config = config
        features, actions = dynamics.spec.information_state_size, dynamics.spec.num_actions
        policy, value = (
            initial_layers((features, *config.hidden_sizes, outputs), derive_seed(seed, purpose), "torch")
            for purpose, outputs in (("policy_weights", actions), ("value_weights", 1))
        )
        mixtures = opponents_by_seat(opponents, dynamics.core.num_players)
        averse = objective.risk_aversion > 0.0
        self._adversary = StrategyAdversary(mixtures, objective.risk_aversion / reward_scale) if averse else None
        self._learner = config._make_learner(
            dynamics,
            [policy],
            [value],
            mixtures,
            [UniformRandom()],
            learning_seats=[[(seat, 0, None)] for seat in seats_of_learner(player, dynamics)],
            seed=seed,
            uncertainty_penalty=objective.uncertainty_penalty,
            coverage_weight=objective.coverage_weight,
            reward_scale=reward_scale,
        )
        figures = (*_OF_LEARNER.values(), "mean_disagreement", *(("certainty_equivalent",) if averse else ()))
        self._figures = dict.fromkeys(figures, np.nan)  # of the last update
        self._totals = dict.fromkeys(_TOTALS, 0.0)
        self._started, self._steps_before = time.perf_counter(), 0.0

    @property
    def num_done(self) -> int:
        return int(self._learner.num_updates)

    @property
    def num_steps(self) -> int:
        return self.config.num_updates

    def advance(self, should_stop: Callable[[], bool] = lambda: False) -> None:
        """Train up to the next hundredth, by one update at least."""
        mark = -(-self.num_steps * (100 * self.num_done // self.num_steps + 1) // 100)
        while self.num_done < mark and not should_stop():
            self._update()

    def _update(self) -> None:
        update = self.num_done
        weights = self._adversary.weights() if self._adversary else ()
        found = self._learner.update(self.config.kl_weight_at(update), self.config.learning_rate_at(update), weights)
        self._figures |= {name: float(found[figure][0]) for figure, name in _OF_LEARNER.items()}
        self._figures["mean_disagreement"] = found["disagreement"]
        if self._adversary:
            self._adversary.observe(found)
            self._figures["certainty_equivalent"] = self._adversary.certainty_equivalent()
        own = {**found, "num_steps": found["num_decisions"][0]}
        self._totals = {name: total + float(own[name]) for name, total in self._totals.items()}

    def figures(self) -> dict[str, float]:
        seconds = time.perf_counter() - self._started
        return {**self._figures, "steps_per_s": (self._totals["num_steps"] - self._steps_before) / seconds}

    def response(self) -> Response:
        """Return the averaged policy, played as the configuration says."""
        if self._totals["num_steps"] == 0:
            raise ConfigError(
                f"respond: the learner decided nothing in {self._totals['num_episodes']:.0f} episodes, so the network "
                "was never trained; is it ever on move?"
            )
        report = {
            "num_updates": float(self.num_done),
            **self._totals,
            **self.figures(),
            "duration_s": time.perf_counter() - self._started,
        }
        return Response(NetworkPolicy(tuple(self._learner.average(0)), kind=self.config.play), report)

    def export_state(self) -> State:
        """Return everything a training of the same arguments needs to continue, between two updates."""
        state = {f"learner.{name}": array for name, array in self._learner.export_state().items()}
        if self._adversary:
            state |= {f"adversary.{name}": array for name, array in self._adversary.export_state().items()}
        return state | {f"report.{name}": np.array([v]) for name, v in (self._figures | self._totals).items()}

    def restore(self, state: State) -> None:
        try:
            report = {name: float(state[f"report.{name}"].item()) for name in (*self._figures, *self._totals)}
            self._learner.restore(_part(state, "learner."))
            if self._adversary:
                self._adversary.restore(_part(state, "adversary."))
        except (KeyError, ValueError, InvalidArgumentError) as error:
            raise CheckpointError(f"the state of a training does not fit: {error}") from error
        self._figures = {name: report[name] for name in self._figures}
        self._totals = {name: report[name] for name in self._totals}
        self._started, self._steps_before = time.perf_counter(), self._totals["num_steps"]


def _part(state: State, prefix: str) -> State:
    return {name.removeprefix(prefix): array for name, array in state.items() if name.startswith(prefix)}
