"""What the dynamics ensemble is told."""

from __future__ import annotations

import reprlib
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_type_hints

import numpy as np

from coffee_fast.errors import ConfigError

MOST = 2**31 - 1


@dataclass(frozen=True)
class EnsembleConfig:
    """Sizes and training of a :class:`DynamicsEnsemble`; the defaults are the paper's (Table 2) but for the holdout.

    Attributes
    ----------
    num_members
        Delta-state networks, and reward networks.
    hidden_sizes
        Widths of the ReLU layers of every network.
    num_steps, num_reward_steps
        Gradient steps of the delta-state networks with the shared one, and of the reward networks.
    batch_size, learning_rate
        Of each step of Adam; batches are drawn with replacement.
    holdout_fraction
        Share of the trajectories kept out of training for the fit report. The paper trains on all: 0.
    same_batches
        Whether all members see the same batches, and differ by their initial weights alone, as in the paper.
    normalization
        ``"scalar"``: one mean and deviation for all entries of states, of actions and of observations.
        ``"per_dimension"``: one for each entry (deviation 1 where an entry never changes).
    terminal_threshold
        A predicted state this near the terminal one, on average over its entries, ends the episode.
    disagreement
        What members disagree about: ``"max_deviation"``: the largest deviation of a member's rewards from the mean,
        averaged over players. ``"range_mean"`` and ``"range_max"``: the range of the members' rewards, averaged over
        players or the larger one; for like members about 2.0 and 2.4 times as large.
    history_source
        Whether the history in information states is made of predicted ``"observations"`` or of the ``"actions"``
        played.

    Raises
    ------
    ConfigError
        For a field of the wrong type or out of range.
    """

    num_members: int = 4
    hidden_sizes: tuple[int, ...] = (250, 250)
    num_steps: int = 10_000
    num_reward_steps: int = 10_000
    batch_size: int = 64
    learning_rate: float = 3e-4
    holdout_fraction: float = 0.1
    same_batches: bool = True
    normalization: Literal["scalar", "per_dimension"] = "scalar"
    terminal_threshold: float = 0.5
    disagreement: Literal["max_deviation", "range_mean", "range_max"] = "max_deviation"
    history_source: Literal["observations", "actions"] = "observations"

    def __post_init__(self) -> None:
        check_sizes(self, ("num_members", "num_steps", "num_reward_steps", "batch_size"))
        check_positive(self, "terminal_threshold")
        for name in ("same_batches", "normalization", "disagreement", "history_source"):
            check_choice(self, name)


def check_sizes(config: Any, counts: Sequence[str]) -> None:
    """Check what the configurations of all trainings have; NumPy's numbers become Python's.

    Raises
    ------
    ConfigError
        Naming class, field, what was expected and what came.
    """
    widths = config.hidden_sizes
    if isinstance(widths, np.ndarray):
        widths = widths.tolist()
    if isinstance(widths, Iterable) and not isinstance(widths, str | bytes):
        widths = tuple(widths)
    is_right = isinstance(widths, tuple) and len(widths) > 0 and all(map(_is_count, widths))
    require(is_right, config, "hidden_sizes", "positive widths, whole numbers")
    object.__setattr__(config, "hidden_sizes", tuple(int(width) for width in widths))
    for name in counts:
        value = getattr(config, name)
        is_whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
        require(is_whole, config, name, "an integer, at least 1")
        require(value >= 1, config, name, "at least 1")
        require(value <= MOST, config, name, f"at most {MOST}")
        object.__setattr__(config, name, int(value))
    check_positive(config, "learning_rate")
    fraction = config.holdout_fraction
    require(_is_real(fraction) and 0 <= fraction < 1, config, "holdout_fraction", "in [0, 1)")
    object.__setattr__(config, "holdout_fraction", float(fraction))


def check_positive(config: Any, name: str) -> None:
    """Check a field that is a positive finite number."""
    value = getattr(config, name)
    value = value.item() if isinstance(value, np.generic) else value
    require(_is_real(value) and 0 < value <= sys.float_info.max, config, name, "a positive number")
    object.__setattr__(config, name, float(value))


def check_choice(config: Any, name: str) -> None:
    """Check a field that is true or false, or one of a few words."""
    value, hint = getattr(config, name), get_type_hints(type(config))[name]
    if hint is bool:
        require(isinstance(value, bool | np.bool_), config, name, "true or false")
        object.__setattr__(config, name, bool(value))
        return
    words = get_args(hint)
    require(isinstance(value, str) and value in words, config, name, f"one of {', '.join(words)}")


def require(condition: bool, config: Any, name: str, expected: str) -> None:
    """Raise ``ConfigError`` about a field unless the condition holds."""
    if not condition:
        came = reprlib.repr(getattr(config, name))
        raise ConfigError(f"{type(config).__name__}: {name} must be {expected}, got {came}")


def _is_count(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and bool(1 <= value <= MOST)


def _is_real(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
