"""One training of self-play: updates of the learner, their figures, and the policies that are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from coffee_fast.errors import CheckpointError, CoffeeError, ConfigError
from coffee_fast.policies import Layers, Mixture, NetworkPolicy, UniformRandom
from coffee_fast.policy_files import policy_arrays, policy_from_arrays
from coffee_fast.responses._initial_weights import initial_layers
from coffee_fast.responses.base import State
from coffee_fast.seeding import derive_seed
from coffee_fast.self_play.line_up import line_up
from coffee_fast.typing import Float64

if TYPE_CHECKING:
    from coffee_fast.dynamics import Dynamics
    from coffee_fast.policies import Policy
    from coffee_fast.self_play.config import SelfPlayConfig

BY_PLAYER = ("returns",)
BY_ROLE = ("kl", "kl_per_episode", "entropy", "step_kl", "value_error", "clipped", "num_decisions")
WHOLE = ("disagreement",)
SCHEDULES = ("kl_weight", "learning_rate")
OF_ADVERSARIES = ("adversary_kl",)

Snapshot = tuple[NetworkPolicy, ...]
"""One policy a role."""


class SelfPlayTraining:
    """A training under way: between two updates its state can be kept, and taken up elsewhere."""

    def __init__(
        self, model: Dynamics, config: SelfPlayConfig, seed: int, reward_scale: float, references: Sequence[Policy]
    ) -> None:
        spec, self.config = model.spec, config
        self._roles, self._num_roles = np.array(spec.role_of), spec.num_roles
        if config.risk_aversion and spec.num_players == 1:
            raise ConfigError(
                "SelfPlayConfig: risk_aversion is about what other players may do, so it must be 0 in a game of one "
                f"player, got {config.risk_aversion:g}"
            )
        line = line_up(spec.role_of, config.risk_aversion)
        role_of = [*range(self._num_roles), *(role for role, _ in line.adversaries)]  # in whose place a network plays
        starts = [self._start(network, references[role], spec, seed) for network, role in enumerate(role_of)]
        uniform = Mixture((UniformRandom(),), np.ones(1))  # what the others play in coverage episodes
        self._learner = config._make_learner(
            model,
            starts,
            [self._initial("value", network, 1, spec, seed) for network in range(len(role_of))],
            [uniform] * spec.num_players,
            references,
            learning_seats=line.learning_seats,
            adversaries=line.adversaries,
            seed=derive_seed(seed, "episodes"),
            uncertainty_penalty=config.uncertainty_penalty,
            coverage_weight=config.coverage_weight,
            reward_scale=reward_scale,
            kl_in_rewards=config.kl_in_rewards,
        )
        names = (*BY_PLAYER, *WHOLE, *BY_ROLE, *SCHEDULES, *(OF_ADVERSARIES if line.adversaries else ()))
        self._figures: dict[str, list[Float64]] = {name: [] for name in names}
        self._snapshots: list[Snapshot] = []
        self._keep()

    def _start(self, network: int, reference: Policy, spec: Any, seed: int) -> Layers:
        """The weights of a policy before it learns: those of its reference, or random ones where that has none."""
        if not isinstance(reference, NetworkPolicy):
            return self._initial("policy", network, spec.num_actions, spec, seed)
        *hidden, (weight, bias) = reference.layers
        scale = np.float32(1.0 / reference.temperature)
        return (*hidden, (weight * scale, bias * scale))

    def _initial(self, purpose: str, network: int, num_outputs: int, spec: Any, seed: int) -> Layers:
        sizes = (spec.information_state_size, *self.config.hidden_sizes, num_outputs)
        return initial_layers(sizes, derive_seed(seed, purpose, network), "torch")

    @property
    def num_done(self) -> int:
        """Updates done."""
        return int(self._learner.num_updates)

    @property
    def snapshots(self) -> tuple[Snapshot, ...]:
        """The policies kept so far."""
        return tuple(self._snapshots)

    def advance(self, num_threads: int) -> dict[str, float]:
        """Make one update and return what to tell about it."""
        config, update = self.config, self.num_done
        schedule = {"kl_weight": config.kl_weight_at(update), "learning_rate": config.learning_rate_at(update)}
        found = self._learner.update(schedule["kl_weight"], schedule["learning_rate"], num_threads=num_threads)
        told_of = schedule | found | {name: found[name][: self._num_roles] for name in BY_ROLE}
        if "adversary_kl" in self._figures:
            told_of |= {
                "returns": found["learner_returns"][self._roles],
                "adversary_kl": found["kl"][self._num_roles :],
            }
        for name, rows in self._figures.items():
            rows.append(np.array(told_of[name], dtype=np.float64))
        self._keep()
        told = {name: float(self._figures[name][-1].mean()) for name in ("returns", "entropy", "kl", "disagreement")}
        return {"mean_return": told.pop("returns"), **told}

    def _keep(self) -> None:
        """Keep the averaged policies, if a snapshot is due."""
        if self.num_done in self.config.snapshot_updates:
            self._snapshots.append(tuple(self._average(role) for role in range(self._num_roles)))

    def history(self) -> dict[str, Float64]:
        """Return the figures of all updates so far, one array each, updates along the first axis."""
        return {name: np.stack(rows) for name, rows in self._figures.items()}

    def export_state(self) -> State:
        """Return all that a training of the same arguments needs to continue with the same bits."""
        state: State = {f"learner.{name}": array for name, array in self._learner.export_state().items()}
        if self.num_done:
            state |= {f"history.{name}": array for name, array in self.history().items()}
        for place, snapshot in enumerate(self._snapshots):
            for role, policy in enumerate(snapshot):
                state |= policy_arrays(policy, f"snapshot.{place}.{role}.")[1]
        return state

    def restore(self, state: State) -> None:
        """Continue from an exported state; ``CheckpointError`` if it does not fit."""
        parts: dict[str, State] = {"learner": {}, "history": {}, "snapshot": {}}
        try:
            for name, array in state.items():
                part, _, rest = name.partition(".")
                parts[part][rest] = array
            self._learner.restore(parts["learner"])
            history = {name: list(parts["history"][name]) if self.num_done else [] for name in self._figures}
            num_snapshots = sum(update <= self.num_done for update in self.config.snapshot_updates)
            snapshots = [self._restored(place, parts["snapshot"]) for place in range(num_snapshots)]
            if {len(rows) for rows in history.values()} != {self.num_done}:
                raise CheckpointError(f"history is not of {self.num_done} updates")
        except (KeyError, TypeError, ValueError, CoffeeError) as error:
            raise CheckpointError(f"the state of a training does not fit: {error}") from error
        self._figures, self._snapshots = history, snapshots

    def _restored(self, place: int, arrays: State) -> Snapshot:
        about = {"policy": "network", "kind": "softmax", "temperature": 1.0}
        policies = [
            policy_from_arrays({**about, "num_layers": len(self._learner.average(role))}, arrays, f"{place}.{role}.")
            for role in range(self._num_roles)
        ]
        return tuple(policy for policy in policies if isinstance(policy, NetworkPolicy))

    def _average(self, role: int) -> NetworkPolicy:
        layers: Layers = tuple(self._learner.average(role))
        return NetworkPolicy(layers, kind="softmax")
