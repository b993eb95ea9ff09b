import numpy as np
import pytest
from scipy.optimize import linprog

import coffee_fast as cf
from coffee_fast.empirical import profile_regret
from coffee_fast.games import matrix
from coffee_fast.meta_solvers import Nash


def value_by_column_program(payoffs):
    """The value of the zero-sum game as the column player's program: min v subject to A y <= v."""
    num_rows, num_columns = payoffs.shape
    result = linprog(
        np.r_[np.zeros(num_columns), 1.0],
        A_ub=np.c_[payoffs, -np.ones(num_rows)],
        b_ub=np.zeros(num_rows),
        A_eq=np.r_[np.ones(num_columns), 0.0][None],
        b_eq=[1.0],
        bounds=[(0, None)] * num_columns + [(None, None)],
    )
    return result.fun


def test_values_of_random_games_are_those_of_the_dual_program():
    rng = np.random.default_rng(0)
    for _ in range(100):
        payoffs = rng.normal(size=rng.integers(1, 12, size=2)) * 10.0 ** rng.integers(-3, 4)
        table = cf.PayoffTable.from_arrays([payoffs, -payoffs])
        solution = Nash().solve(table)
        scale = max(np.abs(payoffs).max(), 1e-9)
        value = table.expected_payoffs(solution.mixtures)[0]
        np.testing.assert_allclose(value / scale, value_by_column_program(payoffs / scale), atol=1e-6)
        assert solution.max_regret <= 1e-6 * scale
        assert solution.status == "converged"


def test_equilibria_of_small_random_games_are_those_of_nashpy():
    nashpy = pytest.importorskip("nashpy")
    rng = np.random.default_rng(1)
    for _ in range(20):
        payoffs = rng.normal(size=(3, 4))
        ((row, column),) = nashpy.Game(payoffs).vertex_enumeration()  # one, almost surely
        mixtures = Nash().solve(cf.PayoffTable.from_arrays([payoffs, -payoffs])).mixtures
        np.testing.assert_allclose(mixtures[0], row, atol=1e-6)
        np.testing.assert_allclose(mixtures[1], column, atol=1e-6)


def test_a_symmetric_table_gets_one_mixture():
    solution = Nash().solve(cf.PayoffTable.symmetric(matrix.rock_paper_scissors().payoffs[0]))
    np.testing.assert_allclose(solution.mixtures, 1 / 3, atol=1e-9)


@pytest.mark.parametrize("offset", [0.0, 7.0])
@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e150])
def test_scale_and_a_constant_sum_change_nothing(scale, offset):
    row, column = matrix.matching_pennies().payoffs
    table = cf.PayoffTable.from_arrays([scale * (row + offset), scale * column])
    np.testing.assert_allclose(Nash().solve(table).mixtures, 0.5, atol=1e-9)


def test_the_mean_over_members_counts():
    row = np.array([[1.0, -1.0], [-1.0, 1.0]])
    table = cf.PayoffTable.from_arrays([np.stack([row + 1, row - 1]), np.stack([-row, -row])])
    np.testing.assert_allclose(Nash().solve(table).mixtures, 0.5, atol=1e-9)


OUTLIERS = [[[1e8, 0], [0, 1]], [[0, 1], [1, -1e8]], [[1e12, -1], [-1, 1]], [[-1e8, 2, 1], [0, 1, 3]]]


@pytest.mark.parametrize("payoffs", OUTLIERS, ids=str)
def test_an_outlier_hides_no_gain(payoffs):
    row = np.array(payoffs, dtype=float)
    solution = Nash().solve([row, -row])
    assert solution.status == "converged"
    assert solution.max_regret <= 1e-7
    if row.shape == (2, 2) and row[0, 0] > row[0, 1]:  # no saddle point: the closed form
        (a, b), (c, d) = row
        np.testing.assert_allclose(solution.mixtures[0][0], (d - c) / (a - b - c + d), rtol=1e-12)
        np.testing.assert_allclose(solution.mixtures[1][0], (d - b) / (a - b - c + d), rtol=1e-12)


def test_random_games_with_an_outlier_have_the_closed_form_or_no_certificate():
    rng = np.random.default_rng(2)
    for _ in range(60):
        row = rng.normal(size=(2, 2)) * 10.0 ** rng.integers(-9, 13)
        row[tuple(rng.integers(2, size=2))] *= 10.0 ** rng.integers(3, 13)
        row += rng.choice([0.0, 1e3]) * np.abs(row).min()
        (a, b), (c, d) = row
        is_mixed = (a - c) * (d - b) > 0 and (a - b) * (d - c) > 0
        solution = Nash().solve([row, -row])
        assert solution.status == "converged"
        if is_mixed:
            np.testing.assert_allclose(solution.mixtures[0][0], (d - c) / (a - b + (d - c)), rtol=1e-9)
        else:
            saddle = row.min(axis=1).max()
            assert saddle == row.max(axis=0).min()
            assert abs(row[solution.mixtures[0].argmax(), solution.mixtures[1].argmax()] - saddle) <= 1e-12 * abs(
                saddle
            )


def test_general_games_are_solved_exactly():
    rng = np.random.default_rng(3)
    for number in range(40):
        shape = rng.integers(1, 7, size=2)
        row, column = rng.normal(size=(2, *shape))
        if number % 2:  # degenerate: payoffs that are alike
            row, column = np.round(row), np.round(column)
        solution = Nash().solve([row, column])
        assert solution.status == "converged"
        assert solution.max_regret <= 1e-14
        own = rng.normal(size=(shape[0], shape[0]))
        solution = Nash().solve(own)
        assert solution.max_regret <= 1e-14
        np.testing.assert_array_equal(*solution.mixtures)


def test_equilibria_of_named_games():
    assert Nash().solve(matrix.prisoners_dilemma().payoffs).mixtures[0].tolist() == [0.0, 1.0]
    sexes = Nash().solve([[[2, 0], [0, 1]], [[1, 0], [0, 2]]])
    assert [x.tolist() for x in sexes.mixtures] in (
        [[1, 0], [1, 0]],
        [[0, 1], [0, 1]],
        [[2 / 3, 1 / 3], [1 / 3, 2 / 3]],
    )


def test_a_general_game_within_rounding_of_an_outlier_is_not_taken_for_zero_sum():
    row = np.array([[1e8, 0.0], [0.0, 1.0]])
    column = np.array([[-1e8, 0.0], [0.0, -1.05]])
    solution = Nash().solve([row, column])
    assert solution.status == "converged"
    np.testing.assert_allclose(solution.mixtures[0][0], 1.05 / (1e8 + 1.05), rtol=1e-12)


@pytest.mark.parametrize("size", [(4, 5), (31, 32)])
def test_payoffs_far_from_zero_are_zero_sum_up_to_their_rounding(size):
    row = np.random.default_rng(4).normal(size=size)
    near, far = (Nash().solve([row + shift, 2 * shift - (row + shift)]) for shift in (0.0, 1e8))
    assert far.status == "converged"
    for mixture, other in zip(near.mixtures, far.mixtures, strict=True):
        np.testing.assert_allclose(mixture, other, atol=1e-6)  # payoffs are rounded to 1e-8


def test_a_large_game_that_the_program_gets_wrong_does_not_say_converged():
    row = np.random.default_rng(5).normal(size=(31, 31))
    row[3, 4] = 1e11
    solution = Nash().solve([row, -row])
    regret = profile_regret(cf.PayoffTable.from_arrays([row, -row]), solution.mixtures).regret
    assert (solution.status == "converged") == bool((regret < 1e-8).all())
