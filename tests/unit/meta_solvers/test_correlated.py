"""Correlated equilibria against known ones, an independent program, and an independent search for the entropy."""

import itertools

import numpy as np
import pytest
from scipy.optimize import linprog, minimize

import coffee_fast as cf
from coffee_fast.errors import InvalidGameError
from coffee_fast.games import matrix
from coffee_fast.meta_solvers import CorrelatedEquilibrium

CHICKEN = [[6.0, 2.0], [7.0, 0.0]]
KINDS = [(coarse, objective) for coarse in (False, True) for objective in ("entropy", "welfare")]


def deviations(payoffs, coarse):
    """Return what each deviation gains at each profile, one row each, by going through all of them."""
    shape, rows = payoffs[0].shape, []
    for player, size in enumerate(shape):
        tolds = [range(size)] if coarse else [[told] for told in range(size)]
        for other, told in itertools.product(range(size), tolds):
            row = np.zeros(shape)
            for profile in np.ndindex(shape):
                if profile[player] in told:
                    changed = (*profile[:player], other, *profile[player + 1 :])
                    row[profile] = payoffs[player][changed] - payoffs[player][profile]
            rows.append(row.ravel())
    return np.array(rows)


def test_chicken():
    best = CorrelatedEquilibrium(objective="welfare").solve(CHICKEN)
    np.testing.assert_allclose(best.joint, [[0.5, 0.25], [0.25, 0.0]], atol=1e-12)
    np.testing.assert_allclose(best.expected_payoffs, [5.25, 5.25])
    assert best.objective_value == pytest.approx(10.5)
    np.testing.assert_allclose(best.mixtures, 0.25 * np.array([[3, 1], [3, 1]]))
    assert best.regret.max() <= 1e-15


def test_its_marginals_are_no_equilibrium():
    found = CorrelatedEquilibrium(objective="welfare").solve(CHICKEN)
    assert cf.PayoffTable.symmetric(CHICKEN).regret(found.mixtures).max() > 0.1


def test_rock_paper_scissors_have_one():
    game = matrix.rock_paper_scissors().payoffs[0]
    for objective in ("entropy", "welfare"):
        np.testing.assert_allclose(CorrelatedEquilibrium(objective=objective).solve(game).joint, 1 / 9, atol=1e-12)


def test_a_coarse_one_avoids_ties_that_nobody_would_avoid_who_knew():
    """Rock, paper, scissors where a tie costs both: told rock, one would play scissors, for the other plays no rock."""
    game = np.array(matrix.rock_paper_scissors().payoffs[0]) - 0.4 * np.eye(3)
    fine, coarse = (CorrelatedEquilibrium(coarse=c, objective="welfare").solve(game) for c in (False, True))
    assert fine.objective_value == pytest.approx(-0.8 / 3)
    assert coarse.objective_value == pytest.approx(0.0, abs=1e-12)
    np.testing.assert_allclose(np.diag(coarse.joint), 0.0, atol=1e-12)


@pytest.mark.parametrize(("coarse", "objective"), KINDS)
@pytest.mark.parametrize("shape", [(2, 2), (3, 4), (2, 3, 2), (2, 2, 2, 2)])
def test_no_other_is_better(coarse, objective, shape):
    rng = np.random.default_rng(len(shape))
    for number in range(3):
        payoffs = rng.normal(size=(len(shape), *shape))
        payoffs = np.round(payoffs) if number == 1 else payoffs
        found = CorrelatedEquilibrium(coarse, objective).solve(list(payoffs))
        assert found.status == "converged"
        assert found.objective_gap <= 1e-7
        constraints, size = deviations(payoffs, coarse), payoffs[0].size
        assert (constraints @ found.joint.ravel()).max() <= 1e-12
        if objective == "welfare":
            welfare = payoffs.sum(axis=0).ravel()
            ones = {"A_eq": np.ones((1, size)), "b_eq": [1.0]}
            best = -linprog(-welfare, A_ub=constraints, b_ub=np.zeros(len(constraints)), **ones).fun
        else:
            best = largest_entropy(constraints)
        assert found.objective_value == pytest.approx(best, abs=1e-5)


