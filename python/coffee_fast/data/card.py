"""A dataset's card: what a log of play is, in figures."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from coffee_fast._like_rows import like_rows
from coffee_fast.typing import Float64

if TYPE_CHECKING:
    from coffee_fast.data.dataset import TrajectoryDataset


@dataclass(frozen=True)
class DatasetCard:
    """Figures of a dataset.

    Attributes
    ----------
    num_trajectories, num_independent_episodes, num_transitions
        Stored trajectories, episodes really played, and actions.
    num_truncated, num_chance_events
        Trajectories that broke off; moves of chance among the actions.
    mean_return, deviation_of_return
        Of each player, over trajectories.
    mean_length, max_length
        Actions a trajectory.
    share_with_payoff
        Trajectories that pay any player anything; in bargaining those that end with a deal.
    num_distinct_initial_states
        What rollouts in a model of this dataset can start from.
    num_actions_seen, num_actions
        Actions that occur, and that exist.
    mean_legal_actions
        Legal actions a decision.
    findings
        How many things :meth:`TrajectoryDataset.check` refuses and warns of, in words.
    """

    game: str
    behavior: str
    num_trajectories: int
    num_independent_episodes: int
    num_transitions: int
    num_truncated: int
    num_chance_events: int
    mean_return: tuple[float, ...]
    deviation_of_return: tuple[float, ...]
    mean_length: float
    max_length: int
    share_with_payoff: float
    num_distinct_initial_states: int
    num_actions_seen: int
    num_actions: int
    mean_legal_actions: float
    findings: str

    @classmethod
    def of(cls, dataset: TrajectoryDataset) -> DatasetCard:
        """Compute the card; costs milliseconds."""
        offsets = dataset.trajectory_offsets
        returns = np.add.reduceat(dataset.reward.astype(np.float64), offsets[:-1], axis=0)
        lengths, is_player = np.diff(offsets), dataset.acting_player >= 0
        pays = np.add.reduceat(np.abs(dataset.reward).sum(axis=1), offsets[:-1]) > 0
        return cls(
            game=dataset.spec.name,
            behavior=dataset.behavior,
            num_trajectories=dataset.num_trajectories,
            num_independent_episodes=dataset.num_independent_episodes,
            num_transitions=dataset.num_transitions,
            num_truncated=int(dataset.truncated.sum()),
            num_chance_events=int((~is_player).sum()),
            mean_return=tuple(map(_mean, returns.T)),
            deviation_of_return=tuple(math.sqrt(_mean((column - _mean(column)) ** 2)) for column in returns.T),
            mean_length=float(lengths.mean()),
            max_length=int(lengths.max()),
            share_with_payoff=float(pays.mean()),
            num_distinct_initial_states=len(like_rows(dataset.state[offsets[:-1]])[0]),
            num_actions_seen=len(np.unique(dataset.action[is_player])),
            num_actions=dataset.spec.num_actions,
            mean_legal_actions=float(dataset.legal_masks().sum(axis=1)[is_player].mean()) if is_player.any() else 0.0,
            findings=dataset.check().summary,
        )

    def to_json(self) -> dict[str, Any]:
        """The card as plain JSON values."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in dataclasses.asdict(self).items()
        }

    def __str__(self) -> str:
        returns = ", ".join(
            f"{mean:.3f} (sd {deviation:.3f})"
            for mean, deviation in zip(self.mean_return, self.deviation_of_return, strict=True)
        )
        broken_off = f", {self.num_truncated} broken off" if self.num_truncated else ""
        by_chance = f", {self.num_chance_events} of chance" if self.num_chance_events else ""
        return "\n".join(
            [
                f"{self.game}, played by {self.behavior or 'unknown players'}",
                f"  trajectories     {self.num_trajectories} ({self.num_independent_episodes} independent episodes"
                f"{broken_off})",
                f"  transitions      {self.num_transitions}{by_chance}",
                f"  length           {self.mean_length:.2f} on average, at most {self.max_length}",
                f"  mean return      {returns}",
                f"  with a payoff    {100 * self.share_with_payoff:.1f} % of trajectories",
                f"  initial states   {self.num_distinct_initial_states} distinct",
                f"  actions          {self.num_actions_seen} of {self.num_actions} seen, "
                f"{self.mean_legal_actions:.1f} legal at a decision",
                f"  check            {self.findings}" + (", see dataset.check()" if self.findings[0] != "n" else ""),
            ]
        )


def _mean(values: Float64) -> float:
    """The mean by an exact sum, so that it does not depend on the order of trajectories."""
    return math.fsum(values.tolist()) / len(values)
