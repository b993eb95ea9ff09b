import numpy as np

import coffee_fast as cf
from coffee_fast.empirical import profile_regret, usual_payoff_sizes
from coffee_fast.empirical.regret import payoff_stakes


def test_report_of_a_profile_under_two_members():
    table = cf.PayoffTable.symmetric([[[3.0, 0.0], [5.0, 1.0]], [[3.0, 0.0], [1.0, 1.0]]])
    report = profile_regret(table, [[1.0, 0.0], [1.0, 0.0]])
    np.testing.assert_allclose(report.payoffs, [3.0, 3.0])
    np.testing.assert_allclose(report.regret, [0.0, 0.0])  # the members disagree, their mean is indifferent
    np.testing.assert_array_equal(report.best_deviations, [0, 0])
    np.testing.assert_allclose(report.member_regret, [[2.0, 2.0], [0.0, 0.0]])
    np.testing.assert_allclose(report.pessimistic_regret, [2.0, 2.0])
    assert report.max_regret == report.sum_regret == 0.0


def test_stakes_bound_regrets_and_ignore_what_is_not_met():
    rng = np.random.default_rng(0)
    for shape in ((3, 4), (2, 3, 2)):
        for _ in range(50):
            payoffs = list(rng.normal(size=(len(shape), *shape)))
            mixtures = [rng.dirichlet(np.ones(size)) for size in shape]
            stakes, rounding = payoff_stakes(cf.PayoffTable.from_arrays(payoffs), mixtures)
            assert (profile_regret(payoffs, mixtures).regret <= stakes + rounding).all()
            others = payoffs[0] + 1e6 * rng.normal(size=(1, *shape[1:]))  # what the others alone decide
            moved, _ = payoff_stakes(cf.PayoffTable.from_arrays([others, *payoffs[1:]]), mixtures)
            np.testing.assert_allclose(moved, stakes, rtol=1e-7)
    pure = [[1.0, 0.0, 0.0], [1.0, 0.0]]
    row = np.array([[0.0, 1e9], [1.0, 1e9], [-1e9, -1e9]])  # a gain of one beside payoffs of 1e9
    stakes, _ = payoff_stakes(cf.PayoffTable.from_arrays([row, np.zeros((3, 2))]), [np.array(x) for x in pure])
    assert stakes.tolist() == [1.0, 0.0]


def test_usual_sizes_leave_out_what_is_rare_and_are_in_units_of_payoff():
    payoffs = np.random.default_rng(0).normal(size=(10, 10))
    assert usual_payoff_sizes(cf.PayoffTable.symmetric(payoffs)).tolist() == [np.ptp(payoffs)] * 2
    payoffs[3, 4] = 1e9
    outlier = usual_payoff_sizes(cf.PayoffTable.symmetric(payoffs))
    assert (outlier < 20).all()
    far = usual_payoff_sizes(cf.PayoffTable.symmetric(8.0 * payoffs + 2.0**20))
    np.testing.assert_allclose(far, 8.0 * outlier, rtol=1e-6)
    assert usual_payoff_sizes(cf.PayoffTable.symmetric(np.eye(9))).tolist() == [1.0, 1.0]  # most are alike
    assert usual_payoff_sizes(cf.PayoffTable.symmetric(np.ones((2, 2)))).tolist() == [0.0, 0.0]