def largest_entropy(constraints):
    """Return the largest entropy under constraints, by sequential quadratic programs from the middle of nowhere."""
    size = constraints.shape[1]
    result = minimize(
        lambda p: float((p * np.log(np.maximum(p, 1e-300))).sum()),
        np.full(size, 1.0 / size),
        jac=lambda p: 1.0 + np.log(np.maximum(p, 1e-12)),
        bounds=[(0.0, 1.0)] * size,
        constraints=[
            {"type": "eq", "fun": lambda p: p.sum() - 1.0, "jac": lambda p: np.ones(size)},
            {"type": "ineq", "fun": lambda p: -constraints @ p, "jac": lambda p: -constraints},
        ],
        method="SLSQP",
        options={"ftol": 1e-12, "maxiter": 1000},
    )
    return -result.fun


@pytest.mark.parametrize(("coarse", "objective"), KINDS)
def test_the_bound_of_the_objective_is_one_for_random_others(coarse, objective):
    """A mixture of equilibria of random objectives is one: none has more than was found and its gap."""
    rng = np.random.default_rng(0)
    payoffs = rng.normal(size=(2, 3, 3))
    constraints = deviations(payoffs, coarse)
    found = CorrelatedEquilibrium(coarse, objective).solve(list(payoffs))
    bound = found.objective_value + found.objective_gap + 1e-9
    ones = {"A_eq": np.ones((1, 9)), "b_eq": [1.0]}
    vertices = [linprog(rng.normal(size=9), constraints, np.zeros(len(constraints)), **ones).x for _ in range(20)]
    for _ in range(50):
        p = rng.dirichlet(np.ones(20)) @ np.array(vertices)
        entropy = -float((p * np.log(np.maximum(p, 1e-300))).sum())
        assert (entropy if objective == "entropy" else payoffs.sum(axis=0).ravel() @ p) <= bound


@pytest.mark.parametrize(("coarse", "objective"), KINDS)
@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200])
def test_units_and_constants_change_no_distribution(coarse, objective, scale):
    payoffs = np.random.default_rng(1).normal(size=(2, 3, 3))
    solver = CorrelatedEquilibrium(coarse, objective)
    found, moved = solver.solve(list(payoffs)), solver.solve([scale * (u + 8.0) for u in payoffs])
    np.testing.assert_allclose(moved.joint, found.joint, atol=1e-8)
    np.testing.assert_allclose(moved.expected_payoffs, scale * (found.expected_payoffs + 8.0), rtol=1e-7)


def test_members_count_by_their_mean_and_may_favor_deviations():
    row = np.array([[1.0, -1.0], [-1.0, 1.0]])
    table = cf.PayoffTable.from_arrays([np.stack([row + 1, row - 1]), np.stack([-row, -row])])
    found = CorrelatedEquilibrium().solve(table)
    np.testing.assert_allclose(found.joint, 0.25)
    np.testing.assert_allclose(found.pessimistic_regret, [2.0, 0.0], atol=1e-12)


def test_tables_that_are_too_large_are_refused():
    with pytest.raises(InvalidGameError, match="at most 200000 profiles times strategies, got 250000 .*; use GAMD"):
        CorrelatedEquilibrium().solve(np.eye(50))


def test_a_symmetric_table_gets_a_symmetric_distribution():
    for payoffs in ([[0.0, 1.0], [1.0, 0.0]], [[0.0, 3.0, 0.0], [2.0, 0.0, 3.0], [0.0, 2.0, 0.0]]):
        for coarse, objective in KINDS:
            joint = CorrelatedEquilibrium(coarse, objective).solve(payoffs).joint
            np.testing.assert_array_equal(joint, joint.T)


@pytest.mark.parametrize(("coarse", "objective"), KINDS)
def test_what_is_not_certain_to_be_an_equilibrium_is_not_said_to_be_one(coarse, objective):
    """Strategies all but alike: programs err, and the certificate knows."""
    rng = np.random.default_rng(11)
    for _ in range(40):
        payoffs = np.round(rng.normal(size=(2, 4, 3))) + 1e-7 * rng.normal(size=(2, 4, 3))
        found = CorrelatedEquilibrium(coarse, objective).solve(list(payoffs))
        for player in range(2):
            told = found.joint if player == 0 else found.joint.T
            own = payoffs[0] if player == 0 else payoffs[1].T
            gains = told @ own.T - (told * own).sum(axis=1)[:, None]  # [told, played]
            gain = gains.sum(axis=0).max() if coarse else gains.max(axis=1).sum()
            assert found.regret[player] == pytest.approx(max(0.0, gain), abs=1e-15)
            if found.status == "converged":
                assert gain <= 1e-9 * (told * np.abs(own)).sum() + 1e-15
                scale = 1.0 if objective == "entropy" else np.ptp(payoffs.sum(axis=0))
                assert found.objective_gap <= 1.001e-6 * scale
