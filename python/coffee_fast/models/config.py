"""What the dynamics ensemble is told."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_type_hints

import numpy as np

from coffee_fast.checks import check_choice, check_count, check_flag, check_number
from coffee_fast.errors import ConfigError, shown

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
    ends
        ``"state"``: the paper's rule, an episode ends where the predicted state is near the terminal one; for games of
        strict turns that pay at the end. ``"probability"``: ends are drawn by a probability of their own, as the paper
        does not, and the networks of next states learn only from what goes on. ``"auto"``: ``"state"`` for those
        games, ``"probability"`` for all others.

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
    ends: Literal["auto", "state", "probability"] = "auto"

    def to_json(self) -> dict[str, Any]:
        """Return the settings as plain JSON values.

        Ends are left out where they are found out, so that older models and runs are known by what they were.
        """
        written = dataclasses.asdict(self) | {"hidden_sizes": list(self.hidden_sizes)}
        if self.ends == "auto":
            del written["ends"]
        return written

    def __post_init__(self) -> None:
        check_sizes(self, ("num_members", "num_steps", "num_reward_steps", "batch_size"))
        check_positive(self, "terminal_threshold")
        for name in ("same_batches", "normalization", "disagreement", "history_source", "ends"):
            check_words(self, name)


def check_sizes(config: Any, counts: Sequence[str]) -> None:
    """Check what the configurations of all trainings have; NumPy's numbers become Python's.

    Raises
    ------
    ConfigError
        Naming class, field, what was expected and what came.
    """
    kind = type(config).__name__
    widths = config.hidden_sizes.tolist() if isinstance(config.hidden_sizes, np.ndarray) else config.hidden_sizes
    if not isinstance(widths, Sequence) or isinstance(widths, str | bytes) or not widths:
        raise ConfigError(f"{kind}: hidden_sizes must be a list of positive widths, got {shown(widths)}")

    def size(name: str, value: Any) -> int:
        return check_count(f"{kind}: {name}", value, at_least=1, at_most=MOST, error=ConfigError)

    object.__setattr__(config, "hidden_sizes", tuple(size("hidden_sizes", width) for width in widths))
    for name in counts:
        object.__setattr__(config, name, size(name, getattr(config, name)))
    check_positive(config, "learning_rate")
    fraction = check_number(f"{kind}: holdout_fraction", config.holdout_fraction, error=ConfigError)
    if fraction >= 1.0:
        raise ConfigError(f"{kind}: holdout_fraction must be in [0, 1), got {fraction}")
    object.__setattr__(config, "holdout_fraction", fraction)


def check_positive(config: Any, name: str) -> None:
    """Check a field that is a positive finite number."""
    place = f"{type(config).__name__}: {name}"
    object.__setattr__(config, name, check_number(place, getattr(config, name), is_open=True, error=ConfigError))


def check_words(config: Any, name: str) -> None:
    """Check a field that is true or false, or one of a few words."""
    place, value, hint = f"{type(config).__name__}: {name}", getattr(config, name), get_type_hints(type(config))[name]
    if hint is bool:
        object.__setattr__(config, name, check_flag(place, value, error=ConfigError))
    else:
        check_choice(place, value, get_args(hint), error=ConfigError)
