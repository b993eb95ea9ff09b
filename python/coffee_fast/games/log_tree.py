"""The tree that a log shows: trajectories merged where their histories are the same.

A history is all that was logged of it: the first state and what all players saw of it, every move, and what every move
led to. Chance has the frequencies that were seen: where it moves in rows of its own, and where one history led to
unlike ones, its luck then, be it before the first row (cards dealt before the log begins) or after any move.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from coffee_fast.errors import DatasetError, InvalidArgumentError, shown
from coffee_fast.games.spec import GameSpec
from coffee_fast.games.tree_arrays import CHANCE, LUCK, MOST_BYTES, NOBODY, Walk
from coffee_fast.typing import Float64, Int64

CALLER = "GameTree.from_dataset"
LEAST_REPEATED = 0.1  # share of the moves that must be made from a history that was met again
NOT_FOR_TREES = ("states like the end", "equal payoffs")  # of the check's findings
UNKNOWN = -1  # what a move led to at which the log breaks off
ENSEMBLE = "learn a DynamicsEnsemble, which tells what it has not seen from what is like it"

Returns = tuple[float, ...]


@dataclass(frozen=True, eq=False)
class LogTree:
    """A tree as the kernel takes it, and what only a log says.

    ``counts [V]`` trajectories took the move that leads to a node; ``is_unseen [V]``: what follows it was never seen.
    ``share`` of the trajectories are independent. ``least``, ``most [N]`` are what whole episodes paid.
    """

    arrays: dict[str, NDArray[Any]]
    set_names: tuple[str, ...]
    reward_scale: float
    counts: Int64
    is_unseen: NDArray[np.bool_]
    share: float
    num_episodes: int
    least: Float64
    most: Float64

    def draw(self, rng: np.random.Generator) -> dict[str, NDArray[Any]]:
        """Return the arrays with frequencies of chance drawn by the Bayesian bootstrap."""
        num_children, players = self.arrays["num_children"], self.arrays["players"]
        parents = np.repeat(np.arange(len(players)), num_children)
        drawn = np.flatnonzero(np.isin(players[parents], (CHANCE, LUCK)))
        weights = np.maximum(rng.standard_gamma(self.counts[drawn + 1] * self.share), np.finfo(np.float64).tiny)
        sums = np.bincount(parents[drawn], weights, minlength=len(players))
        probabilities = np.ones(len(players))
        probabilities[drawn + 1] = weights / sums[parents[drawn]]
        return self.arrays | {"probabilities": np.maximum(probabilities, np.finfo(np.float64).tiny)}


def read(dataset: Any, max_nodes: int) -> LogTree:
    """Return the tree of a log; refuse logs that are at odds with themselves, or in which hardly anything repeats."""
    if not (isinstance(getattr(dataset, "spec", None), GameSpec) and callable(getattr(dataset, "check", None))):
        raise InvalidArgumentError(f"{CALLER}: dataset must be a TrajectoryDataset, got {shown(dataset)}")
    for finding in dataset.check().refused:
        if finding.kind not in NOT_FOR_TREES:
            raise DatasetError(f"{CALLER}: {finding}")
    histories = _Histories(dataset, max_nodes)
    histories.require_repetition()
    return _Writer(histories).write()


@dataclass(slots=True)
class _Step:
    """What a move led to, what it paid, and how often."""

    then: _History | None  # None: the end
    paid: Returns
    count: int = 0


@dataclass(slots=True)
class _Move:
    """How often a move was made, and the steps that followed; none where the log broke off each time."""

    count: int = 0
    steps: dict[int, _Step] = field(default_factory=dict)


@dataclass(slots=True)
class _History:
    """A history that goes on, the first row in the log that has it, and the moves that were made then."""

    row: int
    count: int = 0
    moves: dict[int, _Move] = field(default_factory=dict)


class _Histories:
    """All histories of a log, merged; ``start`` is what comes before the first rows."""

    def __init__(self, dataset: Any, max_nodes: int) -> None:
        self.dataset, self.spec = dataset, dataset.spec
        self.mover = dataset.acting_player.astype(np.int64)
        self.masks, self.known = dataset.legal_masks(), dataset.information_states()
        self.start = _Move()
        self.all: list[_History] = []
        self._merge(max_nodes)

    def _numbers(self) -> tuple[list[int], list[int]]:
        """For each row a number of all that was logged of the moment, and one of what the move paid and led to."""
        data, last = self.dataset, self.dataset.trajectory_offsets[1:] - 1
        looks = _numbers(data.state, data.observation, self.mover[:, None].astype(np.int8), data.legal_mask)
        follows = np.append(looks[1:], -1)
        follows[last] = -1  # the end
        led_to = _numbers(data.reward, follows[:, None])
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
                    step = move.steps[key] = _Step(_History(row), paid)
                    self.all.append(step.then)  # type: ignore[arg-type]
                    if (num_nodes := num_nodes + 1 + num_legal[row]) > max_nodes:
                        raise DatasetError(self._too_large(num_nodes, max_nodes, row))
                step.count += 1
                here = step.then
                assert here is not None
                here.count += 1
                move, key = here.moves.setdefault(actions[row], _Move()), led_to[row]
                move.count += 1
            if key != UNKNOWN:
                move.steps.setdefault(key, _Step(None, self._paid(end - 1))).count += 1

    def _paid(self, row: int) -> Returns:
        return tuple(self.dataset.reward[row].astype(np.float64).tolist())

    def _too_large(self, num_nodes: int, max_nodes: int, row: int) -> str:
        return (
            f"{CALLER}: the log shows more than {max_nodes} nodes (max_nodes): {num_nodes} were met when row {row} of "
            f"{self.dataset.num_transitions} was looked at; raise max_nodes, select() fewer trajectories, or {ENSEMBLE}"
        )

    def require_repetition(self) -> None:
        """Raise unless histories come up again: of those that do not, a tree says nothing but what happened once."""
        again = [history.count for history in self.all if history.count > 1]
        if sum(again) < LEAST_REPEATED * self.dataset.num_transitions:
            raise DatasetError(
                f"{CALLER}: of {len(self.all)} histories in {self.dataset.num_trajectories} trajectories only "
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
                f"{CALLER}: the tree takes more than {MOST_BYTES / 2**30:g} GB: {len(self.all)} histories, with states "
                f"of {spec.state_size} numbers, observations of {spec.observation_size} a player and information "
                f"states of {spec.information_state_size}; select() fewer trajectories, or {ENSEMBLE}"
            )

    def returns(self) -> Float64:
        """``float64 [whole trajectories, N]``: what each player got."""
        offsets, reward = self.dataset.trajectory_offsets, self.dataset.reward.astype(np.float64)
        return np.asarray(np.add.reduceat(reward, offsets[:-1], axis=0)[~self.dataset.truncated])


Path = tuple["Path", str] | tuple[()]
# A node to be written: what is there (a history, the end, luck, what was never seen), the move that leads there, its
# probability and count, how deep it lies, what the move pays and all moves did so far, and the moves in words.
Waiting = tuple[_History | dict[int, _Step] | Literal["unseen"] | None, int, float, int, int, Returns, Returns, Path]


class _Writer:
    """The nodes of the histories, each before its children, siblings by their moves."""

    def __init__(self, histories: _Histories) -> None:
        self.histories, self.spec = histories, histories.spec
        self.returns = histories.returns()
        self.least, self.most = self.returns.min(axis=0), self.returns.max(axis=0)
        self.nodes = Walk(self.spec.num_players, self.spec.observation_size)
        self.counts, self.unseen, self.hidden_rows = list[int](), list[bool](), list[int]()
        self.rows: list[int] = []  # of the log, one a history
        self.payoff_rows: dict[tuple[Returns, Returns], int] = {}
        data = histories.dataset
        self.sets = _numbers(histories.known, histories.mover[:, None].astype(np.int8), data.legal_mask).tolist()
        self.set_numbers: dict[int, int] = {}

    def write(self) -> LogTree:
        nothing: Returns = (0.0,) * self.spec.num_players
        stack = [self._after(self.histories.start, 0, 1.0, -1, nothing, ())]
        while stack:
            here, action, probability, count, depth, paid, so_far, path = stack.pop()
            nodes = self.nodes
            nodes.depths.append(depth)
            nodes.actions.append(action)
            nodes.probabilities.append(probability)
            self.counts.append(count)
            self.unseen.append(isinstance(here, str))
            if isinstance(here, str):  # an episode then pays the least in all, or the most
                bounds = [tuple((bound - np.array(so_far)).tolist()) for bound in (self.least, self.most)]
                nodes.payoff_rows.append(self._payoff_row(bounds[0], bounds[1]))
            else:
                nodes.payoff_rows.append(self._payoff_row(paid, paid))
            if isinstance(here, _History):
                moves = self._history(here, depth, so_far, path)
            elif isinstance(here, dict):
                moves = self._luck(here, depth, so_far, path)
            else:
                moves = []
                self._describe(NOBODY, 0, -1, 0)
            stack.extend(reversed(moves))
        return self._tree()

    def _after(self, move: _Move, action: int, probability: float, depth: int, so_far: Returns, path: Path) -> Waiting:
        if not move.steps:
            return "unseen", action, probability, move.count, depth + 1, so_far, so_far, path
        if len(move.steps) > 1:
            nothing = (0.0,) * len(so_far)
            return move.steps, action, probability, move.count, depth + 1, nothing, so_far, path
        (step,) = move.steps.values()
        return step.then, action, probability, move.count, depth + 1, step.paid, _plus(so_far, step.paid), path

    def _history(self, history: _History, depth: int, so_far: Returns, path: Path) -> list[Waiting]:
        row, mover = history.row, int(self.histories.mover[history.row])
        number = -1 if mover < 0 else self._set(row, mover, path)
        legal = sorted(history.moves) if mover < 0 else np.flatnonzero(self.histories.masks[row]).tolist()
        self._describe(mover, len(legal), number, len(self.rows))
        self.rows.append(row)
        moves = []
        for action in legal:
            move = history.moves.get(action, _Move())
            probability = move.count / history.count if mover < 0 else 1.0
            words = (path, self._in_words(mover, action))
            moves.append(self._after(move, action, probability, depth, so_far, words))
        return moves

    def _luck(self, steps: dict[int, _Step], depth: int, so_far: Returns, path: Path) -> list[Waiting]:
        self._describe(LUCK, len(steps), -1, 0)
        total = sum(step.count for step in steps.values())
        return [
            (step.then, slot, step.count / total, step.count, depth + 1, step.paid, _plus(so_far, step.paid), path)
            for slot, (_, step) in enumerate(sorted(steps.items()))
        ]

    def _describe(self, player: int, num_children: int, information_set: int, place: int) -> None:
        nodes, N = self.nodes, self.spec.num_players
        nodes.players.append(player)
        nodes.num_children.append(num_children)
        nodes.information_sets.append(information_set)
        nodes.observation_rows.extend(range(place * N, place * N + N))
        self.hidden_rows.append(place)

    def _payoff_row(self, least: Returns, most: Returns) -> int:
        return self.payoff_rows.setdefault((least, most), len(self.payoff_rows))

    def _set(self, row: int, mover: int, path: Path) -> int:
        number = self.set_numbers.setdefault(self.sets[row], len(self.set_numbers))
        if number == len(self.nodes.set_names):
            words = []
            while path:
                path, word = path
                words.append(word)
            who = self.spec.player_names[mover] if self.spec.player_names else f"player {mover}"
            self.nodes.set_names.append(f"{who} after {', '.join(reversed(words))}" if words else f"{who} at first")
        return number

    def _in_words(self, mover: int, action: int) -> str:
        names = self.spec.chance_names if mover < 0 else self.spec.action_names
        return f"{'chance' if mover < 0 else mover}: {names[action] if names else action}"

    def _tree(self) -> LogTree:
        nodes, data, N = self.nodes, self.histories.dataset, self.spec.num_players
        order, rows = nodes.order(), np.array(self.rows)
        arrays = nodes.breadth_first()
        is_unseen = np.array(self.unseen)[order]
        payoffs = np.array(list(self.payoff_rows), np.float64)  # [P, 2, N]
        if not is_unseen.any():
            payoffs = payoffs[:, :1]
        num_sets = len(nodes.set_names)
        first = np.unique(arrays["information_sets"], return_index=True)[1][-num_sets:] if num_sets else []
        hidden_rows = np.array(self.hidden_rows, np.int32)[order]
        arrays |= {
            "payoffs": payoffs.transpose(0, 2, 1).reshape(len(payoffs), -1),
            "observations": data.observation[rows].reshape(len(rows) * N, -1),
            "hidden": data.state[rows],
            "hidden_rows": hidden_rows,
            "information_states": self.histories.known[rows[hidden_rows[first]]],
        }
        return LogTree(
            arrays=arrays,
            set_names=tuple(nodes.set_names),
            reward_scale=float(self.returns.std()) or 1.0,
            counts=np.array(self.counts)[order],
            is_unseen=is_unseen,
            share=data.num_independent_episodes / data.num_trajectories,
            num_episodes=data.num_independent_episodes,
            least=self.least,
            most=self.most,
        )


def _plus(returns: Returns, paid: Returns) -> Returns:
    return tuple(a + b for a, b in zip(returns, paid, strict=True))


def _numbers(*arrays: NDArray[Any]) -> Int64:
    """A number a row, equal where the rows of all arrays are; by their content, not by their order."""
    parts = [np.asarray(a + a.dtype.type(0)).reshape(len(a), -1) for a in arrays]  # -0.0 becomes 0.0
    rows = np.concatenate([np.ascontiguousarray(part).view(np.uint8) for part in parts], axis=1)
    whole, width = rows.tobytes(), rows.shape[1]
    contents = [whole[first : first + width] for first in range(0, len(whole), width)]
    numbers = {content: number for number, content in enumerate(sorted(set(contents)))}  # faster than np.unique
    return np.array([numbers[content] for content in contents], np.int64)
