"""Robust Q-iteration on a log that grows: rounds of play in a simulator or a model, added to what was logged."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from coffee_fast.checks import check_count, check_number
from coffee_fast.data import TrajectoryDataset
from coffee_fast.policies import Mixture, NetworkPolicy, PerStepMixture, Policy, UniformRandom
from coffee_fast.regularized.robust.decisions import Decisions, decisions_of
from coffee_fast.regularized.robust.fitting import Fear, Fitting
from coffee_fast.regularized.robust.network_rpq import NetworkAnswer, fitted_answer, range_of_rewards
from coffee_fast.seeding import derive_seed
from coffee_fast.simulation import simulate
from coffee_fast.typing import ProgressCallback

if TYPE_CHECKING:
    from coffee_fast.dynamics import Dynamics

_MOST_EPISODES = 10**7


@dataclass(frozen=True, eq=False)
class Playground:
    """Where a learner plays: in each of ``seats`` in turn, against ``others`` (one mixture a seat).

    An episode loses ``penalty`` for each unit of what a model's members disagree about it; a share ``coverage`` of the
    episodes is against uniformly random others, and pays nothing else.
    """

    dynamics: Dynamics
    others: Sequence[Mixture]
    seats: Sequence[int]
    penalty: float = 0.0
    coverage: float = 0.0

    def play(self, caller: str, policy: Policy, num_episodes: int, seed: int) -> Decisions:
        """Return the learner's decisions in about ``num_episodes`` episodes."""
        num_covering = round(self.coverage * num_episodes)
        kinds = [(list(self.others), num_episodes - num_covering, 1.0, "play")]
        kinds.append(([Mixture((UniformRandom(),), np.ones(1))] * len(self.others), num_covering, 0.0, "coverage"))
        parts = []
        for others, count, pays, kind in kinds:
            for seat, share in zip(self.seats, _shares(count, len(self.seats)), strict=True):
                if share:
                    players = [*others[:seat], policy, *others[seat + 1 :]]
                    own = derive_seed(seed, kind, seat)
                    played = simulate(self.dynamics, players, num_episodes=share, seed=own, record=True)
                    log = TrajectoryDataset(self.dynamics.spec, played.trajectories or {})
                    found = decisions_of(caller, log, seat)
                    episode = np.repeat(np.arange(share), np.diff(log.trajectory_offsets))
                    acted = np.unique(episode[log.acting_player == seat])
                    parts.append(found.paid(pays, -self.penalty * played.disagreement[acted]))
        return Decisions.joined(parts)


def _shares(count: int, num_parts: int) -> list[int]:
    return [(count + part) // num_parts for part in range(num_parts)]


@dataclass(frozen=True)
class Rounds:
    """How many rounds of how many episodes, and how often an action in them is drawn uniformly."""

    num_rounds: int
    num_episodes: int
    exploration: float

    @classmethod
    def of(cls, caller: str, num_rounds: Any, num_episodes: Any, exploration: Any) -> Rounds:
        """Check arguments."""
        return cls(
            check_count(f"{caller}: num_rounds", num_rounds, at_least=1, at_most=10_000),
            check_count(f"{caller}: num_episodes", num_episodes, at_least=1, at_most=_MOST_EPISODES),
            check_number(f"{caller}: exploration", exploration, at_most=1.0),
        )

    def run(
        self,
        caller: str,
        playground: Playground,
        log: Decisions | None,
        fear: Fear,
        fitting: Fitting,
        progress: ProgressCallback | None,
        phase: str,
    ) -> NetworkAnswer:
        """Play and fit in turn, all decisions so far each time; a weight of the fear that is None is their range."""
        answer = None if log is None else self._fit(caller, log, fear, fitting, 0)
        for done in range(1, self.num_rounds + 1):
            policy = UniformRandom() if answer is None else _exploring(answer.policy, self.exploration)
            seed = derive_seed(fitting.seed, f"{caller}/round", done)
            played = playground.play(caller, policy, self.num_episodes, seed)
            log = played if log is None else Decisions.joined([log, played])
            answer = self._fit(caller, log, fear, fitting, done)
            if progress:
                progress(phase, done, self.num_rounds, {"change": answer.change, "residual": answer.residual})
        assert answer is not None
        return answer

    def _fit(self, caller: str, log: Decisions, fear: Fear, fitting: Fitting, done: int) -> NetworkAnswer:
        if fear.weight is None:
            fear = dataclasses.replace(fear, weight=range_of_rewards(log))
        own = dataclasses.replace(fitting, seed=derive_seed(fitting.seed, f"{caller}/fit", done))
        return fitted_answer(caller, log, fear, own, None)


def _exploring(policy: NetworkPolicy, exploration: float) -> Policy:
    return PerStepMixture((policy, UniformRandom()), (1.0 - exploration, exploration))
