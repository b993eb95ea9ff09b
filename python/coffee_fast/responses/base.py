"""What a response oracle is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from coffee_fast.responses.objective import ResponseObjective
from coffee_fast.typing import ProgressCallback

if TYPE_CHECKING:
    from coffee_fast.policies import Mixture, NetworkPolicy


@dataclass(frozen=True)
class Response:
    """A learned policy and how its training went.

    Attributes
    ----------
    policy
        The policy, frozen and without exploration.
    report
        Named figures of the training: steps, episodes, losses, seconds.
    """

    policy: NetworkPolicy
    report: Mapping[str, float]


class ResponseOracle(Protocol):
    """Learns a policy that does well against given opponents.

    An oracle is a frozen configuration: ``respond`` has no side effects and equal arguments give the same bits.
    """

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
        """Return a policy for ``player`` that maximizes ``objective``.

        Parameters
        ----------
        dynamics
            A game or a dynamics ensemble.
        opponents
            What every other player plays; one policy is drawn for each at the start of an episode.
        objective
            What an episode is worth (Nguyen and Wellman 2026, Eq. 4).
        seed
            Of everything random, in ``[0, 2**63)``.
        reward_scale
            Rewards are divided by it where values are learned; penalties are in raw units of reward.
        player
            The seat of the learner.
        progress
            Called now and then with ``("response", steps done, steps in all, figures)``.
        """
        ...

    def to_config(self) -> dict[str, Any]:
        """Return the configuration as plain values with a ``kind``, for manifests."""
        ...
