"""Equilibria of regularized games: players anchored to a reference, or averse to risk; each with its certificate."""

from coffee_fast.regularized.alberdice import alberdice
from coffee_fast.regularized.cloning import clone_independently, clone_jointly
from coffee_fast.regularized.common_payoff import CommonPayoffGame
from coffee_fast.regularized.cooperative_solutions import CooperativePolicies, OccupancyPolicies
from coffee_fast.regularized.gamd import gamd
from coffee_fast.regularized.gane import gane
from coffee_fast.regularized.inspo import inspo
from coffee_fast.regularized.linear_game import LinearGame, one_hot_features
from coffee_fast.regularized.risk_averse_solutions import RiskAverseEquilibrium, RiskAversePolicies
from coffee_fast.regularized.robust_expectation import robust_expectation
from coffee_fast.regularized.rqe import rqe
from coffee_fast.regularized.rqre import LinearEquilibrium, rqre
from coffee_fast.regularized.sampled import sampled_alberdice, sampled_inspo
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
    "CommonPayoffGame",
    "CooperativePolicies",
    "CorrelatedEquilibrium",
    "CorrelatedPolicies",
    "LinearEquilibrium",
    "LinearGame",
    "OccupancyPolicies",
    "RiskAverseEquilibrium",
    "RiskAversePolicies",
    "TabularGame",
    "alberdice",
    "clone_independently",
    "clone_jointly",
    "gamd",
    "gane",
    "inspo",
    "one_hot_features",
    "robust_expectation",
    "rqe",
    "rqre",
    "sampled_alberdice",
    "sampled_inspo",
]
