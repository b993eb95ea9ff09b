"""Meta-strategy solvers: from the payoff table of an empirical game to a mixture over its strategies."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

from coffee_fast.checks import did_you_mean
from coffee_fast.config import kind_of
from coffee_fast.errors import ConfigError, InvalidArgumentError, shown
from coffee_fast.meta_solvers.anchored import GAMD, GANE, LogitQRE
from coffee_fast.meta_solvers.annealed import AnnealedReplicator
from coffee_fast.meta_solvers.base import MetaSolution, MetaSolver
from coffee_fast.meta_solvers.correlated import CorrelatedEquilibrium, CorrelatedSolution
from coffee_fast.meta_solvers.nash import Nash
from coffee_fast.meta_solvers.replicator import ProjectedReplicator, Replicator
from coffee_fast.meta_solvers.risk_averse import RQE
from coffee_fast.meta_solvers.robust import RobustReplicator
from coffee_fast.meta_solvers.uniform import Uniform

__all__ = [
    "GAMD",
    "GANE",
    "RQE",
    "AnnealedReplicator",
    "CorrelatedEquilibrium",
    "CorrelatedSolution",
    "LogitQRE",
    "MetaSolution",
    "MetaSolver",
    "Nash",
    "ProjectedReplicator",
    "Replicator",
    "RobustReplicator",
    "Uniform",
    "from_config",
    "known_solvers",
    "register_solver",
]

_SOLVERS: dict[str, type[MetaSolver]] = {}
Solver = TypeVar("Solver", bound=MetaSolver)


def register_solver(solver: type[Solver]) -> type[Solver]:
    """Make a solver known by its ``kind`` to configurations and commands; may stand above its class, as a decorator.

    Parameters
    ----------
    solver
        A dataclass that satisfies :class:`MetaSolver`; its fields are its options, all with defaults.

    Raises
    ------
    InvalidArgumentError
        Anything else, or a kind that another class has taken.
    """
    kind = getattr(solver, "kind", None)
    is_solver = all(callable(getattr(solver, method, None)) for method in ("solve", "to_config"))
    if not (is_solver and isinstance(solver, type) and dataclasses.is_dataclass(solver) and isinstance(kind, str)):
        raise InvalidArgumentError(
            "register_solver: solver must be a dataclass with a kind (its name) and methods solve and to_config, got "
            f"{shown(solver)}"
        )
    for field in dataclasses.fields(solver):
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise InvalidArgumentError(f"register_solver: the field {field.name} of {kind:.80} must have a default")
    if _SOLVERS.setdefault(kind, solver) is not solver:
        raise InvalidArgumentError(f"register_solver: there is a solver of the kind {kind:.80} already")
    return solver


for _solver in (
    Replicator,
    RobustReplicator,
    AnnealedReplicator,
    ProjectedReplicator,
    Uniform,
    Nash,
    CorrelatedEquilibrium,
    GANE,
    GAMD,
    LogitQRE,
    RQE,
):
    register_solver(_solver)


def known_solvers() -> dict[str, type[MetaSolver]]:
    """Return the class of each kind of solver that :func:`from_config` knows."""
    return dict(_SOLVERS)


def from_config(config: Mapping[str, Any]) -> MetaSolver:
    """Return the solver that ``to_config`` described; fields left out take their defaults.

    Raises
    ------
    ConfigError
        An unknown kind or field (with the nearest known one), or a value out of range.

    >>> from_config({"kind": "robust_replicator", "regret_threshold": 0.0})
    RobustReplicator(step_size=0.001, max_iterations=20000, min_probability=1e-06, regret_threshold=0.0)
    """
    solver, parameters = kind_of("meta_solver", config, _SOLVERS)
    known = [field.name for field in dataclasses.fields(solver)]  # type: ignore[arg-type]
    for name in parameters:
        if name not in known:
            raise ConfigError(f"meta_solver: {solver.kind} has no field {shown(name)}{did_you_mean(name, known)}")
    try:
        found: MetaSolver = solver(**parameters)
    except InvalidArgumentError as error:
        raise ConfigError(f"meta_solver: {error}") from error
    return found
