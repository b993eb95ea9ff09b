"""Response oracles: learners of a best response to fixed opponents in any dynamics."""

from coffee_fast.responses.base import Response, ResponseOracle
from coffee_fast.responses.ddqn_torch import DDQNTorch
from coffee_fast.responses.objective import ConservativeObjective, ResponseObjective

DDQN = DDQNTorch
"""The default oracle."""

__all__ = ["DDQN", "ConservativeObjective", "DDQNTorch", "Response", "ResponseObjective", "ResponseOracle"]
