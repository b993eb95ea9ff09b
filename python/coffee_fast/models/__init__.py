"""Models of a game's dynamics, learned from logged play."""

from coffee_fast.models.config import EnsembleConfig
from coffee_fast.models.ensemble import DynamicsEnsemble
from coffee_fast.models.report import FitReport

__all__ = ["DynamicsEnsemble", "EnsembleConfig", "FitReport"]
