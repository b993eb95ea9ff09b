"""COffeE-PSRO and the methods it is compared with: the main loop, its checkpoints and its results."""

from coffee_fast.psro.baselines import oef, oef_bc, online_psro
from coffee_fast.psro.config import PSRO_PARTS, PSROConfig
from coffee_fast.psro.equilibria import EquilibriumConfig, equilibrium_profiles
from coffee_fast.psro.loading import load_result
from coffee_fast.psro.loop import coffee_psro
from coffee_fast.psro.result import IterationRecord, PSROResult
from coffee_fast.psro.solution import Solution

__all__ = [
    "PSRO_PARTS",
    "EquilibriumConfig",
    "IterationRecord",
    "PSROConfig",
    "PSROResult",
    "Solution",
    "coffee_psro",
    "equilibrium_profiles",
    "load_result",
    "oef",
    "oef_bc",
    "online_psro",
]
