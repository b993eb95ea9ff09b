"""Payoff tables: built from arrays and files, or estimated by simulation; the regret of mixtures in them."""

from coffee_fast.empirical.estimate import simulate_missing
from coffee_fast.empirical.files import load_payoffs, save_payoffs
from coffee_fast.empirical.game import EmpiricalGame
from coffee_fast.empirical.payoff_table import PayoffTable
from coffee_fast.empirical.regret import ProfileRegret, profile_regret, usual_payoff_sizes

__all__ = [
    "EmpiricalGame",
    "PayoffTable",
    "ProfileRegret",
    "load_payoffs",
    "profile_regret",
    "save_payoffs",
    "simulate_missing",
    "usual_payoff_sizes",
]
