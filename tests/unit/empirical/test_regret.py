import numpy as np

import coffee_fast as cf
from coffee_fast.empirical import profile_regret


def test_report_of_a_profile_under_two_members():
    table = cf.PayoffTable.symmetric([[[3.0, 0.0], [5.0, 1.0]], [[3.0, 0.0], [1.0, 1.0]]])
    report = profile_regret(table, [[1.0, 0.0], [1.0, 0.0]])
    np.testing.assert_allclose(report.payoffs, [3.0, 3.0])
    np.testing.assert_allclose(report.regret, [0.0, 0.0])  # the members disagree, their mean is indifferent
    np.testing.assert_array_equal(report.best_deviations, [0, 0])
    np.testing.assert_allclose(report.member_regret, [[2.0, 2.0], [0.0, 0.0]])
    np.testing.assert_allclose(report.pessimistic_regret, [2.0, 2.0])
    assert report.max_regret == report.sum_regret == 0.0
