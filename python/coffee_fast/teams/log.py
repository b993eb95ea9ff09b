"""A log of teammates as what their networks learn from: one row a decision, which all who act there take at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from coffee_fast.checks import check_number
from coffee_fast.errors import CoffeeError, DatasetError, InvalidArgumentError
from coffee_fast.models.normalization import Normalizer
from coffee_fast.typing import Float32, Float64, Int64

if TYPE_CHECKING:
    from coffee_fast.data import TrajectoryDataset

Bools = NDArray[np.bool_]
ENDED, BROKE_OFF = -1, -2  # in place of the decision that follows
FEWEST_EPISODES = 4
_ALIKE = 1e-5  # by which rewards of teammates may differ, in units of the largest: they are kept in single precision


@dataclass(frozen=True, eq=False)
class View:
    """Which entries of what a log holds the values look at, and their scale: those of the episodes learned from."""

    columns: Int64
    normalizer: Normalizer

    @classmethod
    def of(cls, whole: Float32) -> View:
        """Entries that change, each once."""
        changing = np.flatnonzero((whole != whole[:1]).any(axis=0))
        first = np.unique(whole[:, changing], axis=1, return_index=True)[1] if len(changing) else changing
        columns = changing[np.sort(first)]
        return cls(columns, Normalizer.of(whole[:, columns], "entries"))

    def __call__(self, whole: Float32) -> Float32:
        if not len(self.columns):  # there is one situation only
            return np.ones((len(whole), 1), dtype=np.float32)
        return self.normalizer(whole[:, self.columns])


@dataclass(frozen=True, eq=False)
class TeamLog:
    """``R`` decisions of ``N`` players, those of an episode one after another.

    Attributes
    ----------
    features
        ``float32 [R, F]``: what values are learned from, the state and all that players see, normalized.
    known
        One a player: its information states ``float32 [K, I]`` where it acts.
    rows
        One a player: ``int64 [K]``, the decisions in which it acts.
    action, legal
        ``int64 [R, N]``, ``bool [R, N, A]``; action 0 alone where a player does not act.
    reward
        ``f64 [R]``, what all get until the next decision.
    after
        ``int64 [R]``: the decision that follows, ``ENDED`` or ``BROKE_OFF``.
    first
        ``int64 [E]``: the first decision of each episode.
    """

    features: Float32
    known: tuple[Float32, ...]
    rows: tuple[Int64, ...]
    action: Int64
    legal: Bools
    reward: Float64
    after: Int64
    first: Int64

    @property
    def num_players(self) -> int:
        return int(self.action.shape[1])

    @property
    def num_rows(self) -> int:
        return len(self.action)

    @property
    def acts(self) -> Bools:
        """``bool [R, N]``."""
        acts = np.zeros(self.action.shape, dtype=bool)
        for player, rows in enumerate(self.rows):
            acts[rows, player] = True
        return acts

    def returns(self, discount: float) -> Float64:
        """``f64 [E]``: the discounted rewards of each episode."""
        length = np.diff(np.append(self.first, self.num_rows))
        step = np.arange(self.num_rows) - np.repeat(self.first, length)
        return np.add.reduceat(self.reward * discount**step, self.first)

    def to_come(self, discount: float) -> Float64:
        """``f64 [R]``: discounted rewards of the episode from each decision on."""
        to_come = self.reward.copy()
        for row in range(self.num_rows - 2, -1, -1):
            if self.after[row] >= 0:
                to_come[row] += discount * to_come[row + 1]
        return to_come


def split_log(caller: str, dataset: TrajectoryDataset, fraction: float, seed: int) -> Sequence[TrajectoryDataset]:
    """Return the episodes to learn from and those to judge by; refuse a log that is not one of a team."""
    reward = dataset.reward.astype(np.float64)
    unlike = np.abs(reward - reward[:, :1]).max(axis=1) > _ALIKE * max(1.0, float(np.abs(reward).max()))
    if unlike.any():
        row = int(np.argmax(unlike))
        episode = int(np.searchsorted(dataset.trajectory_offsets, row, side="right")) - 1
        player = int(np.argmax(np.abs(reward[row] - reward[row, 0])))
        raise DatasetError(
            f"{caller}: all players must get the same reward, got {reward[row, 0]:g} for player 0 and "
            f"{reward[row, player]:g} for player {player} in trajectory {episode}, transition {row}; give each their "
            "sum or mean if they are a team"
        )
    num_episodes = dataset.num_trajectories // (2 if dataset.is_mirrored else 1)
    if num_episodes < FEWEST_EPISODES:
        raise InvalidArgumentError(
            f"{caller}: dataset must have {FEWEST_EPISODES} episodes or more, some to learn from and some kept out to "
            f"judge by, got {num_episodes}; log more"
        )
    parts = dataset.split(fraction, seed)
    for part, what in zip(parts, ("learned from", "kept out"), strict=True):
        absent = set(range(dataset.spec.num_players)) - set(part.acting_player.tolist())
        if absent:
            raise DatasetError(
                f"{caller}: player {min(absent)} acts in none of the {part.num_trajectories} episodes {what}; "
                "log more, or raise holdout_fraction"
            )
    return parts


def check_fraction(name: str, fraction: float, error: type[CoffeeError]) -> float:
    """Return a share of episodes that leaves some on either side."""
    fraction = check_number(name, fraction, is_open=True, error=error)
    if fraction >= 1.0:
        raise error(f"{name} must lie in (0, 1), got {fraction:g}; what nothing is kept out of cannot be judged")
    return fraction


def read(dataset: TrajectoryDataset, view: View | None = None) -> tuple[TeamLog, View]:
    """Return a dataset's decisions, seen as those of another one are or by a view of their own."""
    spec, acting = dataset.spec, dataset.acting_player.astype(np.int64)
    N, A, is_round = spec.num_players, spec.num_actions, spec.moves == "simultaneous"
    moves = np.flatnonzero(acting >= 0)
    decision = np.arange(len(moves)) // (N if is_round else 1)  # of each move
    begins = moves[:: N if is_round else 1]  # the first row of each decision
    episode_of_row = np.repeat(np.arange(dataset.num_trajectories), np.diff(dataset.trajectory_offsets))
    episode, R = episode_of_row[begins], len(begins)
    action, legal = np.zeros((R, N), dtype=np.int64), np.zeros((R, N, A), dtype=bool)
    legal[:, :, 0] = True
    action[decision, acting[moves]] = dataset.action[moves]
    legal[decision, acting[moves]] = dataset.legal_masks()[moves] != 0
    information = dataset.information_states()
    known, rows = [], []
    for player in range(N):
        own = acting[moves] == player
        known.append(information[moves[own]])
        rows.append(decision[own])
    pending = N * spec.action_vectors.shape[1] if is_round else 0  # zeros where a round begins
    shown = [dataset.state[begins, : spec.state_size - pending], dataset.observation[begins].reshape(R, -1)]
    if is_round:
        shown += [own[:, spec.history_start :] for own in known]
    else:
        shown += [information[begins, spec.history_start :], np.eye(N, dtype=np.float32)[acting[begins]]]
    whole = np.concatenate(shown, axis=1)
    view = view or View.of(whole)
    is_last = np.append(episode[1:] != episode[:-1], True)
    after = np.where(is_last, np.where(dataset.truncated[episode], BROKE_OFF, ENDED), np.arange(R) + 1)
    if (after == BROKE_OFF).all():
        raise DatasetError(
            "learn_team: every episode breaks off at its first decision, so that nothing says what decisions lead to; "
            "log episodes that go on or end"
        )
    log = TeamLog(
        features=view(whole),
        known=tuple(known),
        rows=tuple(rows),
        action=action,
        legal=legal,
        reward=_rewards(dataset, begins, episode, episode_of_row),
        after=after,
        first=np.flatnonzero(np.append(True, is_last[:-1])),
    )
    return log, view


def _rewards(dataset: TrajectoryDataset, begins: Int64, episode: Int64, episode_of_row: Int64) -> Float64:
    """What is paid until the next decision; what comes before the first of an episode counts with that."""
    place = np.searchsorted(begins, np.arange(dataset.num_transitions), side="right") - 1
    place = np.where((place < 0) | (episode[np.maximum(place, 0)] != episode_of_row), place + 1, place)
    place = np.minimum(place, len(begins) - 1)
    counts = episode[place] == episode_of_row  # not where nobody ever acts
    reward = np.zeros(len(begins))
    np.add.at(reward, place[counts], dataset.reward[counts, 0].astype(np.float64))
    return reward
