"""The tree that a log shows.

Chance has the frequencies that were seen: where it moves in rows of its own, and where one history led to unlike ones,
its luck then, be it before the first row (cards dealt before the log begins) or after any move. What is not in the log
is in no history, and nobody whose knowledge is in the log acts on it, so that luck is as likely whatever is played.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from coffee_fast.errors import DatasetError, InvalidArgumentError, shown
from coffee_fast.games.log_histories import Histories, History, Move, Returns, Step, numbers_of
from coffee_fast.games.spec import GameSpec
from coffee_fast.games.tree_arrays import CHANCE, LUCK, NOBODY, Walk
from coffee_fast.typing import Float64, Int64

CALLER = "GameTree.from_dataset"
NOT_FOR_TREES = ("states like the end", "equal payoffs")  # of the check's findings


@dataclass(frozen=True, eq=False)
class LogTree:
    """A tree as the kernel takes it, and what only a log says.

    ``counts [V]`` trajectories took the move that leads to a node; ``is_unseen [V]``: what follows it was never seen.
    ``share`` of the trajectories are independent. ``least``, ``most [N]`` are what whole episodes may pay.
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

    def penalized(self, penalty: float) -> dict[str, NDArray[Any]]:
        """Return the arrays with payoffs, the same by each member, less ``penalty`` times their disagreement."""
        payoffs = self.arrays["payoffs"]
        by_member = payoffs.reshape(len(payoffs), len(self.least), -1)  # the least first, the most last
        least, most = by_member[..., :1], by_member[..., -1:]
        paid = (least + most) / 2.0 - penalty * (most - least) / 2.0
        return self.arrays | {"payoffs": np.repeat(paid, by_member.shape[2], axis=2).reshape(payoffs.shape)}


def read(dataset: Any, max_nodes: int, payoff_range: Any = None) -> LogTree:
    """Return the tree of a log; refuse logs that are at odds with themselves, or in which hardly anything repeats."""
    if not (isinstance(getattr(dataset, "spec", None), GameSpec) and callable(getattr(dataset, "check", None))):
        raise InvalidArgumentError(f"{CALLER}: dataset must be a TrajectoryDataset, got {shown(dataset)}")
    for finding in dataset.check().refused:
        if finding.kind not in NOT_FOR_TREES:
            raise DatasetError(f"{CALLER}: {finding}")
    histories = Histories(CALLER, dataset, max_nodes)
    histories.require_repetition()
    return _Writer(histories, max_nodes, *_range(payoff_range, histories.returns())).write()


