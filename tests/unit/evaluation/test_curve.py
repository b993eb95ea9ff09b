"""Regret over iterations."""

from __future__ import annotations

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.evaluation import regret_by_iteration


def test_every_other_iteration_is_judged_among_one_set_of_strategies(model, config):
    game = cf.load_game("generalized_bargaining")
    result = cf.coffee_psro(model, config, seed=3)
    oracle = config.response
    reports = regret_by_iteration(game, result, 1, every=2, response=oracle, num_simulations=20)
    assert list(reports) == [0, 1, 3]
    solutions = [result.solution_at(iteration) for iteration in reports]
    together = cf.true_regret(game, solutions, 1, response=oracle, num_simulations=20)
    for report, other in zip(reports.values(), together, strict=True):
        np.testing.assert_array_equal(report.regret, other.regret)
    by_uniform = regret_by_iteration(
        game, result, 1, every=2, solver=cf.meta_solvers.Uniform(), response=oracle, num_simulations=20
    )
    assert by_uniform[3].sum_regret != reports[3].sum_regret


def test_a_distance_that_is_none_is_refused(model, config):
    result = cf.coffee_psro(model, config, seed=3)
    with pytest.raises(cf.InvalidArgumentError, match="every must be an integer >= 1, got 0"):
        regret_by_iteration(cf.load_game("generalized_bargaining"), result, 1, every=0)
