"""Robust Q-iteration as a response: one that is wary of what follows in the dynamics."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from coffee_fast.checks import check_choice, check_flag, check_number, check_progress
from coffee_fast.errors import ConfigError, InvalidArgumentError
from coffee_fast.regularized.robust.fitting import Fear, Fitting
from coffee_fast.regularized.robust.played_rounds import Playground, Rounds
from coffee_fast.responses._arguments import check_hidden_sizes, check_training, opponents_by_seat, seats_of_learner
from coffee_fast.responses.base import Response
from coffee_fast.responses.objective import ResponseObjective
from coffee_fast.typing import ProgressCallback

if TYPE_CHECKING:
    from coffee_fast.dynamics import Dynamics
    from coffee_fast.policies import Mixture


@dataclass(frozen=True)
class RPQ:
    """Robust regularized Q-iteration (:func:`coffee_fast.regularized.network_rpq`) on play in the dynamics.

    Rounds of episodes are played, the first uniformly at random, later ones by the answer so far; after each, networks
    are fitted to all decisions so far, whose values hold transitions to be somewhat worse than in that play: a response
    that is conservative even where a model's members agree.

    Attributes
    ----------
    distance
        How transitions may differ, as in ``network_rpq``.
    weight
        What a difference costs, in units of the reward scale.
    has_fail_state
        Whether the episode may end at any time; of total variation alone.
    num_rounds, num_episodes, exploration
        Rounds of play, episodes of each, and how often an action in them is uniformly random.
    discount
        For each decision of the learner.
    hidden_sizes
        Widths of the ReLU layers.
    num_iterations, num_steps, batch_size, learning_rate, tolerance
        As in ``network_rpq``, for each round.

    Raises
    ------
    ConfigError
        If a value is impossible.

    Examples
    --------
    >>> RPQ(distance="kl", weight=0.5).num_rounds
    4
    """

    distance: Literal["total_variation", "kl", "chi_squared"] = "total_variation"
    weight: float = 2.0
    has_fail_state: bool = False
    num_rounds: int = 4
    num_episodes: int = 2000
    exploration: float = 0.2
    discount: float = 1.0
    hidden_sizes: tuple[int, ...] = (64, 64)
    num_iterations: int = 20
    num_steps: int = 300
    batch_size: int = 256
    learning_rate: float = 3e-3
    tolerance: float = 0.1

    kind: ClassVar[str] = "rpq"
    is_risk_neutral: ClassVar[bool] = True  # learns against the mean opponent

    def __post_init__(self) -> None:
        object.__setattr__(self, "hidden_sizes", check_hidden_sizes("RPQ", self.hidden_sizes))
        check_choice("RPQ: distance", self.distance, ("total_variation", "kl", "chi_squared"), error=ConfigError)
        object.__setattr__(self, "weight", check_number("RPQ: weight", self.weight, is_open=True, error=ConfigError))
        check_flag("RPQ: has_fail_state", self.has_fail_state, error=ConfigError)
        try:
            self._fitting(0), self._rounds()
        except InvalidArgumentError as error:
            raise ConfigError(str(error)) from None

    def _fitting(self, seed: int) -> Fitting:
        names = ("num_iterations", "num_steps", "batch_size", "learning_rate", "discount", "tolerance")
        return Fitting.of("RPQ", self.hidden_sizes, **{name: getattr(self, name) for name in names}, seed=seed)

    def _rounds(self) -> Rounds:
        return Rounds.of("RPQ", self.num_rounds, self.num_episodes, self.exploration)

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
        """Play, fit networks, and return their greedy policy; see `ResponseOracle.respond`.

        ``progress`` counts rounds; the report's steps are the learner's decisions. What is interrupted begins anew.

        Raises
        ------
        NumericalError
            If values left the finite numbers.
        """
        seed, reward_scale = check_training(self, dynamics, objective, seed, reward_scale)
        check_progress("respond: progress", progress)
        began = time.perf_counter()
        playground = Playground(
            dynamics,
            opponents_by_seat(opponents, dynamics.spec.num_players),
            seats_of_learner(player, dynamics),
            objective.uncertainty_penalty,
            objective.coverage_weight,
        )
        fear = Fear(self.distance, None, self.weight * reward_scale, self.has_fail_state)
        rounds, fitting = self._rounds(), replace(self._fitting(0), seed=seed)
        found = rounds.run("RPQ", playground, None, fear, fitting, progress, "response")
        report = {
            "num_steps": float(found.num_decisions),
            "num_episodes": float(self.num_rounds * self.num_episodes),
            "value": found.value,
            "change": found.change,
            "residual": found.residual,
            "seconds": time.perf_counter() - began,
        }
        return Response(found.policy, report)
