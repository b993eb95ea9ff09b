"""Finite-horizon games of few states, as arrays: what backward induction solves."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from coffee_fast.errors import InvalidGameError, shown
from coffee_fast.tabular.checks import (
    checked_counts,
    checked_initial,
    checked_legal,
    checked_transitions,
    in_words,
    length,
    numbers,
)
from coffee_fast.typing import Float64, Int64

if TYPE_CHECKING:
    from coffee_fast.data import TrajectoryDataset

Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class TabularGame:
    """A game of ``N`` players over ``H`` steps and ``S`` states, in which all act at once.

    Made from arrays, from a log (:meth:`from_dataset`) or from a model (:meth:`from_model`); never changes. Where
    players take turns, those whose turn it is not have action 0 alone.

    Parameters
    ----------
    rewards
        ``[N, H, S, A1, ..., An]``: expected rewards. NaN where ``counts`` says that a cell was never seen.
    transitions
        ``[H, S, A1, ..., An, S]``: probabilities of the next state; what is missing to 1 ends the episode, and all
        does at the last step, whose entries are not used. None for one step.
    initial
        ``[S]``: the distribution of the first state; left out for one state.
    legal
        One ``bool [H, S, A_i]`` a player; None if every action is legal everywhere. One that is legal nowhere, as
        another role's in a log whose players share a list of actions, is never played.
    counts
        ``int64 [H, S, A1, ..., An]``: how often a log visits each cell; None for a game that is known. States no log
        visits at a step are not part of the game then.
    reward_variance
        ``[N, H, S, A1, ..., An]``: variance of one reward about its mean, if known.
    state_keys
        What the caller calls each state.

    Raises
    ------
    InvalidGameError
        For arrays that do not fit each other, that are not finite or no probabilities, or a state where a player has
        no legal action; the message names the place.

    Notes
    -----
    Memory: ``8 H S^2 A1 ... An`` bytes for the transitions.

    >>> game = TabularGame([[[[[3, 0], [5, 1]]]], [[[[3, 5], [0, 1]]]]])
    >>> game.num_players, game.horizon, game.num_states, game.num_actions
    (2, 1, 1, (2, 2))
    """

    rewards: Float64
    transitions: Float64 | None = None
    initial: Float64 = field(default_factory=lambda: np.ones(1))
    legal: tuple[Bools, ...] | None = None
    counts: Int64 | None = None
    reward_variance: Float64 | None = None
    state_keys: tuple[Hashable, ...] | None = None

    def __post_init__(self) -> None:
        rewards = numbers("TabularGame: rewards", self.rewards)
        num_players = rewards.shape[0] if rewards.ndim else 0
        if rewards.size == 0 or rewards.ndim != num_players + 3:
            raise InvalidGameError(
                f"TabularGame: rewards must have shape [N, H, S, A1, ..., An] with an action axis for each of "
                f"N players, got {list(rewards.shape)}"
            )
        cells = rewards.shape[1:]
        self._set("rewards", rewards)
        self._set("counts", checked_counts(self.counts, cells))
        self._set("legal", checked_legal(self.legal, cells))
        self._check_values("rewards", rewards)
        self._set("transitions", checked_transitions(self.transitions, cells))
        self._set("initial", checked_initial(self.initial, cells[1]))
        if self.reward_variance is not None:
            variance = numbers("TabularGame: reward_variance", self.reward_variance, rewards.shape)
            if (variance < 0.0).any() or np.isinf(variance).any():
                raise InvalidGameError("TabularGame: reward_variance must not be negative or infinite")
            self._set("reward_variance", variance)
        if self.state_keys is not None:
            self._set_keys(self.state_keys)

    @classmethod
    def from_dataset(
        cls,
        dataset: TrajectoryDataset | Mapping[str, ArrayLike],
        *,
        state_key: Callable[[NDArray[np.float32]], Hashable] | Sequence[Hashable] | None = None,
        num_actions: Sequence[int] | int | None = None,
        num_states: int | None = None,
        is_fully_observed: bool = False,
    ) -> TabularGame:
        """Return the game that a log shows: counts, mean rewards and observed frequencies of the next state.

        In this game every player sees step and state (cell) and nothing else; certificates of its solutions are about
        it. Where players of the log knew more, or did not know the state, it is another game: hand in what they saw,
        and it is refused.

        Parameters
        ----------
        dataset
            A dataset, whose states ``state_key`` maps to cells, or a mapping of arrays with one row a step. Of a
            dataset a turn is a step, and so is a round of moves at once; what chance does in between shows in the
            next cell and in the reward, at the start of an episode in its first cell. The arrays are:

            ``action`` ``int [T, N]``, ``reward`` ``[T, N]``
                What all players did at once, and got.
            ``state`` ``[T]``, optional
                Any labels; what all players see. Without them there is one state, and nobody knows anything but the
                step: values, cards or types that are not logged are averaged.
            ``observation`` ``[T, N]`` or ``[T, N, O]``, optional
                What each player saw, labels or vectors. Refused unless it is the state by another name.
            ``trajectory`` ``[T]`` or ``terminal`` ``[T]``, optional
                A new label begins a new episode, whose rows stand together; 1 ends one. Without both every row is an
                episode (a bandit log).
        state_key
            For a dataset: a function from one row of ``dataset.state`` to the label of its cell, or the labels
            ``[T]`` (of a round, that of its first row). Which states are alike is your choice to make, so there is no
            default. A cell must know whose turn it is and what is legal, or it is refused.
        num_actions
            Actions of each player; by default one more than the largest one seen (the dataset's own number).
        num_states
            Labels are the integers below this and states keep their numbers; by default labels are sorted.
        is_fully_observed
            Whether you know that every player sees the cell, and that whatever else it saw tells it nothing that
            matters. Observations are then passed over.

        Raises
        ------
        DatasetError
            For missing or malformed arrays, episodes that are scattered or cut off, cells that mix turns or legal
            actions, and observations by which players know different things; the message names row or cell.

        Notes
        -----
        The variance of a reward in a cell is that of its visits; of cells with one visit, that of all visits about
        their cells' means.

        >>> log = {"action": [[0, 0], [0, 1], [0, 1]], "reward": [[3, 3], [0, 5], [1, 4]]}
        >>> game = TabularGame.from_dataset(log)
        >>> game.counts.tolist(), game.num_unseen
        ([[[[1, 2]]]], 0)
        """
        from coffee_fast.tabular.from_dataset import tabulate_dataset

        return cls(**tabulate_dataset(dataset, state_key, num_actions, num_states, is_fully_observed))

    @classmethod
    def from_model(
        cls,
        model: Callable[[int, int, tuple[int, ...]], tuple[ArrayLike, ArrayLike]],
        *,
        horizon: int,
        num_actions: Sequence[int],
        initial: ArrayLike = (1.0,),
        legal: Sequence[ArrayLike] | None = None,
    ) -> TabularGame:
        """Return the game that a model tells cell by cell, asked once for each.

        Parameters
        ----------
        model
            ``model(step, state, actions)`` returns rewards ``[N]`` and probabilities ``[S]`` of the next state, which
            may sum to less than 1 where the episode can end. With an axis of ensemble members before these,
            ``[E, N]`` and ``[E, S]``, the game is their mean. Every cell is asked for, legal or not.
        horizon, num_actions, initial
            ``H``; actions of each player; the distribution of the first state, which says how many states there are.
        legal
            As in :class:`TabularGame`.

        >>> game = TabularGame.from_model(lambda step, state, a: ([a[0] - a[1], a[1] - a[0]], [1.0]), horizon=2,
        ...                               num_actions=(2, 2))
        >>> game.rewards[0, 1, 0].tolist()
        [[0.0, -1.0], [1.0, 0.0]]
        """
        from coffee_fast.tabular.from_model import tabulate_model

        return cls(**tabulate_model(model, horizon, num_actions, initial), legal=legal)  # type: ignore[arg-type]

    @property
    def num_players(self) -> int:
        return len(self.rewards)

    @property
    def horizon(self) -> int:
        return int(self.rewards.shape[1])

    @property
    def num_states(self) -> int:
        return int(self.rewards.shape[2])

    @property
    def num_actions(self) -> tuple[int, ...]:
        return self.rewards.shape[3:]

    @property
    def legal_profiles(self) -> Bools:
        """``[H, S, A1, ..., An]``: whether every player's action is legal."""
        cells = np.ones(self.rewards.shape[1:], dtype=bool)
        for player, mask in enumerate(self.legal or ()):
            cells &= mask.reshape(*mask.shape[:2], *(-1 if i == player else 1 for i in range(self.num_players)))
        return cells

    @property
    def reached(self) -> Bools:
        """``[H, S]``: states that belong to the game; of a log those that it visits at that step."""
        if self.counts is None:
            return np.ones(self.rewards.shape[1:3], dtype=bool)
        return np.asarray(self.counts.sum(axis=tuple(range(2, self.counts.ndim))) > 0)

    @property
    def unseen(self) -> Bools:
        """``[H, S, A1, ..., An]``: legal cells of states reached of which the log knows nothing."""
        if self.counts is None:
            return np.zeros(self.rewards.shape[1:], dtype=bool)
        reached = self.reached.reshape(*self.counts.shape[:2], *[1] * self.num_players)
        return np.asarray(self.legal_profiles & reached & (self.counts == 0))

    @property
    def num_unseen(self) -> int:
        return int(self.unseen.sum())

    @property
    def about(self) -> str:
        """Say what game a certificate is about, and what its players know."""
        return in_words(self.counts, self.num_states, self.horizon)

    def __repr__(self) -> str:
        unseen = "" if self.counts is None else f", num_unseen={self.num_unseen}"
        sizes = f"horizon={self.horizon}, num_states={self.num_states}, num_actions={self.num_actions}{unseen}"
        return f"TabularGame({sizes}): {self.about}"

    def _set(self, name: str, value: Any) -> None:
        for array in value if isinstance(value, tuple) else (value,):
            if array is not None:
                array.flags.writeable = False
        object.__setattr__(self, name, value)

    def _set_keys(self, keys: Any) -> None:
        if length(keys) != self.num_states:
            got = shown(keys) if length(keys) is None else length(keys)
            raise InvalidGameError(f"TabularGame: state_keys must name {self.num_states} states, got {got}")
        object.__setattr__(self, "state_keys", tuple(keys))

    def _check_values(self, name: str, values: Float64) -> None:
        """Raise unless ``values`` are finite wherever the game is known."""
        known = self.legal_profiles if self.counts is None else self.counts > 0
        if (bad := np.argwhere(known & ~np.isfinite(values))).size:
            player, step, state, *actions = bad[0].tolist()
            raise InvalidGameError(
                f"TabularGame: {name} must be finite, got {values[tuple(bad[0])]} of player {player} at step {step}, "
                f"state {state}, actions {tuple(actions)}"
            )
