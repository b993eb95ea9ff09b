"""Double DQN with its gradient steps in torch, for other devices: the twin of the compiled one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from coffee_fast.responses.ddqn import DDQN
from coffee_fast.responses.objective import ResponseObjective

if TYPE_CHECKING:
    from coffee_fast.dynamics import Dynamics
    from coffee_fast.policies import Mixture
    from coffee_fast.responses._ddqn_training import DDQNTraining


@dataclass(frozen=True)
class DDQNTorch(DDQN):
    """The oracle of :class:`DDQN`, with the same semantics, initial weights and experience for the same seed.

    The two differ by the rounding of their gradient steps alone. While it trains, torch computes on one thread, so
    equal arguments give the same bits on the same machine whatever the settings. That setting is the whole process's,
    so two of these trainings never go on at once.

    Attributes
    ----------
    device
        Where torch computes the gradient steps.
    """

    device: str = "cpu"

    kind: ClassVar[str] = "ddqn_torch"
    runs_on_threads: ClassVar[bool] = False

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
        from coffee_fast.responses._torch_training import TorchTraining

        return TorchTraining(self, dynamics, opponents, objective, seed, reward_scale, player)
