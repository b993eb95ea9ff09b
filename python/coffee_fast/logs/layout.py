"""How observations and states are made of what a log has: decided once, kept in the specification."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast._sealed import check_form
from coffee_fast.errors import DatasetError, InvalidGameError
from coffee_fast.logs.causes import comes_of_moves
from coffee_fast.logs.knowledge import events_needed, shows_all_moves, shows_moves
from coffee_fast.logs.play import Play, fixed_features, latest_known
from coffee_fast.logs.views import Feature, entry_names
from coffee_fast.typing import Float32, Float64

Bools = NDArray[np.bool_]
KINDS = ("mover", "everybody", "each", "none", "given")
_FEATURES = [{"name": str, "values?": [str]}]
_FORM = {
    **{"features": _FEATURES, "state_features": (_FEATURES, None), "kind": str, "is_fixed": [bool]},
    **{name: [float] for name in ("low", "high", "state_low", "state_high")},
    **dict.fromkeys(("public_moves", "public_chance"), bool),
    **dict.fromkeys(("num_own_moves", "num_events", "horizon"), int),
    **{name: [str] for name in ("entries", "found", "questions")},
}
MOST_ROWS = 20_000  # that are looked at to decide


@dataclass
class Layout:
    """What observations and states hold, beside what players see.

    Attributes
    ----------
    features, state_features
        What the columns of observations, and of states if there are any, hold.
    kind
        Whose view a row tells of: ``"mover"``, ``"everybody"`` or ``"each"``; ``"none"`` without observations.
    is_fixed
        Whether an entry never changes within an episode, nor comes of moves in it: it is known from the beginning.
    low, high, state_low, state_high
        Of each entry in the log; states hold entries as shares of the way from one to the other.
    public_moves, public_chance
        Whether all players see the moves of each other, and of chance, beside what the columns tell.
    num_own_moves
        How many moves of its own an observation reminds a player of, where others' are hidden.
    num_events
        How many of the last events a state holds.
    horizon
        Rows of the longest episode.
    entries, found, questions
        In words: what an observation holds, what was found, and what the log cannot tell.
    """

    features: list[Feature] = field(default_factory=list)
    state_features: list[Feature] | None = None
    kind: str = "none"
    is_fixed: list[bool] = field(default_factory=list)
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    state_low: list[float] = field(default_factory=list)
    state_high: list[float] = field(default_factory=list)
    public_moves: bool = False
    public_chance: bool = False
    num_own_moves: int = 0
    num_events: int = 0
    horizon: int = 1
    entries: list[str] = field(default_factory=list)
    found: list[str] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any], caller: str) -> Layout:
        """Read what :meth:`to_json` wrote; ``InvalidGameError`` for anything else."""
        check_form(dict(values), _FORM, f"{caller}: log_columns of the specification", InvalidGameError)
        found = cls(**values)
        width, state_width = len(entry_names(found.features)), len(entry_names(found.state_features or []))
        sizes: list[tuple[int, list[Any]]] = [(width, found.low), (width, found.high), (width, found.is_fixed)]
        sizes += [(state_width, found.state_low), (state_width, found.state_high)]
        if any(len(entries) != size for size, entries in sizes) or found.kind not in KINDS:
            raise InvalidGameError(f"{caller}: log_columns of the specification is malformed: its parts do not fit")
        counts = (found.num_own_moves, found.num_events, found.horizon - 1)
        if not all(0 <= count < 2**31 for count in counts):
            raise InvalidGameError(f"{caller}: log_columns of the specification has impossible counts")
        return found


def decide(
    play: Play,
    found: Float64,
    state: Float64 | None,
    rewards: Float64,
    layout: Layout,
    public_moves: bool | None,
) -> Layout:
    """Decide by the log what observations and states must hold; ``layout`` has features and kind."""
    layout.horizon = int(np.diff(play.offsets).max())
    is_fixed = fixed_features(play, found)
    comes = comes_of_moves(play, found, is_fixed) if np.isnan(found).any() else np.zeros_like(is_fixed)
    layout.is_fixed = (is_fixed & ~comes).tolist()
    if comes.any():
        names = [name for name, is_one in zip(entry_names(layout.features), comes, strict=True) if is_one]
        layout.found.append(f"not known before it is seen, since it depends on moves: {', '.join(names)[:300]}")
    layout.low, layout.high = _range(found)
    if state is not None:
        layout.state_low, layout.state_high = _range(state)
    has_past = bool((play.age > 0).any())
    own_moves = int(play.num_own_moves[play.acts, play.seat[play.acts]].max(initial=0))
    play = play.head(MOST_ROWS)
    found, rewards = found[: play.num_rows], rewards[: play.num_rows]
    views = latest_known(play, found, np.array(layout.is_fixed, dtype=bool))
    _decide_history(play, views, layout, public_moves, has_past, own_moves)
    if state is None:
        least = min(int(play.age.max()), _stalest(play, found)) if layout.kind == "mover" else 0
        least = max(least, int(layout.public_moves and has_past))

        def state_of(count: int) -> Float32:
            layout.num_events = count
            return states_of(play, views, None, layout)

        layout.num_events = events_needed(play, least, state_of, rewards, found.shape[2] > 0)
    else:
        layout.num_events = int(layout.public_moves and has_past)
    return layout


def _range(found: Float64) -> tuple[list[float], list[float]]:
    if not found.size:
        return [], []
    flat = found.reshape(-1, found.shape[-1])
    there = np.where(np.isnan(flat), 0.0, flat)
    low = np.where(np.isnan(flat), np.inf, there).min(axis=0)
    high = np.where(np.isnan(flat), -np.inf, there).max(axis=0)
    return np.where(np.isfinite(low), low, 0.0).tolist(), np.where(np.isfinite(high), high, 0.0).tolist()


def _stalest(play: Play, found: Float64) -> int:
    """How many events lie, at most, between what a player knows and now."""
    known: Bools = play.seat[:, None] == np.arange(play.num_players)
    if found.shape[2]:
        known = np.asarray(~np.isnan(found).any(axis=2))
    rows = np.arange(play.num_rows)
    worst = 0
    for seat in range(play.num_players):
        latest = np.maximum.accumulate(np.where(known[:, seat], rows, -1))
        there = latest >= play.first
        worst = max(worst, int((play.age[there] - play.age[latest[there]]).max(initial=0)))
    return worst


def _decide_history(
    play: Play, views: Float64, layout: Layout, public_moves: bool | None, has_past: bool, own_moves: int
) -> None:
    """Perfect recall: what a player saw once, it knows."""
    has_views = views.shape[2] > 0
    if not has_past:
        layout.found.append("nobody sees anything before acting but the observation: each episode has one step")
        return
    shown = public_moves
    if shown is None and not has_views:
        if play.outcomes.shape[0]:
            raise DatasetError(
                "from_log: chance moves, and no column of observations tells who sees its outcomes; say which columns "
                "the observation is, or public_moves=True if all players see every move and outcome"
            )
        shown = True
        layout.questions.append(
            "nothing tells what players see, so all are taken to see all moves; else give columns of observations, or "
            "say public_moves=False"
        )
    elif shown is None:
        told = shows_moves(play, views)
        shown = bool(told)
        if told is False:
            layout.questions.append(
                "the last move of the others does not show in the observation, so players are taken not to see moves; "
                "if they do, say public_moves=True"
            )
    layout.public_chance = bool(shown) and not has_views and play.outcomes.shape[0] > 0
    if has_views and public_moves is None and shows_all_moves(play, views):
        layout.found.append("information state: the observation, which tells all moves so far")
    elif shown:
        layout.public_moves = True
        layout.found.append("information state: the observation and the moves seen so far")
    elif has_views and shows_all_moves(play, views, only_own=True):
        layout.found.append("information state: the observation, which tells a player's own moves so far")
    else:
        layout.num_own_moves = own_moves
        layout.found.append("information state: the observation and a player's own moves so far")


def observations_of(play: Play, views: Float64, layout: Layout) -> tuple[Float32, int]:
    """Return ``float32 [T, N, O]`` and where the last event begins in an observation."""
    T, N = play.num_rows, play.num_players
    parts: list[NDArray[Any]] = []
    if layout.public_moves:
        parts.append(np.broadcast_to((play.age / max(layout.horizon, 1))[:, None, None], (T, N, 1)))
    parts.append(views)
    if layout.num_own_moves:
        parts.append(play.own_moves(layout.num_own_moves))
    size = sum(part.shape[2] for part in parts)
    if layout.public_moves:
        event = play.events(1, layout.public_chance)
        parts.append(np.broadcast_to(event[:, None], (T, N, event.shape[1])))
    if not sum(part.shape[2] for part in parts):
        parts, size = [np.zeros((T, N, 1))], 1
    return np.concatenate([part.astype(np.float32) for part in parts], axis=2), size


def states_of(play: Play, views: Float64, state: Float64 | None, layout: Layout) -> Float32:
    """``float32 [T, D]``: when, who is on move, what all players see, the last events, moves not yet shown."""
    return np.concatenate([block for _, block in _blocks(play, views, state, layout)], axis=1)


def _blocks(play: Play, views: Float64, state: Float64 | None, layout: Layout) -> list[tuple[str, Float32]]:
    T, N, C = play.num_rows, play.num_players, play.outcomes.shape[0]
    blocks: list[tuple[str, NDArray[Any]]] = []
    if layout.horizon > 1:
        blocks.append(("time", (play.age / layout.horizon)[:, None]))
    if (N > 1 and play.moves == "turns") or C:
        seats = np.arange(N) if play.moves == "turns" else np.arange(0)
        who = play.seat[:, None] == np.append(seats, [-1] * (C > 0))
        blocks += [("players", who[:, : len(seats)]), ("fixed", who[:, len(seats) :])]
    if state is not None:
        blocks.append(("state", _scaled(state, layout.state_low, layout.state_high)))
    elif views.shape[2]:
        seen = _scaled(views, layout.low, layout.high)
        seen = seen[:, :1] if layout.kind == "everybody" else seen
        blocks.append(("fixed" if layout.kind == "everybody" else "players", seen.reshape(T, -1)))
    if layout.num_own_moves:
        blocks.append(("players", play.own_moves(layout.num_own_moves).reshape(T, -1)))
    if layout.num_events:
        blocks.append(("events", play.events(layout.num_events, C > 0)))
    if play.moves == "simultaneous":
        blocks.append(("pending", _pending(play)))
    if not sum(block.shape[1] for _, block in blocks):
        blocks.append(("fixed", np.zeros((T, 1))))
    return [(kind, block.astype(np.float32)) for kind, block in blocks]


def _scaled(found: Float64, low: list[float], high: list[float]) -> Float64:
    least, span = np.array(low), np.array(high) - np.array(low)
    return np.asarray((found - least) / np.where(span > 0, span, 1.0))


def _pending(play: Play) -> Float32:
    N, V = play.num_players, play.vectors.shape[1]
    pending = np.zeros((play.num_rows, N, V), dtype=np.float32)
    for seat in range(1, N):
        rows = np.flatnonzero(play.seat == seat)
        for earlier in range(seat):
            pending[rows, earlier] = play.vectors[play.action[rows - seat + earlier]]
    return pending.reshape(play.num_rows, N * V)


def exchange_of(play: Play, views: Float64, state: Float64 | None, layout: Layout) -> tuple[int, ...]:
    """Which entry of a state stands where once two players are exchanged; empty where that is not known."""
    if play.num_players != 2 or play.moves != "turns" or play.outcomes.shape[0] or state is not None:
        return ()
    swap: list[int] = []
    for kind, block in _blocks(play, views, state, layout):
        entries = np.arange(block.shape[1])
        if kind == "players":
            entries = np.roll(entries, -(len(entries) // 2))
        elif kind == "events" and play.tells_seat:
            by_event = entries.reshape(layout.num_events, -1).copy()
            by_event[:, :2] = by_event[:, 1::-1]
            entries = by_event.ravel()
        swap += (entries + len(swap)).tolist()
    return tuple(swap)


def names_of_entries(layout: Layout, vectors_words: str, event_size: int) -> list[str]:
    """What the entries of an observation are, in words."""
    names = ["share of the longest episode that is over"] if layout.public_moves else []
    names += entry_names(layout.features)
    if layout.num_own_moves:
        names.append(f"own moves, {layout.num_own_moves} at most ({vectors_words})")
    if layout.public_moves:
        names.append(f"the last move ({event_size} entries, {vectors_words})")
    return names or ["nothing (0)"]
