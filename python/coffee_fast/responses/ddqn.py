"""Double DQN, all of it compiled: the default response oracle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from coffee_fast.checks import check_choice, check_count, check_number
from coffee_fast.errors import ConfigError, shown
from coffee_fast.responses._arguments import check_hidden_sizes
from coffee_fast.responses.base import Response
from coffee_fast.responses.objective import ResponseObjective
from coffee_fast.responses.request import ResponseRequest
from coffee_fast.simulation import LARGEST_INT
from coffee_fast.typing import ProgressCallback

if TYPE_CHECKING:
    from coffee_fast.dynamics import Dynamics
    from coffee_fast.policies import Mixture
    from coffee_fast.responses._ddqn_training import DDQNTraining

_COUNTS = (
    "num_steps",
    "replay_capacity",
    "min_replay",
    "batch_size",
    "target_period",
    "learn_period",
    "epsilon_decay_steps",
    "num_parallel_episodes",
)


@dataclass(frozen=True)
class DDQN:
    r"""Deep Q-learning with a double-Q target (van Hasselt, Guez and Silver 2016); the defaults are the paper's.

    The learner's values are trained to
    :math:`r + \gamma (1 - \text{final}) \, Q_{target}(s', \arg\max_{a' \text{ legal}} Q(s', a'))`
    by the mean squared error and Adam. One clock, counting the learner's decisions and one call at the end of each
    episode, runs everything: at call :math:`c` the learner explores with the :math:`\epsilon` of :math:`c`, takes a
    gradient step if ``learn_period`` divides :math:`c` and the replay buffer holds ``min_replay`` transitions, then
    copies its weights to the target network if ``target_period`` divides :math:`c`. With more parallel episodes the
    gradient steps of a round follow the round, so their number for each call stays what it is.

    Attributes
    ----------
    hidden_sizes
        Widths of the ReLU layers.
    num_steps
        Training ends with the round in which the learner's decisions reach it.
    replay_capacity, min_replay, batch_size
        Transitions kept, needed before the first gradient step, and drawn for each (without replacement).
    learning_rate
        Of Adam.
    discount
        For each decision of the learner; not the discount of the game.
    target_period, learn_period
        In calls.
    epsilon_start, epsilon_end, epsilon_decay_steps
        Probability of a uniformly random legal action, linear in calls.
    num_parallel_episodes
        Episodes played in lockstep. Part of the configuration: results depend on it.
    init
        Initial weights: ``"torch"`` for torch's default of linear layers, ``"paper"`` for a normal distribution of
        deviation ``1 / sqrt(inputs)`` cut off at two deviations, with zero biases.

    Raises
    ------
    ConfigError
        If a value is impossible, or no gradient step could ever be taken.

    Notes
    -----
    A decision is worth the sum of all rewards up to the learner's next one, without discount; what is paid before its
    first decision teaches nothing. Penalties add up likewise.

    Source: Nguyen and Wellman 2026, Table 2 and Appendix A.

    Examples
    --------
    Small runs need small buffers; everything else may stay:

    >>> DDQN(num_steps=20_000, min_replay=1_000, replay_capacity=10_000).target_period
    1000
    """

    hidden_sizes: tuple[int, ...] = (200, 200)
    num_steps: int = 200_000
    replay_capacity: int = 50_000
    min_replay: int = 50_000
    batch_size: int = 64
    learning_rate: float = 1e-4
    discount: float = 0.99
    target_period: int = 1000
    learn_period: int = 2
    epsilon_start: float = 1.0
    epsilon_end: float = 0.02
    epsilon_decay_steps: int = 200_000
    num_parallel_episodes: int = 32
    init: Literal["torch", "paper"] = "torch"

    kind: ClassVar[str] = "ddqn"
    is_risk_neutral: ClassVar[bool] = True  # learns against the mean opponent
    runs_on_threads: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "hidden_sizes", check_hidden_sizes(type(self).__name__, self.hidden_sizes))
        for name in _COUNTS:
            object.__setattr__(self, name, self._count(name, getattr(self, name)))
        self._set_number("learning_rate", is_open=True)
        for name in ("discount", "epsilon_start", "epsilon_end"):
            self._set_number(name, at_most=1.0)
        check_choice(f"{type(self).__name__}: init", self.init, ("torch", "paper"), error=ConfigError)
        self._require(
            self.batch_size <= self.min_replay <= self.replay_capacity,
            "min_replay",
            f"between batch_size {self.batch_size} and replay_capacity {self.replay_capacity}",
        )
        if self.num_steps < self.min_replay:
            raise ConfigError(
                f"{type(self).__name__}: num_steps must be at least min_replay {self.min_replay}, or the network would "
                f"never be trained, got {self.num_steps}; smaller runs need a smaller min_replay and replay_capacity"
            )

    def _count(self, name: str, value: Any) -> int:
        return check_count(f"{type(self).__name__}: {name}", value, at_least=1, at_most=LARGEST_INT, error=ConfigError)

    def _set_number(self, name: str, **limits: Any) -> None:
        value = check_number(f"{type(self).__name__}: {name}", getattr(self, name), error=ConfigError, **limits)
        object.__setattr__(self, name, value)

    def _require(self, condition: bool, name: str, expected: str) -> None:
        if not condition:
            raise ConfigError(f"{type(self).__name__}: {name} must be {expected}, got {shown(getattr(self, name))}")

    def to_config(self) -> dict[str, Any]:
        """Return the configuration as plain values with its ``kind``."""
        return {"kind": self.kind, **asdict(self), "hidden_sizes": list(self.hidden_sizes)}

    def respond(
        self,
        dynamics: Dynamics,
        opponents: Mixture | Sequence[Mixture],
        objective: ResponseObjective,
        *,
        seed: int,
        reward_scale: float,
        player: int | Sequence[int] | None = None,
        progress: ProgressCallback | None = None,
    ) -> Response:
        """Train a fresh network and return its greedy policy; see `ResponseOracle.respond`.

        At the defaults 2e5 decisions and some 1.0e5 gradient steps of about 0.2 ms. Ctrl-C stops between two rounds.

        Raises
        ------
        ConfigError
            If training ended before ``min_replay`` transitions were collected.
        NumericalError
            If the network's values left the finite numbers.
        """
        return ResponseRequest(self, dynamics, opponents, objective, seed, reward_scale, player).train(progress)

    def start(
        self,
        dynamics: Dynamics,
        opponents: Mixture | Sequence[Mixture],
        objective: ResponseObjective,
        *,
        seed: int,
        reward_scale: float,
        player: int | Sequence[int] | None = None,
    ) -> DDQNTraining:
        """Return a training at its beginning; see `ResumableOracle.start`."""
        from coffee_fast.responses._ddqn_training import NativeTraining

        return NativeTraining(self, dynamics, opponents, objective, seed, reward_scale, player)
