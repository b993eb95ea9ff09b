"""Datasets of Minari: a folder of episodes and the spaces of their observations and actions.

One agent whose actions are of a ``Discrete`` space, or several that act at once: then observations and actions are
``Dict`` spaces (``Tuple`` spaces) with an entry for each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast.errors import DatasetError, shown
from coffee_fast.logs.minari_files import Episode, episodes_in
from coffee_fast.logs.recorded import Recorded
from coffee_fast.logs.spaces import MOST_LABELS, Part, Space, children, parse_space, parts_of

Array = NDArray[Any]
MASK = "action_mask"


@dataclass(frozen=True)
class _Player:
    """``path``: its key in the spaces, () where one player is all there is; ``parts`` of what it sees."""

    path: tuple[str, ...]
    action: Part
    parts: tuple[Part, ...]
    mask: Part | None


def read_minari(folder: Path, about: Mapping[str, Any]) -> Recorded:
    """Read the folder that has ``metadata.json``, which says ``about``."""
    where = str(folder / "metadata.json")
    seen, done = (parse_space(about.get(name), f"{where}: {name}") for name in ("observation_space", "action_space"))
    players = _players(seen, done, where)
    columns = _Columns(players)
    count = 0
    for episode in episodes_in(folder, about.get("data_format", "hdf5")):
        columns.add(episode, count)
        count += 1
    if count != about.get("total_episodes", count):
        raise DatasetError(f"{where}: says that there are {shown(about['total_episodes'])} episodes, found {count}")
    if not count:
        raise DatasetError(f"{folder}: there are no episodes")
    table, said = columns.joined()
    size, first = max(player.action.size for player in players), columns.first
    name = about.get("dataset_id")
    known = {
        "num_players": len(players),
        "num_actions": size,
        "player_names": tuple(player.path[0] for player in players) if done["type"] == "Dict" else (),
        "action_names": tuple(map(str, range(first, first + size))) if first else (),
        "name": name if isinstance(name, str) and name else folder.parent.name or "log",
    }
    return Recorded(table, said, known)


def _players(seen: Space, done: Space, where: str) -> list[_Player]:
    own, views = children(done, f"{where}: action_space"), children(seen, f"{where}: observation_space")
    if own is None:
        return [_player((), seen, done, where)]
    if views is None or list(views) != list(own) or not own:
        raise DatasetError(
            f"{where}: actions are of {shown(list(own))}, observations of {shown(list(views or ()))}; where several "
            "act, both spaces need the same entries, one a player; where one acts, its action must be one number"
        )
    return [_player((key,), views[key], own[key], where) for key in own]


def _player(path: tuple[str, ...], seen: Space, done: Space, where: str) -> _Player:
    name = "/".join(("action_space", *path))
    action = next(parts_of(done, f"{where}: {name}")) if done.get("type") == "Discrete" else None
    if action is None:
        raise DatasetError(
            f"{where}: {name} is of type {shown(done.get('type'))}, but actions must be Discrete; give what is "
            "continuous, or in several numbers, a number for each of a few choices, and log those"
        )
    parts = list(parts_of(seen, f"{where}: {'/'.join(('observation_space', *path))}"))
    for part in parts:
        if part.kind == "label" and part.size > MOST_LABELS:
            raise DatasetError(
                f"{where}: observation_space/{'/'.join((*path, *part.path))} has {part.size} labels, more than the "
                f"{MOST_LABELS} that are taken one-hot; log what they are made of"
            )
    mask = next((part for part in parts if part.path[-1:] == (MASK,) and part.size == action.size), None)
    return _Player(path, action, tuple(part for part in parts if part is not mask), mask)


class _Columns:
    """The columns of a table, episode after episode."""

    def __init__(self, players: list[_Player]) -> None:
        self._players = players
        firsts = {player.action.first for player in players}
        self.first = firsts.pop() if len(firsts) == 1 else 0  # of the labels of actions, where that is the same
        self._seen: dict[str, list[Array]] = {}
        self._names: list[list[str]] = [[] for _ in players]
        self._rest: dict[str, list[Array]] = {name: [] for name in ("episode", "truncated", "rewards", "actions", MASK)}

    def add(self, episode: Episode, number: int) -> None:
        """Take the steps of an episode."""
        T = episode.num_steps
        if T == 0:
            raise DatasetError(f"{episode.place}: the episode has no steps; leave it out")
        masks, actions = [], []
        for seat, player in enumerate(self._players):
            for part in player.parts:
                name = "/".join(("observations", *player.path, *part.path))
                if name not in self._seen:
                    self._seen[name] = []
                    self._names[seat].append(name)
                self._seen[name].append(_values(episode, "observations", player.path, part))
            codes = _labels(_array(episode, ("actions", *player.path), 1), player.action, episode.place, "actions")
            actions.append(codes + self.first)
            masks.append(_mask(episode, player))
        ended = self._flags(episode, "terminations")
        if (early := np.flatnonzero(ended[:-1])).size:
            raise DatasetError(f"{episode.place}: step {early[0]}: terminations is true before the last of {T} steps")
        truncated = np.zeros(T, dtype=np.uint8)
        truncated[-1] = not ended[-1]
        size = max(player.action.size for player in self._players)
        padded = [np.pad(mask, ((0, 0), (0, size - mask.shape[1]))) for mask in masks]
        for name, array in (
            *(("episode", np.full(T, number)), ("truncated", truncated), ("rewards", self._rewards(episode))),
            *(("actions", np.stack(actions, axis=1)), (MASK, np.stack(padded, axis=1))),
        ):
            self._rest[name].append(array)

    def joined(self) -> tuple[dict[str, Array], dict[str, Any]]:
        """The table, and what its columns are."""
        table = {name: np.concatenate(arrays) for name, arrays in (self._rest | self._seen).items()}
        seen: Any = self._names[0]
        if len(self._players) > 1:
            seen = {str(seat): names for seat, names in enumerate(self._names)}
        said = {"episode": "episode", "truncated": "truncated", "reward": "rewards", "action": "actions"}
        return table, {**said, "legal_mask": MASK, "observation": seen if any(self._names) else None}

    def _rewards(self, episode: Episode) -> Array:
        """``[T, players]``: a common one, one for each in a column, or each under the player's name."""
        by_player = [episode.entry("rewards", *player.path) for player in self._players]
        if self._players[0].path and all(array is not None for array in by_player):
            parts = [_array(episode, ("rewards", *player.path), 1) for player in self._players]
            return np.stack(parts, axis=1)
        N = len(self._players)
        rewards = episode.entry("rewards")
        if rewards is not None and rewards.ndim == 2 and rewards.shape[1] == N:
            return rewards[: episode.num_steps]
        return np.repeat(_array(episode, ("rewards",), 1)[:, None], N, axis=1)

    def _flags(self, episode: Episode, name: str) -> NDArray[np.bool_]:
        """Whether all players are at the end."""
        flags = [episode.entry(name, *player.path) for player in self._players]
        if not self._players[0].path or any(array is None for array in flags):
            flags = [episode.entry(name)]
        if flags[0] is None:
            raise DatasetError(f"{episode.place}: there are no {name}")
        whole = np.stack([np.asarray(flag)[: episode.num_steps].reshape(episode.num_steps, -1) for flag in flags])
        return np.asarray((whole != 0).all(axis=(0, 2)))


