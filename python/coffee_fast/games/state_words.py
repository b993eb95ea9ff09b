"""What a state that was worked out from a log holds, in words: for tables of cells that people read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from coffee_fast.games.spec import GameSpec
from coffee_fast.logs.layout import Layout
from coffee_fast.logs.views import Feature
from coffee_fast.typing import Float32

Entry = tuple[str, float, float] | None  # a name with the least and greatest value, or a flag's name with 0 and 0


class StateWords:
    """The entries of a game's states by name, in the order of ``states_of``.

    ``is_known`` is false for states that were not worked out from a log: nobody has named their entries.
    """

    def __init__(self, spec: GameSpec) -> None:
        self._entries: list[Entry] = []
        if spec.log_columns and (layout := Layout.from_json(spec.log_columns, "StateWords")).kind != "given":
            self._entries = list(_entries(spec, layout))
        self.is_known = len(self._entries) == spec.state_size

    def say(self, entries: Sequence[int], values: Sequence[float]) -> str:
        """What ``values`` of these entries tell; the time is left out, which a step says."""
        told = []
        for entry, value in zip(entries, values, strict=True):
            if (named := self._entries[entry]) is None:
                continue
            name, low, high = named
            if low == high == 0.0:
                told += [name] * (value == 1.0)
            else:
                told.append(f"{name} {low + value * (high - low or 1.0):g}")
        return ", ".join(told) or "the start"


def _entries(spec: GameSpec, layout: Layout) -> Iterator[Entry]:
    players = spec.player_names or tuple(map(str, range(spec.num_players)))
    moves = _moves(spec)
    is_in_turns = spec.moves == "turns"
    if layout.horizon > 1:
        yield None
    if (spec.num_players > 1 and is_in_turns) or spec.num_chance_actions:
        yield from (_flag(f"{player} moves") for player in players if is_in_turns)
        yield from [_flag("chance moves")] * (spec.num_chance_actions > 0)
    if layout.state_features is not None:
        yield from _features("", layout.state_features, layout.state_low, layout.state_high)
    else:
        owners = [""] if layout.kind == "everybody" or spec.num_players == 1 else [f"{name}: " for name in players]
        for owner in owners * bool(layout.features):
            yield from _features(owner, layout.features, layout.low, layout.high)
    for player in players:
        for number in range(layout.num_own_moves):
            yield from (_flag(f"{player}, move {number + 1}: {move}") for move in moves)
    for back in range(1, layout.num_events + 1):
        when = "last" if back == 1 else f"{back} before"
        if not is_in_turns:
            yield from (_flag(f"{when}: {player} {move}") for player in players for move in moves)
        else:
            if spec.turn_order == "predicted" and spec.num_players > 1:
                yield from (_flag(f"{when}: {player}") for player in players)
            yield from (_flag(f"{when}: {move}") for move in moves)
        if spec.num_chance_actions:
            yield from (_flag(f"{when}: {outcome}") for outcome in _outcomes(spec))
    if not is_in_turns:  # of a round, the choices that do not show yet
        yield from (_flag(f"{player} chose {move}") for player in players for move in moves)


def _flag(name: str) -> Entry:
    return name, 0.0, 0.0


def _features(owner: str, features: Sequence[Feature], low: Sequence[float], high: Sequence[float]) -> Iterator[Entry]:
    place = 0
    for feature in features:
        if "values" in feature:
            yield from (_flag(f"{owner}{feature['name']} = {value}") for value in feature["values"])
            place += len(feature["values"])
        else:
            yield f"{owner}{feature['name']}", low[place], high[place] if high[place] > low[place] else low[place] + 1.0
            place += 1


def _moves(spec: GameSpec) -> list[str]:
    """What each entry of an action's vector says; nothing if vectors are not one-hot."""
    return _of_vectors(spec.action_vectors, spec.action_names)


def _outcomes(spec: GameSpec) -> list[str]:
    return _of_vectors(spec.chance_vectors, spec.chance_names)


def _of_vectors(vectors: Float32, names: Sequence[str]) -> list[str]:
    is_one_hot = np.isin(vectors, (0.0, 1.0)).all() and (vectors.sum(axis=0) == 1.0).all()
    if not is_one_hot or (vectors.sum(axis=1) > 1.0).any():
        return []
    return [names[row] if names else str(row) for row in vectors.argmax(axis=0).tolist()]
