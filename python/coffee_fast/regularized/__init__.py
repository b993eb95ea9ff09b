"""Equilibria of regularized games: players anchored to a reference, or averse to risk; each with its certificate."""

from coffee_fast.regularized.anchored.gamd import gamd
from coffee_fast.regularized.anchored.gane import gane
from coffee_fast.regularized.anchored.mirror_descent import mirror_descent
from coffee_fast.regularized.anchored.particle_flow import ParticlePlay, particle_best_response_flow
from coffee_fast.regularized.anchored.solutions import (
    AnchoredEquilibrium,
    AnchoredPolicies,
    CorrelatedEquilibrium,
    CorrelatedPolicies,
)
from coffee_fast.regularized.anchored.tree_solutions import AnchoredProfile
from coffee_fast.regularized.cooperative.alberdice import alberdice
from coffee_fast.regularized.cooperative.cloning import clone_independently, clone_jointly
from coffee_fast.regularized.cooperative.inspo import inspo
from coffee_fast.regularized.cooperative.sampled import sampled_alberdice, sampled_inspo
from coffee_fast.regularized.cooperative.solutions import CooperativePolicies, OccupancyPolicies
from coffee_fast.regularized.learning.commitment import Commitment, commit
from coffee_fast.regularized.learning.mafis import ImitatedPolicies, mafis
from coffee_fast.regularized.learning.quantiles import QuantilePolicies, qrpo
from coffee_fast.regularized.learning.recovery import RecoveredPayoffs, recover_payoffs
from coffee_fast.regularized.learning.smoothed import smoothed_best_response
from coffee_fast.regularized.learning.smoothed_learners import SmoothedPlay
from coffee_fast.regularized.risk_averse.actor_critic import rqe_actor_critic
from coffee_fast.regularized.risk_averse.exploration import ExploredEquilibrium, optimistic_rqre
from coffee_fast.regularized.risk_averse.rqe import rqe
from coffee_fast.regularized.risk_averse.rqre import LinearEquilibrium, rqre
from coffee_fast.regularized.risk_averse.solutions import RiskAverseEquilibrium, RiskAversePolicies
from coffee_fast.regularized.risk_averse.srpo import srpo
from coffee_fast.regularized.robust.answer_files import load_answer, save_answer
from coffee_fast.regularized.robust.expectation import robust_expectation
from coffee_fast.regularized.robust.hytq import hytq
from coffee_fast.regularized.robust.nash import robust_nash
from coffee_fast.regularized.robust.network_rpq import NetworkAnswer, network_rpq
from coffee_fast.regularized.robust.q_ftrl import robust_q_ftrl
from coffee_fast.regularized.robust.qmix import TeamAnswer, robust_qmix
from coffee_fast.regularized.robust.rpq import rpq
from coffee_fast.regularized.robust.solutions import RobustCorrelatedPolicies, RobustPolicies
from coffee_fast.regularized.robust.vdn import DecomposedPolicies, robust_vdn
from coffee_fast.regularized.table_solvers import from_config, known_solvers
from coffee_fast.tabular import CommonPayoffGame, LinearGame, TabularGame, one_hot_features

__all__ = [
    "AnchoredEquilibrium",
    "AnchoredPolicies",
    "AnchoredProfile",
    "Commitment",
    "CommonPayoffGame",
    "CooperativePolicies",
    "CorrelatedEquilibrium",
    "CorrelatedPolicies",
    "DecomposedPolicies",
    "ExploredEquilibrium",
    "ImitatedPolicies",
    "LinearEquilibrium",
    "LinearGame",
    "NetworkAnswer",
    "OccupancyPolicies",
    "ParticlePlay",
    "QuantilePolicies",
    "RecoveredPayoffs",
    "RiskAverseEquilibrium",
    "RiskAversePolicies",
    "RobustCorrelatedPolicies",
    "RobustPolicies",
    "SmoothedPlay",
    "TabularGame",
    "TeamAnswer",
    "alberdice",
    "clone_independently",
    "clone_jointly",
    "commit",
    "from_config",
    "gamd",
    "gane",
    "hytq",
    "inspo",
    "known_solvers",
    "load_answer",
    "mafis",
    "mirror_descent",
    "network_rpq",
    "one_hot_features",
    "optimistic_rqre",
    "particle_best_response_flow",
    "qrpo",
    "recover_payoffs",
    "robust_expectation",
    "robust_nash",
    "robust_q_ftrl",
    "robust_qmix",
    "robust_vdn",
    "rpq",
    "rqe",
    "rqe_actor_critic",
    "rqre",
    "sampled_alberdice",
    "sampled_inspo",
    "save_answer",
    "smoothed_best_response",
    "srpo",
]