def _array(episode: Episode, path: tuple[str, ...], width: int) -> Array:
    """``[T]`` where ``width`` is 1, else ``[T, width]``, of numbers."""
    array, T, name = episode.entry(*path), episode.num_steps, "/".join(path)
    if array is None:
        raise DatasetError(f"{episode.place}: there are no {name}")
    if array.dtype.kind not in "biuf":
        raise DatasetError(f"{episode.place}: {name} must hold numbers, got {shown(array)}")
    flat = array.reshape(len(array), -1) if array.ndim and array.size else array.reshape(0, 0)
    if len(flat) < T or flat.shape[1] != width:
        wanted = f"must hold {width} number{'s' * (width > 1)} in each of {T} steps"
        raise DatasetError(f"{episode.place}: {name} {wanted}, got {shown(array)}")
    return flat[:T, 0] if width == 1 else flat[:T]


def _values(episode: Episode, what: str, player: tuple[str, ...], part: Part) -> Array:
    """A part of what a player sees, in each step: numbers, a label one-hot, or text."""
    path, T = (what, *player, *part.path), episode.num_steps
    if part.kind == "text":
        array = episode.entry(*path)
        if array is None or array.dtype.kind != "O" or array.ndim != 1 or len(array) < T:
            raise DatasetError(f"{episode.place}: {'/'.join(path)} must hold text in each of {T} steps")
        return array[:T]
    if part.kind == "numbers":
        return _array(episode, path, part.size).reshape(T, -1)
    codes = _labels(_array(episode, path, 1), part, episode.place, "/".join(path))
    return np.eye(part.size, dtype=np.float32)[codes]


def _labels(array: Array, part: Part, place: str, name: str) -> NDArray[np.int64]:
    """Labels numbered from 0."""
    is_wrong = ~((array == np.round(array)) & (array >= part.first) & (array < part.first + part.size))
    if is_wrong.any():
        step = int(np.argmax(is_wrong))
        raise DatasetError(
            f"{place}: step {step}: {name} must be a whole number from {part.first} to {part.first + part.size - 1}, "
            f"as its space says, got {array[step]:g}"
        )
    return array.astype(np.int64) - part.first


def _mask(episode: Episode, player: _Player) -> Array:
    """``uint8 [T, actions]``: as observations or infos tell it, else all that there are."""
    size, T = player.action.size, episode.num_steps
    if player.mask is not None:
        found: Array | None = _array(episode, ("observations", *player.path, *player.mask.path), size)
    else:
        told = episode.entry("infos", *player.path, MASK)
        found = told[:T].reshape(T, -1) if told is not None and told.shape[1:] == (size,) and len(told) >= T else None
    if found is None:
        return np.ones((T, size), dtype=np.uint8)
    return found.reshape(T, size)
