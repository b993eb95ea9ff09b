"""People's games of NV_games.rda of the R package datafsm: arrays of moves, halves of the people, and their clones."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from repeated import Array, RepeatedGame

Ints = NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class Games:
    """Games of one variant, each as one person saw it: rows of one length, -1 after the end.

    ``meant[g, t]`` is what the person decided, ``own`` what was carried out, ``other`` the other's move; of the last
    round only ``meant`` is known. 1 cooperates.
    """

    meant: Ints
    own: Ints
    other: Ints

    def __getitem__(self, games: Any) -> Games:
        return Games(self.meant[games], self.own[games], self.other[games])

    def __len__(self) -> int:
        return len(self.meant)

    @property
    def lengths(self) -> Ints:
        return (self.meant >= 0).sum(axis=1)

    def pairs(self) -> Ints:
        """``[n, 2]``: both sides of one game each, as far as both are here.

        The file does not say who met whom. Sides belong together if each saw what the other did; of several that did
        the same it does not matter which.
        """
        waiting: dict[Any, list[int]] = defaultdict(list)
        found = []
        for game, length in enumerate(self.lengths - 1):
            own, other = tuple(self.own[game, :length]), tuple(self.other[game, :length])
            if waiting[other, own]:
                found.append((waiting[other, own].pop(), game))
            else:
                waiting[own, other].append(game)
        return np.array(found, dtype=np.int64).reshape(-1, 2)

    def other_side(self) -> Games:
        """The same games in the eyes of whoever met these people; what it did stands for what it meant."""
        return Games(self.other, self.other, self.own)

    def histories(self, memory: int) -> Ints:
        """``[g, t]``: the number of the last ``memory`` pairs before each round, as in repeated.py."""
        numbers = np.zeros_like(self.meant)
        for t in range(1, self.meant.shape[1]):
            pair = np.where(self.own[:, t - 1] >= 0, 2 * self.own[:, t - 1] + self.other[:, t - 1], 0)
            numbers[:, t] = (4 * numbers[:, t - 1] + pair) % 4**memory
        return numbers


@dataclasses.dataclass(frozen=True)
class Variant:
    """One experiment: number and source in the file, rules, and games, those of a person side by side."""

    number: int
    source: str
    game: RepeatedGame
    games: Games

    def half(self, start: float, is_second: bool = False, share: float = 1.0) -> Games:
        """Half of the people: those on one half of the circle of games, from ``start`` on, or on the other.

        ``share`` takes the first part of that half. People stand together, so at most two are cut.
        """
        n = len(self.games)
        middle = n // 2
        begin = int(start * n) + (middle if is_second else 0)
        size = middle if not is_second else n - middle
        return self.games[(begin + np.arange(max(1, round(share * size)))) % n]


def read(path: Path) -> list[Variant]:
    """All variants of the file; needs rdata."""
    import rdata

    frame = next(iter(rdata.read_rda(path).values()))
    return [variant(int(number), rows) for number, rows in frame.groupby("group", sort=True)]


def variant(number: int, rows: Any) -> Variant:
    """One variant of a data frame with the columns of NV_games."""
    first = rows.iloc[0]
    values = {name: float(first[name]) for name in "rstp"}
    payoff = np.array([[values["p"], values["t"]], [values["s"], values["r"]]])
    period = rows["period"].to_numpy().astype(int)
    starts = np.flatnonzero(period == 1)
    lengths = np.diff([*starts, len(period)])
    place = np.repeat(np.arange(len(starts)), lengths), period - 1
    columns = {
        "meant": (rows["my.decision"] == "coop").to_numpy(),
        "own": rows["my.decision1"].to_numpy(),
        "other": rows["other.decision1"].to_numpy(),
    }
    error = float(first["error"])
    if error > 0:  # what was carried out shows in what was paid
        columns["own"] = carried_out(rows["my.payoff1"].to_numpy(), columns["other"], payoff)
    shape = len(starts), int(lengths.max())
    arrays = {name: np.full(shape, -1) for name in columns}
    arrays["meant"][place] = columns["meant"]
    game, round_ = place
    later = round_ > 0  # a row tells of the round before
    for name in ("own", "other"):
        arrays[name][game[later], round_[later] - 1] = columns[name][later]
    is_random = float(first["infin"]) == 1
    ending = {"continuation": float(first["delta"])} if is_random else {"num_rounds": int(lengths.max())}
    rules = RepeatedGame(payoff, error=error, **ending)
    source = str(first["data"])
    return Variant(number, source, rules, Games(**arrays)[neighbors(source, len(starts))])


def carried_out(paid: Any, other: Any, payoff: Array) -> Any:
    """One's own move by what it earned; payoffs of the file are shifted, so that defecting together pays nothing."""
    with np.errstate(invalid="ignore"):
        column = np.nan_to_num(other).astype(int)
        loss = np.abs(paid[:, None] + payoff[0, 0] - payoff[:, column].T)
    return np.where(np.isnan(paid), np.nan, loss.argmin(axis=1))


