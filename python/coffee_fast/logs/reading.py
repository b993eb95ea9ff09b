"""A table of play, in any layout, becomes the arrays of a dataset and the fields of its game's specification."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast.errors import DatasetError, shown
from coffee_fast.logs.columns import ChosenColumns
from coffee_fast.logs.episodes import Episodes, episodes_of
from coffee_fast.logs.files import read_table
from coffee_fast.logs.known import (
    action_vectors_of,
    check_known,
    moves_of,
    refuse_repeated_rows,
    turn_order_of,
    with_none,
)
from coffee_fast.logs.layout import Layout, decide, exchange_of, names_of_entries, observations_of, states_of
from coffee_fast.logs.masks import num_masked, packed_masks
from coffee_fast.logs.og_marl import is_experience, read_experience
from coffee_fast.logs.play import Play, latest_known
from coffee_fast.logs.recorded import Recorded
from coffee_fast.logs.rewards import rewards_of
from coffee_fast.logs.row_columns import RowColumns
from coffee_fast.logs.rows import Steps, steps_of
from coffee_fast.logs.words import describe
from coffee_fast.typing import Float32, Float64

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Reading:
    """``fields`` of the :class:`coffee_fast.GameSpec` and ``arrays`` of the dataset."""

    fields: dict[str, Any]
    arrays: Arrays


def read_log(
    table: Any,
    caller: str,
    *,
    columns: Mapping[str, Any] | None = None,
    chance: Any = None,
    known: Mapping[str, Any] | None = None,
    layout: Mapping[str, Any] | None = None,
    sizes: tuple[int, int] | None = None,
) -> Reading:
    """Read a table.

    Parameters
    ----------
    columns, chance
        Which column is what, and what the column of players holds where chance moves, beside -1.
    known
        Fields of the game that are known.
    layout
        How observations and states were made of an earlier log of the game; by default it is worked out.
    sizes
        Of state and observation of a specification that says nothing of columns: both are then taken as they are.
    """
    where = caller
    if isinstance(table, str | os.PathLike):
        where, table = f"{caller}: {shown(os.fspath(table))}", read_table(table)
    if columns is None and is_experience(table):
        table = read_experience(table, where)
    if isinstance(table, Recorded):
        if columns is not None:
            raise DatasetError(f"{caller}: the layout of a folder says what is what; leave columns out")
        table, columns, known = table.table, table.columns, table.known_with(known or {})
    said = check_known(known or {}, caller)
    chosen = ChosenColumns(table, columns, caller)
    episodes = episodes_of(chosen)
    if said["num_actions"] is None:
        said["num_actions"] = num_masked(chosen)
    steps = steps_of(chosen, episodes, said, chance)
    outcomes = _outcome_vectors(steps, said, caller)
    moves = moves_of(steps, said, caller)
    if moves == "turns" and said["turn_order"] != "predicted" and steps.num_players > 1:
        refuse_repeated_rows(chosen, steps)
    order, order_words = turn_order_of(steps, moves, said, caller)
    num_actions, action_names, has_none = with_none(steps, moves, said, caller)
    vectors, vector_words = action_vectors_of(num_actions, action_names, has_none)
    if said["action_vectors"] is not None:
        vectors, vector_words = _given_vectors(said["action_vectors"], num_actions, caller), "as given"
    rewards, reward_words = rewards_of(chosen, steps, episodes.truncated, said)
    play = Play.of(steps, moves, vectors, outcomes, tells_seat=order == "predicted" and steps.num_players > 1)
    paid = np.zeros((play.num_rows, steps.num_players))
    is_last_of_step = np.append(np.diff(play.step) > 0, True)
    paid[is_last_of_step] = rewards[play.step[is_last_of_step]]
    mixed = RowColumns(chosen, play, steps)
    earlier = None if layout is None else Layout.from_json(layout, caller)
    views, found = mixed.observations(earlier)
    state, state_features = mixed.states(earlier)
    if sizes is not None:
        held = Layout(features=[], kind="given")
        observation, state_array, next_state = mixed.as_given(found, state, sizes)
        history_start = 0
    else:
        if state is not None and views is None:
            chosen.require("observation", ", while there is a state; if all players see it, name the same columns")
        if earlier is None:
            held = Layout(views.features if views else [], state_features, views.kind if views else "none")
            held = decide(play, found, state, paid, held, said["public_moves"])
        else:
            held = earlier
        seen = latest_known(play, found, np.array(held.is_fixed, dtype=bool))
        observation, history_start = observations_of(play, seen, held)
        state_array, next_state = states_of(play, seen, state, held), None
    kept = _kept(play, episodes, next_state is not None)
    fields = {
        "num_players": steps.num_players,
        "num_actions": num_actions,
        "action_vectors": vectors,
        "state_size": state_array.shape[1],
        "observation_size": observation.shape[2],
        "history_start": history_start,
        "max_episode_length": said["max_episode_length"] or int(np.diff(play.offsets).max()),
        "moves": moves,
        "turn_order": order,
        "rewards": _when_paid(play, episodes, np.where(kept[:, None], paid, 0.0), said, caller),
        "num_chance_actions": len(outcomes),
        "chance_vectors": outcomes,
        "player_names": steps.player_names,
        "action_names": action_names,
        "chance_names": steps.chance.names if steps.chance else (),
        "terminal_state_value": _end_value(state_array) if said["terminal_state_value"] is None else 0.0,
    }
    for name in ("terminal_state_value", "name", "parameters", "roles", "role_names", "is_symmetric"):
        if said[name] is not None:
            fields[name] = said[name]
    fields["name"] = fields.get("name", "log")
    if sizes is None:
        if earlier is None:
            is_partial = bool(np.isnan(found).any())
            describe(held, chosen, episodes, play, (order_words, reward_words), kept, is_partial)
            held.entries = names_of_entries(held, vector_words, observation.shape[2] - history_start)
        fields["log_columns"] = held.to_json()
        if set(_roles(fields)) == {0}:
            fields["state_swap"] = exchange_of(play, seen, state, held)
    with np.errstate(over="ignore"):  # becomes infinite, which is reported with its place
        rewards = paid.astype(np.float32)
    arrays: Arrays = {
        "state": state_array,
        "observation": observation,
        "action": play.action.astype(np.int32),
        "acting_player": play.seat.astype(np.int8),
        "legal_mask": packed_masks(chosen, play, num_actions, has_none, _roles(fields), episodes),
        "reward": rewards,
    }
    if (log_prob := mixed.log_probabilities()) is not None:
        arrays["behavior_log_prob"] = log_prob
    return Reading(fields, _finished(arrays, play, episodes, kept, next_state, fields))


def _given_vectors(vectors: Any, num_actions: int, caller: str) -> Float32:
    try:
        if np.iscomplexobj(vectors):
            raise TypeError
        with np.errstate(over="ignore"):
            found = np.asarray(vectors, dtype=np.float32)
    except (TypeError, ValueError, OverflowError):
        found = np.zeros(0, dtype=np.float32)
    if found.ndim != 2 or len(found) != num_actions or not np.isfinite(found).all():
        raise DatasetError(
            f"{caller}: action_vectors must be finite, a row for each of {num_actions} actions, got {shown(vectors)}"
        )
    return found


def _outcome_vectors(steps: Steps, said: Mapping[str, Any], caller: str) -> Float32:
    count = said["num_chance_actions"] or (steps.chance.count if steps.chance else 0)
    if steps.chance and said["num_chance_actions"] == 0:
        row = int(np.argmax(steps.outcome >= 0))
        raise DatasetError(
            f"{caller}: {steps.place(row)}: chance moves (player -1), and the game is said to have no chance moves: "
            "say num_chance_actions, and turn_order='predicted'"
        )
    if said["chance_vectors"] is None:
        return np.eye(count, dtype=np.float32)
    return _given_vectors(said["chance_vectors"], count, caller)


def _kept(play: Play, episodes: Episodes, has_next_states: bool) -> NDArray[np.bool_]:
    """Rows that have a next state: of an episode that broke off, all but those of the last step."""
    last_step = play.step[play.offsets[1:] - 1]
    is_cut = episodes.truncated[play.episode] & (play.step == last_step[play.episode])
    return np.asarray(~is_cut | has_next_states)


def _when_paid(play: Play, episodes: Episodes, paid: Float64, said: Mapping[str, Any], caller: str) -> str:
    is_end = np.zeros(play.num_rows, dtype=bool)
    is_end[play.offsets[1:][~episodes.truncated] - 1] = True
    early = np.flatnonzero((paid != 0).any(axis=1) & ~is_end)
    if early.size and said["rewards"] == "at_end":
        raise DatasetError(
            f"{caller}: {play.steps.place(play.step[early[0]])}: there is a reward before the end, while the game is "
            "said to pay 'at_end'; say rewards='every_step'"
        )
    return said["rewards"] or ("every_step" if early.size else "at_end")


def _end_value(state: Float32) -> float:
    """A value that no state is near to: each is at least one away on average."""
    least = float(state.min())
    return -1.0 if least >= 0.0 else float(math.floor(least - 1.0))


def _roles(fields: Mapping[str, Any]) -> list[int]:
    """The role of each seat."""
    N = fields["num_players"]
    given = fields.get("roles")
    sizes = given if isinstance(given, list | tuple) and given else (N,) if fields.get("is_symmetric") else (1,) * N
    if not all(isinstance(size, int | np.integer) for size in sizes) or sum(sizes) != N:
        return list(range(N))  # what is wrong about them the specification will say
    return [role for role, size in enumerate(sizes) for _ in range(int(size))]


def _finished(
    arrays: Arrays,
    play: Play,
    episodes: Episodes,
    kept: NDArray[np.bool_],
    next_state: Float32 | None,
    fields: Mapping[str, Any],
) -> Arrays:
    """Add next states and ends, and leave out what has no next state."""
    T = play.num_rows
    following = np.roll(arrays["state"], -1, axis=0)
    is_last = np.zeros(T, dtype=bool)
    is_last[play.offsets[1:] - 1] = True
    is_end = is_last & ~episodes.truncated[play.episode]
    if next_state is not None:
        following = next_state
    following[is_end] = fields["terminal_state_value"]
    counts = np.bincount(play.episode[kept], minlength=len(episodes.truncated))
    if not counts.any():
        raise DatasetError("from_transitions: all episodes broke off in their first step, so no row shows what follows")
    found = {name: array[kept] for name, array in arrays.items()}
    found |= {"next_state": following[kept], "terminal": is_end[kept].astype(np.uint8)}
    found["trajectory_offsets"] = np.concatenate([[0], np.cumsum(counts[counts > 0])]).astype(np.int64)
    found["truncated"] = episodes.truncated[counts > 0].astype(np.uint8)
    return found
