"""Figures of results. Each function returns a ``matplotlib.figure.Figure``; none shows, saves or changes settings.

Nothing here goes through ``pyplot``, so no display is needed and no figure stays open::

    cf.plotting.regret_curve(result).savefig("regret.png", dpi=150)
"""

from coffee_fast.plotting.runs import disagreement_vs_utility_error, mixtures, payoff_table, regret_curve
from coffee_fast.plotting.self_play import self_play
from coffee_fast.plotting.sweeps import Curve, Points, curves, scatters, text_table

__all__ = [
    "Curve",
    "Points",
    "curves",
    "disagreement_vs_utility_error",
    "mixtures",
    "payoff_table",
    "regret_curve",
    "scatters",
    "self_play",
    "text_table",
]
