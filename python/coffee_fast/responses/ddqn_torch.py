"""Double DQN with its gradient steps in torch, for other devices: the twin of the compiled one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from coffee_fast.responses.base import Response
from coffee_fast.responses.ddqn import DDQN
from coffee_fast.responses.objective import ResponseObjective
from coffee_fast.typing import ProgressCallback

if TYPE_CHECKING:
    from coffee_fast.policies import Mixture


@dataclass(frozen=True)
class DDQNTorch(DDQN):
    """The oracle of :class:`DDQN`, with the same semantics, initial weights and experience for the same seed.

    The two differ by the rounding of their gradient steps alone.

    Attributes
    ----------
    device
        Where torch computes the gradient steps.
    """

    device: str = "cpu"

    kind: ClassVar[str] = "ddqn_torch"

    def respond(
        self,
        dynamics: Any,
        opponents: Mixture,
        objective: ResponseObjective,
        *,
        seed: int,
        reward_scale: float,
        player: int = 0,
        progress: ProgressCallback | None = None,
    ) -> Response:
        """Train a fresh network and return its greedy policy; see `ResponseOracle.respond`.

        Torch computes on one thread meanwhile, so equal arguments give the same bits on the same machine whatever the
        settings.

        Raises
        ------
        ConfigError
            If training ended before ``min_replay`` transitions were collected.
        NumericalError
            If the network's values left the finite numbers.
        """
        from coffee_fast.responses._torch_training import TorchTraining, one_torch_thread

        with one_torch_thread():
            training = TorchTraining(self, dynamics, opponents, objective, seed, reward_scale, player)
            training.run(progress)
            return training.response()
