import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.payoffs import KINDS_OF_PAYOFFS, gains

import coffee_fast as cf
from coffee_fast import _core
from coffee_fast.meta_solvers import (
    CorrelatedEquilibrium,
    LogitQRE,
    Nash,
    ProjectedReplicator,
    Replicator,
    RobustReplicator,
)

SOLVERS = [Replicator, RobustReplicator, ProjectedReplicator]
OPTIONS = {"step_size": 0.01, "max_iterations": 100}
seeds = st.integers(0, 2**32 - 1)
shapes = st.lists(st.integers(1, 9), min_size=2, max_size=3).map(tuple)


def random_payoffs(seed, shape, num_members=2):
    return [np.random.default_rng((seed, player)).normal(size=(num_members, *shape)) for player in range(len(shape))]


def solve(solver, payoffs):
    return solver(**OPTIONS).solve(cf.PayoffTable.from_arrays(payoffs)).mixtures


@pytest.mark.parametrize("solver", SOLVERS)
@settings(max_examples=40)
@given(seeds, shapes, st.floats(-150, 150))
def test_iterates_stay_on_the_simplex(solver, seed, shape, exponent):
    for mixture in solve(solver, [10.0**exponent * array for array in random_payoffs(seed, shape)]):
        assert (mixture >= 1e-6 * (1 - 1e-9)).all()
        np.testing.assert_allclose(mixture.sum(), 1.0, atol=1e-12)


@pytest.mark.parametrize("solver", SOLVERS)
@settings(max_examples=40)
@given(seeds, shapes, st.floats(-10, 10))
def test_a_constant_added_to_a_players_payoffs_changes_nothing(solver, seed, shape, constant):
    payoffs = random_payoffs(seed, shape)
    shifted = [payoffs[0] + constant, *payoffs[1:]]
    for mixture, other in zip(solve(solver, payoffs), solve(solver, shifted), strict=True):
        np.testing.assert_allclose(mixture, other, rtol=0, atol=1e-11)


