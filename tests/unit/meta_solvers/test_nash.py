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


def assert_is_one_of(solution, equilibria):
    assert solution.status == "converged"
    gaps = [max(np.abs(x - y).max() for x, y in zip(solution.mixtures, profile, strict=True)) for profile in equilibria]
    assert min(gaps) <= 1e-12


def volunteers(num_players, cost=0.25):
    """Somebody must do it; whoever does pays. In the symmetric equilibrium none does with a chance of ``cost``."""
    choices = np.indices((2,) * num_players)  # 0: volunteer
    is_done = (choices == 0).any(axis=0)
    return [is_done - cost * (choice == 0) for choice in choices]


def pennies_of_three():
    """Jordan 1993: each wants to match the next, the last to differ from the first. Fair coins alone are in balance."""
    a, b, c = np.indices((2, 2, 2))
    return [np.where(win, 1.0, -1.0) for win in (a == b, b == c, c != a)]


def irrational():
    """Nau, Gomez Canovas and Hansen 2004, section 4: one equilibrium, in irrational numbers."""
    row, column, matrix_ = np.zeros((3, 2, 2, 2))
    row[0, 0], row[1, 1] = [3, 1], [1, 2]
    column[1, 0], column[0, 1] = [1, 3], [2, 1]
    matrix_[0, 0, 0], matrix_[1, 1, 1] = 2, 3
    return [row, column, matrix_]


ALL_OF_THEM = [
    matrix.prisoners_dilemma(),
    matrix.matching_pennies(),
    matrix.rock_paper_scissors(),
    matrix.stag_hunt(),
    matrix.battle_of_the_sexes(),
    matrix.chicken(),
    matrix.three_player_majority(),
    matrix.xor(),
    matrix.three_meeting_points(),
]


@pytest.mark.parametrize("game", ALL_OF_THEM, ids=lambda game: game.name)
@pytest.mark.parametrize("scale", [1.0, 1e-9, 1e6])
def test_equilibria_of_named_games(game, scale):
    found = Nash().solve([scale * u + 3.0 * scale * player for player, u in enumerate(game.payoffs)])
    assert_is_one_of(found, game.equilibria)
    if len(game.payoffs) == 2 and (game.payoffs[0] == game.payoffs[1].T).all():
        symmetric = Nash().solve(scale * game.payoffs[0])
        assert_is_one_of(symmetric, game.equilibria)
        np.testing.assert_array_equal(*symmetric.mixtures)


def test_the_limit_of_the_logit_branch_is_risk_dominant():
    """In coordination games of two strategies: where the product of the losses from leaving is larger."""
    for stag in (4.0, 5.9, 6.1, 9.0):
        hunt = [[stag, 0.0], [3.0, 3.0]]
        expected = [1, 0] if stag - 3 > 3 else [0, 1]
        assert Nash().solve(hunt).mixtures[0].tolist() == expected
        assert Nash().solve([hunt, np.transpose(hunt)]).mixtures[1].tolist() == expected


def test_odd_matching_pennies():
    found = Nash().solve([[[9, 0], [0, 1]], [[0, 1], [1, 0]]])
    assert_is_one_of(found, [[[0.5, 0.5], [0.1, 0.9]]])


def test_shapleys_game():
    row = np.eye(3)
    assert_is_one_of(Nash().solve([row, np.roll(row, 1, axis=1)]), [[np.full(3, 1 / 3)] * 2])


def test_matching_pennies_of_three_players():
    assert_is_one_of(Nash().solve(pennies_of_three()), [[np.full(2, 0.5)] * 3])


def test_an_equilibrium_in_irrational_numbers():
    r = (np.sqrt(601) - 23) / 4
    odds = [(3 - 2 * r) / (1 + r), (2 - r) / (1 + 2 * r), r / (1 - r)]
    assert_is_one_of(Nash().solve(irrational()), [[np.array([x, 1]) / (1 + x) for x in odds]])


@pytest.mark.parametrize("num_players", [3, 4])
def test_volunteers_dilemma(num_players):
    found = Nash().solve(volunteers(num_players))
    lazy = 0.25 ** (1 / (num_players - 1))
    assert_is_one_of(found, [[np.array([1 - lazy, lazy])] * num_players])  # the branch is symmetric, too


def test_a_continuum_of_equilibria():
    """Nau, Gomez Canovas and Hansen 2004, section 5; and players whose choice is nobody's business."""
    payoffs = np.zeros((3, 2, 2, 2))
    payoffs[:, 0, 0, 0], payoffs[:, 1, 0, 0], payoffs[:, 0, 1, 0] = [0, 0, 2], [3, 0, 0], [0, 3, 0]
    payoffs[:, 0, 0, 1], payoffs[:, 1, 1, 1] = [1, 1, 0], [0, 0, 3]
    assert Nash().solve(list(payoffs)).status == "converged"
    own = np.arange(3.0)[:, None, None] + np.zeros((3, 2, 2))
    found = Nash().solve([np.zeros((3, 2, 2)), np.zeros((3, 2, 2)), own])
    assert found.status == "converged"
    np.testing.assert_allclose(found.mixtures[0], 1 / 3)


def test_dominated_strategies_are_not_played():
    rng = np.random.default_rng(6)
    for shape in [(3, 3), (3, 2, 4), (2, 3, 2, 2)]:
        payoffs = list(rng.normal(size=(len(shape), *shape)))
        payoffs[0][1] = payoffs[0][0] - 0.01
        found = Nash().solve(payoffs)
        assert found.status == "converged"
        assert found.mixtures[0][1] == 0.0


def test_players_of_one_strategy():
    rng = np.random.default_rng(7)
    payoffs = rng.normal(size=(4, 1, 3, 1, 2))
    found = Nash().solve(list(payoffs))
    assert found.status == "converged"
    others = Nash().solve([payoffs[1, 0, :, 0], payoffs[3, 0, :, 0]])
    for mixture, other in zip((found.mixtures[1], found.mixtures[3]), others.mixtures, strict=True):
        np.testing.assert_allclose(mixture, other, atol=1e-12)
    alone = Nash().solve(cf.PayoffTable.from_arrays([np.array([1.0, 3.0, 2.0])]))
    assert alone.mixtures[0].tolist() == [0, 1, 0]


def test_the_mean_over_members_counts_for_three_players_too():
    payoffs = pennies_of_three()
    noise = np.random.default_rng(8).normal(size=(3, 2, 2, 2))
    table = cf.PayoffTable.from_arrays([[u + v, u - v] for u, v in zip(payoffs, noise, strict=True)])
    assert_is_one_of(Nash().solve(table), [[np.full(2, 0.5)] * 3])


def test_large_general_games_are_solved():
    payoffs = np.random.default_rng(9).normal(size=(2, 40, 50))
    found = Nash().solve(list(payoffs))
    assert found.status == "converged"
    assert found.max_regret <= 1e-12


def test_what_is_found_without_a_certificate_says_so():
    """A near tie and payoffs of very different sizes: the best profile, whatever that is."""
    rng = np.random.default_rng(10)
    statuses = set()
    for _ in range(30):
        payoffs = [u * 10.0 ** rng.integers(0, 10, size=u.shape) for u in rng.normal(size=(3, 4, 4, 3))]
        found = Nash().solve(payoffs)
        statuses.add(found.status)
        assert found.regret.tolist() == cf.PayoffTable.from_arrays(payoffs).regret(found.mixtures).tolist()
        assert found.status in ("converged", "not_converged")
    assert "converged" in statuses


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
