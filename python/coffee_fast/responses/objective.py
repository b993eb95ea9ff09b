"""What a training episode is worth: payoffs, a penalty on disagreement, deviation coverage."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from coffee_fast._provenance import describe_fields
from coffee_fast.checks import check_count, check_number
from coffee_fast.errors import ConfigError


def _set_weights(objective: ResponseObjective | ConservativeObjective) -> None:
    """Check both weights and keep them as floats: 0 and 0.0 are the same run."""
    name = type(objective).__name__
    for field, most in (("uncertainty_penalty", math.inf), ("coverage_weight", 1.0), ("risk_aversion", math.inf)):
        value = check_number(f"{name}: {field}", getattr(objective, field), at_most=most, error=ConfigError)
        object.__setattr__(objective, field, value)
    if objective.coverage_weight > 0 and objective.uncertainty_penalty == 0:
        raise ConfigError(
            f"{name}: coverage_weight {objective.coverage_weight} needs an uncertainty_penalty above 0: "
            "deviation-coverage episodes reward nothing but low disagreement, so without a penalty they teach that no "
            "action matters"
        )


@dataclass(frozen=True)
class ResponseObjective:
    r"""The objective of one response (Nguyen and Wellman 2026, Eq. 3 and 4).

    .. math::
        (1 - \beta) \, E_{\sigma_{-i}}\Big[\sum_t \gamma^t (R_i - \lambda U)\Big]
        + \beta \, E_{\text{uniform}_{-i}}\Big[\sum_t \gamma^t (- \lambda U)\Big]

    Attributes
    ----------
    uncertainty_penalty
        :math:`\lambda \ge 0`, reward lost per unit of disagreement, both in raw units.
    coverage_weight
        :math:`\beta`, the probability that an episode is a deviation-coverage episode: opponents play uniformly at
        random and nothing counts but the penalty. Above 0 only together with a penalty.
    risk_aversion
        :math:`\tau`, in units of one over the game's ``reward_scale``. Above 0, the expectation over the opponent's
        strategies is replaced by its certainty equivalent :math:`-\log E_{\sigma_{-i}} \exp(-\tau u) / \tau`: an
        adversary may draw the strategies otherwise, and pays :math:`1 / \tau` times the divergence from
        :math:`\sigma_{-i}` (strategic risk aversion). Of two players, and learned by :class:`PolicyGradient`; other
        oracles of the package refuse it.
    """

    uncertainty_penalty: float = 0.0
    coverage_weight: float = 0.0
    risk_aversion: float = 0.0

    later_fields: ClassVar[Mapping[str, Any]] = {"risk_aversion": 0.0}

    def __post_init__(self) -> None:
        _set_weights(self)

    def to_json(self) -> dict[str, Any]:
        """Return the weights as plain JSON values."""
        return describe_fields(self)


@dataclass(frozen=True)
class ConservativeObjective:
    r"""The objective of a whole run: a constant penalty, coverage that fades over the iterations.

    .. math:: \beta_k = \beta_0 \max(0, 1 - k / \text{anneal\_iterations})

    With both weights 0 it is the plain objective of offline equilibrium finding.

    Attributes
    ----------
    uncertainty_penalty
        :math:`\lambda`, reward lost per unit of disagreement between members.
    coverage_weight
        :math:`\beta_0`, the share of deviation-coverage episodes at the start, see :class:`ResponseObjective`.
    anneal_iterations
        From this iteration on, counted from 0, there are no coverage episodes.
    risk_aversion
        :math:`\tau`, in units of one over the game's ``reward_scale``: above 0 each response is wary of which of the
        opponent's strategies it will meet, as :class:`ResponseObjective` says; of two players, with
        :class:`PolicyGradient`.

    Examples
    --------
    >>> ConservativeObjective(uncertainty_penalty=2.0, coverage_weight=0.1, anneal_iterations=10).at(5)
    ResponseObjective(uncertainty_penalty=2.0, coverage_weight=0.05, risk_aversion=0.0)
    """

    uncertainty_penalty: float = 2.0
    coverage_weight: float = 0.1
    anneal_iterations: int = 10
    risk_aversion: float = 0.0

    later_fields: ClassVar[Mapping[str, Any]] = {"risk_aversion": 0.0}

    def __post_init__(self) -> None:
        _set_weights(self)
        count = check_count(
            "ConservativeObjective: anneal_iterations", self.anneal_iterations, at_least=1, error=ConfigError
        )
        object.__setattr__(self, "anneal_iterations", count)

    def at(self, iteration: int) -> ResponseObjective:
        """Return the objective of response number ``iteration``, counted from 0."""
        iteration = check_count("ConservativeObjective.at: iteration", iteration)
        share_left = max(0.0, 1.0 - iteration / self.anneal_iterations)
        return ResponseObjective(self.uncertainty_penalty, self.coverage_weight * share_left, self.risk_aversion)