def _range(payoff_range: Any, returns: Float64) -> tuple[Float64, Float64]:
    """The least and the most ``[N]`` that an episode may pay: as said, or as the log's did."""
    seen = returns.min(axis=0), returns.max(axis=0)
    if payoff_range is None:
        return seen
    try:
        said = np.asarray(payoff_range, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        said = np.array(np.nan)
    if said.shape not in ((2,), (returns.shape[1], 2)) or not np.isfinite(said).all():
        raise InvalidArgumentError(
            f"{CALLER}: payoff_range must be the least and the most that an episode may pay a player, two numbers or "
            f"two a player, got {shown(payoff_range)}"
        )
    least, most = np.broadcast_to(said, (returns.shape[1], 2)).T.copy()
    if (least > seen[0]).any() or (most < seen[1]).any():
        raise InvalidArgumentError(
            f"{CALLER}: payoff_range must hold what episodes of the log paid, {seen[0].min():g} to {seen[1].max():g}, "
            f"got {shown(payoff_range)}"
        )
    return least, most


Path = tuple["Path", str] | tuple[()]


@dataclass(frozen=True)
class _Chosen:
    """Within a round of moves at once, after one never made: what the next seat knows, and what was chosen, by seat."""

    like: History
    actions: dict[int, int]


# A node to be written: what is there (a history, the end, luck, what was never seen), the move that leads there, its
# probability and count, how deep it lies, what the move pays and all moves did so far, and the moves in words.
Here = History | dict[int, Step] | _Chosen | Literal["unseen"] | None
Waiting = tuple[Here, int, float, int, int, Returns, Returns, Path]


class _Writer:
    """The nodes of the histories, each before its children, siblings by their moves."""

    def __init__(self, histories: Histories, max_nodes: int, least: Float64, most: Float64) -> None:
        self.histories, self.spec, self.max_nodes = histories, histories.spec, max_nodes
        self.nothing: Returns = (0.0,) * self.spec.num_players
        self.returns = histories.returns()
        self.least, self.most = least, most
        self.nodes = Walk(self.spec.num_players, self.spec.observation_size)
        self.counts, self.unseen, self.hidden_rows = list[int](), list[bool](), list[int]()
        self.rows: list[int] = []  # of the log, one a history
        self.chosen: dict[int, dict[int, int]] = {}  # by place in rows, where it differs from what the log says
        self.payoff_rows: dict[tuple[Returns, Returns], int] = {}
        data = histories.dataset
        self.sets = numbers_of(histories.known, histories.mover[:, None].astype(np.int8), data.legal_mask).tolist()
        self.set_numbers: dict[int, int] = {}

    def write(self) -> LogTree:
        stack = [self._after(self.histories.start, 0, 1.0, -1, self.nothing, ())]
        while stack:
            if (num_nodes := len(self.counts) + len(stack)) > self.max_nodes:
                raise DatasetError(self.histories.too_large(self.max_nodes, num_nodes, "with moves never made"))
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
            if isinstance(here, History):
                moves = self._choices(here, {}, depth, so_far, path)
            elif isinstance(here, _Chosen):
                moves = self._choices(here.like, here.actions, depth, so_far, path)
            elif isinstance(here, dict):
                moves = self._luck(here, depth, so_far, path)
            else:
                moves = []
                self._describe(NOBODY, 0, -1, 0)
            stack.extend(reversed(moves))
        return self._tree()

    def _after(self, move: Move, action: int, probability: float, depth: int, so_far: Returns, path: Path) -> Waiting:
        if not move.steps:
            return "unseen", action, probability, move.count, depth + 1, self.nothing, so_far, path
        if len(move.steps) > 1:
            return move.steps, action, probability, move.count, depth + 1, self.nothing, so_far, path
        (step,) = move.steps.values()
        return step.then, action, probability, move.count, depth + 1, step.paid, _plus(so_far, step.paid), path

    def _choices(
        self, history: History, chosen: dict[int, int], depth: int, so_far: Returns, path: Path
    ) -> list[Waiting]:
        row, mover = history.row, int(self.histories.mover[history.row])
        number = -1 if mover < 0 else self._set(row, mover, path)
        legal = sorted(history.moves) if mover < 0 else np.flatnonzero(self.histories.masks[row]).tolist()
        self._describe(mover, len(legal), number, len(self.rows))
        if chosen:
            self.chosen[len(self.rows)] = chosen
        self.rows.append(row)
        is_amid_round = self.spec.moves == "simultaneous" and 0 <= mover < self.spec.num_players - 1
        moves: list[Waiting] = []
        for action in legal:
            move = Move() if chosen else history.moves.get(action, Move())
            probability = move.count / history.count if mover < 0 else 1.0
            words = (path, self._in_words(mover, action))
            if is_amid_round and not move.steps:  # the other seats, who do not see it, choose as well
                then = _Chosen(history.next_seat(), chosen | {mover: action})
                moves.append((then, action, 1.0, move.count, depth + 1, self.nothing, so_far, words))
            else:
                moves.append(self._after(move, action, probability, depth, so_far, words))
        return moves

    def _luck(self, steps: dict[int, Step], depth: int, so_far: Returns, path: Path) -> list[Waiting]:
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
        order, rows, vectors = nodes.order(), np.array(self.rows), self.spec.action_vectors
        arrays = nodes.breadth_first()
        states = data.state[rows]
        for place, chosen in self.chosen.items():
            choices = states[place, -N * vectors.shape[1] :].reshape(N, -1)
            choices[list(chosen)] = vectors[list(chosen.values())]
        is_unseen = np.array(self.unseen)[order]
        payoffs = np.array(list(self.payoff_rows), np.float64)  # [P, 2, N]
        if not is_unseen.any():
            payoffs = payoffs[:, :1]
        numbers, first = np.unique(arrays["information_sets"], return_index=True)
        hidden_rows = np.array(self.hidden_rows, np.int32)[order]
        arrays |= {
            "payoffs": payoffs.transpose(0, 2, 1).reshape(len(payoffs), -1),
            "observations": data.observation[rows].reshape(len(rows) * N, -1),
            "hidden": states,
            "hidden_rows": hidden_rows,
            "information_states": self.histories.known[rows[hidden_rows[first[numbers >= 0]]]],
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
