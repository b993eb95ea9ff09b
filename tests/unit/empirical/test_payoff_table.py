import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.errors import InvalidArgumentError, InvalidGameError

DILEMMA = [[3.0, 0.0], [5.0, 1.0]]


def test_symmetric_gives_the_column_player_the_transpose():
    table = cf.PayoffTable.symmetric(DILEMMA)
    assert (table.num_players, table.num_members, table.num_strategies) == (2, 1, (2, 2))
    assert table.is_symmetric
    np.testing.assert_array_equal(table.payoffs(1)[0], np.transpose(DILEMMA))


@pytest.mark.parametrize(
    ("shape", "num_players", "num_members"),
    [((4,), 1, 1), ((3, 4), 1, 3), ((3, 4), 2, 1), ((5, 3, 4), 2, 5), ((2, 3, 4), 3, 1), ((6, 2, 3, 4), 3, 6)],
)
def test_from_arrays_tells_members_by_the_number_of_axes(shape, num_players, num_members):
    table = cf.PayoffTable.from_arrays([np.ones(shape)] * num_players)
    assert (table.num_players, table.num_members) == (num_players, num_members)
    assert table.num_strategies == shape[-num_players:]
    assert not table.is_symmetric


def test_payoffs_are_copied_and_read_only():
    source = np.array(DILEMMA)
    table = cf.PayoffTable.symmetric(source)
    source[:] = 0
    assert table.payoffs(0)[0, 1, 0] == 5.0
    for player in range(2):
        with pytest.raises(ValueError, match="read-only"):
            table.payoffs(player)[0, 0, 0] = 1.0


@pytest.mark.parametrize("convert", [lambda a: a.astype(np.float32), lambda a: a.astype(int), np.asfortranarray])
def test_any_real_dtype_and_order_is_taken(convert):
    table = cf.PayoffTable.symmetric(convert(np.array(DILEMMA)))
    np.testing.assert_array_equal(table.regret([[1, 0], [1, 0]]), [2.0, 2.0])


def test_mean_bounds_and_members():
    table = cf.PayoffTable.symmetric([[[0, 1], [2, 3]], [[4, -1], [2, 1]]])
    lower, upper = table.payoff_bounds()
    np.testing.assert_array_equal(table.mean().payoffs(0), [[[2, 0], [2, 2]]])
    np.testing.assert_array_equal(lower.payoffs(0), [[[0, -1], [2, 1]]])
    np.testing.assert_array_equal(upper.payoffs(0), [[[4, 1], [2, 3]]])
    np.testing.assert_array_equal(table.member(1).payoffs(0), [[[4, -1], [2, 1]]])
    assert lower.is_symmetric


@pytest.mark.parametrize(
    ("payoffs", "message"),
    [
        ([[1, 2, 3], [4, 5, 6]], r"must have shape \[S, S\] or \[E, S, S\], got \[2, 3\]"),
        ([1, 2], r"got \[2\]"),
        (np.ones((1, 1, 2, 2)), r"got \[1, 1, 2, 2\]"),
        (np.ones((0, 0)), r"an entry on each axis, got shape \[0, 0\]"),
        ([[1, 2], [3]], "rectangular"),
        ([["1", "2"], ["3", "4"]], "real numbers"),
        ([[1j, 2], [3, 4]], "real numbers"),
        ([[1, np.inf], [3, 4]], r"finite and at most 1e280 in size, got inf at \(0, 1\)"),
        ([[1, 2], [-1e281, 4]], r"got -1e\+281 at \(1, 0\)"),
    ],
)
def test_symmetric_refuses(payoffs, message):
    with pytest.raises(InvalidGameError, match=f"PayoffTable.symmetric: payoffs .*{message}"):
        cf.PayoffTable.symmetric(payoffs)


def test_from_arrays_refuses_arrays_that_do_not_fit():
    with pytest.raises(InvalidGameError, match=r"payoffs of player 1 must have shape \[2, 3\], got \[2, 4\]"):
        cf.PayoffTable.from_arrays([np.ones((2, 3)), np.ones((2, 4))])
    with pytest.raises(InvalidGameError, match=r"of 2 players must have 2 axes, or 3 .*, got shape \[2\]"):
        cf.PayoffTable.from_arrays([np.ones(2), np.ones(2)])
    with pytest.raises(InvalidGameError, match="one array a player, got none"):
        cf.PayoffTable.from_arrays([])


def test_unknown_payoffs_are_kept_but_never_computed_with():
    table = cf.PayoffTable.from_arrays([[[1, 2], [np.nan, 4]], [[1, 2], [3, 4]]])
    assert not table.is_complete
    assert np.isnan(table.payoffs(0)[0, 1, 0])
    with pytest.raises(InvalidGameError, match=r"regret: the payoff of player 0 at profile \(1, 0\) is not known"):
        table.regret([[1, 0], [1, 0]])
    assert np.isnan(table.mean().payoffs(0)[0, 1, 0])