def neighbors(source: str, n: int) -> Ints:
    """An order of games in which the games of a person, or else of a pair, stand together.

    Most experiments are stored person by person. Kunreuther et al. and Friedman and Oprea have one side of all pairs
    and then the other; Andreoni and Miller have fourteen people game by game, twice.
    """
    games = np.arange(n)
    if source in ("KS", "FO"):
        return games.reshape(2, -1).T.ravel()
    if source == "AM":
        return np.lexsort((games, games % 14, games // 140))
    return games


def cloned(games: Games, memory: int, num_rows: int, weight: float = 8.0) -> Array:
    """People as a strategy: how often they cooperate after the last ``memory`` pairs, a row a round.

    Frequencies of few cases lean on those of a shorter memory, counted as ``weight`` cases, and these on shorter ones;
    the last row is that of all later rounds.
    """
    played = games.meant >= 0
    row = np.minimum(np.broadcast_to(np.arange(games.meant.shape[1]), games.meant.shape), num_rows - 1)[played]
    meant = games.meant[played]
    rate = np.full((num_rows, 1), (meant.sum() + 1) / (len(meant) + 2))
    for length in range(memory + 1):
        numbers = games.histories(length)[played]
        rate = np.tile(rate, (1, 4 if length else 1))  # the oldest pair is the first digit
        cell = row * 4**length + numbers
        cooperated = np.bincount(cell, meant, minlength=rate.size).reshape(rate.shape)
        cases = np.bincount(cell, minlength=rate.size).reshape(rate.shape)
        rate = (cooperated + weight * rate) / (cases + weight)
    return rate


def replayed(game: RepeatedGame, games: Games, strategy: Array, num_rounds: int) -> tuple[Array, Array]:
    """What ``strategy`` would have earned in the first rounds against the people of ``games``, by what they really did.

    A game counts by how likely the strategy, rather than whoever did, makes the moves that the other side made; how
    people replied is as it was, and no model of them is needed. Returns payoffs by round, and how many games they are
    worth.
    """
    side = games.other_side()
    actual = cloned(side, 2, num_rounds)
    flipped = game.error + (1 - 2 * game.error) * strategy
    weight, payoffs, worth = np.ones(len(games)), np.empty(num_rounds), np.empty(num_rounds)
    for t in range(num_rounds):
        known = side.own[:, t] >= 0
        chances = [s[min(t, len(s) - 1), side.histories(_memory(s))[:, t]] for s in (flipped, actual)]
        wanted, done = (np.where(side.own[:, t] == 1, chance, 1 - chance) for chance in chances)
        weight = np.where(known, weight * wanted / done, 0.0)
        total = max(weight.sum(), 1e-300)
        payoffs[t] = weight[known] @ game.payoff[side.own[known, t], side.other[known, t]] / total
        worth[t] = total**2 / max((weight**2).sum(), 1e-300)
    return payoffs, worth


def _memory(strategy: Array) -> int:
    return round(np.log(strategy.shape[1]) / np.log(4))


def log_loss(games: Games, strategy: Array) -> float:
    """Mean loss in bits of predicting every decision of ``games``."""
    memory = _memory(strategy)
    played = games.meant >= 0
    row = np.minimum(np.broadcast_to(np.arange(games.meant.shape[1]), games.meant.shape), len(strategy) - 1)
    chance = strategy[row, games.histories(memory)][played]
    return float(-np.log2(np.where(games.meant[played] == 1, chance, 1 - chance)).mean())
