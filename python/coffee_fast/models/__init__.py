"""Models learned from logged play: of a game's dynamics, and of the players' behavior."""

from coffee_fast.models.behavior import BehaviorCloningConfig, clone_behavior, clone_roles
from coffee_fast.models.config import EnsembleConfig
from coffee_fast.models.ensemble import DynamicsEnsemble
from coffee_fast.models.frequencies import behavior_frequencies
from coffee_fast.models.reasons import Reason
from coffee_fast.models.report import FitReport
from coffee_fast.models.soft_imitation import SoftImitationConfig, imitate_behavior
from coffee_fast.models.verdict import Verdict

__all__ = [
    "BehaviorCloningConfig",
    "DynamicsEnsemble",
    "EnsembleConfig",
    "FitReport",
    "Reason",
    "SoftImitationConfig",
    "Verdict",
    "behavior_frequencies",
    "clone_behavior",
    "clone_roles",
    "imitate_behavior",
]