@pytest.mark.parametrize("solver", SOLVERS)
@settings(max_examples=20)
@given(seeds, shapes, st.integers(-40, 40))
def test_a_constant_of_any_size_costs_no_digits(solver, seed, shape, power):
    """Payoffs with few digits are exact beside a power of two."""
    payoffs = [np.round(array * 16) / 16 for array in random_payoffs(seed, shape)]
    shifted = [payoffs[0] + 2.0**power * (power > 0), *payoffs[1:]]
    for mixture, other in zip(solve(solver, payoffs), solve(solver, shifted), strict=True):
        np.testing.assert_allclose(mixture, other, rtol=0, atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(seeds, st.integers(1, 6), st.integers(1, 6), st.integers(-9, 12), st.integers(0, 12), st.booleans())
def test_nash_is_an_equilibrium_in_units_of_what_is_at_stake(seed, rows, columns, scale, outlier, is_zero_sum):
    """Whatever the scale and however large one payoff: no player gains anything that is no rounding."""
    rng = np.random.default_rng(seed)
    row, column = rng.normal(size=(2, rows, columns)) * 10.0**scale
    row[rng.integers(rows), rng.integers(columns)] *= 10.0**outlier
    column = -row if is_zero_sum else column
    found = Nash().solve([row, column])
    assert found.status == "converged"
    others = [row @ found.mixtures[1], column.T @ found.mixtures[0]]
    met = [np.abs(row) @ found.mixtures[1], np.abs(column).T @ found.mixtures[0]]
    for own, values, sizes in zip(found.mixtures, others, met, strict=True):
        best = values.argmax()
        assert values[best] - own @ values <= 1e-9 * max(sizes[best], own @ sizes)


player_shapes = st.lists(st.integers(1, 4), min_size=2, max_size=4).map(tuple)


@settings(max_examples=120, deadline=None)
@given(seeds, player_shapes, st.sampled_from(sorted(KINDS_OF_PAYOFFS)))
def test_nash_of_any_number_of_players_is_an_equilibrium_or_does_not_say_so(seed, shape, kind):
    rng = np.random.default_rng(seed)
    payoffs = [KINDS_OF_PAYOFFS[kind](rng, shape) for _ in shape]
    found = Nash().solve(cf.PayoffTable.from_arrays(payoffs))
    assert found.status == "converged" or kind in ("near ties", "unlike sizes")
    for player, mixture in enumerate(found.mixtures):
        gained, sizes = gains(payoffs[player], player, found.mixtures)
        if found.status == "converged":
            assert gained.max() <= 1e-9 * max(sizes[gained.argmax()], mixture @ sizes)


@pytest.mark.parametrize("solver", [Nash(), CorrelatedEquilibrium(), CorrelatedEquilibrium(coarse=True)], ids=repr)
@settings(max_examples=30, deadline=None)
@given(seeds, player_shapes, st.randoms(use_true_random=False))
def test_equilibria_move_with_names_and_not_with_constants(solver, seed, shape, random):
    rng = np.random.default_rng(seed)
    payoffs = rng.normal(size=(len(shape), *shape))
    players = random.sample(range(len(shape)), len(shape))
    orders = [random.sample(range(shape[player]), shape[player]) for player in players]
    moved = [payoffs[player].transpose(players)[np.ix_(*orders)] for player in players]
    others = [7.0 + 3.0 * array for array in moved]  # in another unit, too
    mixtures = solver.solve(cf.PayoffTable.from_arrays(list(payoffs))).mixtures
    found = solver.solve(cf.PayoffTable.from_arrays(others)).mixtures
    for player, order, mixture in zip(players, orders, found, strict=True):
        np.testing.assert_allclose(mixtures[player][order], mixture, rtol=0, atol=1e-7)


@settings(max_examples=40, deadline=None)
@given(seeds, player_shapes, st.sampled_from(["any", "ties", "won or lost", "huge and far"]))
def test_correlated_equilibria_hold_each_other(seed, shape, kind):
    """Nash equilibria are correlated ones, and these are coarse ones: the best of more is at least as good."""
    rng = np.random.default_rng(seed)
    payoffs = [KINDS_OF_PAYOFFS[kind](rng, shape) for _ in shape]
    table = cf.PayoffTable.from_arrays(payoffs)
    nash = Nash().solve(table)
    for objective in ("entropy", "welfare"):
        fine, coarse = (CorrelatedEquilibrium(coarse=c, objective=objective).solve(table) for c in (False, True))
        assert (fine.status, coarse.status) == ("converged", "converged")
        assert (fine.regret >= 0).all()
        assert (coarse.regret >= 0).all()
        if objective == "entropy":
            value = -sum(float(x[x > 0] @ np.log(x[x > 0])) for x in nash.mixtures)
            slack = 1e-6
        else:
            value = table.expected_payoffs(nash.mixtures).sum()
            slack = 1e-6 * max(1.0, np.ptp(np.sum(payoffs, axis=0)))
        assert value <= fine.objective_value + slack
        assert fine.objective_value <= coarse.objective_value + slack


@settings(max_examples=40, deadline=None)
@given(seeds, player_shapes, st.booleans(), st.sampled_from(["entropy", "welfare"]))
def test_where_one_strategy_dominates_for_each_it_is_all_there_is(seed, shape, coarse, objective):
    rng = np.random.default_rng(seed)
    best = [int(rng.integers(size)) for size in shape]
    payoffs = list(rng.normal(size=(len(shape), *shape)))
    for player, strategy in enumerate(best):
        others = np.delete(payoffs[player], strategy, axis=player)
        top = others.max(axis=player) if others.size else np.take(payoffs[player], strategy, axis=player)
        np.moveaxis(payoffs[player], player, 0)[strategy] = top + rng.uniform(0.1, 1.0)
    found = CorrelatedEquilibrium(coarse=coarse, objective=objective).solve(cf.PayoffTable.from_arrays(payoffs))
    assert found.status == "converged"
    expected = np.zeros(shape)
    expected[tuple(best)] = 1.0
    np.testing.assert_array_equal(found.joint, expected)


@settings(max_examples=40, deadline=None)
@given(seeds, st.integers(0, 9), st.sampled_from([None, 1.0, 0.1, 0.03]))
def test_an_outlier_leaves_quantal_responses_right_or_unclaimed(seed, outlier, temperature):
    rng = np.random.default_rng(seed)
    payoffs = list(rng.normal(size=(2, 3, 2)))
    payoffs[0][rng.integers(3), rng.integers(2)] *= 10.0**outlier
    found = LogitQRE(temperature=temperature).solve(payoffs)
    table = cf.PayoffTable.from_arrays(payoffs)
    assert found.status == "converged" or temperature is not None
    if found.status == "converged":
        for x, q, u in zip(found.mixtures, table.deviation_payoffs(found.mixtures), payoffs, strict=True):
            score = q / (temperature or 0.1 * np.ptp(u))
            response = np.exp(score - score.max())
            noise = 1e-16 * np.abs(u).max() / (temperature or 1.0)
            np.testing.assert_allclose(x, response / response.sum(), rtol=0, atol=1e-4 + noise)


@pytest.mark.parametrize("solver", SOLVERS)
@settings(max_examples=40)
@given(seeds, shapes, st.randoms(use_true_random=False))
def test_permuted_strategies_give_permuted_mixtures(solver, seed, shape, random):
    payoffs = random_payoffs(seed, shape)
    orders = [random.sample(range(size), size) for size in shape]
    permuted = [array[np.ix_(range(len(array)), *orders)] for array in payoffs]
    for order, mixture, other in zip(orders, solve(solver, payoffs), solve(solver, permuted), strict=True):
        np.testing.assert_allclose(mixture[order], other, rtol=0, atol=1e-11)


@pytest.mark.parametrize("solver", SOLVERS)
@settings(max_examples=40)
@given(seeds, shapes, st.randoms(use_true_random=False))
def test_the_order_of_players_and_members_does_not_matter(solver, seed, shape, random):
    payoffs = random_payoffs(seed, shape)
    order = random.sample(range(len(shape)), len(shape))
    permuted = [payoffs[player].transpose(0, *(1 + axis for axis in order))[::-1] for axis, player in enumerate(order)]
    mixtures = solve(solver, payoffs)
    for player, other in zip(order, solve(solver, permuted), strict=True):
        np.testing.assert_allclose(mixtures[player], other, rtol=0, atol=1e-11)


@given(seeds, st.integers(1, 20), st.floats(0, 1))
def test_pure_strategies_are_fixed_by_the_replicator_step(seed, size, step_size):
    rng = np.random.default_rng(seed)
    pure = np.zeros(size)
    pure[rng.integers(size)] = 1.0
    np.testing.assert_array_equal(_core.replicator_step(pure, rng.normal(size=size), max(step_size, 1e-9)), pure)


@given(seeds, st.integers(2, 9))
def test_a_symmetric_table_is_solved_like_its_general_form(seed, size):
    row = np.random.default_rng(seed).normal(size=(2, size, size))
    for solver in SOLVERS:
        one = solver(**OPTIONS).solve(cf.PayoffTable.symmetric(row)).mixtures
        two = solve(solver, [row, row.swapaxes(1, 2)])
        np.testing.assert_array_equal(one, two)
