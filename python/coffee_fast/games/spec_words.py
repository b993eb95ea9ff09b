"""A specification in words, for people to read before they trust it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coffee_fast.games.spec import GameSpec

_MOST_NAMED = 12


def in_words(spec: GameSpec) -> str:
    """Return lines of what a game is and, where it was worked out from a log, of how and of what remains to be said."""
    lines = [f"{spec.name}: {spec.num_players} player{'s' * (spec.num_players > 1)}"]
    lines += [f"  {subject:<18} {words}" for subject, words in _lines(spec)]
    for title, name in (("found", "found"), ("to be said by you", "questions")):
        said = spec.log_columns.get(name, [])
        if isinstance(said, list) and said:
            lines += [f"  {title}:", *(f"    {sentence}" for sentence in said)]
    return "\n".join(lines)


def _lines(spec: GameSpec) -> Iterator[tuple[str, str]]:
    if spec.player_names:
        yield "players", _named(spec.player_names)
    yield "roles", _roles(spec)
    yield "actions", f"{spec.num_actions}" + (f": {_named(spec.action_names)}" if spec.action_names else "")
    if spec.moves == "simultaneous":
        yield "moves", "all at once, in rounds"
    else:
        order = "strictly in turn" if spec.turn_order == "cyclic" else "one at a time; the state tells who is on move"
        yield "moves", order if spec.num_players > 1 else "one player's"
    yield "rewards", "at the end" if spec.rewards == "at_end" else "at every step"
    if spec.num_chance_actions:
        names = f": {_named(spec.chance_names)}" if spec.chance_names else ""
        yield "chance", f"{spec.num_chance_actions} outcomes{names}"
    else:
        yield "chance", "no moves of its own"
    yield "longest episode", f"{spec.max_episode_length} moves"
    yield "state", f"{spec.state_size} entries"
    yield "observation", f"{spec.observation_size} entries"
    entries = spec.log_columns.get("entries")
    if isinstance(entries, list) and entries:
        yield "", "; ".join(map(str, entries))[:600]
    history = "the latest observation" if spec.history_start == spec.observation_size else "with the moves so far"
    yield "information state", f"{spec.information_state_size} entries, {history}"


def _roles(spec: GameSpec) -> str:
    if spec.is_symmetric:
        return "one, of all players: they are alike and share strategies"
    if spec.num_roles == spec.num_players:
        return "each player is one of its own" if spec.num_players > 1 else "one"
    names = spec.role_names or [str(role) for role in range(spec.num_roles)]
    return ", ".join(f"{name} (players {_range(spec.seats_of(role))})" for role, name in enumerate(names))


def _range(seats: range) -> str:
    return str(seats[0]) if len(seats) == 1 else f"{seats[0]} to {seats[-1]}"


def _named(names: Sequence[str]) -> str:
    return f"{', '.join(names[:_MOST_NAMED])}{', ...' if len(names) > _MOST_NAMED else ''}"[:300]
