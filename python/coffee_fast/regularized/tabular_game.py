"""Finite-horizon games of few states, as arrays: what backward induction solves."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from coffee_fast.errors import InvalidGameError
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
        One ``bool [H, S, A_i]`` a player; None if every action is legal everywhere.
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
        For arrays that do not fit each other, that are not finite or no probabilities, a state where a player has no
        legal action, or an action that is legal nowhere; the message names the place.

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
        rewards = _numbers("rewards", self.rewards)
        num_players = rewards.shape[0] if rewards.ndim else 0
        if rewards.size == 0 or rewards.ndim != num_players + 3:
            raise InvalidGameError(
                f"TabularGame: rewards must have shape [N, H, S, A1, ..., An] with an action axis for each of "
                f"N players, got {list(rewards.shape)}"
            )
        cells = rewards.shape[1:]
        self._set("rewards", rewards)
        self._set("counts", self._checked_counts(cells))
        self._set("legal", self._checked_legal(cells))
        self._check_values("rewards", rewards)
        self._set("transitions", self._checked_transitions(cells))
        self._set("initial", self._checked_initial(cells[1]))
        if self.reward_variance is not None:
            variance = _numbers("reward_variance", self.reward_variance, rewards.shape)
            if (variance < 0.0).any():
                raise InvalidGameError("TabularGame: reward_variance must not be negative")
            self._set("reward_variance", variance)
        if self.state_keys is not None and len(self.state_keys) != self.num_states:
            raise InvalidGameError(
                f"TabularGame: state_keys must name {self.num_states} states, got {len(self.state_keys)}"
            )

    @classmethod
    def from_dataset(
        cls,
        dataset: TrajectoryDataset | Mapping[str, ArrayLike],
        *,
        state_key: Callable[[NDArray[np.float32]], Hashable] | Sequence[Hashable] | None = None,
        num_actions: Sequence[int] | int | None = None,
        num_states: int | None = None,
    ) -> TabularGame:
        """Return the game that a log shows: counts, mean rewards and observed frequencies of the next state.

        Parameters
        ----------
        dataset
            A dataset, whose states ``state_key`` maps to cells, or a mapping of arrays with one row a step:

            ``action`` ``int [T, N]``, ``reward`` ``[T, N]``
                What all players did at once, and got.
            ``state`` ``[T]``, optional
                Any labels; without them there is one state.
            ``trajectory`` ``[T]`` or ``terminal`` ``[T]``, optional
                A new label begins a new episode; 1 ends one. Without both every row is an episode (a bandit log).
        state_key
            For a dataset: a function from one row of ``dataset.state`` to the label of its cell, or the labels
            ``[T]``. Which states are alike is your choice to make, so there is no default. A cell must know whose
            turn it is and what is legal, or it is refused.
        num_actions
            Actions of each player; by default one more than the largest one seen (the dataset's own number).
        num_states
            Labels are the integers below this and states keep their numbers; by default labels are sorted.

        Raises
        ------
        DatasetError
            For missing or malformed arrays, and cells that mix turns or legal actions; the message names row or cell.

        Notes
        -----
        The variance of a reward in a cell is that of its visits; of cells with one visit, that of all visits about
        their cells' means.

        >>> log = {"action": [[0, 0], [0, 1], [0, 1]], "reward": [[3, 3], [0, 5], [1, 4]]}
        >>> game = TabularGame.from_dataset(log)
        >>> game.counts.tolist(), game.num_unseen
        ([[[[1, 2]]]], 0)
        """
        from coffee_fast.regularized.tabular_data import tabulate_dataset

        return cls(**tabulate_dataset(dataset, state_key, num_actions, num_states))

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
        from coffee_fast.regularized.tabular_data import tabulate_model

        masks = None if legal is None else tuple(np.asarray(mask) for mask in legal)
        return cls(**tabulate_model(model, horizon, num_actions, initial), legal=masks)

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

    def __repr__(self) -> str:
        source = "" if self.counts is None else f", {int(self.counts.sum())} observations, {self.num_unseen} unseen"
        return (
            f"TabularGame(horizon={self.horizon}, num_states={self.num_states}, num_actions={self.num_actions}{source})"
        )

    def _set(self, name: str, value: Any) -> None:
        for array in value if isinstance(value, tuple) else (value,):
            if array is not None:
                array.flags.writeable = False
        object.__setattr__(self, name, value)

    def _check_values(self, name: str, values: Float64) -> None:
        """Raise unless ``values`` are finite wherever the game is known."""
        known = self.legal_profiles if self.counts is None else self.counts > 0
        if (bad := np.argwhere(known & ~np.isfinite(values))).size:
            player, step, state, *actions = bad[0].tolist()
            raise InvalidGameError(
                f"TabularGame: {name} must be finite, got {values[tuple(bad[0])]} of player {player} at step {step}, "
                f"state {state}, actions {tuple(actions)}"
            )

    def _checked_counts(self, cells: tuple[int, ...]) -> Int64 | None:
        if self.counts is None:
            return None
        counts = _numbers("counts", self.counts, cells)
        if not (np.isfinite(counts).all() and (counts >= 0.0).all() and (counts % 1.0 == 0.0).all()):
            raise InvalidGameError("TabularGame: counts must be integers >= 0")
        return counts.astype(np.int64)

    def _checked_legal(self, cells: tuple[int, ...]) -> tuple[Bools, ...] | None:
        if self.legal is None:
            return None
        if len(self.legal) != len(cells) - 2:
            raise InvalidGameError(f"TabularGame: legal must be one array a player, got {len(self.legal)}")
        masks = []
        for player, (mask, size) in enumerate(zip(self.legal, cells[2:], strict=True)):
            array = _numbers("legal", mask, (*cells[:2], size)) != 0.0
            if (none := np.argwhere(~array.any(axis=2))).size:
                raise InvalidGameError(
                    f"TabularGame: player {player} has no legal action at step {none[0, 0]}, state {none[0, 1]}"
                )
            if (never := np.flatnonzero(~array.any(axis=(0, 1)))).size:
                raise InvalidGameError(
                    f"TabularGame: action {never[0]} of player {player} is legal nowhere; leave it out of the game"
                )
            masks.append(array)
        return tuple(masks)

    def _checked_transitions(self, cells: tuple[int, ...]) -> Float64 | None:
        if self.transitions is None:
            if cells[0] > 1:
                raise InvalidGameError(f"TabularGame: transitions must be given for {cells[0]} steps")
            return None
        array = _numbers("transitions", self.transitions, (*cells, cells[1]))
        used = array[:-1]
        if not (np.isfinite(used).all() and (used >= 0.0).all() and (used.sum(axis=-1) <= 1.0 + 1e-6).all()):
            raise InvalidGameError("TabularGame: transitions must be probabilities >= 0 that sum to at most 1")
        return array

    def _checked_initial(self, num_states: int) -> Float64:
        initial = _numbers("initial", self.initial, (num_states,))
        if not ((initial >= 0.0).all() and abs(initial.sum() - 1.0) <= 1e-6):
            raise InvalidGameError(
                f"TabularGame: initial must hold probabilities that sum to 1, got {initial.tolist()}"
            )
        return initial


def _numbers(name: str, values: Any, shape: tuple[int, ...] | None = None) -> Float64:
    try:
        array = np.array(values, dtype=np.float64, order="C")
    except (TypeError, ValueError) as error:
        raise InvalidGameError(f"TabularGame: {name} must be a rectangular array of numbers: {error}") from None
    if shape is not None and array.shape != shape:
        raise InvalidGameError(f"TabularGame: {name} must have shape {list(shape)}, got {list(array.shape)}")
    return array
