"""Response oracles: learners of a best response to fixed opponents in any dynamics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from coffee_fast.config import from_mapping, kind_of
from coffee_fast.responses.answer import BestResponse, best_response
from coffee_fast.responses.base import (
    OneOrMoreOracles,
    Response,
    ResponseOracle,
    ResponseTraining,
    ResumableOracle,
    as_oracles,
)
from coffee_fast.responses.ddqn import DDQN
from coffee_fast.responses.ddqn_torch import DDQNTorch
from coffee_fast.responses.objective import ConservativeObjective, ResponseObjective
from coffee_fast.responses.policy_gradient import PolicyGradient
from coffee_fast.responses.request import ResponseRequest
from coffee_fast.responses.rpq import RPQ
from coffee_fast.responses.side_by_side import respond_side_by_side
from coffee_fast.responses.torch_modules import from_torch_module, to_torch_module

_KINDS: dict[str, type[DDQN] | type[PolicyGradient] | type[RPQ]] = {
    oracle.kind: oracle for oracle in (DDQN, DDQNTorch, PolicyGradient, RPQ)
}

__all__ = [
    "DDQN",
    "RPQ",
    "BestResponse",
    "ConservativeObjective",
    "DDQNTorch",
    "OneOrMoreOracles",
    "PolicyGradient",
    "Response",
    "ResponseObjective",
    "ResponseOracle",
    "ResponseRequest",
    "ResponseTraining",
    "ResumableOracle",
    "as_oracles",
    "best_response",
    "from_config",
    "from_torch_module",
    "respond_side_by_side",
    "to_torch_module",
]


def from_config(config: Mapping[str, Any]) -> ResponseOracle:
    """Build an oracle from what its ``to_config`` returns; without a ``kind`` it is the default one.

    Raises
    ------
    ConfigError
        For an unknown kind or field, naming the nearest one, or an impossible value.

    >>> from_config({"kind": "ddqn_torch", "batch_size": 32}).batch_size
    32
    """
    oracle, fields = kind_of("responses", config, _KINDS, default=DDQN.kind)
    return from_mapping(oracle, fields)
