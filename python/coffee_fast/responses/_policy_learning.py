"""What self-play and the response oracle by policy gradients tell their learner alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol

from coffee_fast import _core
from coffee_fast.checks import check_choice, check_count, check_number
from coffee_fast.errors import ConfigError, shown
from coffee_fast.policies import Layers, Mixture, Policy
from coffee_fast.responses._arguments import check_hidden_sizes
from coffee_fast.simulation import LARGEST_INT

if TYPE_CHECKING:
    from coffee_fast.dynamics import Dynamics
    from coffee_fast.responses.base import State
    from coffee_fast.typing import Float64, LearningSeat

_COUNTS = ("num_updates", "num_episodes", "num_parallel_episodes", "batch_size", "num_epochs")
_NUMBERS: Mapping[str, Mapping[str, Any]] = {
    "clip": {"is_open": True},
    "step_size": {"is_open": True},
    "gae_lambda": {"at_most": 1.0},
    "learning_rate": {"is_open": True},
    "learning_rate_end": {"is_open": True},  # the learner takes steps to the end
    "kl_weight": {},
    "kl_weight_end": {},
    "averaging": {"at_most": 1.0},
}
_OF_LEARNER = (
    *("num_episodes", "num_parallel_episodes", "batch_size", "num_epochs"),
    *("update", "clip", "step_size", "gae_lambda", "averaging"),
)


class PolicyLearning:
    """Fields, their checks and their schedules, of a frozen dataclass that has them."""

    hidden_sizes: tuple[int, ...]
    num_updates: int
    num_episodes: int
    num_parallel_episodes: int
    batch_size: int
    num_epochs: int
    update: Literal["clipped", "mirror_descent"]
    clip: float
    step_size: float
    gae_lambda: float
    learning_rate: float
    learning_rate_end: float
    kl_weight: float
    kl_weight_end: float
    averaging: float
    device: str | None

    def _check_learning(self) -> None:
        """Keep the fields as plain values, or raise ``ConfigError``."""
        name = type(self).__name__
        object.__setattr__(self, "hidden_sizes", check_hidden_sizes(name, self.hidden_sizes))
        for field in _COUNTS:
            limits: dict[str, Any] = {"at_least": 1, "at_most": LARGEST_INT}
            count = check_count(f"{name}: {field}", getattr(self, field), error=ConfigError, **limits)
            object.__setattr__(self, field, count)
        for field, limits_of_number in _NUMBERS.items():
            number = check_number(f"{name}: {field}", getattr(self, field), error=ConfigError, **limits_of_number)
            object.__setattr__(self, field, number)
        check_choice(f"{name}: update", self.update, ("clipped", "mirror_descent"), error=ConfigError)
        if not (self.device is None or isinstance(self.device, str)):
            raise ConfigError(f"{name}: device must be None or a name that torch knows, got {shown(self.device)}")
        if self.averaging == 1.0:
            raise ConfigError(f"{name}: averaging must be below 1, or nothing would be learned, got 1")
        if (self.kl_weight == 0.0) != (self.kl_weight_end == 0.0):
            raise ConfigError(
                f"{name}: kl_weight and kl_weight_end must both be above 0, since the weight falls geometrically, or "
                f"both 0, got {self.kl_weight:g} and {self.kl_weight_end:g}"
            )

    def kl_weight_at(self, update: int) -> float:
        """Return the weight of update number ``update``, counted from 0."""
        share = self._share(update)
        return float(self.kl_weight ** (1.0 - share) * self.kl_weight_end**share) if self.kl_weight else 0.0

    def learning_rate_at(self, update: int) -> float:
        """Return the learning rate of update number ``update``, counted from 0."""
        share = self._share(update)
        return (1.0 - share) * self.learning_rate + share * self.learning_rate_end

    def _share(self, update: int) -> float:
        """How much of the run lies behind an update: 0 at the first, 1 at the last."""
        update = check_count(f"{type(self).__name__}: update", update, at_most=self.num_updates - 1)
        return update / (self.num_updates - 1) if self.num_updates > 1 else 0.0

    def _make_learner(
        self,
        dynamics: Dynamics,
        policies: Sequence[Layers],
        values: Sequence[Layers],
        opponents: Sequence[Mixture],
        references: Sequence[Policy],
        *,
        learning_seats: Sequence[Sequence[LearningSeat]],
        seed: int,
        uncertainty_penalty: float,
        coverage_weight: float,
        reward_scale: float,
        kl_in_rewards: bool = False,
        adversaries: Sequence[tuple[int, float]] = (),
    ) -> PolicyLearner:
        """Return the compiled learner, or the one in torch where a device is named."""
        episodes: dict[str, Any] = {
            "dynamics": dynamics.core,
            "opponents": [mixture.core for mixture in opponents],
            "learning_seats": learning_seats,
            "seed": seed,
            "uncertainty_penalty": uncertainty_penalty,
            "coverage_weight": coverage_weight,
        }
        learning: dict[str, Any] = {
            "reward_scale": reward_scale,
            "kl_in_rewards": kl_in_rewards,
            "adversaries": list(adversaries),
        }
        if self.device is not None:
            from coffee_fast.responses._torch_policy_learner import TorchPolicyLearner

            return TorchPolicyLearner(self, self.device, policies, values, references, **learning, **episodes)
        return _core.PolicyLearner(
            policies=[list(layers) for layers in policies],
            values=[list(layers) for layers in values],
            references=[reference.core for reference in references],
            **{field: getattr(self, field) for field in _OF_LEARNER},
            **learning,
            **episodes,
        )


class PolicyLearner(Protocol):
    """What both learners can do; see ``policy_learner.hpp``."""

    @property
    def num_updates(self) -> int: ...

    def update(
        self,
        kl_weight: float,
        learning_rate: float,
        opponent_weights: Sequence[Sequence[float] | Float64] = ...,
        num_threads: int = ...,
    ) -> dict[str, Any]: ...

    def average(self, k: int) -> Sequence[Any]: ...

    def export_state(self) -> State: ...

    def restore(self, state: State) -> None: ...
