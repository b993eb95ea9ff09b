"""What a whole run is told, from dataset to report, and its named presets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from coffee_fast import meta_solvers, regularized
from coffee_fast._provenance import describe_fields, describe_part
from coffee_fast.checks import check_choice, check_count, check_flag, check_number, check_text
from coffee_fast.config import Parts, apply_overrides, read_toml, update
from coffee_fast.errors import ConfigError, shown
from coffee_fast.meta_solvers import MetaSolver
from coffee_fast.meta_solvers.base import check_independent
from coffee_fast.models import BehaviorCloningConfig, EnsembleConfig
from coffee_fast.pipeline.table_config import TableConfig
from coffee_fast.psro import PSRO_PARTS, EquilibriumConfig, PSROConfig
from coffee_fast.responses import DDQN, ConservativeObjective, PolicyGradient, ResponseOracle, as_oracles
from coffee_fast.seeding import check_seed

Algorithm = Literal["coffee_psro", "oef", "oef_bc", "online_psro", "table"]
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


@dataclass(frozen=True)
class EvaluationConfig:
    """How solutions are judged in the true game.

    Attributes
    ----------
    num_simulations
        Episodes for each profile and sample set.
    num_last_iterations
        Solutions of this many last iterations are evaluated, besides that of the start (uniform random play).
    meta_solvers
        Each extracts solutions of its own from the same strategies; by default the one of ``psro``.
    response
        Oracle for the best responses, or a list of several: each trains one to every solution, and what gains most
        counts.
    """

    num_simulations: int = 1000
    num_last_iterations: int = 1
    meta_solvers: tuple[MetaSolver, ...] = ()
    response: ResponseOracle | tuple[ResponseOracle, ...] = field(default_factory=DDQN)

    def __post_init__(self) -> None:
        oracles = as_oracles("EvaluationConfig: response", self.response, ConfigError)
        object.__setattr__(self, "response", oracles if len(oracles) > 1 else oracles[0])
        if not isinstance(self.meta_solvers, tuple | list):
            raise ConfigError(f"EvaluationConfig: meta_solvers must be a list, got {shown(self.meta_solvers)}")
        object.__setattr__(self, "meta_solvers", tuple(self.meta_solvers))
        for solver in self.meta_solvers:
            check_independent("EvaluationConfig: each of meta_solvers", solver, ConfigError)
        described = [describe_part(solver) for solver in self.meta_solvers]
        if any(solver in described[:place] for place, solver in enumerate(described)):
            raise ConfigError(f"EvaluationConfig: meta_solvers must differ from each other, got {described}")
        for name, least in (("num_simulations", 2), ("num_last_iterations", 1)):
            value = check_count(f"EvaluationConfig: {name}", getattr(self, name), at_least=least, error=ConfigError)
            object.__setattr__(self, name, value)


@dataclass(frozen=True)
class RunConfig:
    """Everything that determines a run, from dataset to report.

    Attributes
    ----------
    algorithm
        ``"coffee_psro"``; ``"oef"``: the same without its conservative terms; ``"oef_bc"``: one run of OEF, its
        strategies mixed with a policy cloned from the dataset, by each of ``cloning_weights``; ``"online_psro"``: in
        the true game that ``dataset`` names, without a dataset or a model; ``"table"``: the log is solved as a table,
        without a model, where all players see the same.
    dataset, model, psro, evaluation
        The stages.
    behavior_cloning, cloning_weights
        For ``"oef_bc"``: how the policy is cloned, and with which probabilities a strategy acts by it.
    table
        For ``"table"``: which states are one cell, and what solves the table.
    seed
        In ``[0, 2**63)``; every stage's seed is derived from it.
    """

    algorithm: Algorithm = "coffee_psro"
    dataset: DatasetConfig = field(default_factory=DatasetConfig)
    model: EnsembleConfig = field(default_factory=EnsembleConfig)
    psro: PSROConfig = field(default_factory=PSROConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    behavior_cloning: BehaviorCloningConfig = field(default_factory=BehaviorCloningConfig)
    cloning_weights: tuple[float, ...] = (0.0, 0.2, 0.4, 0.6, 0.8)
    table: TableConfig = field(default_factory=TableConfig)
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "seed", check_seed(self.seed))
        check_choice("RunConfig: algorithm", self.algorithm, get_args(Algorithm), error=ConfigError)
        for name, kind in _STAGES.items():
            if not isinstance(value := getattr(self, name), kind):
                raise ConfigError(f"RunConfig: {name} must be of kind {kind.__name__}, got {shown(value)}")
        if self.algorithm == "online_psro" and self.dataset.path is not None:
            raise ConfigError(f"RunConfig: online_psro learns from no dataset, got dataset.path {self.dataset.path!r}")
        if not isinstance(self.cloning_weights, tuple | list):
            raise ConfigError(f"RunConfig: cloning_weights must be a list, got {shown(self.cloning_weights)}")
        name = "RunConfig: cloning_weights"
        weights = tuple(check_number(name, weight, at_most=1.0, error=ConfigError) for weight in self.cloning_weights)
        if not weights or len({*weights}) < len(weights):
            raise ConfigError(f"{name} must be different numbers in [0, 1], got {shown(weights)}")
        object.__setattr__(self, "cloning_weights", weights)

    @classmethod
    def preset(cls, name: str) -> RunConfig:
        """Return a named configuration.

        ``demo``
            A minute or two on two cores: every part at work, inside a model of preset "best".
        ``quick``
            Some minutes: the same model, more iterations, longer training, stronger opponents in the evaluation.
        ``paper``
            The sizes of Nguyen and Wellman 2026 (Table 2): some twenty minutes of one core.

        Raises
        ------
        ConfigError
            If there is no such preset.
        """
        return PRESETS[check_choice("preset", name, PRESETS, error=ConfigError)]()

    def with_toml(self, path: str | Path) -> RunConfig:
        """Return a copy with the fields that a TOML file names.

        Raises
        ------
        ConfigError
            If the file is not TOML, names an unknown field (the message says the nearest) or an impossible value.
        """
        return update(self, read_toml(path), RUN_PARTS)

    def with_overrides(self, overrides: Sequence[str]) -> RunConfig:
        """Return a copy with single fields set, as in ``["psro.num_iterations=5", "seed=1"]``."""
        return apply_overrides(self, overrides, RUN_PARTS)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> RunConfig:
        """Rebuild a configuration from :meth:`to_json`."""
        return update(cls(), values, RUN_PARTS)

    def to_json(self) -> dict[str, Any]:
        """Return the configuration as plain JSON values; of tables only where one is solved, as before there were."""
        described = {
            "algorithm": self.algorithm,
            "dataset": self.dataset.to_json(),
            "model": self.model.to_json(),
            "psro": self.psro.to_json(),
            "evaluation": describe_fields(self.evaluation),
            "behavior_cloning": describe_fields(self.behavior_cloning),
            "cloning_weights": list(self.cloning_weights),
            "seed": self.seed,
        }
        return {**described, "table": self.table.to_json()} if self.algorithm == "table" else described


_STAGES = {
    "dataset": DatasetConfig,
    "model": EnsembleConfig,
    "psro": PSROConfig,
    "evaluation": EvaluationConfig,
    "behavior_cloning": BehaviorCloningConfig,
    "table": TableConfig,
}
RUN_PARTS: Parts = {**PSRO_PARTS, "meta_solvers": meta_solvers.from_config, "solver": regularized.from_config}
"""Builders of the parts that a configuration file describes by their ``kind``."""


def _demo() -> RunConfig:
    return RunConfig(
        dataset=DatasetConfig(equilibrium=_brief_equilibria(8, 12_000)),
        model=EnsembleConfig.preset("best"),
        psro=PSROConfig(
            num_iterations=8,
            num_simulations=500,
            objective=ConservativeObjective(anneal_iterations=6),
            response=_brief_ddqn(12_000),
        ),
        evaluation=EvaluationConfig(num_simulations=10_000, response=_judges(30_000, 50)),
    )


def _quick() -> RunConfig:
    return RunConfig(
        dataset=DatasetConfig(equilibrium=_brief_equilibria(16, 30_000)),
        model=EnsembleConfig.preset("best"),
        psro=PSROConfig(num_iterations=16, response=_brief_ddqn(30_000)),
        evaluation=EvaluationConfig(num_simulations=10_000, num_last_iterations=2, response=_judges(100_000, 150)),
    )


def _brief_ddqn(num_steps: int) -> DDQN:
    """The paper's double DQN for a small budget: it learns from an early moment on and explores for half of it."""
    return DDQN(
        num_steps=num_steps,
        replay_capacity=min(num_steps, 50_000),
        min_replay=1_000,
        epsilon_decay_steps=num_steps // 2,
    )


def _judges(num_steps: int, num_updates: int) -> tuple[ResponseOracle, ...]:
    """Both oracles for about the same time: one finds deviations that the other does not."""
    return _brief_ddqn(num_steps), PolicyGradient(num_updates=num_updates)


def _brief_equilibria(num_iterations: int, num_steps: int) -> EquilibriumConfig:
    return EquilibriumConfig(num_iterations=num_iterations, response=_brief_ddqn(num_steps))


def _paper() -> RunConfig:
    # The paper trains on every trajectory; the mean over the last five iterations is this project's reading.
    return RunConfig(model=EnsembleConfig(holdout_fraction=0.0), evaluation=EvaluationConfig(num_last_iterations=5))


PRESETS: Mapping[str, Callable[[], RunConfig]] = {"demo": _demo, "quick": _quick, "paper": _paper}
