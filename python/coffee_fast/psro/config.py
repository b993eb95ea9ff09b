"""What a run of COffeE-PSRO is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from coffee_fast import meta_solvers, responses
from coffee_fast._provenance import describe_part
from coffee_fast.checks import check_count
from coffee_fast.config import Parts, from_mapping
from coffee_fast.errors import ConfigError, shown
from coffee_fast.meta_solvers import MetaSolver, RobustReplicator
from coffee_fast.meta_solvers.base import check_independent
from coffee_fast.responses import DDQN, ConservativeObjective, ResponseOracle


@dataclass(frozen=True)
class PSROConfig:
    """Sizes and parts of one COffeE-PSRO run; the defaults are the paper's setting.

    Parameters
    ----------
    num_iterations
        How many strategies are trained (``K``); the run ends with ``num_iterations + 1`` of them, uniform random play
        being strategy 0.
    num_simulations
        Episodes in the model for each new pair of strategies, half of them in either seating; an odd number
        counts as the next even one.
    meta_solver
        Finds the mixture that the next response is trained against; replicator dynamics gives plain offline PSRO,
        robust replicator dynamics (R2D) the paper's method.
    objective
        The conservative training objective: penalty on disagreement and coverage episodes, with their annealing.
        ``ConservativeObjective(uncertainty_penalty=0, coverage_weight=0)`` gives OEF.
    response
        The oracle that trains a response; any object with the ``respond`` method of ``ResponseOracle``.

    Raises
    ------
    ConfigError
        If a count is not a positive integer or a part lacks its method.

    References
    ----------
    Nguyen and Wellman 2026, Algorithm 1 and Table 2.
    """

    num_iterations: int = 40
    num_simulations: int = 1000
    meta_solver: MetaSolver = field(default_factory=RobustReplicator)
    objective: ConservativeObjective = field(default_factory=ConservativeObjective)
    response: ResponseOracle = field(default_factory=DDQN)

    def __post_init__(self) -> None:
        for name in ("num_iterations", "num_simulations"):
            count = check_count(f"PSROConfig: {name}", getattr(self, name), at_least=1, error=ConfigError)
            object.__setattr__(self, name, count)
        for name, method in (("meta_solver", "solve"), ("objective", "at"), ("response", "respond")):
            part = getattr(self, name)
            if isinstance(part, type) or not callable(getattr(part, method, None)):
                raise ConfigError(
                    f"PSROConfig: {name} must be an object with a method {method}(...), got {shown(part)}"
                )
        check_independent("PSROConfig: meta_solver", self.meta_solver, ConfigError)
        averse = getattr(self.objective, "risk_aversion", 0.0)
        if averse and getattr(self.response, "is_risk_neutral", False):
            raise ConfigError(
                f"PSROConfig: objective.risk_aversion must be 0 with {shown(self.response)}, which learns against the "
                f"mean opponent, got {averse:g}; take PolicyGradient as response"
            )

    def to_json(self) -> dict[str, Any]:
        """Return the configuration as plain JSON values, one nested object a part."""
        return {
            "num_iterations": self.num_iterations,
            "num_simulations": self.num_simulations,
            "meta_solver": describe_part(self.meta_solver),
            "objective": describe_part(self.objective),
            "response": describe_part(self.response),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> PSROConfig:
        """Rebuild a configuration from :meth:`to_json`; ``ConfigError`` if it has parts of unknown kinds."""
        return from_mapping(cls, values, PSRO_PARTS)


def _objective(values: Mapping[str, Any]) -> ConservativeObjective:
    kind = describe_part(ConservativeObjective())["kind"]
    if values.get("kind", kind) != kind:
        raise ConfigError(f"there is one kind of objective, {kind!r}; set its fields, got kind {shown(values['kind'])}")
    return from_mapping(ConservativeObjective, values)


PSRO_PARTS: Parts = {
    "meta_solver": meta_solvers.from_config,
    "objective": _objective,
    "response": responses.from_config,
}
"""Builders of the parts that a configuration file describes, for ``coffee_fast.config``."""
