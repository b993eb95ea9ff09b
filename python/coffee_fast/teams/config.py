"""What teammates that learn from a log are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from coffee_fast._provenance import describe_fields
from coffee_fast.checks import check_number
from coffee_fast.config import from_mapping, kind_of
from coffee_fast.errors import ConfigError, shown
from coffee_fast.models.config import check_sizes
from coffee_fast.teams.log import check_fraction

Weights = float | tuple[float, ...]
_COUNTS = ("num_sweeps", "num_value_steps", "num_policy_steps", "num_cloning_steps", "num_judging_steps", "batch_size")


@dataclass(frozen=True)
class TeamConfig:
    """What both ways of learning have in common.

    Attributes
    ----------
    hidden_sizes
        Widths of the ReLU layers of all networks.
    num_sweeps
        How often each player improves, one after another, each beside the others' newest policies.
    num_value_steps, num_policy_steps
        Steps of Adam on a player's values, and then on its policy, each time.
    num_cloning_steps, num_judging_steps
        Steps with which policies and the joint behavior are cloned at first, and the final policies' returns estimated.
    batch_size, learning_rate
        Of all steps.
    kl_weight
        What leaving the joint behavior costs, in units of reward; two numbers are the first and the last of a geometric
        schedule. By default from a half of the deviation of the log's returns to a twentieth; where they do not differ,
        of their size.
    discount
        Of rewards to come, a decision, in [0, 1).
    support
        What the log's players did with at least this share of the probability of the likeliest, as the cloned behavior
        has it, is what the log shows. A policy keeps to such actions, and what teammates do together besides counts as
        the least that the log's players ever got from a decision on.
    holdout_fraction
        Share of the episodes kept out of all learning: clones are chosen by them, and all figures are about them.

    Raises
    ------
    ConfigError
        For a field of the wrong type or out of range.
    """

    kind: ClassVar[str]

    hidden_sizes: tuple[int, ...] = (128, 128)
    num_sweeps: int = 20
    num_value_steps: int = 100
    num_policy_steps: int = 200
    num_cloning_steps: int = 2000
    num_judging_steps: int = 1000
    batch_size: int = 256
    learning_rate: float = 1e-3
    kl_weight: Weights | None = None
    discount: float = 0.99
    support: float = 0.02
    holdout_fraction: float = 0.1

    def __post_init__(self) -> None:
        kind = type(self).__name__
        check_sizes(self, _COUNTS)
        if self.kl_weight is not None:
            self._set("kl_weight", _weights(f"{kind}: kl_weight", self.kl_weight, is_open=True))
        discount = check_number(f"{kind}: discount", self.discount, error=ConfigError)
        if discount >= 1.0:
            raise ConfigError(f"{kind}: discount must lie in [0, 1), got {discount:g}")
        self._set("discount", discount)
        support = check_number(f"{kind}: support", self.support, at_most=1.0, is_open=True, error=ConfigError)
        self._set("support", support)
        fraction = check_fraction(f"{kind}: holdout_fraction", self.holdout_fraction, ConfigError)
        self._set("holdout_fraction", fraction)

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def kl_weight_at(self, sweep: int, usual: float) -> float:
        """Return the KL weight of a sweep; ``usual`` is the size of the log's returns."""
        first, last = _ends((usual / 2.0, usual / 20.0) if self.kl_weight is None else self.kl_weight)
        return float(first * (last / first) ** (sweep / max(self.num_sweeps - 1, 1)))

    def entropy_weight_at(self, sweep: int) -> float:
        """Return what being predictable costs in a sweep."""
        return 0.0

    def to_config(self) -> dict[str, Any]:
        """Return ``{"kind": ..., **fields}`` as plain JSON values, what :func:`from_config` reads."""
        return {"kind": self.kind, **describe_fields(self)}


@dataclass(frozen=True)
class InSPOConfig(TeamConfig):
    r"""In-sample sequential policy optimization with networks: :func:`coffee_fast.regularized.inspo` beyond tables.

    Player :math:`i` learns local values of what its action leads to beside the others' newest policies,

    .. math:: Q_i(s, a_i) = E_{\pi_{-i}}[r + \gamma V_i(s')] - \alpha \, KL(\pi_{-i} \| \mu_{-i}(\cdot | s, a_i))
        + \beta H(\pi_{-i}),

    and clones the log's play again with weights
    :math:`\mu_i^{-\beta / (\alpha + \beta)} e^{(Q_i - V_i) / (\alpha + \beta)}`.

    Attributes
    ----------
    entropy_weight
        :math:`\beta`, what being predictable costs, in units of reward; two numbers are the first and the last of a
        linear schedule. Large at first and 0 at last, it leads past ways to cooperate that are worse than others.
    """

    kind: ClassVar[str] = "inspo"

    entropy_weight: Weights = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("entropy_weight", _weights("InSPOConfig: entropy_weight", self.entropy_weight, is_open=False))

    def entropy_weight_at(self, sweep: int) -> float:
        first, last = _ends(self.entropy_weight)
        return float(first + (last - first) * (sweep / max(self.num_sweeps - 1, 1)))


@dataclass(frozen=True)
class AlberDICEConfig(TeamConfig):
    r"""AlberDICE with networks: :func:`coffee_fast.regularized.alberdice` beyond tables.

    Player :math:`i` looks for state values :math:`\nu` that minimize the dual of its choice of visits,

    .. math:: (1 - \gamma) E[\nu(s_0)] + \alpha \log E_{d_D} e^{\hat e_\nu(s, a_i) / \alpha}, \quad
        \hat e_\nu = E_{\pi_{-i}}[r + \gamma \nu(s')] - \alpha \, KL(\pi_{-i} \| \mu_{-i}(\cdot | s, a_i)) - \nu(s),

    and clones the log's play again with weights :math:`e^{\hat e / \alpha}`. Expectations over the others' play and the
    next state are taken by a network before the exponential is.

    Attributes
    ----------
    end_share
        How much of the log is the state after the end of an episode, in (0, 1).
    """

    kind: ClassVar[str] = "alberdice"

    end_share: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        share = check_fraction("AlberDICEConfig: end_share", self.end_share, ConfigError)
        self._set("end_share", share)


_KINDS: dict[str, type[TeamConfig]] = {kind.kind: kind for kind in (InSPOConfig, AlberDICEConfig)}


def known_configs() -> dict[str, type[TeamConfig]]:
    """Return the class of each kind that :func:`from_config` knows."""
    return dict(_KINDS)


def from_config(config: Mapping[str, Any]) -> TeamConfig:
    """Return the configuration that ``to_config`` described; fields left out take their defaults.

    Raises
    ------
    ConfigError
        An unknown kind or field (with the nearest known one), or a value out of range.

    >>> from_config({"kind": "inspo", "num_sweeps": 5}).num_sweeps
    5
    """
    kind, fields = kind_of("team", config, _KINDS)
    return from_mapping(kind, fields)


def _weights(name: str, weights: Any, *, is_open: bool) -> Weights:
    """Return a number, or the two ends of a schedule."""
    listed = weights.tolist() if isinstance(weights, np.ndarray) else weights
    if isinstance(listed, Sequence) and not isinstance(listed, str | bytes):
        if len(listed) != 2:
            raise ConfigError(f"{name} must be a number, or the first and the last of a schedule, got {shown(weights)}")
        return tuple(check_number(name, weight, is_open=is_open, error=ConfigError) for weight in listed)
    return check_number(name, listed, is_open=is_open, error=ConfigError)


def _ends(weights: Weights) -> tuple[float, float]:
    return (weights[0], weights[-1]) if isinstance(weights, tuple) else (weights, weights)
