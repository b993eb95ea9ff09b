"""How good results are where it counts: in the true game; and what many runs say together."""

from coffee_fast.evaluation.comparison import Comparison, ComparisonRow, compare
from coffee_fast.evaluation.curve import regret_by_iteration
from coffee_fast.evaluation.exact import ExactRegret, exact_regret
from coffee_fast.evaluation.from_log import RegretFromLog, regret_from_log
from coffee_fast.evaluation.model_errors import FidelityReport, fidelity
from coffee_fast.evaluation.near_log import NearLogReport, play_near_log
from coffee_fast.evaluation.regret_report import RegretReport
from coffee_fast.evaluation.true_game import CombinedGame, combined_game, true_regret
from coffee_fast.statistics import Summary, bootstrap_interval, summarize

__all__ = [
    "CombinedGame",
    "Comparison",
    "ComparisonRow",
    "ExactRegret",
    "FidelityReport",
    "NearLogReport",
    "RegretFromLog",
    "RegretReport",
    "Summary",
    "bootstrap_interval",
    "combined_game",
    "compare",
    "exact_regret",
    "fidelity",
    "play_near_log",
    "regret_by_iteration",
    "regret_from_log",
    "summarize",
    "true_regret",
]
