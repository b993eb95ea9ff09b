"""What a run is told of the log that it learns from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from coffee_fast._provenance import describe_fields
from coffee_fast.checks import check_count, check_flag, check_text
from coffee_fast.errors import ConfigError, shown
from coffee_fast.psro import EquilibriumConfig
from coffee_fast.seeding import check_seed

EQUILIBRIUM_MIXTURE = "equilibrium_mixture"


@dataclass(frozen=True)
class DatasetConfig:
    """The logged play to learn from: generated in a known game, unless it is a dataset of one's own.

    Attributes
    ----------
    path
        Folder of a dataset of one's own; a relative one starts where the command is given. None of the other fields
        matters then. A run knows it by its content, so the folder may move.
    game, game_parameters
        As ``load_game`` takes them.
    behavior
        Who played: a known policy name, or ``"equilibrium_mixture"``: in each episode one of some equilibrium
        profiles of the true game, which are found once and kept for all runs (:func:`equilibrium_profiles`).
    num_trajectories
        Trajectories stored, mirrored copies included.
    is_mirrored
        Whether every episode is stored a second time with the players exchanged, in games that allow it.
    equilibrium, equilibrium_seed
        How the profiles of the equilibrium mixture are found, and their seed, which is not that of the run: runs of
        other seeds log the play of the same profiles.
    """

    path: str | None = None
    game: str = "generalized_bargaining"
    game_parameters: Mapping[str, Any] = field(default_factory=dict)
    behavior: str = "uniform_random"
    num_trajectories: int = 1000
    is_mirrored: bool = True
    equilibrium: EquilibriumConfig = field(default_factory=EquilibriumConfig)
    equilibrium_seed: int = 0

    def __post_init__(self) -> None:
        if self.path is not None:
            check_text("DatasetConfig: path", self.path, error=ConfigError)
        for name in ("game", "behavior"):
            check_text(f"DatasetConfig: {name}", getattr(self, name), error=ConfigError)
        if not isinstance(self.game_parameters, Mapping):
            raise ConfigError(f"DatasetConfig: game_parameters must be a table, got {shown(self.game_parameters)}")
        if not isinstance(self.equilibrium, EquilibriumConfig):
            raise ConfigError(f"DatasetConfig: equilibrium must be an EquilibriumConfig, got {shown(self.equilibrium)}")
        count = check_count("DatasetConfig: num_trajectories", self.num_trajectories, at_least=1, error=ConfigError)
        object.__setattr__(self, "num_trajectories", count)
        check_flag("DatasetConfig: is_mirrored", self.is_mirrored, error=ConfigError)
        check_seed(self.equilibrium_seed)

    def to_json(self) -> dict[str, Any]:
        """Return the configuration as plain JSON values."""
        described = {**describe_fields(self), "equilibrium": self.equilibrium.to_json()}
        if self.path is None:  # so it is in the runs of before there was the field
            del described["path"]
        return described
