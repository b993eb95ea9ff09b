"""Regret reports of games whose whole tree is at hand: nothing in them is sampled."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coffee_fast.evaluation.exact import exact_regret
from coffee_fast.evaluation.regret_report import RegretReport
from coffee_fast.games import GameTree
from coffee_fast.policies import Mixture

BEST = "exact best response"


def exact_report(tree: GameTree, profile: Sequence[Mixture], seed: int) -> RegretReport:
    """Return the report of a profile against all policies there are, standard errors 0.

    ``num_simulations`` is 0. Each player has its own figures, also those of one role, who know their seats here.
    """
    found = exact_regret(tree, list(profile))
    none = np.zeros_like(found.regret)
    by_role = [float(found.regret[tree.spec.seats_of(role)].mean()) for role in range(tree.spec.num_roles)]
    return RegretReport(
        regret=found.regret,
        regret_standard_error=none,
        debiased_regret=found.regret,
        debiased_standard_error=none,
        payoff=found.values,
        payoff_standard_error=none,
        deviations=tuple(BEST if gain > 0 else "none" for gain in by_role),
        deviation_gains=tuple(np.array([gain]) for gain in by_role),
        strategy_names=((BEST,),) * len(by_role),
        response_report={},
        num_simulations=0,
        seed=seed,
    )
