"""Checks of what people pass to the models; a message says what was expected, what came and what helps."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast.checks import check_count
from coffee_fast.data import TrajectoryDataset
from coffee_fast.errors import DatasetError, InvalidArgumentError, shown
from coffee_fast.models.inputs import draws_ends
from coffee_fast.typing import Float32

if TYPE_CHECKING:
    from coffee_fast.data.findings import DatasetCheck
    from coffee_fast.models.config import EnsembleConfig

ABOUT_TERMINAL_STATES = ("states like the end", "scale of states")  # kinds of findings


def check_dataset(function: str, dataset: Any) -> None:
    """Raise ``InvalidArgumentError`` unless there is a dataset to learn from."""
    if not isinstance(dataset, TrajectoryDataset):
        raise InvalidArgumentError(
            f"{function}: dataset must be a TrajectoryDataset, got {type(dataset).__name__}; make one of a log with "
            "TrajectoryDataset.from_transitions"
        )


def check_log(dataset: TrajectoryDataset, config: EnsembleConfig) -> DatasetCheck:
    """Return what to know of a log before a model is learned from it.

    How near states come to the terminal one matters only where a state can be taken for the end.
    """
    found = dataset.check(config.terminal_threshold)
    if not draws_ends(dataset.spec, config):
        return found
    findings = tuple(finding for finding in found.findings if finding.kind not in ABOUT_TERMINAL_STATES)
    return dataclasses.replace(found, findings=findings)


def check_episodes(function: str, dataset: TrajectoryDataset, config: EnsembleConfig) -> None:
    """Raise ``InvalidArgumentError`` if no episode can be kept out; an episode and its mirror image stay together."""
    num_episodes = dataset.num_trajectories // (2 if dataset.is_mirrored else 1)
    if num_episodes < 2:
        asked = {"early_stopping=True": config.early_stopping, "network='auto'": config.network == "auto"}
        judged = [setting for setting, is_asked in asked.items() if is_asked]
        need = f" as {' and '.join(judged)} need{'s' * (len(judged) == 1)} it" if judged else ""
        raise InvalidArgumentError(
            f"{function}: dataset must have 2 episodes or more to keep one out of training{need} "
            f"(holdout_fraction={config.holdout_fraction:g}), got {num_episodes}; log more, or say holdout_fraction=0: "
            "then nothing is held out, and nothing can be chosen by it"
        )


def check_config(function: str, config: Any, kind: type) -> None:
    """Raise ``InvalidArgumentError`` unless the configuration is of its kind."""
    if not isinstance(config, kind):
        article = "an" if kind.__name__[0] in "AEIOU" else "a"
        raise InvalidArgumentError(f"{function}: config must be {article} {kind.__name__}, got {shown(config)}")


def check_seats(what: str, seats: Any, num_players: int) -> tuple[int, ...]:
    """Return seats of a game, all of them if none are named."""
    if seats is None:
        return tuple(range(num_players))
    try:
        listed = [] if isinstance(seats, str | bytes | Mapping) else list(itertools.islice(seats, num_players + 1))
    except TypeError:
        raise InvalidArgumentError(f"{what} must be a list of players, got {shown(seats)}") from None
    if not listed or len(listed) > num_players:
        raise InvalidArgumentError(f"{what} must be a list of 1 to {num_players} players, got {shown(seats)}")
    return tuple(check_count(what, seat, at_most=num_players - 1) for seat in listed)


def check_layers(arrays: Mapping[str, NDArray[Any]], config: EnsembleConfig) -> None:
    """Refuse networks of members that there are not, or of other widths than the settings say."""
    networks = [name.removesuffix(".0.weight") for name in arrays if name.endswith(".0.weight")]
    for network in networks:
        part, _, member = network.partition(".")
        if f"{part}.is_product" in arrays and arrays[f"{part}.is_product"].any():
            said = [2 * width for width in config.product_sizes]
        else:
            said = list(config.hidden_sizes)
        names = itertools.takewhile(arrays.__contains__, (f"{network}.{layer}.weight" for layer in itertools.count()))
        *widths, _ = (len(arrays[name]) for name in names)
        if widths != said or int(member) >= config.num_members:
            raise InvalidArgumentError(
                f"DynamicsEnsemble: network {network} must be one of {config.num_members} members and have layers of "
                f"{said} outputs before its last, as the settings say, got layers of {widths}"
            )
    for part in ("delta", "reward"):
        if missing := [m for m in range(config.num_members) if f"{part}.{m}" not in networks]:
            raise InvalidArgumentError(f"DynamicsEnsemble: network {part}.{missing[0]} must be there, and is not")


def check_starts(states: Float32, terminal_value: float, threshold: float) -> None:
    """Refuse first states that the model would take for the end of the episode."""
    distance = np.abs(states - np.float32(terminal_value)).mean(axis=1)
    nearest = int(distance.argmin()) if len(distance) else 0
    if len(distance) and distance[nearest] < threshold:
        raise DatasetError(
            f"DynamicsEnsemble: initial state {nearest} looks like the end of an episode: on average over its entries "
            f"it is {distance[nearest]:.3g} from terminal_state_value {terminal_value:g}, and terminal_threshold is "
            f"{threshold:g}; give the log another terminal_state_value, far from its states, or lower the threshold"
        )
