"""What a whole run is told, from dataset to report, and its named presets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from coffee_fast import meta_solvers, regularized
from coffee_fast._provenance import describe_fields, describe_part
from coffee_fast.checks import check_choice, check_count, check_number
from coffee_fast.config import Parts, apply_overrides, read_toml, update
from coffee_fast.errors import ConfigError, shown
from coffee_fast.meta_solvers import MetaSolver
from coffee_fast.meta_solvers.base import check_independent
from coffee_fast.models import BehaviorCloningConfig, EnsembleConfig
from coffee_fast.pipeline.dataset_config import DatasetConfig
from coffee_fast.pipeline.table_config import TableConfig
from coffee_fast.psro import PSRO_PARTS, EquilibriumConfig, PSROConfig
from coffee_fast.responses import DDQN, ConservativeObjective, PolicyGradient, ResponseOracle, as_oracles
from coffee_fast.seeding import check_seed
from coffee_fast.self_play import SELF_PLAY_PARTS, SelfPlayConfig

Algorithm = Literal[
    "coffee_psro", "oef", "oef_bc", "online_psro", "self_play", "self_play_psro", "online_self_play", "table"
]
ONLINE = ("online_psro", "online_self_play")
"""Algorithms that play in the true game, without a dataset or a model."""
SELF_PLAY = ("self_play", "self_play_psro", "online_self_play")


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
        the true game that ``dataset`` names, without a dataset or a model; ``"self_play"``: all players learn at once
        inside the model (:func:`anchored_self_play`); ``"online_self_play"``: the same in the true game;
        ``"self_play_psro"``: the snapshots of self-play are the first strategies of COffeE-PSRO; ``"table"``: the log
        is solved as a table, without a model, where all players see the same.
    dataset, model, psro, evaluation
        The stages.
    behavior_cloning, cloning_weights
        For ``"oef_bc"``: how the policy is cloned, and with which probabilities a strategy acts by it. The former also
        for self-play whose ``reference`` is ``"cloned"``.
    self_play
        For the algorithms of self-play.
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
    self_play: SelfPlayConfig = field(default_factory=SelfPlayConfig)
    table: TableConfig = field(default_factory=TableConfig)
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "seed", check_seed(self.seed))
        check_choice("RunConfig: algorithm", self.algorithm, get_args(Algorithm), error=ConfigError)
        for name, kind in _STAGES.items():
            if not isinstance(value := getattr(self, name), kind):
                raise ConfigError(f"RunConfig: {name} must be of kind {kind.__name__}, got {shown(value)}")
        if self.is_online and self.dataset.path is not None:
            raise ConfigError(
                f"RunConfig: {self.algorithm} learns from no dataset, got dataset.path {self.dataset.path!r}"
            )
        self._check_self_play()
        if not isinstance(self.cloning_weights, tuple | list):
            raise ConfigError(f"RunConfig: cloning_weights must be a list, got {shown(self.cloning_weights)}")
        name = "RunConfig: cloning_weights"
        weights = tuple(check_number(name, weight, at_most=1.0, error=ConfigError) for weight in self.cloning_weights)
        if not weights or len({*weights}) < len(weights):
            raise ConfigError(f"{name} must be different numbers in [0, 1], got {shown(weights)}")
        object.__setattr__(self, "cloning_weights", weights)

    def _check_self_play(self) -> None:
        if self.algorithm == "online_self_play" and self.self_play.reference == "cloned":
            raise ConfigError(
                "RunConfig: self_play.reference must be 'uniform' for online_self_play, which has no log to clone "
                "a policy from, got 'cloned'"
            )
        num_starts = len(self.self_play.snapshot_updates)
        if self.algorithm == "self_play_psro" and num_starts > self.psro.num_iterations:
            raise ConfigError(
                f"RunConfig: self_play.num_snapshots must be at most psro.num_iterations {self.psro.num_iterations} "
                f"for self_play_psro, one an iteration, a cloned reference among them, got {num_starts}"
            )

    @property
    def is_online(self) -> bool:
        """Whether the run plays in the true game, without a dataset or a model."""
        return self.algorithm in ONLINE

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
        """Return the configuration as plain JSON values; of self-play and tables where they matter, as before them."""
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
        if self.algorithm in SELF_PLAY or self.self_play != SelfPlayConfig():
            described["self_play"] = self.self_play.to_json()
        if self.algorithm == "table":
            described["table"] = self.table.to_json()
        return described


_STAGES = {
    "dataset": DatasetConfig,
    "model": EnsembleConfig,
    "psro": PSROConfig,
    "evaluation": EvaluationConfig,
    "behavior_cloning": BehaviorCloningConfig,
    "self_play": SelfPlayConfig,
    "table": TableConfig,
}
RUN_PARTS: Parts = {
    **PSRO_PARTS,
    **SELF_PLAY_PARTS,
    "meta_solvers": meta_solvers.from_config,
    "solver": regularized.from_config,
}
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
        self_play=SelfPlayConfig(num_updates=60, num_snapshots=2, judge=PolicyGradient(num_updates=100)),
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
