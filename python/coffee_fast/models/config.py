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
        Widths of the layers of perceptrons.
    num_steps, num_reward_steps
        Gradient steps of the delta-state networks with the shared one, and of the reward networks; all others take
        ``num_steps`` each.
    batch_size, learning_rate
        Of each step of Adam; batches are drawn with replacement. Where ends are drawn the rate falls linearly to 0.
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
    network
        ``"relu"``: perceptrons of ``hidden_sizes``. ``"product"``: layers of products, ``h = U x * G x``, each of which
        sees the inputs and all before it, of ``product_sizes``; for what is worth how much times how much one gets.
        ``"auto"``: both are tried for a short while, and each part of the model keeps what predicts held-out episodes
        better.
    product_sizes
        Widths of the product layers.
    weight_decay
        Of weights, not biases, at each step in units of the learning rate (AdamW), for a network that learns from 300
        rows or fewer; from more it is smaller in proportion.
    early_stopping
        Whether each network keeps the weights that predicted held-out episodes best, and stops when they no longer
        get better.
    bootstrap
        Whether each member learns from episodes drawn with replacement, its own.
    payments
        ``"always"``: reward networks learn from all that may pay. ``"probability"``: whether anything is paid has a
        probability of its own, and reward networks learn only from what pays.
    entries
        ``"predicted"``: every entry of states and observations is the output of a network. ``"by_kind"``: what stays
        as it was or is told by the last move is copied, what takes a few values is predicted and set to the nearest
        one, and players' observations are made of what they may know.
    member_per_episode
        Whether each episode follows the next states of one member, drawn by its key, and not the members' mean.
    outcome_disagreement
        Whether disagreement also counts what members disagree about in ends, movers and outcomes of chance: the
        entropy of their mean probabilities minus their mean entropy, in units of the deviation of rewards.
    chance_codes
        Kinds of luck to be found in a log whose next states differ where state and action are the same; each is drawn
        like an outcome of chance. 0: none.

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
    network: Literal["relu", "product", "auto"] = "relu"
    product_sizes: tuple[int, ...] = (64, 64)
    weight_decay: float = 0.0
    early_stopping: bool = False
    bootstrap: bool = False
    payments: Literal["always", "probability"] = "always"
    entries: Literal["predicted", "by_kind"] = "predicted"
    member_per_episode: bool = False
    outcome_disagreement: bool = False
    chance_codes: int = 0

    @classmethod
    def preset(cls, name: str) -> EnsembleConfig:
        """Return the settings of a name.

        Parameters
        ----------
        name
            ``"paper"``: the paper's model, all defaults. ``"best"``: what measurements earn, products or perceptrons
            learned for less time from what pays, of entries by their kinds; it may change with versions, and the change
            log says how.

        Raises
        ------
        ConfigError
            If there is no such preset.

        >>> EnsembleConfig.preset("paper") == EnsembleConfig()
        True
        """
        return cls(**_PRESETS[check_choice("EnsembleConfig.preset: name", name, _PRESETS, error=ConfigError)])

    def to_json(self) -> dict[str, Any]:
        """Return the settings as plain JSON values.

        What came later than the paper's settings is left out where it is not used, so that older models and runs are
        known by what they were.
        """
        written = {
            name: value
            for name, value in dataclasses.asdict(self).items()
            if name not in _LATER or value != _LATER[name]
        }
        return {name: list(value) if isinstance(value, tuple) else value for name, value in written.items()}

    def __post_init__(self) -> None:
        check_sizes(self, ("num_members", "num_steps", "num_reward_steps", "batch_size"))
        check_widths(self, "product_sizes")
        check_positive(self, "terminal_threshold")
        for name in _WORDS:
            check_words(self, name)
        decay = check_number("EnsembleConfig: weight_decay", self.weight_decay, error=ConfigError)
        object.__setattr__(self, "weight_decay", decay)
        codes = check_count("EnsembleConfig: chance_codes", self.chance_codes, at_least=0, error=ConfigError)
        object.__setattr__(self, "chance_codes", codes)
        if self.ends == "state" and self.needs_drawn_ends:
            field = "entries='by_kind'" if self.entries == "by_kind" else f"chance_codes={self.chance_codes}"
            field = "payments='probability'" if self.payments == "probability" else field
            raise ConfigError(f"EnsembleConfig: ends must be 'auto' or 'probability' with {field}, got 'state'")

    @property
    def needs_drawn_ends(self) -> bool:
        """Whether ends must have a probability of their own, whatever the game."""
        return self.payments == "probability" or self.entries == "by_kind" or self.chance_codes > 0

    @property
    def bounds_rewards(self) -> bool:
        """Whether rewards are kept near those seen, and what is as good as certain is no longer drawn."""
        return self.needs_drawn_ends or self.network != "relu"


_WORDS = (
    "same_batches",
    "normalization",
    "disagreement",
    "history_source",
    "ends",
    "network",
    "early_stopping",
    "bootstrap",
    "payments",
    "entries",
    "member_per_episode",
    "outcome_disagreement",
)
_LATER = {entry.name: entry.default for entry in dataclasses.fields(EnsembleConfig)[12:]}
"""Fields that the paper's model does without, and what says so."""


_PRESETS: dict[str, dict[str, Any]] = {
    "paper": {},
    "best": {
        "num_steps": 3000,
        "num_reward_steps": 3000,
        "learning_rate": 3e-3,
        "same_batches": False,
        "normalization": "per_dimension",
        "network": "auto",
        "weight_decay": 1.0,
        "early_stopping": True,
        "payments": "probability",
        "entries": "by_kind",
    },
}


def check_sizes(config: Any, counts: Sequence[str]) -> None:
    """Check what the configurations of all trainings have; NumPy's numbers become Python's.

    Raises
    ------
    ConfigError
        Naming class, field, what was expected and what came.
    """
    kind = type(config).__name__
    check_widths(config, "hidden_sizes")
    for name in counts:
        object.__setattr__(config, name, _size(f"{kind}: {name}", getattr(config, name)))
    check_positive(config, "learning_rate")
    fraction = check_number(f"{kind}: holdout_fraction", config.holdout_fraction, error=ConfigError)
    if fraction >= 1.0:
        raise ConfigError(f"{kind}: holdout_fraction must be in [0, 1), got {fraction}")
    object.__setattr__(config, "holdout_fraction", fraction)


def check_widths(config: Any, name: str) -> None:
    """Check a field that is a list of widths of layers."""
    place, widths = f"{type(config).__name__}: {name}", getattr(config, name)
    widths = widths.tolist() if isinstance(widths, np.ndarray) else widths
    if not isinstance(widths, Sequence) or isinstance(widths, str | bytes) or not widths:
        raise ConfigError(f"{place} must be a list of positive widths, got {shown(widths)}")
    object.__setattr__(config, name, tuple(_size(place, width) for width in widths))


def _size(place: str, value: Any) -> int:
    return check_count(place, value, at_least=1, at_most=MOST, error=ConfigError)


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
