"""Extensive games in the files of Gambit (``.efg``), as its documentation of the format describes them."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from coffee_fast._files import read_text
from coffee_fast._gambit_text import GambitReader, without_gaps
from coffee_fast.errors import InvalidGameError
from coffee_fast.games.tree_arrays import CHANCE, NOBODY, Walk, move_vectors

PREFIX = "gambit:"
MOST_PLAYERS = 100
_LARGEST = 256 << 20
_MOST_NUMBERS = 10**9 - 1

Numbered = dict[str, int]


@dataclass
class Node:
    """A node as the file has it; ``moves`` are the numbers of actions or of chance's outcomes, ``chances`` theirs."""

    player: int
    information_set: tuple[int, int] | None
    moves: list[int]
    chances: list[float]
    payoffs: tuple[float, ...] | None
    children: list[Node] = field(default_factory=list)


@dataclass
class InformationSet:
    """What the first node of an information set said: its number among all, in the order of the file, and its moves."""

    number: int
    name: str
    moves: list[int]
    own_number: int  # among the player's


@dataclass
class GambitTree:
    """A game read from a file: its walk, and the names of players, actions and outcomes of chance."""

    walk: Walk
    players: tuple[str, ...]
    actions: tuple[str, ...]
    outcomes: tuple[str, ...]


def read(name: str, max_nodes: int) -> GambitTree:
    """Read the file that a name ``"gambit:PATH"`` says; ``InvalidGameError`` with line and column if it is none."""
    path = Path(name.removeprefix(PREFIX))
    return _Parser(path, read_text(path, InvalidGameError, _LARGEST), max_nodes).read()


