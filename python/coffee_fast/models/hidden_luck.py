"""Hidden luck: kinds of what state and action leave open, found in a log and drawn like outcomes of chance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast.models.entry_kinds import EntryKinds
from coffee_fast.models.figures_of_log import repeats
from coffee_fast.models.inputs import Rows, as_class, broke_off, paying_rows
from coffee_fast.models.limits import DRAWN_LUCK, MIN_REPEATED
from coffee_fast.models.normalization import Normalizers
from coffee_fast.seeding import derive_seed
from coffee_fast.typing import Float32, Float64, Int64

if TYPE_CHECKING:
    from coffee_fast.data import TrajectoryDataset

LEAST_LEFT = 0.1  # of the variance of an entry's changes, or of a player's rewards; less is error, not luck,
PROVEN_LEFT = 0.01  # unless like states and actions are seen to have led to unlike ones
NUM_STARTS, NUM_ROUNDS = 8, 50  # of k-means
MOST_ROWS = 20_000  # that k-means looks at

Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What moves bring about: changes of the state, then rewards, in the units of the networks.

    Attributes
    ----------
    values
        ``float32 [T, D + N]``.
    shows
        1 where luck would show, else 0: in predicted entries where play goes on, in rewards where the game may pay.
    """

    values: Float32
    shows: Float32

    @classmethod
    def of(cls, dataset: TrajectoryDataset, normalizers: Normalizers, kinds: EntryKinds | None) -> Outcomes:
        """Those of a log."""
        rows, D = Rows.of(dataset), dataset.spec.state_size
        changes = normalizers.state(dataset.next_state) - normalizers.state(dataset.state)
        rewards = (dataset.reward / np.float32(normalizers.reward_scale)).astype(np.float32)
        shows = np.zeros((len(changes), D + rewards.shape[1]), dtype=np.float32)
        shows[rows.goes_on, :D] = 1.0
        if kinds is not None:
            shows[:, :D] *= kinds.state_source[as_class(dataset.spec, rows.player)] < 0
        shows[paying_rows(dataset), D:] = 1.0
        shows[broke_off(dataset)] = 0.0
        return cls(np.where(shows > 0, np.concatenate([changes, rewards], axis=1), np.float32(0)), shows)

    def spread(self, rows: Bools) -> Float64:
        """``[D + N]``: the sum of squares about the mean, in some rows."""
        values, shows = (part[rows].astype(np.float64) for part in (self.values, self.shows))
        mean = values.sum(axis=0) / np.maximum(shows.sum(axis=0), 1.0)
        return np.asarray((((values - mean) * shows) ** 2).sum(axis=0))

    def left(self, predicted: NDArray[Any]) -> Float64:
        """What a prediction leaves open."""
        return np.asarray((self.values - predicted) * self.shows, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Luck:
    """Kinds of luck, each the outcome typical of it, less what state and action let expect.

    Attributes
    ----------
    after, at_end
        ``float64 [K, D + N]`` of moves after which play goes on, and of last ones; None where nothing is left to luck.
    explained
        How much of what state and action leave open they explain, where they explain least.
    sentences
        What was found.
    """

    after: Float64 | None
    at_end: Float64 | None
    explained: float
    sentences: tuple[str, ...]

    @classmethod
    def of(cls, dataset: TrajectoryDataset, outcomes: Outcomes, predicted: NDArray[Any], num: int, seed: int) -> Luck:
        """Find ``num`` kinds in what a first regression, ``predicted [T, D + N]``, leaves open.

        A log in which like states and actions always led to like outcomes is not random, however badly it is predicted.
        """
        seen = repeats(dataset, draws=True)
        unlikes = seen["num_unlike_states"], seen["num_unlike_rewards"]
        if seen["num_repeated"] >= MIN_REPEATED and not any(unlikes):
            words = (
                f"no luck is hidden: {seen['num_repeated']} transitions repeat a state and action, and like ones led "
                f"to the same; chance_codes={num} is not used"
            )
            return cls(None, None, 0.0, (words,))
        left, sentences, shares = outcomes.left(predicted), [], []
        found: list[Float64 | None] = []
        for (where, rows), unlike in zip(_parts(dataset), unlikes, strict=True):
            least = (PROVEN_LEFT if unlike else LEAST_LEFT) * outcomes.spread(rows)
            centers, explained = _kinds(left[rows], least, num, derive_seed(seed, where))
            found.append(centers)
            if centers is not None:
                shares.append(explained)
                sentences.append(_in_words(where, num, explained))
        if not sentences:
            sentences.append(
                f"no luck is hidden: of no entry and no reward do state and action leave more than {LEAST_LEFT:.0%} "
                f"open; chance_codes={num} is not used"
            )
        after, at_end = found
        return cls(after, at_end, min(shares, default=0.0), tuple(sentences))

    @property
    def is_used(self) -> bool:
        """Whether anything is drawn."""
        return self.after is not None or self.at_end is not None

    def codes(self, dataset: TrajectoryDataset, outcomes: Outcomes, predicted: NDArray[Any]) -> Int64:
        """``int64 [T]``: the kind that each row's outcome is nearest to; -1 where no outcome was seen."""
        left = outcomes.left(predicted)
        codes = np.full(len(left), -1, dtype=np.int64)
        for (_, rows), centers in zip(_parts(dataset), (self.after, self.at_end), strict=True):
            codes[rows] = 0 if centers is None else _nearest(left[rows], centers)
        return codes


def _parts(dataset: TrajectoryDataset) -> Iterator[tuple[str, Bools]]:
    """Rows after which play goes on, and last ones that show how it ends: what is seen of them is not the same."""
    yield "after moves", Rows.of(dataset).goes_on
    yield "at the end", dataset.terminal != 0


def _kinds(left: Float64, least: Float64, num: int, seed: int) -> tuple[Float64 | None, float]:
    """The centers ``[num, D + N]`` of what is left, and how much of it they explain; None where that is little.

    Entries of which little is left do not count: their centers are 0, and make no difference to what is nearest.
    """
    is_open = (left**2).sum(axis=0) > least
    if not is_open.any() or len(left) < num:
        return None, 0.0
    centers = np.zeros((num, left.shape[1]))
    centers[:, is_open] = _k_means(left[:, is_open], num, seed)
    rest = (left - centers[_nearest(left, centers)])[:, is_open]
    return centers, float(1.0 - (rest**2).sum() / (left[:, is_open] ** 2).sum())


def _in_words(where: str, num: int, explained: float) -> str:
    words = (
        f"hidden luck {where}: {num} kind{'s' * (num > 1)} explain{'s' * (num == 1)} {explained:.0%} of what state and "
        "action leave open"
    )
    return words if explained >= DRAWN_LUCK else f"{words}; the rest is averaged over: try more chance_codes"


def _k_means(rows: Float64, num: int, seed: int) -> Float64:
    """``[num, F]``: the best centers of several starts, the kind met most often first."""
    rng = np.random.Generator(np.random.PCG64(seed))
    if len(rows) > MOST_ROWS:
        rows = rows[np.sort(rng.choice(len(rows), MOST_ROWS, replace=False))]
    best, least = rows[:num], np.inf
    for _ in range(NUM_STARTS):
        centers = _apart(rows, num, rng)
        for _ in range(NUM_ROUNDS):
            before, nearest = centers, _nearest(rows, centers)
            counts = np.bincount(nearest, minlength=num)
            sums = np.stack([np.bincount(nearest, weights=column, minlength=num) for column in rows.T], axis=1)
            centers = np.where(counts[:, None] > 0, sums / np.maximum(counts, 1)[:, None], before)
            if np.array_equal(centers, before):
                break
        rest = float(((rows - centers[_nearest(rows, centers)]) ** 2).sum())
        if rest < least:
            best, least = centers, rest
    counts = np.bincount(_nearest(rows, best), minlength=num)
    return np.asarray(best[np.argsort(-counts, kind="stable")])


def _apart(rows: Float64, num: int, rng: np.random.Generator) -> Float64:
    """Rows to start from, each drawn by its squared distance from those before (k-means++)."""
    chosen = [rows[rng.integers(len(rows))]]
    while len(chosen) < num:
        gaps = np.min([((rows - center) ** 2).sum(axis=1) for center in chosen], axis=0)
        reached = gaps.cumsum()
        place = int(np.searchsorted(reached, rng.random() * reached[-1], side="right"))
        chosen.append(rows[min(place, len(rows) - 1)])
    return np.array(chosen)


def _nearest(rows: Float64, centers: Float64) -> Int64:
    gaps = np.stack([((rows - center) ** 2).sum(axis=1) for center in centers], axis=1)
    return np.asarray(gaps.argmin(axis=1), dtype=np.int64)
