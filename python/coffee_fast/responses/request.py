"""One response to be trained, with all that determines it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coffee_fast._provenance import describe_part, machine
from coffee_fast.checks import check_progress
from coffee_fast.policies import as_mixture
from coffee_fast.policy_files import policy_fingerprint
from coffee_fast.responses.base import ResponseOracle, ResponseTraining, ResumableOracle
from coffee_fast.responses.checkpoint import ResponseCheckpoint
from coffee_fast.responses.objective import ResponseObjective

if TYPE_CHECKING:
    from coffee_fast.dynamics import Dynamics
    from coffee_fast.policies import Mixture
    from coffee_fast.responses.base import Response
    from coffee_fast.typing import ProgressCallback


class Stopped(Exception):
    """A training ended early because it was told to."""


@dataclass(frozen=True)
class ResponseRequest:
    """The arguments of one `ResponseOracle.respond`, and where to keep the training while it goes on.

    Attributes
    ----------
    oracle, dynamics, opponents, objective, seed, reward_scale, player
        As in `ResponseOracle.respond`.
    checkpoint
        A file that receives the state of a `ResumableOracle`'s training every 30 seconds, and from which `train`
        continues if it is there. Whoever keeps the response removes it.

    Examples
    --------
    >>> import coffee_fast as cf
    >>> oracle = cf.DDQN(hidden_sizes=(8,), num_steps=300, replay_capacity=300, min_replay=100)
    >>> opponents = cf.Mixture((cf.UniformRandom(),), [1.0])
    >>> game = cf.load_game("generalized_bargaining")
    >>> request = ResponseRequest(oracle, game, opponents, cf.responses.ResponseObjective(), seed=1, reward_scale=5.0)
    >>> bool(request.train().report["num_steps"] >= 300)
    True
    """

    oracle: ResponseOracle
    dynamics: Dynamics
    opponents: Mixture | Sequence[Mixture]
    objective: ResponseObjective
    seed: int
    reward_scale: float
    player: int | Sequence[int] | None = None
    checkpoint: Path | None = None

    def identity(self) -> dict[str, Any]:
        """Return all that determines the response as plain JSON values."""
        opponents = [_identity_of(mixture) for mixture in _as_list(self.opponents)]
        return {
            "oracle": describe_part(self.oracle),
            "dynamics": {"spec": self.dynamics.spec.to_json()},
            "dynamics_fingerprint": getattr(self.dynamics, "fingerprint", None),  # sorted behind what says more
            "opponents": opponents if isinstance(self.opponents, Sequence) else opponents[0],
            "objective": self.objective.to_json(),
            "seed": self.seed,
            "reward_scale": self.reward_scale,
            "player": list(self.player) if isinstance(self.player, Sequence) else self.player,
            "machine": machine(),
        }

    def train(
        self, progress: ProgressCallback | None = None, should_stop: Callable[[], bool] = lambda: False
    ) -> Response:
        """Train the response, from the checkpoint on if there is one: the bits are the same.

        ``progress`` is called as `ResponseOracle.respond` says. Once ``should_stop`` says yes, `Stopped` is raised
        within some 50 ms; only a `ResumableOracle` asks.

        Raises
        ------
        CheckpointError
            If the checkpoint is damaged or of another training; the message names the file.
        """
        check_progress("respond: progress", progress)
        options: dict[str, Any] = {"seed": self.seed, "reward_scale": self.reward_scale, "player": self.player}
        if not isinstance(self.oracle, ResumableOracle):
            return self.oracle.respond(self.dynamics, self.opponents, self.objective, **options, progress=progress)
        training = self.oracle.start(self.dynamics, self.opponents, self.objective, **options)
        checkpoint = None if self.checkpoint is None else ResponseCheckpoint(self.checkpoint, self.identity())
        if checkpoint:
            checkpoint.restore(training)
        return finish(training, progress, checkpoint, should_stop)


def _as_list(opponents: Mixture | Sequence[Mixture]) -> Sequence[Mixture]:
    return opponents if isinstance(opponents, Sequence) else [opponents]


def _identity_of(opponents: Mixture) -> dict[str, Any]:
    mixture = as_mixture(opponents)
    return {
        "policies": [policy_fingerprint(policy) for policy in mixture.policies],
        "probabilities": [float(probability) for probability in mixture.probabilities],
    }


def finish(
    training: ResponseTraining,
    progress: ProgressCallback | None = None,
    checkpoint: ResponseCheckpoint | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Response:
    """Train to the end, with about a hundred calls of ``progress``."""
    while training.num_done < training.num_steps:
        training.advance(should_stop)
        if should_stop():
            raise Stopped
        if checkpoint:
            checkpoint.keep(training)
        if progress:
            progress("response", training.num_done, training.num_steps, training.figures())
    return training.response()
