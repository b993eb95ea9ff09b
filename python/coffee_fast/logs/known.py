"""What a caller or a specification says of a game beforehand, and what follows from the steps of a log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from coffee_fast.checks import check_choice, check_count, check_flag, check_number, did_you_mean
from coffee_fast.errors import DatasetError, InvalidArgumentError, shown
from coffee_fast.logs.columns import ChosenColumns
from coffee_fast.logs.labels import Labels, text_of
from coffee_fast.logs.rows import NONE, Steps
from coffee_fast.logs.tables import is_missing
from coffee_fast.typing import Float32

MOST_ONE_HOT = 64  # actions; above, those that are numbers look like numbers
LARGEST = float(np.finfo(np.float32).max)
FIELDS = (
    "name",
    "parameters",
    "num_players",
    "player_names",
    "roles",
    "role_names",
    "is_symmetric",
    "num_actions",
    "action_names",
    "action_vectors",
    "moves",
    "turn_order",
    "rewards",
    "num_chance_actions",
    "chance_names",
    "chance_vectors",
    "max_episode_length",
    "terminal_state_value",
    "public_moves",
)
_WORKED_OUT = ("state_size", "observation_size", "history_start", "state_swap", "state_flip", "log_columns")


def check_known(known: Mapping[str, Any], caller: str) -> dict[str, Any]:
    """Return what is said of the game, every field there; names as tuples, what is not said as None or empty."""
    for name in known:
        if name in _WORKED_OUT:
            raise InvalidArgumentError(f"{caller}: {name} is worked out from the log; leave it out")
        if name not in FIELDS:
            raise InvalidArgumentError(
                f"{caller}: there is no argument {shown(name)}; of a game can be said {', '.join(FIELDS)}"
                f"{did_you_mean(name, FIELDS)}"
            )
    found = {name: known.get(name) for name in FIELDS}
    for name in ("player_names", "action_names", "chance_names"):
        found[name] = _names(f"{caller}: {name}", found[name])
    for name in ("num_players", "num_actions", "num_chance_actions", "max_episode_length"):
        if found[name] is not None:
            most = 127 if name == "num_players" else 2**31 - 1
            least = 0 if name == "num_chance_actions" else 1
            found[name] = check_count(f"{caller}: {name}", found[name], at_least=least, at_most=most)
    for name, choices in (
        ("moves", ("turns", "simultaneous")),
        ("turn_order", ("cyclic", "predicted")),
        ("rewards", ("at_end", "every_step")),
    ):
        if found[name] is not None:
            check_choice(f"{caller}: {name}", found[name], choices)
    if found["terminal_state_value"] is not None:
        found["terminal_state_value"] = check_number(
            f"{caller}: terminal_state_value", found["terminal_state_value"], at_least=-LARGEST, at_most=LARGEST
        )
    for name in ("action_vectors", "chance_vectors"):
        if _is_empty(found[name]):
            found[name] = None
    for name in ("public_moves", "is_symmetric"):
        if found[name] is not None:
            found[name] = check_flag(f"{caller}: {name}", found[name])
    for number, name in (("num_players", "player_names"), ("num_actions", "action_names")):
        count = len(found[name] or ())
        if count and found[number] not in (None, count):
            raise InvalidArgumentError(f"{caller}: {number} is {found[number]}, but there are {count} {name}")
        found[number] = count or found[number]
    return found


def _is_empty(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return value.ndim > 0 and len(value) == 0
    return isinstance(value, list | tuple) and not value


def _names(what: str, value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list | tuple) or not all(isinstance(name, str | int | float) for name in value):
        raise InvalidArgumentError(f"{what} must be a list of names, got {shown(value)}")
    names = tuple(map(text_of, value))
    if len(set(names)) < len(names):
        raise InvalidArgumentError(f"{what} must differ from each other, got {shown(value)}")
    return names


def moves_of(steps: Steps, known: Mapping[str, Any], caller: str) -> Literal["turns", "simultaneous"]:
    """Whether players move in turn: exactly one acts in every step."""
    acting = (steps.action >= 0).sum(axis=1)
    at_once = np.flatnonzero(acting > 1)
    if known["moves"] == "turns" and at_once.size:
        first, second = np.flatnonzero(steps.action[at_once[0]] >= 0)[:2]
        raise DatasetError(
            f"{caller}: {steps.place(at_once[0])}: players {steps.player(first)} and {steps.player(second)} act at "
            "once, but the game is said to be one of turns; say moves='simultaneous', or log one player a step"
        )
    if known["moves"] is not None:
        found: Literal["turns", "simultaneous"] = known["moves"]
        return found
    return "simultaneous" if at_once.size else "turns"


def turn_order_of(steps: Steps, moves: str, known: Mapping[str, Any], caller: str) -> tuple[str, str]:
    """Return the order of turns and, in words, how it was found."""
    if moves == "simultaneous":
        return "cyclic", ""
    seat = np.where(steps.outcome >= 0, -1, steps.action.argmax(axis=1))
    same = np.diff(steps.episode) == 0
    breaks = np.flatnonzero(same & (seat[1:] != (seat[:-1] + 1) % steps.num_players)) + 1
    is_cyclic = not breaks.size and not (seat < 0).any()
    if is_cyclic:
        return known["turn_order"] or "cyclic", "the next player is always next on move"
    if (seat < 0).any():
        words = "chance moves in between, so the state tells who is on move"
    else:
        row = breaks[0]
        words = (
            f"the state tells who is on move: in {steps.place(row)} player {steps.player(seat[row])} moves after "
            f"player {steps.player(seat[row - 1])}, as in {len(breaks)} of {len(seat)} rows; if that is a fault "
            "of the log, correct it"
        )
    if known["turn_order"] == "cyclic":
        raise DatasetError(f"{caller}: the movers contradict turn_order='cyclic': {words}; say turn_order='predicted'")
    return "predicted", words


def refuse_repeated_rows(columns: ChosenColumns, steps: Steps) -> None:
    """Refuse rows that were written twice, if players move strictly in turn but for these."""
    seat = np.where(steps.outcome >= 0, -1, steps.action.argmax(axis=1))
    same = np.diff(steps.episode) == 0
    breaks = np.flatnonzero(same & (seat[1:] != (seat[:-1] + 1) % steps.num_players)) + 1
    if not breaks.size or (seat < 0).any() or (seat[breaks] != seat[breaks - 1]).any():
        return
    row = steps.source.max(axis=1)
    for column in columns.all.values():
        first, second = column[row[breaks - 1]], column[row[breaks]]
        alike = (first == second) | (is_missing(first) & is_missing(second))
        if not np.asarray(alike).all():
            return
    raise DatasetError(
        f"{columns.caller}: rows {row[breaks[0] - 1]} and {row[breaks[0]]} are the same word for word, and but for "
        f"such rows ({len(breaks)}) players move strictly in turn; remove the duplicates, or say turn_order='predicted'"
    )


def with_none(steps: Steps, moves: str, known: Mapping[str, Any], caller: str) -> tuple[int, tuple[str, ...], bool]:
    """Return number and names of actions, with that of not acting where a round has a seat that does not."""
    labels: Labels = steps.actions
    count, names = labels.count, labels.names
    idle = (steps.action < 0) & (steps.outcome < 0)[:, None]
    has_none = bool(names) and names[-1] == NONE
    if moves == "turns" or not idle.any():
        return count, names, has_none and moves != "turns"
    if has_none:
        return count, names, True
    if known["action_names"] or known["action_vectors"] is not None:
        step, seat = np.argwhere(idle)[0]
        raise DatasetError(
            f"{caller}: {steps.place(step)}: player {steps.player(seat)} does not act, which takes an action of its "
            f"own: {NONE!r}, the last one; add it to action_names and action_vectors"
        )
    return count + 1, (*(names or map(str, range(count))), NONE), True


def action_vectors_of(count: int, names: tuple[str, ...], has_none: bool) -> tuple[Float32, str]:
    """How actions look to networks: one-hot, or by their number where there are many numbers."""
    numbers = _numbers(names[: count - has_none])
    if count <= MOST_ONE_HOT or numbers is None:
        return np.eye(count, dtype=np.float32), "one-hot"
    span = numbers.max() - numbers.min() or 1.0
    found = np.stack([(numbers - numbers.min()) / span, np.ones(len(numbers))], axis=1)
    if has_none:
        found = np.append(found, [[0.0, -1.0]], axis=0)
    return found.astype(np.float32), "by their number"


def _numbers(names: tuple[str, ...]) -> np.ndarray[Any, np.dtype[np.float64]] | None:
    try:
        numbers = np.array([float(name) for name in names])
    except ValueError:
        return None
    return numbers if len(numbers) and np.isfinite(numbers).all() else None
