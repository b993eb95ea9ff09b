"""Equilibria of games in which each player is anchored to a reference by a KL divergence, each with its certificate."""

from coffee_fast.regularized.gamd import gamd
from coffee_fast.regularized.gane import gane
from coffee_fast.regularized.solutions import (
    AnchoredEquilibrium,
    AnchoredPolicies,
    CorrelatedEquilibrium,
    CorrelatedPolicies,
)
from coffee_fast.regularized.tabular_game import TabularGame

__all__ = [
    "AnchoredEquilibrium",
    "AnchoredPolicies",
    "CorrelatedEquilibrium",
    "CorrelatedPolicies",
    "TabularGame",
    "gamd",
    "gane",
]
