"""How good results are where it counts: in the true game."""

from coffee_fast.evaluation.fidelity import FidelityReport, model_fidelity
from coffee_fast.evaluation.true_game import CombinedGame, RegretReport, combined_game, true_regret

__all__ = ["CombinedGame", "FidelityReport", "RegretReport", "combined_game", "model_fidelity", "true_regret"]
