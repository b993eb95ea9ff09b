"""What the dynamics ensemble is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from coffee_fast.errors import ConfigError


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
        object.__setattr__(self, "hidden_sizes", tuple(self.hidden_sizes))
        self._require(len(self.hidden_sizes) > 0 and min(self.hidden_sizes) >= 1, "hidden_sizes", "positive widths")
        for name in ("num_members", "num_steps", "num_reward_steps", "batch_size"):
            self._require(getattr(self, name) >= 1, name, "at least 1")
        self._require(0 < self.learning_rate < float("inf"), "learning_rate", "a positive number")
        self._require(0 <= self.holdout_fraction < 1, "holdout_fraction", "in [0, 1)")
        self._require(0 < self.terminal_threshold < float("inf"), "terminal_threshold", "a positive number")
        self._require(self.normalization in ("scalar", "per_dimension"), "normalization", "'scalar' or 'per_dimension'")
        kinds = ("max_deviation", "range_mean", "range_max")
        self._require(self.disagreement in kinds, "disagreement", f"one of {', '.join(kinds)}")
        self._require(
            self.history_source in ("observations", "actions"), "history_source", "'observations' or 'actions'"
        )

    def _require(self, condition: bool, name: str, expected: str) -> None:
        if not condition:
            raise ConfigError(f"EnsembleConfig: {name} must be {expected}, got {getattr(self, name)!r}")
