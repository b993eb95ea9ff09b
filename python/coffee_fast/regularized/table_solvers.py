"""Solvers of tabular games by their kinds, with their options as configurations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from coffee_fast.config import from_mapping, kind_of
from coffee_fast.regularized.anchored.anchors import KLValue
from coffee_fast.regularized.anchored.gamd import gamd
from coffee_fast.regularized.anchored.gane import gane
from coffee_fast.regularized.cooperative.alberdice import alberdice
from coffee_fast.regularized.cooperative.inspo import inspo
from coffee_fast.regularized.learning_table_solvers import (
    TableActorCritic,
    TableOptimisticRQRE,
    TableQRPO,
    TableSmoothedBestResponse,
    TableSRPO,
)
from coffee_fast.regularized.risk_averse.rqe import rqe
from coffee_fast.regularized.robust_table_solvers import (
    TableRobustNash,
    TableRobustQFTRL,
    TableRobustVDN,
    TableRPQ,
)
from coffee_fast.regularized.table_solver import PerPlayer, RiskAverse, Schedule, TableSolver
from coffee_fast.tabular import TabularGame


@dataclass(frozen=True)
class Anchored(TableSolver):
    """What anchored solvers have in common.

    Attributes
    ----------
    kl_weight
        What leaving the reference costs, in units of payoff, one or one a player; by default a tenth of the range of
        rewards.
    reference
        The log's own play, or the uniform one.
    smoothing
        Plays added to each legal action of the log's own play.
    unseen_value
        What legal cells that the log never shows are worth, with all that follows, one or one a player; such cells are
        refused without it.
    """

    _PER_PLAYER: ClassVar[tuple[str, ...]] = ("kl_weight", "unseen_value")
    kl_weight: PerPlayer = None
    reference: Literal["behavior", "uniform"] = "behavior"
    smoothing: float = 1.0
    unseen_value: PerPlayer = None


@dataclass(frozen=True)
class TableGANE(Anchored):
    """An equilibrium of players anchored to a reference, exact and stage by stage. See ``regularized.gane``.

    Attributes
    ----------
    kl_value
        What of the penalties values count: the player's own, or with opposite rewards also the other's as a gain.
    method, tolerance, max_iterations
        Of the stage games: how they are solved, to which share of their payoff range, and in how many iterations.
    """

    kind: ClassVar[str] = "gane"
    kl_value: KLValue | None = None
    method: Literal["auto", "fixed_point", "mirror_descent", "homotopy", "best_response_flow"] = "auto"
    tolerance: float = 1e-10
    max_iterations: int = 500

    def solve(self, game: TabularGame, seed: int) -> Any:
        return gane(game, **_known(self.options(), game))


@dataclass(frozen=True)
class TableGAMD(Anchored):
    """Correlated play by mirror descent from a reference, for any number of players. See ``regularized.gamd``.

    Attributes
    ----------
    num_iterations
        Rounds in each stage game at most.
    last_iterate
        Whether the last round is taken instead of the average.
    tolerance
        Stop with gaps at most this share of the stage game's payoff range; with 0 all rounds are played.
    """

    kind: ClassVar[str] = "gamd"
    num_iterations: int = 1000
    last_iterate: bool = False
    tolerance: float = 0.0

    def solve(self, game: TabularGame, seed: int) -> Any:
        return gamd(game, **_known(self.options(), game))


@dataclass(frozen=True)
class TableRQE(RiskAverse):
    """Players who answer softly and are averse to risk. See ``regularized.rqe``.

    Attributes
    ----------
    divergence, regularizer
        The view of risk, and what keeps play mixed.
    environment_risk_aversion, environment_radius
        Risk aversion about the next state, or the total variation distance within which it may be the worst.
    tolerance, max_iterations
        Of the stage games: the share of their payoff range, and how many iterations.
    """

    kind: ClassVar[str] = "rqe"
    divergence: Literal["kl", "reverse_kl"] = "kl"
    regularizer: Literal["log_barrier", "entropy"] = "log_barrier"
    environment_risk_aversion: float = 0.0
    environment_radius: float = 0.0
    tolerance: float = 1e-10
    max_iterations: int = 2000

    def solve(self, game: TabularGame, seed: int) -> Any:
        return rqe(game, **self.options())


@dataclass(frozen=True)
class Teammates(TableSolver):
    """What solvers of games in which all get the same have in common.

    Attributes
    ----------
    kl_weight
        What leaving the joint play of the log costs, in units of reward; a list is a schedule.
    discount
        Of rewards to come; by default 0.99.
    perturbation
        How far the search looks beside a point where nobody can improve anything alone though play is mixed.
    has_random_order
        Whether the order of players is drawn anew each time.
    """

    kl_weight: Schedule = 0.1
    discount: float | None = None
    perturbation: float = 1e-3
    has_random_order: bool = False


@dataclass(frozen=True)
class TableInSPO(Teammates):
    """Teammates who improve one by one and stay with what the log shows. See ``regularized.inspo``.

    Attributes
    ----------
    entropy_weight
        What being predictable costs; a list is a schedule.
    tolerance, max_iterations
        Converged once a pass over the players changes no probability by more; passes at most.
    """

    kind: ClassVar[str] = "inspo"
    entropy_weight: Schedule = 0.0
    tolerance: float = 1e-9
    max_iterations: int = 500

    def solve(self, game: TabularGame, seed: int) -> Any:
        return inspo(game, seed=seed, **self.options())


@dataclass(frozen=True)
class TableAlberDICE(Teammates):
    """Teammates whose joint play visits what the log visits, as far as it pays. See ``regularized.alberdice``.

    Attributes
    ----------
    end_share
        How much of the log is the state after the end of an episode.
    tolerance, max_iterations
        Converged once a pass over the players changes no probability by more; passes at most.
    """

    kind: ClassVar[str] = "alberdice"
    end_share: float = 0.1
    tolerance: float = 1e-7
    max_iterations: int = 100

    def solve(self, game: TabularGame, seed: int) -> Any:
        return alberdice(game, seed=seed, **self.options())


_SOLVERS: dict[str, type[TableSolver]] = {
    solver.kind: solver
    for solver in (
        TableGANE,
        TableGAMD,
        TableRQE,
        TableActorCritic,
        TableSRPO,
        TableSmoothedBestResponse,
        TableOptimisticRQRE,
        TableQRPO,
        TableRobustNash,
        TableRobustQFTRL,
        TableRPQ,
        TableRobustVDN,
        TableInSPO,
        TableAlberDICE,
    )
}


def known_solvers() -> dict[str, type[TableSolver]]:
    """Return the class of each kind of solver that :func:`from_config` knows."""
    return dict(_SOLVERS)


def from_config(config: Mapping[str, Any]) -> TableSolver:
    """Return the solver of tables that ``to_config`` described; options left out take their defaults.

    Raises
    ------
    ConfigError
        An unknown kind or option (with the nearest known one), or a value out of range.

    >>> from_config({"kind": "inspo", "kl_weight": 0.5}).max_iterations
    500
    """
    solver, options = kind_of("table solver", config, _SOLVERS)
    return from_mapping(solver, options)


def _known(options: dict[str, Any], game: TabularGame) -> dict[str, Any]:
    """Return the options for a game; one that is known has no behavior to stay near."""
    return options if game.counts is not None else {**options, "reference": "uniform"}
