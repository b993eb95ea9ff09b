"""What every meta-strategy solver promises. A new one is one more line in SOLVERS."""

import dataclasses
import json

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.errors import InvalidGameError
from coffee_fast.games import matrix
from coffee_fast.meta_solvers import (
    GAMD,
    GANE,
    RQE,
    AnnealedReplicator,
    CorrelatedEquilibrium,
    LogitQRE,
    MetaSolver,
    Nash,
    ProjectedReplicator,
    Replicator,
    RobustReplicator,
    Uniform,
    from_config,
)

SOLVERS = [
    Uniform(),
    Nash(),
    CorrelatedEquilibrium(),
    CorrelatedEquilibrium(coarse=True, objective="welfare"),
    Replicator(max_iterations=500),
    Replicator(regret_threshold=0.1),
    RobustReplicator(max_iterations=500),
    RobustReplicator(regret_threshold=0.1),
    ProjectedReplicator(max_iterations=500),
    AnnealedReplicator(max_iterations=500),
    AnnealedReplicator(is_robust=True, max_iterations=500),
    GANE(),
    GANE(kl_weight=0.5, risk_aversion=1.0),
    GAMD(num_iterations=50),
    GAMD(kl_weight=0.5, num_iterations=50, last_iterate=True, tolerance=1e-3),
    LogitQRE(),
    RQE(),
    RQE(temperature=0.5, risk_aversion=1.0, divergence="reverse_kl", regularizer="entropy"),
]


def tables():
    rng = np.random.default_rng(0)
    skew = rng.normal(size=(7, 7))
    row = rng.normal(size=(4, 5))
    three = list(rng.normal(size=(3, 2, 3, 4)))
    return {
        "rock, paper, scissors": cf.PayoffTable.symmetric(matrix.rock_paper_scissors().payoffs[0]),
        "symmetric zero-sum": cf.PayoffTable.symmetric(skew - skew.T),
        "zero-sum": cf.PayoffTable.from_arrays([row, -row]),
        "members": cf.PayoffTable.from_arrays([[row, row + 1], [-row, -row - 1]]),
        "three players": cf.PayoffTable.from_arrays(three),
        "three players, members": cf.PayoffTable.from_arrays([[u, u + 0.1 * u[::-1]] for u in three]),
        "four players": cf.PayoffTable.from_arrays(list(rng.integers(-2, 3, size=(4, 2, 2, 2, 2)).astype(float))),
        "majority": cf.PayoffTable.from_arrays(matrix.three_player_majority().payoffs),
        "one strategy": cf.PayoffTable.symmetric([[0.0]]),
        "one strategy of the row player": cf.PayoffTable.from_arrays([row[:1], -row[:1]]),
        "indifferent": cf.PayoffTable.from_arrays([np.zeros((2, 3)), np.zeros((2, 3))]),
        "huge": cf.PayoffTable.from_arrays([1e150 * row, -1e150 * row]),
        "tiny": cf.PayoffTable.from_arrays([1e-150 * row, -1e-150 * row]),
    }


@pytest.fixture(params=SOLVERS, ids=repr)
def solver(request):
    return request.param


@pytest.fixture(params=tables().items(), ids=lambda item: item[0])
def table(request):
    return request.param[1]


def test_solution_is_a_profile_with_its_regret(solver, table):
    solution = solver.solve(table)
    assert isinstance(solution.mixtures, tuple)
    assert tuple(map(len, solution.mixtures)) == table.num_strategies
    for mixture in solution.mixtures:
        assert mixture.dtype == np.float64
        assert (mixture >= 0).all()
        np.testing.assert_allclose(mixture.sum(), 1.0, atol=1e-12)
    if getattr(solver, "is_independent", True):
        np.testing.assert_array_equal(solution.regret, table.regret(solution.mixtures))
        np.testing.assert_array_equal(solution.pessimistic_regret, table.pessimistic_regret(solution.mixtures))
    else:
        assert_joint_play_with_its_regret(solver, table, solution)
    assert solution.max_regret == solution.regret.max()
    assert solution.sum_regret == solution.regret.sum()
    assert solution.status in {"converged", "threshold_reached", "max_iterations", "not_converged"}
    assert isinstance(solution.num_iterations, int)
    assert solution.solver == solver.kind


def assert_joint_play_with_its_regret(solver, table, solution):
    """Every rule of what to play instead of what one is told, one after another."""
    joint, players = solution.joint, range(table.num_players)
    assert joint.shape == table.num_strategies
    np.testing.assert_allclose(joint.sum(), 1.0, atol=1e-12)
    assert (joint >= 0).all()
    assert (solution.pessimistic_regret >= solution.regret).all()
    for player in players:
        others = tuple(other for other in players if other != player)
        np.testing.assert_allclose(solution.mixtures[player], joint.sum(axis=others), atol=1e-12)
        payoffs = np.moveaxis(table.mean().payoffs(player)[0], player, 0)
        told = np.moveaxis(joint, player, 0)
        size = 1e-12 * np.abs(payoffs).max()
        np.testing.assert_allclose(solution.expected_payoffs[player], (told * payoffs).sum(), atol=size)
        if solver.coarse:
            best = max((told.sum(axis=0) * other).sum() for other in payoffs)
        else:
            best = sum(max((p * other).sum() for other in payoffs) for p in told)
        regret = max(0.0, best - (told * payoffs).sum())
        np.testing.assert_allclose(solution.regret[player], regret, rtol=0, atol=size)


def test_solution_is_read_only_and_the_table_unchanged(solver, table):
    before = [table.payoffs(player).copy() for player in range(table.num_players)]
    solution = solver.solve(table)
    for array in (*solution.mixtures, solution.regret, solution.pessimistic_regret):
        assert not array.flags.writeable
    for player, payoffs in enumerate(before):
        np.testing.assert_array_equal(table.payoffs(player), payoffs)


def test_same_table_same_bits(solver, table):
    first, second = solver.solve(table), solver.solve(table)
    assert [x.tobytes() for x in first.mixtures] == [x.tobytes() for x in second.mixtures]
    assert (first.status, first.num_iterations) == (second.status, second.num_iterations)


def test_symmetric_tables_get_one_mixture(solver, table):
    if table.is_symmetric:
        first, second = solver.solve(table).mixtures
        np.testing.assert_array_equal(first, second)


def test_unknown_payoffs_are_refused_by_profile(solver):
    payoffs = np.zeros((2, 3, 3))
    payoffs[1, 2, 0] = np.nan
    with pytest.raises(InvalidGameError, match=r"solve: the payoff of player 0 at profile \(2, 0\) is not known"):
        solver.solve(cf.PayoffTable.symmetric(payoffs))


def test_config_round_trip(solver):
    config = solver.to_config()
    assert config["kind"] == solver.kind
    assert from_config(json.loads(json.dumps(config))) == solver


def test_solver_is_a_frozen_hashable_dataclass(solver):
    assert isinstance(solver, MetaSolver)
    assert dataclasses.is_dataclass(solver)
    assert len({solver, dataclasses.replace(solver)}) == 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        solver.step_size = 1.0
