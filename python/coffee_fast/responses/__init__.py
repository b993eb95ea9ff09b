"""Response oracles: learners of a best response to fixed opponents in any dynamics."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from coffee_fast.config import from_mapping
from coffee_fast.errors import ConfigError
from coffee_fast.responses.base import Response, ResponseOracle, ResponseTraining, ResumableOracle
from coffee_fast.responses.ddqn import DDQN
from coffee_fast.responses.ddqn_torch import DDQNTorch
from coffee_fast.responses.objective import ConservativeObjective, ResponseObjective
from coffee_fast.responses.request import ResponseRequest
from coffee_fast.responses.side_by_side import respond_side_by_side
from coffee_fast.responses.torch_modules import from_torch_module, to_torch_module

_KINDS = {oracle.kind: oracle for oracle in (DDQN, DDQNTorch)}

__all__ = [
    "DDQN",
    "ConservativeObjective",
    "DDQNTorch",
    "Response",
    "ResponseObjective",
    "ResponseOracle",
    "ResponseRequest",
    "ResponseTraining",
    "ResumableOracle",
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
    values = dict(config)
    kind = values.pop("kind", DDQN.kind)
    if not isinstance(kind, str) or kind not in _KINDS:
        near = difflib.get_close_matches(str(kind), _KINDS, n=1, cutoff=0.0)[0]
        raise ConfigError(f"responses: there is no kind {kind!r}; did you mean {near!r}?")
    return from_mapping(_KINDS[kind], values)
