"""What a log says of one seat: what it saw when it chose, what it did, got until it chose again, and saw then."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from coffee_fast.data import TrajectoryDataset
from coffee_fast.errors import DatasetError, InvalidArgumentError, InvalidGameError, shown
from coffee_fast.games import GameSpec
from coffee_fast.players import seat_of
from coffee_fast.tabular.game import Bools
from coffee_fast.tabular.log_columns import action_sizes, actions_and_rewards, check_known, lasts, numbers
from coffee_fast.typing import Float32, Float64, Int64

END, UNKNOWN = -1, -2  # what follows a decision, in the place of another one
_COLUMNS = ("action", "reward", "observation", "trajectory", "terminal")
_LARGEST_OBSERVATION = 1e30  # float32 holds its products with weights


@dataclass(frozen=True, eq=False)
class Decisions:
    """``K`` decisions: ``observation [K, D]``, ``legal [K, A]``, ``action [K]``, ``reward [K]``.

    ``following [K]`` is the decision that comes next, ``END``, or ``UNKNOWN`` where the log broke off; ``is_first [K]``
    are those that open an episode.
    """

    observation: Float32
    legal: Bools
    action: Int64
    reward: Float64
    following: Int64
    is_first: Bools
    num_episodes: int

    @property
    def known(self) -> Int64:
        """Which decisions there is something to learn from."""
        return np.flatnonzero(self.following != UNKNOWN)

    def reach(self, discount: float) -> float:
        """Return how many decisions ahead values look: those of the longest episode, or fewer that count."""
        starts = np.append(np.flatnonzero(self.is_first), len(self.action))
        longest = float(np.diff(starts).max())
        if discount == 1.0:
            return longest
        is_endless = bool((self.following == UNKNOWN).any())
        return 1.0 / (1.0 - discount) if is_endless else min(longest, 1.0 / (1.0 - discount))

    def returns(self, discount: float) -> Float64:
        """Return what followed each decision in the log, its own reward first; beyond the log nothing."""
        found = self.reward.copy()
        with np.errstate(over="ignore", invalid="ignore"):
            for row in np.flatnonzero(self.following >= 0)[::-1]:
                found[row] += discount * found[self.following[row]]
        return found

    def paid(self, share: float, at_end: Float64) -> Decisions:
        """Return the same with rewards times ``share``, and more of them (one an episode) at its last decision."""
        reward = share * self.reward
        reward[self.following < 0] += at_end
        return dataclasses.replace(self, reward=reward)

    @classmethod
    def joined(cls, parts: Sequence[Decisions]) -> Decisions:
        """Return the decisions of all parts."""
        starts = np.cumsum([0, *(len(part.action) for part in parts[:-1])])
        following = [
            np.where(part.following >= 0, part.following + start, part.following)
            for part, start in zip(parts, starts, strict=True)
        ]
        names = ("observation", "legal", "action", "reward")
        whole = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
        is_first = np.concatenate([part.is_first for part in parts])
        num_episodes = sum(part.num_episodes for part in parts)
        return cls(**whole, following=np.concatenate(following), is_first=is_first, num_episodes=num_episodes)


def decisions_of(
    caller: str, log: TrajectoryDataset | Mapping[str, ArrayLike], player: int | str | Sequence[int | str]
) -> Decisions:
    """Return the decisions of a seat, or of several alike; ``caller`` is the function that messages name."""
    if isinstance(log, TrajectoryDataset):
        seats = seats_of(caller, player, log.spec.num_players, log.spec)
        return _checked(caller, Decisions.joined([_of_dataset(caller, log, seat) for seat in seats]))
    if not isinstance(log, Mapping):
        raise InvalidArgumentError(f"{caller}: log must be a TrajectoryDataset or arrays, got {shown(log)}")
    rows = LoggedRows.of(caller, log, None)
    seats = seats_of(caller, player, rows.action.shape[1])
    if len({rows.num_actions[seat] for seat in seats}) > 1:
        raise InvalidArgumentError(f"{caller}: players must have the same actions to share a policy, got {seats}")
    return _checked(caller, Decisions.joined([rows.of_player(seat) for seat in seats]))


def team_decisions(caller: str, log: TrajectoryDataset | Mapping[str, ArrayLike]) -> list[Decisions]:
    """Return the decisions of all players, who act at once: the ``k``-th of each is of the same moment."""
    if isinstance(log, TrajectoryDataset):
        if log.spec.moves != "simultaneous":
            raise InvalidGameError(f"{caller}: players must act at once, got a log of turns")
        parts = [_of_dataset(caller, log, seat) for seat in range(log.spec.num_players)]
    elif isinstance(log, Mapping):
        rows = LoggedRows.of(caller, log, None)
        parts = [rows.of_player(seat) for seat in range(rows.action.shape[1])]
    else:
        raise InvalidArgumentError(f"{caller}: log must be a TrajectoryDataset or arrays, got {shown(log)}")
    if any(not np.array_equal(part.following, parts[0].following) for part in parts):
        raise InvalidGameError(f"{caller}: players must act at once, each time all of them, got times at which some do")
    return [_checked(caller, part) for part in parts]


def _checked(caller: str, decisions: Decisions) -> Decisions:
    if not len(decisions.known):
        raise DatasetError(f"{caller}: the log must show what follows a decision, got episodes broken off at the first")
    return decisions


def seats_of(
    caller: str, player: int | str | Sequence[int | str], num_players: int, spec: GameSpec | None = None
) -> list[int]:
    given = list(player) if isinstance(player, Sequence) and not isinstance(player, str) else [player]
    seats = [seat_of(f"{caller}: player", seat, spec, num_players) for seat in given]
    if not seats or len(set(seats)) < len(seats):
        raise InvalidArgumentError(f"{caller}: player must be a seat or different seats, got {shown(player)}")
    return seats


@dataclass(frozen=True, eq=False)
class LoggedRows:
    """A log of moves at once: ``observation [T, N, D]``, ``action`` and ``reward [T, N]``, ``following [T]``."""

    observation: Float32
    action: Int64
    reward: Float64
    following: Int64
    is_first: Bools
    num_actions: tuple[int, ...]

    @classmethod
    def of(cls, caller: str, log: Mapping[str, ArrayLike], num_actions: Sequence[int] | int | None) -> LoggedRows:
        check_known(log, _COLUMNS, caller)
        action, reward = actions_and_rewards(log, caller)
        seen = numbers(log, "observation", caller)
        T, N = action.shape
        if seen.ndim == 2 and len(seen) == T:
            seen = np.repeat(seen[:, None], N, axis=1)
        if seen.ndim != 3 or seen.shape[:2] != (T, N) or not seen.shape[2]:
            raise DatasetError(
                f"{caller}: observation must have shape [{T}, {N}, D], or [{T}, D] if all see the same, got "
                f"{list(seen.shape)}"
            )
        if not (np.abs(seen) < _LARGEST_OBSERVATION).all():
            raise DatasetError(f"{caller}: observation must lie within {_LARGEST_OBSERVATION:g}; scale it")
        last, terminal = lasts(log, T, caller)
        following = np.where(last, END, np.arange(T) + 1)
        if terminal is not None:
            following[last & ~terminal] = UNKNOWN
        is_first = np.concatenate([[True], last[:-1]])
        sizes = action_sizes(action, num_actions, caller)
        return cls(seen.astype(np.float32), action, reward, following, is_first, sizes)

    def of_player(self, player: int) -> Decisions:
        action = self.action[:, player]
        return Decisions(
            self.observation[:, player],
            np.ones((len(action), self.num_actions[player]), dtype=bool),
            action,
            self.reward[:, player],
            self.following,
            self.is_first,
            int(self.is_first.sum()),
        )


def _of_dataset(caller: str, log: TrajectoryDataset, seat: int) -> Decisions:
    own = np.flatnonzero(log.acting_player == seat)
    if not len(own):
        raise DatasetError(f"{caller}: player {seat} never acts in the log")
    episode = np.searchsorted(log.trajectory_offsets, own, side="right") - 1
    goes_on = np.append(episode[1:] == episode[:-1], False)
    after = np.where(goes_on, np.append(own[1:], 0), log.trajectory_offsets[episode + 1])
    paid = np.concatenate([[0.0], np.cumsum(log.reward[:, seat], dtype=np.float64)])
    return Decisions(
        observation=log.information_states()[own],
        legal=log.legal_masks()[own] != 0,
        action=log.action[own].astype(np.int64),
        reward=paid[after] - paid[own],
        following=np.where(goes_on, np.arange(len(own)) + 1, np.where(log.truncated[episode], UNKNOWN, END)),
        is_first=np.append(True, ~goes_on[:-1]),
        num_episodes=log.num_trajectories,
    )
