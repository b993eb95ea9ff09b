"""The histories of a log, merged where they are the same.

A history is all that was logged of it: the first state and what all players saw of it, every move, and what every move
paid and led to.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast.errors import DatasetError
from coffee_fast.games.tree_arrays import MOST_BYTES
from coffee_fast.typing import Float64, Int64

LEAST_REPEATED = 0.1  # share of the moves that must be made from a history that was met again
UNKNOWN = -1  # what a move led to at which the log breaks off
ENSEMBLE = "learn a DynamicsEnsemble, which tells what it has not seen from what is like it"

Returns = tuple[float, ...]


@dataclass(slots=True)
class Step:
    """What a move led to, what it paid, and how often."""

    then: History | None  # None: the end
    paid: Returns
    count: int = 0


@dataclass(slots=True)
class Move:
    """How often a move was made, and the steps that followed; none where the log broke off each time."""

    count: int = 0
    steps: dict[int, Step] = field(default_factory=dict)


@dataclass(slots=True)
class History:
    """A history that goes on, the first row in the log that has it, and the moves that were made then."""

    row: int
    count: int = 0
    moves: dict[int, Move] = field(default_factory=dict)

    def next_seat(self) -> History:
        """Of moves at once, what the next seat knows, whichever move was made."""
        move = self.moves[min(self.moves)]
        then = move.steps[min(move.steps)].then
        assert then is not None  # rounds are whole
        return then


class Histories:
    """All histories of a log, merged; ``start`` is what comes before the first rows."""

    def __init__(self, caller: str, dataset: Any, max_nodes: int) -> None:
        self.caller, self.dataset, self.spec = caller, dataset, dataset.spec
        self.mover = dataset.acting_player.astype(np.int64)
        self.masks, self.known = dataset.legal_masks(), dataset.information_states()
        self.start = Move()
        self.all: list[History] = []
        self._merge(max_nodes)

    def _numbers(self) -> tuple[list[int], list[int]]:
        """For each row a number of all that was logged of the moment, and one of what the move paid and led to."""
        data, last = self.dataset, self.dataset.trajectory_offsets[1:] - 1
        looks = numbers_of(data.state, data.observation, self.mover[:, None].astype(np.int8), data.legal_mask)
        follows = np.append(looks[1:], -1)
        follows[last] = -1  # the end
        led_to = numbers_of(data.reward, follows[:, None])
        led_to[last[data.truncated]] = UNKNOWN
        return looks.tolist(), led_to.tolist()

    def _merge(self, max_nodes: int) -> None:
        looks, led_to = self._numbers()
        actions, num_legal = self.dataset.action.tolist(), self.masks.sum(axis=1).tolist()
        num_nodes, nothing = 1, (0.0,) * self.spec.num_players
        for first, end in itertools.pairwise(self.dataset.trajectory_offsets.tolist()):
            move, key = self.start, looks[first]
            move.count += 1
            for row in range(first, end):
                step = move.steps.get(key)
                if step is None:
                    paid = self._paid(row - 1) if row > first else nothing
                    self.all.append(History(row))
                    step = move.steps[key] = Step(self.all[-1], paid)
                    if (num_nodes := num_nodes + 1 + num_legal[row]) > max_nodes:
                        at = f"when row {row} of {self.dataset.num_transitions} was looked at"
                        raise DatasetError(self.too_large(max_nodes, num_nodes, at))
                step.count += 1
                here = step.then
                assert here is not None
                here.count += 1
                move, key = here.moves.setdefault(actions[row], Move()), led_to[row]
                move.count += 1
            if key != UNKNOWN:
                move.steps.setdefault(key, Step(None, self._paid(end - 1))).count += 1

    def _paid(self, row: int) -> Returns:
        return tuple(self.dataset.reward[row].astype(np.float64).tolist())

    def too_large(self, max_nodes: int, num_nodes: int, at: str) -> str:
        """What to say where ``max_nodes`` are not enough."""
        return (
            f"{self.caller}: the log shows more than {max_nodes} nodes (max_nodes): {num_nodes} were met {at}; raise "
            f"max_nodes, select() fewer trajectories, or {ENSEMBLE}"
        )

    def require_repetition(self) -> None:
        """Raise unless histories come up again: of those that do not, a tree says nothing but what happened once."""
        again = [history.count for history in self.all if history.count > 1]
        if sum(again) < LEAST_REPEATED * self.dataset.num_transitions:
            raise DatasetError(
                f"{self.caller}: of {len(self.all)} histories in {self.dataset.num_trajectories} trajectories only "
                f"{len(again)} were met more than once, and {sum(again)} of {self.dataset.num_transitions} moves made "
                "from them, so a tree would hold what happened once each time: the log is too short for so large a "
                "game, or its states and observations are too fine. Bring more games, leave out or round what never "
                f"repeats, or {ENSEMBLE}"
            )
        spec = self.spec
        size = 8 * len(self.all) * (spec.num_players * spec.observation_size + spec.state_size)  # ours and the kernel's
        size += 8 * len(self.all) * spec.information_state_size
        if size > MOST_BYTES:
            raise DatasetError(
                f"{self.caller}: the tree takes more than {MOST_BYTES / 2**30:g} GB: {len(self.all)} histories, with "
                f"states of {spec.state_size} numbers, observations of {spec.observation_size} a player and "
                f"information states of {spec.information_state_size}; select() fewer trajectories, or {ENSEMBLE}"
            )

    def returns(self) -> Float64:
        """``float64 [whole trajectories, N]``: what each player got."""
        offsets, reward = self.dataset.trajectory_offsets, self.dataset.reward.astype(np.float64)
        return np.asarray(np.add.reduceat(reward, offsets[:-1], axis=0)[~self.dataset.truncated])


def numbers_of(*arrays: NDArray[Any]) -> Int64:
    """Return a number a row, equal where the rows of all arrays are; by their content, not by their order."""
    parts = [np.asarray(a + a.dtype.type(0)).reshape(len(a), -1) for a in arrays]  # -0.0 becomes 0.0
    rows = np.concatenate([np.ascontiguousarray(part).view(np.uint8) for part in parts], axis=1)
    whole, width = rows.tobytes(), rows.shape[1]
    contents = [whole[first : first + width] for first in range(0, len(whole), width)]
    numbers = {content: number for number, content in enumerate(sorted(set(contents)))}  # faster than np.unique
    return np.array([numbers[content] for content in contents], np.int64)
