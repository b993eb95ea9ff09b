"""How good results are where it counts: in the true game; and what many runs say together."""

from coffee_fast.evaluation.comparison import Comparison, ComparisonRow, compare
from coffee_fast.evaluation.fidelity import FidelityReport, model_fidelity
from coffee_fast.evaluation.statistics import Summary, bootstrap_interval, summarize
from coffee_fast.evaluation.true_game import CombinedGame, RegretReport, combined_game, true_regret

__all__ = [
    "CombinedGame",
    "Comparison",
    "ComparisonRow",
    "FidelityReport",
    "RegretReport",
    "Summary",
    "bootstrap_interval",
    "combined_game",
    "compare",
    "model_fidelity",
    "summarize",
    "true_regret",
]
