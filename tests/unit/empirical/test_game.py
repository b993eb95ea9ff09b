import numpy as np
import pytest

from coffee_fast.empirical import EmpiricalGame
from coffee_fast.errors import InvalidArgumentError


def game_of_samples(samples, num_members=3):
    """A game of the returns ``samples[a, b]`` of shape [episodes, 2, members]."""
    game = EmpiricalGame(num_members)
    game.add_strategies(1 + max(max(pair) for pair in samples))
    for pair, returns in samples.items():
        game.record([pair], [len(returns)], [returns.sum(axis=0)], [(returns**2).sum(axis=0)])
    return game


@pytest.fixture
def samples():
    rng = np.random.default_rng(0)
    return {(a, b): rng.normal(size=(10 + b, 2, 3)) for b in range(4) for a in range(b + 1)}


def test_table_holds_the_means_and_their_transposition(samples):
    payoffs = game_of_samples(samples).table().payoffs(0)
    assert payoffs.shape == (3, 4, 4)
    for (a, b), returns in samples.items():
        mean = returns.mean(axis=0)
        if a == b:
            np.testing.assert_allclose(payoffs[:, a, a], mean.mean(axis=0))
        else:
            np.testing.assert_allclose(payoffs[:, a, b], mean[0])
            np.testing.assert_allclose(payoffs[:, b, a], mean[1])


def test_standard_errors_are_those_of_the_samples(samples):
    errors = game_of_samples(samples).standard_errors()[0]
    for (a, b), returns in samples.items():
        expected = returns.std(axis=0, ddof=1) / np.sqrt(len(returns))
        np.testing.assert_allclose(errors[:, a, b], expected.mean(axis=0) if a == b else expected[0])
        np.testing.assert_allclose(errors[:, b, a], expected.mean(axis=0) if a == b else expected[1])


def test_the_order_in_which_a_pair_is_named_does_not_matter(samples):
    swapped = {(b, a): returns[:, ::-1] for (a, b), returns in samples.items()}
    np.testing.assert_array_equal(
        game_of_samples(samples).table().payoffs(0), game_of_samples(swapped).table().payoffs(0)
    )


def test_simulations_of_a_pair_add_up(samples):
    game = EmpiricalGame(3)
    game.add_strategies(2)
    first, second = samples[0, 1][:4], samples[0, 1][4:]
    rows = [(part.sum(axis=0), (part**2).sum(axis=0)) for part in (first, second)]
    game.record([[0, 1], [0, 1]], [len(first), len(second)], [r[0] for r in rows], [r[1] for r in rows])
    assert game.counts.tolist() == [0, len(first) + len(second), 0]
    np.testing.assert_allclose(game.table().payoffs(0)[:, 0, 1], samples[0, 1][:, 0].mean(axis=0))


def test_growing_keeps_what_is_known_and_says_what_is_missing(samples):
    game = game_of_samples({pair: returns for pair, returns in samples.items() if max(pair) < 2})
    before = game.table().payoffs(0)
    game.add_strategies()
    assert game.missing_profiles().tolist() == [[0, 2], [1, 2], [2, 2]]
    assert game.missing_profiles().dtype == np.int32
    table = game.table()
    np.testing.assert_array_equal(table.payoffs(0)[:, :2, :2], before)
    assert not table.is_complete
    assert np.isnan(table.payoffs(0)[:, 2]).all()
    assert np.isnan(game.standard_errors()[0][:, :, 2]).all()


def test_one_simulation_has_no_standard_error():
    game = EmpiricalGame(1)
    game.add_strategies()
    game.record([[0, 0]], [1], [[[2.0], [4.0]]], [[[4.0], [16.0]]])
    assert game.table().payoffs(0).item() == 3.0
    assert np.isnan(game.standard_errors()[0]).all()


