import numpy as np
import pytest
from scipy.optimize import linprog

import coffee_fast as cf
from coffee_fast.errors import InvalidGameError
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


def test_games_that_are_not_zero_sum_are_refused():
    with pytest.raises(InvalidGameError, match=r"must add to a constant .* range over \[2, 6\]; use Replicator"):
        Nash().solve(cf.PayoffTable.from_arrays(matrix.prisoners_dilemma().payoffs))
    with pytest.raises(InvalidGameError, match="must have two players, got 3"):
        Nash().solve(cf.PayoffTable.from_arrays(matrix.three_player_majority().payoffs))
