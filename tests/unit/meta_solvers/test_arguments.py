"""Every solver takes anything a payoff table can be made of, and refuses everything else with a sentence."""

import copy
import dataclasses
import json
import pickle

import numpy as np
import pytest
from tests.contract.test_meta_solvers import SOLVERS

import coffee_fast as cf
from coffee_fast.errors import CoffeeError, InvalidArgumentError
from coffee_fast.regularized import gamd, gane, rqe

KINDS = list({type(solver): solver for solver in SOLVERS}.values())
PENNIES = [[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]]
SKEW = [[0, 1, -1], [-1, 0, 2], [1, -2, 0]]
NO_TABLES = [
    None,
    3,
    np.nan,
    "payoffs.csv",
    b"1,2",
    {"players": PENNIES},
    {1, 2},
    object(),
    [],
    [1, 2],
    [[1, 2], [3]],
    [[1, 2, 3], [4, 5, 6]],
    [["1", "2"], ["3", "4"]],
    [[True, False], [False, True]],
    [[1j, 2], [3, 4]],
    [[None, 1], [2, 3]],
    [[10**400, 1], [2, 3]],
    [[1, np.inf], [2, 3]],
    np.ones((2, 2, 2)),
    np.ones((2, 2), dtype=object),
    np.array(5.0),
    [[[1, 2], [3, 4]], [[1, 2], [3]]],
    np.broadcast_to(1.0, (10**7, 10**7)),
    [[1.0, np.ma.masked], [2.0, 3.0]],
    np.ma.masked_array([[1.0, 2.0], [3.0, 4.0]], mask=[[0, 1], [0, 0]]),
    (x for x in PENNIES),
]
WRONG_NUMBERS = ["0.1", np.nan, np.inf, -1.0, 10**400, 1j, [0.1], True, np.array([1.0, 2.0]), "x" * 10**6, object()]
WRONG_COUNTS = [1.5, 0, -1, 10**30, "7", np.nan, True, [3], np.float64(2.0), None]


@pytest.mark.parametrize("solver", KINDS, ids=lambda solver: solver.kind)
def test_what_makes_a_table_is_solved_like_the_table(solver):
    tables = [
        (SKEW, cf.PayoffTable.symmetric(SKEW)),
        (np.array(SKEW, dtype=np.int8), cf.PayoffTable.symmetric(SKEW)),
        (PENNIES, cf.PayoffTable.from_arrays(PENNIES)),
        (tuple(map(np.array, PENNIES)), cf.PayoffTable.from_arrays(PENNIES)),
    ]
    for payoffs, table in tables:
        found, expected = solver.solve(payoffs), solver.solve(table)
        for mixture, other in zip(found.mixtures, expected.mixtures, strict=True):
            np.testing.assert_array_equal(mixture, other)


@pytest.mark.filterwarnings("ignore:Warning. converting a masked element")
@pytest.mark.parametrize("payoffs", NO_TABLES, ids=lambda x: repr(x)[:30])
@pytest.mark.parametrize("solve", [*(s.solve for s in KINDS), gane, gamd, rqe])
def test_what_makes_no_table_is_refused(solve, payoffs):
    with pytest.raises(CoffeeError) as caught:
        solve(payoffs)
    assert 10 < len(str(caught.value)) < 500


@pytest.mark.parametrize("solver", KINDS, ids=lambda solver: solver.kind)
def test_fields_are_checked(solver):
    for field in dataclasses.fields(solver):
        default = field.default
        is_count, is_number = type(default) is int, type(default) is float or default is None
        wrong = WRONG_COUNTS if is_count else WRONG_NUMBERS if is_number else [1, None, "guess", b"kl", np.nan]
        for value in wrong:
            with pytest.raises(InvalidArgumentError, match=f"{type(solver).__name__}: {field.name} must be") as caught:
                type(solver)(**{field.name: value})
            assert len(str(caught.value)) < 300
        if is_count or is_number:
            number = np.int64(3) if is_count else np.float32(0.5)
            built = type(solver)(**{field.name: number})
            assert built == type(solver)(**{field.name: number.item()})
            assert json.loads(json.dumps(built.to_config()))[field.name] == number.item()
            built.solve(PENNIES)


def test_keyword_arguments_of_regularized_solvers_are_checked():
    for solve, weight in ((gane, "kl_weight"), (gamd, "kl_weight"), (rqe, "temperature")):
        for value in [*WRONG_NUMBERS[:3], -1.0, 1j, object(), [1.0, 2.0, 3.0], ["1", "2"], "x" * 10**6]:
            with pytest.raises(InvalidArgumentError, match=f"{weight} must be") as caught:
                solve(PENNIES, **{weight: value})
            assert len(str(caught.value)) < 300
        for value in WRONG_COUNTS[:-1]:
            with pytest.raises(InvalidArgumentError, match="must be an integer"):
                solve(PENNIES, **{"num_iterations" if solve is gamd else "max_iterations": value})


@pytest.mark.parametrize("table", [cf.PayoffTable.symmetric(SKEW), cf.PayoffTable.from_arrays(PENNIES)], ids=repr)
@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_tables_and_solutions_are_copied_before_and_after_a_solve(table, copied):
    for _ in range(2):
        other = copied(table)
        assert other.is_symmetric == table.is_symmetric
        for player in range(2):
            np.testing.assert_array_equal(other.payoffs(player), table.payoffs(player))
            assert not other.payoffs(player).flags.writeable
        solution = cf.meta_solvers.Nash().solve(other)
        np.testing.assert_array_equal(copied(solution).mixtures, solution.mixtures)
        for solve in (gane, gamd, rqe):
            np.testing.assert_array_equal(copied(solve(table)).mixtures[0], solve(other).mixtures[0])
        table.regret(solution.mixtures)  # makes the compiled table