@pytest.mark.parametrize(
    ("mixtures", "message"),
    [
        ([[1, 0]], "must be one a player, 2 in all, got 1"),
        ([[1, 0], [1, 0, 0]], r"mixture of player 1 must have shape \[2\], got \[3\]"),
        ([[1, 0], [0.5, 0.4]], r"must hold probabilities >= 0 that sum to 1, got \[0.5, 0.4\]"),
        ([[1, 0], [1.5, -0.5]], "must hold probabilities"),
        ([[1, 0], [np.nan, 1]], "must hold probabilities"),
    ],
)
def test_mixtures_are_checked(mixtures, message):
    with pytest.raises(InvalidArgumentError, match=f"regret: .*{message}"):
        cf.PayoffTable.symmetric(DILEMMA).regret(mixtures)


def test_players_and_members_out_of_range_are_refused():
    table = cf.PayoffTable.symmetric(DILEMMA)
    with pytest.raises(InvalidArgumentError, match=r"player must lie in \[0, 2\), got 2"):
        table.payoffs(2)
    with pytest.raises(InvalidArgumentError, match=r"index must lie in \[0, 1\), got 1"):
        table.member(1)


NO_INDICES = [1.5, "0", None, True, np.nan, [0], 10**30, -1]
NO_MIXTURES = [None, 3, "ab", {0: [1, 0], 1: [1, 0]}, [[1, 0], ["1", "0"]], [[1, 0], None], [[1, 0], [[1, 0]]]]
NO_MIXTURES += [[[1, 0], [1j, 0]], [[1, 0], [10**400, 0]], [[1, 0], [True, False]], [[1, 0], np.full(10**6, 0.1)]]
METHODS = ["regret", "pessimistic_regret", "expected_payoffs", "deviation_payoffs", "optimistic_deviation_payoffs"]
METHODS += ["pessimistic_deviation_payoffs", "pessimistic_payoffs", "optimistic_payoffs"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("mixtures", NO_MIXTURES, ids=lambda x: repr(x)[:30])
def test_what_is_no_profile_is_refused(method, mixtures):
    with pytest.raises(InvalidArgumentError, match=f"^{method}: mixture") as caught:
        getattr(cf.PayoffTable.symmetric(DILEMMA), method)(mixtures)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("index", NO_INDICES, ids=repr)
def test_what_is_no_index_is_refused(index):
    table = cf.PayoffTable.symmetric(DILEMMA)
    for method in (table.payoffs, table.member):
        with pytest.raises(InvalidArgumentError, match="must "):
            method(index)
    assert table.payoffs(np.int64(1)).shape == (1, 2, 2)


@pytest.mark.parametrize("payoffs", [None, 3, "ab", {"a": 1}, (x for x in DILEMMA), object(), np.array(1.0)], ids=repr)
def test_what_is_no_list_of_payoffs_is_refused(payoffs):
    for make in (cf.PayoffTable.symmetric, cf.PayoffTable.from_arrays):
        with pytest.raises(InvalidGameError, match=f"PayoffTable.{make.__name__}: payoffs must"):
            make(payoffs)


def test_masked_entries_are_not_known():
    hidden = np.ma.masked_array(DILEMMA, mask=[[0, 0], [1, 0]], fill_value=-99)
    for table in (cf.PayoffTable.symmetric(hidden), cf.PayoffTable.from_arrays([DILEMMA, hidden])):
        assert np.isnan(table.payoffs(table.num_players - 1)).sum() == 1
        with pytest.raises(InvalidGameError, match="is not known"):
            table.regret([[1, 0], [1, 0]])
    np.testing.assert_array_equal(cf.PayoffTable.symmetric(np.ma.masked_array(DILEMMA)).payoffs(0)[0], DILEMMA)


@pytest.mark.parametrize("far", [1e5, 1e8, -1e12])
def test_a_constant_costs_no_digits_and_is_in_what_is_reported(far):
    """Payoffs that are multiples of 1/16 keep all their digits beside the constant."""
    rng = np.random.default_rng(0)
    payoffs = rng.integers(-40, 40, size=(3, 2, 4, 3, 2)) / 16.0
    near, there = (cf.PayoffTable.from_arrays(list(payoffs + c)) for c in (0.0, far))
    mixtures = [rng.dirichlet(np.ones(size)) for size in (4, 3, 2)]
    np.testing.assert_allclose(there.regret(mixtures), near.regret(mixtures), rtol=0, atol=1e-14)
    np.testing.assert_allclose(there.pessimistic_regret(mixtures), near.pessimistic_regret(mixtures), atol=1e-14)
    np.testing.assert_allclose(there.expected_payoffs(mixtures), near.expected_payoffs(mixtures) + far, rtol=1e-15)
    for method in METHODS[3:6]:
        for found, other in zip(getattr(there, method)(mixtures), getattr(near, method)(mixtures), strict=True):
            np.testing.assert_allclose(found, other + far, rtol=1e-15)