class _Parser:
    def __init__(self, path: Path, text: str, max_nodes: int) -> None:
        self.reader, self.max_nodes = GambitReader(path, text), max_nodes
        self.actions: Numbered = {}
        self.outcomes: Numbered = {}
        self.sets: dict[tuple[int, int], InformationSet] = {}
        self.payoffs: dict[int, tuple[float, ...]] = {}  # of outcomes

    def read(self) -> GambitTree:
        reader = self.reader
        reader.take("word", "EFG, the first word of an extensive game of Gambit", "EFG")
        reader.take("number", "2, the version of the format", "2")
        reader.take("word", "R or D, the kind of numbers", "R", "D")
        reader.take("text", "the title in quotes")
        self.players = without_gaps(reader.take_texts("a player's name in quotes"), "Player ")
        if len(self.players) > MOST_PLAYERS:
            reader.fail(f"at most {MOST_PLAYERS} players")
        if len(set(self.players)) < len(self.players):
            self.players = [f"{name} ({number})" for number, name in enumerate(self.players, 1)]
        if reader.is_next("text"):
            reader.take("text", "a comment")
        root = self._take_tree()
        reader.take("end", "the end of the file, as all moves have led to their nodes")
        if not root.children:
            raise InvalidGameError(f"{reader.path}: the game is over before anybody moves")
        return GambitTree(self._walk(root), tuple(self.players), tuple(self.actions), tuple(self.outcomes))

    def _take_tree(self) -> Node:
        """Nodes stand in the order of a walk, each before its children."""
        root, num_nodes = self._take_node(), 1
        waiting = [root]
        while waiting:
            parent = waiting[-1]
            if len(parent.children) == len(parent.moves):
                waiting.pop()
                continue
            num_nodes += 1
            if num_nodes > self.max_nodes:
                self.reader.fail(f"at most {self.max_nodes} nodes (max_nodes)")
            node = self._take_node()
            parent.children.append(node)
            waiting.append(node)
        return root

    def _take_node(self) -> Node:
        reader = self.reader
        kind = reader.take("word", "c, p or t, as there are moves that have led nowhere yet", "c", "p", "t")
        reader.take("text", "the node's name in quotes")
        if kind == "t":
            return Node(NOBODY, None, [], [], self._take_outcome())
        if kind == "c":
            reader.take_whole_number("the number of the information set of chance", 0, _MOST_NUMBERS)
            moves, chances = self._take_chances()
            return Node(CHANCE, None, moves, chances, self._take_outcome())
        player = reader.take_whole_number("the number of the player on move", 1, len(self.players)) - 1
        number = reader.take_whole_number("the number of its information set", 0, _MOST_NUMBERS)
        moves = self._take_moves(player, number)
        return Node(player, (player, number), moves, [1.0] * len(moves), self._take_outcome())

    def _take_moves(self, player: int, number: int) -> list[int]:
        """The actions of an information set, which must be named where it is first met."""
        reader, known = self.reader, self.sets.get((player, number))
        name = reader.take("text", "the information set's name in quotes") if reader.is_next("text") else ""
        if not reader.is_next("mark", "{"):
            if known is None:
                reader.fail("{ before the actions of an information set that is met first")
            return known.moves
        place = reader.next
        moves = [_number(self.actions, label) for label in _unlike(reader.take_texts("an action's name in quotes"))]
        if known is None:
            own = sum(who == player for who, _ in self.sets)
            name = name if name.strip() else f"{self.players[player]}, information set {number}"
            self.sets[player, number] = InformationSet(len(self.sets), name, moves, own)
        elif known.moves != moves:
            reader.fail(f"the actions of information set {number} of player {player + 1} as at its first node", place)
        return moves

    def _take_chances(self) -> tuple[list[int], list[float]]:
        reader = self.reader
        if reader.is_next("text"):
            reader.take("text", "the information set's name in quotes")
        place = reader.next
        reader.take("mark", "{ before the outcomes of chance", "{")
        labels, chances = [], []
        while not reader.is_next("mark", "}"):
            labels.append(reader.take("text", "the name in quotes of an outcome of chance, or }"))
            chances.append(reader.take_number("the probability of an outcome of chance, as 0.5 or 1/2"))
        reader.take("mark", "}", "}")
        total = sum(chances)
        if not labels or min(chances) < 0.0 or abs(total - 1.0) > 1e-6:
            reader.fail(f"probabilities of chance that are not negative and sum to 1, not {total:g}", place)
        return [_number(self.outcomes, label) for label in _unlike(labels)], [chance / total for chance in chances]

    def _take_outcome(self) -> tuple[float, ...] | None:
        reader = self.reader
        number = reader.take_whole_number("the number of an outcome, 0 for none", 0, _MOST_NUMBERS)
        if reader.is_next("text"):
            reader.take("text", "the outcome's name")
        if reader.is_next("mark", "{"):
            reader.take("mark", "{", "{")
            place, paid = reader.next, tuple(reader.take_payoffs(len(self.players)))
            if number == 0 or self.payoffs.setdefault(number, paid) != paid:
                reader.fail(f"the payoffs of outcome {number} as where it was met first", place)
        if number and number not in self.payoffs:
            reader.fail(f"{{ before the payoffs of outcome {number}, which is met first")
        return self.payoffs.get(number)

    def _walk(self, root: Node) -> Walk:
        """A player observes its seat and its own last information set: the file says no more of what it knows."""
        num_players = len(self.players)
        num_sets = max(sum(who == player for who, _ in self.sets) for player in range(num_players))
        sets = move_vectors(num_sets + 1)  # row 0: none yet
        width, seats = len(sets), np.eye(num_players, dtype=np.float32)
        seen = np.concatenate([np.repeat(seats, width, axis=0), np.tile(sets, (num_players, 1))], axis=1)
        nodes = Walk(num_players, seen.shape[1])
        nodes.observations = array("f", seen.ravel().tolist())
        nodes.set_names = [about.name for about in self.sets.values()]
        nothing, nowhere = (0.0,) * num_players, tuple(range(0, num_players * width, width))
        rows = {nothing: 0}
        # A root that pays would be paid by no move: its moves pay it as well.
        stack = [(root, 0, 1.0, 0, nowhere, nothing)]
        while stack:
            node, move, chance, depth, known, owed = stack.pop()
            paid = tuple(a + b for a, b in zip(owed, node.payoffs or nothing, strict=True))
            owed_below = paid if node is root else nothing
            nodes.depths.append(depth)
            nodes.actions.append(move)
            nodes.probabilities.append(chance)
            nodes.payoff_rows.append(0 if node is root else rows.setdefault(paid, len(rows)))
            nodes.players.append(node.player)
            about = self.sets[node.information_set] if node.information_set else None
            if about is not None:
                row = nowhere[node.player] + about.own_number + 1
                known = (*known[: node.player], row, *known[node.player + 1 :])
            nodes.information_sets.append(-1 if about is None else about.number)
            nodes.observation_rows.extend(known if node.children else nowhere)
            followers = [
                (child, after, p, depth + 1, known, owed_below)
                for child, after, p in zip(node.children, node.moves, node.chances, strict=True)
                if p > 0.0
            ]
            nodes.num_children.append(len(followers))
            stack.extend(sorted(followers, key=lambda follower: follower[1], reverse=True))
        nodes.payoffs = list(rows)
        return nodes


def _number(numbers: Numbered, label: str) -> int:
    return numbers.setdefault(label, len(numbers))


def _unlike(labels: list[str]) -> list[str]:
    """Labels of which no two are alike: an empty one is its number, and a second of a kind says which it is."""
    named = without_gaps(labels, "")
    return [f"{label} ({place})" if label in named[:place] else label for place, label in enumerate(named)]


def is_name(value: object) -> bool:
    """Whether it names a file of Gambit."""
    return isinstance(value, str) and value.startswith(PREFIX)
