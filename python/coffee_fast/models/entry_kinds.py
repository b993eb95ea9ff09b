"""Kinds of entries of states and observations: what stays, what the last move tells, what takes few values."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast.models.copies import Bools, Copies, are_among, few_values
from coffee_fast.models.entry_words import in_words
from coffee_fast.models.inputs import Rows, as_class, num_movers, raw_moves
from coffee_fast.typing import Float32, Int32, Int64

if TYPE_CHECKING:
    from coffee_fast.data import TrajectoryDataset
    from coffee_fast.games import GameSpec

MOST_VALUES = 32  # of an entry that is set to the nearest value seen
TIMES = 4  # each of these is met on average
UNSEEN = 0.01  # share of held-out rows with other values, above which an entry is a number after all
WIDENED = 0.1  # of the range seen, on either side, to which other predictions are kept


@dataclass(frozen=True, eq=False)
class Values:
    """Ascending values of entries: those of entry ``k`` are ``values[offsets[k]:offsets[k + 1]]``.

    An entry without any may be any number. ``values`` is ``float32``, ``offsets`` ``int32 [K + 1]``.
    """

    values: Float32
    offsets: Int32

    @classmethod
    def of(cls, found: dict[int, Float32], size: int) -> Values:
        """Lay the values found of some entries side by side."""
        counts = [len(found.get(entry, ())) for entry in range(size)]
        values = np.concatenate([np.zeros(0, dtype=np.float32), *(found[entry] for entry in sorted(found))])
        return cls(values.astype(np.float32), np.concatenate([[0], np.cumsum(counts)]).astype(np.int32))

    @property
    def counts(self) -> Int64:
        """``[K]``: how many values each entry has."""
        return np.diff(self.offsets).astype(np.int64)


@dataclass(frozen=True, eq=False)
class EntryKinds:
    """Where the entries of next states and of players' next observations come from, for each mover.

    Movers are the players and, where there is chance, chance last. -1 stands for what networks predict; predicted
    entries with values take the nearest one.

    Attributes
    ----------
    state_source
        ``int32 [M, D]``: entry of the former state, then of the action's vector, then of the outcome's.
    observation_source
        ``int32 [M, N * O]``: entry of the player's own former observation, then of the next state, then of the action's
        vector, then of the outcome's.
    state_values, observation_values
        Of the ``D`` and ``N * O`` entries.
    state_least, state_most
        ``float32 [D]``: within which predicted numbers are kept.
    sentences
        What was found, in words.
    """

    state_source: Int32
    observation_source: Int32
    state_values: Values
    observation_values: Values
    state_least: Float32
    state_most: Float32
    sentences: tuple[str, ...]

    @classmethod
    def of(cls, dataset: TrajectoryDataset, held_out: TrajectoryDataset | None = None) -> EntryKinds:
        """Find the kinds in a log; what does not hold in held-out trajectories is predicted after all."""
        moves = _Moves.of(dataset)
        others = None if held_out is None else _Moves.of(held_out)
        M, N = num_movers(dataset.spec), dataset.spec.num_players
        states = moves.states()
        state_source, lost = _held(states.sources(M), None if others is None else others.states())
        state_values = _values(state_source, moves, others, lambda moves: moves.next_state)
        is_exact, found = _is_exact(state_source, state_values), []
        for player in range(N):
            views = moves.views(player, is_exact)
            found.append(_held(views.sources(M), None if others is None else others.views(player, is_exact)))
        observation_source = np.concatenate([source for source, _ in found], axis=1)
        views_lost = np.flatnonzero(np.concatenate([failed for _, failed in found]))
        kinds = cls(
            state_source,
            observation_source,
            state_values,
            _values(
                observation_source, moves, others, lambda moves: moves.next_observation.reshape(len(moves.mover), -1)
            ),
            *_ranges(moves.next_state),
            (),
        )
        words = in_words(dataset.spec, kinds, np.unique(moves.mover), np.flatnonzero(lost), views_lost)
        return dataclasses.replace(kinds, sentences=words)

    @property
    def asks_state(self) -> Bools:
        """``bool [M, D]``: which entries of the next state networks have to predict after a mover's move.

        Not what takes one value alone: there is nothing to learn of it.
        """
        return np.asarray((self.state_source < 0) & (self.state_values.counts != 1))

    @property
    def asks_observation(self) -> Bools:
        """``bool [M, N * O]``: which entries of observations the view network has to predict after a mover's move."""
        return np.asarray((self.observation_source < 0) & (self.observation_values.counts != 1))

    @property
    def has_views(self) -> bool:
        """Whether there is a view network: any entry of an observation is neither copied nor told."""
        return bool((self.observation_source < 0).any())

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays of a model that say it."""
        return {
            "state.source": self.state_source,
            "state.values": self.state_values.values,
            "state.values_offsets": self.state_values.offsets,
            "state.least": self.state_least,
            "state.most": self.state_most,
            "observation.source": self.observation_source,
            "observation.values": self.observation_values.values,
            "observation.values_offsets": self.observation_values.offsets,
        }


@dataclass(frozen=True, eq=False)
class _Moves:
    """The rows of a log that show what follows: before, the move, after."""

    spec: GameSpec
    mover: Int64
    state: Float32
    next_state: Float32
    observation: Float32
    next_observation: Float32
    action: Float32
    outcome: Float32

    @classmethod
    def of(cls, dataset: TrajectoryDataset) -> _Moves:
        spec, rows = dataset.spec, np.flatnonzero(Rows.of(dataset).goes_on)
        return cls(
            spec,
            as_class(spec, dataset.acting_player[rows].astype(np.int32)),
            dataset.state[rows],
            dataset.next_state[rows],
            dataset.observation[rows],
            dataset.observation[rows + 1],
            *raw_moves(dataset, rows),
        )

    def states(self) -> Copies:
        """The next state, of the former one and the move; what the move tells is believed before what stood beside."""
        D = self.spec.state_size
        candidates = np.concatenate([self.state, self.action, self.outcome], axis=1)
        order = np.roll(np.arange(candidates.shape[1]), -D)
        return Copies(self.next_state, candidates, np.arange(D), order, self.mover)

    def views(self, player: int, is_exact: Bools) -> Copies:
        """A player's next observation, of its former one, the move, and what is exact in the next state."""
        size, D = self.spec.observation_size, self.spec.state_size
        candidates = np.concatenate([self.observation[:, player], self.next_state, self.action, self.outcome], axis=1)
        told, in_state = np.arange(size + D, candidates.shape[1]), size + np.flatnonzero(is_exact)
        order = np.concatenate([told, np.arange(size), in_state])
        return Copies(self.next_observation[:, player], candidates, np.arange(size), order, self.mover)


