"""What a response oracle is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from coffee_fast.errors import CoffeeError, InvalidArgumentError, shown
from coffee_fast.responses.objective import ResponseObjective
from coffee_fast.typing import ProgressCallback

if TYPE_CHECKING:
    from coffee_fast.dynamics import Dynamics
    from coffee_fast.policies import Mixture, NetworkPolicy

State = dict[str, np.ndarray[Any, Any]]
"""All that a training needs to continue, as named arrays of at least one axis."""


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

    An oracle is a frozen configuration: ``respond`` has no side effects and equal arguments give the same bits. This
    much is enough for every function here that asks for an oracle. One whose trainings take minutes should be a
    :class:`ResumableOracle` besides, or an interruption loses the response it falls into.
    """

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
        """Return a policy for ``player``, one seat or those of a role, that maximizes ``objective``.

        Parameters
        ----------
        dynamics
            A game or a dynamics ensemble.
        opponents
            What every other player plays; one policy is drawn for each at the start of an episode. Where players play
            differently a sequence of one mixture a seat, of which the learner's own counts for nothing.
        objective
            What an episode is worth (Nguyen and Wellman 2026, Eq. 4).
        seed
            Of everything random, in ``[0, 2**63)``.
        reward_scale
            Rewards are divided by it where values are learned; penalties are in raw units of reward.
        player
            The seat of the learner, or the seats of a role: it sits in each in turn, an episode each, for a policy
            that any of them can play, and what it earns is averaged over them. None: all seats of a symmetric game.
        progress
            Called now and then with ``("response", steps done, steps in all, figures)``.
        """
        ...

    def to_config(self) -> dict[str, Any]:
        """Return the configuration as plain values with a ``kind``, for manifests."""
        ...


class ResponseTraining(Protocol):
    """A training under way: between two calls of ``advance`` its state can be kept, and taken up elsewhere."""

    @property
    def num_done(self) -> int:
        """Steps done; ``num_steps`` once the training is over."""
        ...

    @property
    def num_steps(self) -> int:
        """Steps in all."""
        ...

    def advance(self, should_stop: Callable[[], bool]) -> None:
        """Train on, by a hundredth of the whole or so.

        ``should_stop`` is to be asked every few milliseconds; once it says yes, return at once, wherever that is.
        """
        ...

    def figures(self) -> dict[str, float]:
        """Return what to tell about the training so far."""
        ...

    def response(self) -> Response:
        """Return the response that the present state amounts to."""
        ...

    def export_state(self) -> State:
        """Return all that a training of the same arguments needs to continue with the same bits."""
        ...

    def restore(self, state: State) -> None:
        """Continue from an exported state; ``CheckpointError`` if it does not fit."""
        ...


@runtime_checkable
class ResumableOracle(ResponseOracle, Protocol):
    """An oracle that hands out its trainings, to be stopped within, kept in a file and run side by side.

    Attributes
    ----------
    runs_on_threads
        Whether several trainings can go on at once on threads: they let go of the interpreter's lock, and share
        nothing but what they only read.
    """

    @property
    def runs_on_threads(self) -> bool: ...

    def start(
        self,
        dynamics: Dynamics,
        opponents: Mixture | Sequence[Mixture],
        objective: ResponseObjective,
        *,
        seed: int,
        reward_scale: float,
        player: int | Sequence[int] | None = None,
    ) -> ResponseTraining:
        """Return the training of ``respond`` with the same arguments, at its beginning."""
        ...


OneOrMoreOracles = ResponseOracle | Sequence[ResponseOracle]
"""What is asked for responses, where the best of several counts."""


def as_oracles(name: str, response: Any, error: type[CoffeeError] = InvalidArgumentError) -> tuple[ResponseOracle, ...]:
    """Return an oracle, or a list of different ones, as a tuple."""
    oracles: tuple[Any, ...] = tuple(response) if isinstance(response, tuple | list) else (response,)
    if not oracles or any(isinstance(one, type) or not callable(getattr(one, "respond", None)) for one in oracles):
        wanted = "a response oracle, an object with a method respond(...), or a list of such"
        raise error(f"{name} must be {wanted}, got {shown(response)}")
    if any(one in oracles[:place] for place, one in enumerate(oracles)):
        raise error(f"{name} must be oracles that differ from each other, got {shown(response)}")
    return oracles
