"""Game trees written to the files of Gambit (``.efg``)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from coffee_fast._files import as_path, write_atomically
from coffee_fast._gambit_text import quoted
from coffee_fast.errors import InvalidArgumentError, InvalidGameError, shown
from coffee_fast.games.tree import GameTree
from coffee_fast.games.tree_arrays import NOBODY


def save_efg(tree: GameTree, path: str | os.PathLike[str]) -> None:
    """Write a tree as an extensive game of Gambit, which Gambit, OpenSpiel and ``load_game("gambit:PATH")`` read.

    A file of that name gives way. What players observe besides their information sets is not in such a file.

    Parameters
    ----------
    tree
        A game's tree, or that of a log in which nothing is unseen.
    path
        A name that ends in ``.efg``.

    Raises
    ------
    InvalidGameError
        For a tree with unseen moves, whose payoffs nobody knows, or names with backslashes.

    Notes
    -----
    Cost: some ten microseconds a node. Source: Gambit's documentation of the format.

    >>> import tempfile
    >>> from pathlib import Path
    >>> kuhn = GameTree("openspiel:kuhn_poker")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_efg(kuhn, Path(folder) / "kuhn.efg")
    ...     GameTree(f"gambit:{folder}/kuhn.efg").num_nodes
    58
    """
    if not isinstance(tree, GameTree):
        raise InvalidArgumentError(f"save_efg: tree must be a GameTree, got {shown(tree)}")
    path = as_path(path, InvalidArgumentError)
    if path.suffix.lower() != ".efg":
        raise InvalidArgumentError(f"save_efg: path must end in .efg, got {shown(path.name)}")
    if tree.num_unseen:
        raise InvalidGameError(
            f"save_efg: {tree.num_unseen} nodes of the tree were never seen in the log, so nobody knows their payoffs; "
            "log more play, or save the tree of a game"
        )
    write_atomically(path, "\n".join(_lines(tree)).encode() + b"\n")


def _lines(tree: GameTree) -> Iterator[str]:
    spec, nodes, write = tree.spec, tree.core.nodes(), partial(quoted, "save_efg")
    payoffs = nodes["payoffs"].reshape(len(nodes["players"]), spec.num_players, -1)[..., 0]  # members agree on all
    outcomes = np.unique(payoffs, axis=0, return_inverse=True)[1].ravel() + 1
    own_numbers = _numbers_of_sets(tree)
    actions = spec.action_names or tuple(map(str, range(spec.num_actions)))
    chances = spec.chance_names or tuple(map(str, range(spec.num_chance_actions)))
    players = spec.player_names or tuple(f"Player {seat + 1}" for seat in range(spec.num_players))
    yield f"EFG 2 R {write(spec.name)} {{ {' '.join(map(write, players))} }}"
    yield write("")
    num_chances, stack = 0, [0]
    while stack:
        node = stack.pop()
        player, first, count = (int(nodes[name][node]) for name in ("players", "first_children", "num_children"))
        below, moves = range(first, first + count), nodes["actions"][first : first + count].tolist()
        outcome = _outcome(int(outcomes[node]), payoffs[node], is_end=player == NOBODY)
        stack.extend(reversed(below))
        if player == NOBODY:
            yield f't "" {outcome}'
        elif player >= 0:
            number = int(nodes["information_sets"][node])
            labels = " ".join(write(actions[move]) for move in moves)
            name = write(tree.information_set_names[number])
            yield f'p "" {player + 1} {own_numbers[number]} {name} {{ {labels} }} {outcome}'
        else:
            num_chances += 1
            labels = " ".join(
                f"{write(_chance(chances, move))} {_decimal(nodes['probabilities'][child])}"
                for move, child in zip(moves, below, strict=True)
            )
            yield f'c "" {num_chances} "" {{ {labels} }} {outcome}'


def _numbers_of_sets(tree: GameTree) -> list[int]:
    """The number of each information set among its player's, from 1."""
    counts = [0] * tree.spec.num_players
    numbers = []
    for player in tree.information_set_players.tolist():
        counts[player] += 1
        numbers.append(counts[player])
    return numbers


def _chance(names: tuple[str, ...], move: int) -> str:
    """What chance's outcome is called; luck that the log does not name has numbers alone."""
    return names[move] if move < len(names) else str(move)


def _outcome(number: int, payoffs: Any, is_end: bool) -> str:
    if not is_end and not payoffs.any():
        return "0"
    return f'{number} "" {{ {", ".join(map(_decimal, payoffs))} }}'


def _decimal(value: float) -> str:
    return np.format_float_positional(value, trim="-")