def test_arrays_rebuild_the_game(samples):
    game = game_of_samples(samples)
    again = EmpiricalGame.from_arrays(game.to_arrays())
    np.testing.assert_array_equal(again.table().payoffs(0), game.table().payoffs(0))
    np.testing.assert_array_equal(again.standard_errors(), game.standard_errors())
    again.add_strategies()
    assert game.num_strategies == (4,)
    empty = EmpiricalGame.from_arrays(EmpiricalGame(2).to_arrays())
    assert (empty.num_strategies, empty.num_members) == ((0,), 2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda arrays: arrays.pop("sums"), "'sums' is missing"),
        (lambda arrays: arrays.update(counts=arrays["counts"][:-1]), r"\[S \(S \+ 1\) / 2\], got \[9\]"),
        (lambda arrays: arrays.update(counts=arrays["counts"].astype(np.int32)), "counts must be int64"),
        (lambda arrays: arrays.update(sums=arrays["sums"][:, :1]), r"shape \[10, 2, E\], got \[10, 1, 3\]"),
        (lambda arrays: arrays.update(sums=np.full((10, 2, 3), np.nan)), "finite"),
        (lambda arrays: arrays.update(counts=-arrays["counts"]), "not be negative"),
    ],
)
def test_damaged_arrays_are_refused(samples, change, message):
    arrays = game_of_samples(samples).to_arrays()
    change(arrays)
    with pytest.raises(InvalidArgumentError, match=f"from_arrays: .*{message}"):
        EmpiricalGame.from_arrays(arrays)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"profiles": [[0, 2]]}, r"strategies must lie in \[0, 2\)"),
        ({"profiles": [[0, -1]]}, "strategies must lie in"),
        ({"profiles": [0, 1]}, r"profiles must have shape \[2, 2\], got \[2\]"),
        ({"profiles": [[0.0, 1.0]]}, "profiles must be integers"),
        ({"counts": [0]}, "counts must be at least 1"),
        ({"counts": [1, 2]}, r"counts must have shape \[1\], got \[2\]"),
        ({"sums": np.ones((1, 2, 3))}, r"sums must have shape \[1, 2, 1\], got \[1, 2, 3\]"),
        ({"sums_of_squares": [[[np.nan], [1.0]]]}, "must be finite"),
    ],
)
def test_record_refuses_and_records_nothing(arguments, message):
    game = EmpiricalGame(1)
    game.add_strategies(2)
    good = {"profiles": [[0, 1]], "counts": [1], "sums": np.ones((1, 2, 1)), "sums_of_squares": np.ones((1, 2, 1))}
    with pytest.raises(InvalidArgumentError, match=f"record: .*{message}"):
        game.record(**{**good, **arguments})
    assert not game.counts.any()


def test_a_game_without_strategies_has_no_table():
    with pytest.raises(InvalidArgumentError, match="no strategies yet"):
        EmpiricalGame(1).table()
    with pytest.raises(InvalidArgumentError, match="num_members must be an integer >= 1"):
        EmpiricalGame(0)
    with pytest.raises(InvalidArgumentError, match="count must be an integer >= 0"):
        EmpiricalGame(1).add_strategies(-1)


@pytest.mark.parametrize("wrong", [None, 1.5, "x", [], -1, 10**30, float("nan"), object()])
def test_what_is_no_number_is_refused(wrong):
    game = EmpiricalGame(np.int64(1))
    game.add_strategies(np.int64(2))
    calls = [
        lambda: EmpiricalGame(wrong),
        lambda: game.add_strategies(wrong),
        lambda: game.disagreement([0, wrong]),
        lambda: game.record(wrong, [1], [[[1.0], [1.0]]], [[[1.0], [1.0]]]),
        lambda: game.record([[0, 1]], wrong, [[[1.0], [1.0]]], [[[1.0], [1.0]]]),
        lambda: game.record([[0, 1]], [1], wrong, [[[1.0], [1.0]]]),
    ]
    for call in calls:
        with pytest.raises(InvalidArgumentError):
            call()
    assert game.counts.tolist() == [0, 0, 0]