def _held(sources: Int64, held_out: Copies | None) -> tuple[Int32, Bools]:
    """The sources that hold in held-out rows as well, and which targets have some that do not."""
    holds = np.ones(sources.shape, dtype=bool) if held_out is None else held_out.holds(sources)
    return np.where(holds, sources, -1).astype(np.int32), np.asarray(~holds.all(axis=0))


def _values(source: Int32, moves: _Moves, others: _Moves | None, after: Callable[[_Moves], Float32]) -> Values:
    """The values of predicted entries that take few, in held-out rows no others."""
    found, targets = {}, after(moves)
    for entry in np.flatnonzero((source < 0).any(axis=0)).tolist():
        values = few_values(targets[source[moves.mover, entry] < 0, entry], MOST_VALUES, TIMES)
        if len(values) and others is not None:
            told = after(others)[source[others.mover, entry] < 0, entry]
            values = values if are_among(told, values).mean() >= 1 - UNSEEN else values[:0]
        found[entry] = values
    return Values.of(found, source.shape[1])


def _ranges(states: Float32) -> tuple[Float32, Float32]:
    """Least and most of each entry in these states, widened."""
    if not len(states):
        nothing = np.zeros(states.shape[1], dtype=np.float32)
        return nothing, nothing
    least, most = states.min(axis=0), states.max(axis=0)
    room = np.float32(WIDENED) * (most - least)
    return least - room, most + room


def _is_exact(source: Int32, values: Values) -> Bools:
    """``bool [D]``: entries that are never predicted as a number, nor copied from such.

    The errors of predicted numbers depend on all of the state, so they would tell players what they cannot know.
    """
    D = source.shape[1]
    is_exact = np.asarray(~((source < 0).any(axis=0) & (values.counts == 0)))
    is_copy = (source >= 0) & (source < D)
    while True:
        from_exact = np.where(is_copy, is_exact[np.where(is_copy, source, 0)], True).all(axis=0)
        if (from_exact | ~is_exact).all():
            return is_exact
        is_exact = is_exact & from_exact
