"""Meta-strategy solvers: from the payoff table of an empirical game to a mixture over its strategies."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from coffee_fast.checks import did_you_mean
from coffee_fast.config import kind_of
from coffee_fast.errors import ConfigError, InvalidArgumentError, shown
from coffee_fast.meta_solvers.anchored import GAMD, GANE, LogitQRE
from coffee_fast.meta_solvers.annealed import AnnealedReplicator
from coffee_fast.meta_solvers.base import MetaSolution, MetaSolver
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
]

_KINDS = (
    Replicator,
    RobustReplicator,
    AnnealedReplicator,
    ProjectedReplicator,
    Uniform,
    Nash,
    GANE,
    GAMD,
    LogitQRE,
    RQE,
)
_SOLVERS: dict[str, Any] = {solver.kind: solver for solver in _KINDS}


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
    known = [field.name for field in dataclasses.fields(solver)]
    for name in parameters:
        if name not in known:
            raise ConfigError(f"meta_solver: {solver.kind} has no field {shown(name)}{did_you_mean(name, known)}")
    try:
        found: MetaSolver = solver(**parameters)
    except InvalidArgumentError as error:
        raise ConfigError(f"meta_solver: {error}") from error
    return found
